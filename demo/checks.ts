/** What has to hold, and what did not. */
import { isDeepStrictEqual } from 'node:util'
import type { Narrator } from './narrator.ts'

export interface Checks {
  /** A line for each thing that did not hold. */
  readonly failures: string[]
  readonly expect: (title: string, actual: unknown, expected: unknown) => void
}

export function checks (say: Narrator): Checks {
  const failures: string[] = []
  return {
    failures,
    expect (title, actual, expected) {
      const holds = isDeepStrictEqual(actual, expected)
      say.check(title, holds)
      if (!holds) failures.push(`${title}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`)
    }
  }
}

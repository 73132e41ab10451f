/** What requests to a CRM cost, part by part. */
import type { Spent } from '../src/testing/fake-crm.ts'

/** @returns gives what was spent since it was asked last */
export function meter (spent: () => Spent): () => Spent {
  let last = spent()
  return () => {
    const before = last
    last = spent()
    return { ...last, requests: last.requests - before.requests, units: last.units - before.units }
  }
}

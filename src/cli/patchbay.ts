#!/usr/bin/env node
/** The command line. */
import { parseArgs } from 'node:util'
import { version } from '../version.ts'
import { rotate } from './keys-rotate.ts'

const usage = `patchbay ${version}

  patchbay start         runs the server
  patchbay keys rotate   seals everything anew with the first key of ENCRYPTION_KEYS

Both read their configuration from the environment.
`

/** @returns the exit code; undefined while the server runs */
async function run (words: readonly string[]): Promise<number | undefined> {
  switch (words.join(' ')) {
    case 'start':
      await import('../server.ts')
      return undefined
    case 'keys rotate':
      return await rotate(process.stdout)
    default:
      process.stderr.write(usage)
      return 2
  }
}

function words (): readonly string[] {
  try {
    return parseArgs({ allowPositionals: true, options: {} }).positionals
  } catch {
    return [] // An option: there are none.
  }
}

try {
  process.exitCode = await run(words())
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

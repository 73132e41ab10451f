/**
 * `npm run bench`: every other file of this folder, each in a process of its own, so that none warms up for the next one.
 * Arguments are passed on: `npm run bench -- --full`.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const files = readdirSync(import.meta.dirname).filter(name => name.endsWith('.ts') && name !== 'bench.ts').sort()
for (const name of files) {
  const { status } = spawnSync(process.execPath, ['--import', 'jiti/register', join(import.meta.dirname, name), ...process.argv.slice(2)], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}

/**
 * Breaks one promise after the other in a copy of the tree, and fails when the test that should notice it stays green.
 *
 *     npm run sabotage                     all of them
 *     npm run sabotage -- --quick          a few that take a second
 *     npm run sabotage -- redirects P7     those whose promise or title holds one of the words
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { sabotages, type Sabotage } from '../test/faults/sabotages.ts'

const root = resolve(import.meta.dirname, '..')
const atOnce = 2
/** Seconds for one file of tests. */
const longest = 180

/** A copy of what tests need. Its folder of modules is its own, so that what is cached there goes with it. */
function copyTree (): string {
  const copy = mkdtempSync(join(tmpdir(), 'patchbay-sabotage-'))
  for (const name of ['src', 'test', 'manifests', 'package.json', 'tsconfig.json']) cpSync(join(root, name), join(copy, name), { recursive: true })
  const modules = join(root, 'node_modules')
  mkdirSync(join(copy, 'node_modules'))
  for (const name of readdirSync(modules)) if (!name.startsWith('.')) symlinkSync(join(modules, name), join(copy, 'node_modules', name))
  return copy
}

/** @throws when the code has moved */
function sabotaged ({ title, file, edits }: Sabotage): string {
  return edits.reduce((source, [from, to]) => {
    const [before, after, ...more] = source.split(from)
    if (after === undefined || more.length > 0) throw new Error(`"${title}" does not fit ${file} any more: what it replaces has to be there once\n${from}`)
    return before + to + after
  }, readFileSync(join(root, file), 'utf8'))
}

interface Run { isGreen: boolean, output: string, seconds: number }

async function run (copy: string, test: string): Promise<Run> {
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', 'jiti/register', test], {
    cwd: copy, env: { ...process.env, TAP_TIMEOUT: String(longest) }, stdio: ['ignore', 'pipe', 'pipe'], timeout: longest * 1000, killSignal: 'SIGKILL'
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { output += String(chunk) })
  const code = await new Promise(resolve => { child.on('close', resolve) })
  return { isGreen: code === 0, output, seconds: Math.round((performance.now() - started) / 1000) }
}

const problems: string[] = []

/** Runs a file of tests as it is, then under each sabotage that it has to notice. */
async function tryTest (copy: string, test: string, chosen: readonly Sabotage[]): Promise<void> {
  const healthy = await run(copy, test)
  if (!healthy.isGreen) {
    console.log(`${healthy.output}\n${test} fails without any sabotage`)
    problems.push(test)
    return
  }
  for (const sabotage of chosen) {
    writeFileSync(join(copy, sabotage.file), sabotaged(sabotage))
    const { isGreen, seconds } = await run(copy, test)
    cpSync(join(root, sabotage.file), join(copy, sabotage.file))
    const name = `${sabotage.promise} ${sabotage.title} (${test}, ${seconds} s)`
    console.log(`${isGreen ? 'NOT NOTICED' : 'noticed    '} ${name}`)
    if (isGreen) problems.push(name)
  }
}

const { values: { quick }, positionals: words } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true })
for (const sabotage of sabotages) sabotaged(sabotage)
const chosen = sabotages.filter(sabotage => (quick !== true || sabotage.quick === true) &&
  (words.length === 0 || words.some(word => `${sabotage.promise} ${sabotage.title}`.includes(word))))
const tests = [...new Set(chosen.map(({ test }) => test))].values()
await Promise.all(Array.from({ length: atOnce }, async () => {
  const copy = copyTree()
  try {
    for (const test of tests) await tryTest(copy, test, chosen.filter(sabotage => sabotage.test === test))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}))

if (chosen.length === 0) problems.push('nothing: there is no such sabotage')
console.log(problems.length === 0 ? `All of ${chosen.length} sabotages are noticed` : `Not noticed:\n  ${problems.join('\n  ')}`)
if (problems.length > 0) process.exitCode = 1

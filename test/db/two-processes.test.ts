import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const script = fileURLToPath(new URL('other-process.ts', import.meta.url))

async function startProcess () {
  const child = spawn(process.execPath, [...process.execArgv, script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => (await lines.next()).value
  await nextLine()
  return {
    async reserve (url: string, sessions: string[]): Promise<{ won?: string[], error?: string }> {
      child.stdin.write(`${JSON.stringify({ url, sessions })}\n`)
      return JSON.parse(await nextLine())
    },
    stop: () => { child.stdin.end() }
  }
}

await t.test('two processes start on one new file at once, and of two equal reservations one wins', async t => {
  const processes = await Promise.all([startProcess(), startProcess()])
  t.teardown(() => { for (const other of processes) other.stop() })
  const folder = t.testdir()
  const sessions = Array.from({ length: 20 }, (_, index) => `s${index}`)
  for (let round = 0; round < 20; round++) {
    const url = `file:${join(folder, `${round}.db`)}`
    const answers = await Promise.all(processes.map(other => other.reserve(url, sessions)))
    t.strictSame(answers.flatMap(({ won, error }) => won ?? [error]).sort(), sessions.toSorted(), `round ${round}`)
  }
})

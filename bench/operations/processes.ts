/** The processes of a run: each of them does one thing, so that the CPU time of one is the time of that thing. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const root = join(import.meta.dirname, '..', '..')
const besides = (name: string): string => join(import.meta.dirname, name)
const startsWithin = 20_000

/** A server that tells what it has used. */
export interface Server {
  readonly port: number
  /** CPU time since it started, in microseconds. */
  cpu: () => Promise<number>
}

export interface Crm {
  readonly port: number
  /** Requests that it has received since it started. */
  requests: () => Promise<number>
  /** @param delay milliseconds before it answers */
  answerIn: (delay: number) => Promise<void>
}

export interface Processes {
  startCrm: () => Promise<Crm>
  startFloor: (crm: Crm, database: string) => Promise<Server>
  /** The built server as operators run it, with its log. */
  startServer: (crm: Crm, folder: string) => Promise<Server>
  stop: () => Promise<void>
}

export function processes (): Processes {
  const children: ChildProcess[] = []

  async function start (file: string, { execArgv, env = {}, log }: { execArgv: string[], env?: Record<string, string>, log: string }): Promise<{ child: ChildProcess, port: number }> {
    const port = await freePort()
    const output = openSync(log, 'w')
    const child = fork(file, [], { execArgv, stdio: ['ignore', output, 'inherit', 'ipc'], env: { ...process.env, ...env, PORT: String(port) } })
    children.push(child)
    await untilItAnswers(child, port)
    return { child, port }
  }

  const measured = ({ child, port }: { child: ChildProcess, port: number }): Server => ({ port, cpu: async () => await ask(child, 'cpu') })

  return {
    async startCrm () {
      const { child, port } = await start(besides('crm.ts'), { execArgv: ['--import', 'jiti/register'], log: '/dev/null' })
      return {
        port,
        requests: async () => await ask(child, 'requests'),
        answerIn: async delay => { await ask(child, { delay }) }
      }
    },
    startFloor: async (crm, database) => measured(await start(besides('floor.ts'), {
      execArgv: ['--import', 'jiti/register', '--import', besides('report-cpu.js')],
      env: { CRM_PORT: String(crm.port), DATABASE: database },
      log: '/dev/null'
    })),
    startServer: async (crm, folder) => measured(await start(join(root, 'dist', 'server.js'), {
      execArgv: ['--import', besides('report-cpu.js')],
      env: { DATABASE_URL: `file:${join(folder, 'patchbay.db')}`, EXAMPLE_CRM_PORT: '0', EXAMPLE_URL: `http://127.0.0.1:${crm.port}`, LOG_LEVEL: 'info' },
      log: join(folder, 'server.log')
    })),
    async stop () {
      await Promise.all(children.filter(({ exitCode }) => exitCode === null).map(async child => {
        const exited = once(child, 'exit')
        child.kill()
        await exited
      }))
    }
  }
}

async function ask (child: ChildProcess, question: string | object): Promise<number> {
  const answered = once(child, 'message')
  child.send(question)
  const [answer] = await answered
  return Number(answer)
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function untilItAnswers (child: ChildProcess, port: number): Promise<void> {
  for (const end = Date.now() + startsWithin; Date.now() < end;) {
    if (child.exitCode !== null) break
    const answer = await fetch(`http://127.0.0.1:${port}/isAlive`).catch(() => undefined)
    if (answer?.ok === true) return
    await pause(50)
  }
  throw new Error(`${child.spawnargs.join(' ')} did not start`)
}

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'

/** The built server, as it is run. */
const server = new URL('../dist/server.js', import.meta.url).pathname

interface Running { child: ChildProcess, output: () => string, errors: () => string, exited: Promise<number | null> }

interface How {
  /** Where it writes; nothing is read of it there. */
  stdout?: number
  command?: readonly [string, ...string[]]
}

/** The server as a process of its own. */
function run (t: Test, folder: string, variables: Record<string, string>, { stdout, command: [program, ...words] = [process.execPath, server] }: How = {}): Running {
  const child = spawn(program, words, {
    cwd: folder,
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
    env: { ...process.env, PORT: '0', EXAMPLE_CRM_PORT: '0', DATABASE_URL: `file:${join(folder, 'data', 'patchbay.db')}`, ...variables }
  })
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk: Buffer) => { output += chunk.toString() })
  child.stderr?.on('data', (chunk: Buffer) => { errors += chunk.toString() })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, output: () => output, errors: () => errors, exited }
}

/** What the server prints arrives after what it answers. */
async function printed (pattern: RegExp, { output, errors, exited }: Running): Promise<RegExpExecArray> {
  let gone = false
  exited.then(() => { gone = true }, () => {})
  for (;;) {
    const found = pattern.exec(output())
    if (found !== null) return found
    if (gone) throw new Error(`The server ended without printing ${pattern.source}: ${errors()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function addressOf (running: Running): Promise<string> {
  const [, url = ''] = await printed(/Server +(http:\S+)/, running)
  return url
}

async function freePort (): Promise<string> {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  await new Promise(resolve => taken.close(resolve))
  return String(port)
}

/** For a server whose output says nothing. */
async function alive (url: string, { errors, child }: Running): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/health/live`).catch(() => undefined)
    if (answer?.status === 200) return
    if (child.exitCode !== null) throw new Error(`The server ended: ${errors()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const signIn = async (url: string): Promise<Response> => await fetch(`${url}/apiKeyLogin`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ platform: 'example', apiKey: 'example-key-ann' })
})

await t.test('the server starts without configuration, stops on a signal, and finds its data the next time', async t => {
  const folder = t.testdir()
  const first = run(t, folder, {})
  const url = await addressOf(first)
  t.match(first.output(), /API reference http:.*\/docs[\s\S]*Example CRM +http:[\s\S]*example-key-ann +example-key-bob[\s\S]*npm run demo[\s\S]*patchbay\.keys\.json/)
  t.equal((await fetch(`${url}/isAlive`)).status, 200)
  const { jwtToken } = await (await signIn(url)).json() as { jwtToken: string }
  await fetch(`${url}/user/settings?jwtToken=${jwtToken}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userSettings: { mine: { value: 1 } } })
  })
  first.child.kill('SIGTERM')
  t.equal(await first.exited, 0)

  const second = run(t, folder, {})
  const again = await addressOf(second)
  t.notMatch(second.output(), /patchbay\.keys\.json/, 'keys are made once')
  t.strictSame(await (await fetch(`${again}/user/settings?jwtToken=${jwtToken}`)).json(), { mine: { value: 1 } })
  second.child.kill('SIGINT')
  t.equal(await second.exited, 0)
})

await t.test('who listens everywhere and has no address for others gives one at which this machine reaches it', async t => {
  const hasIPv6 = Object.values(networkInterfaces()).flat().some(address => address?.address === '::1')
  const table: Array<[host: string, reached: RegExp]> = [
    ['0.0.0.0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ...(hasIPv6 ? [['::', /^http:\/\/\[::1\]:\d+$/] as [string, RegExp]] : [])
  ]
  for (const [HOST, reached] of table) {
    const url = await addressOf(run(t, t.testdir(), { HOST }))
    t.match(url, reached)
    t.match(await (await fetch(`${url}/crmManifest`)).json(), { serverUrl: url }, HOST)
    const consent = (await fetch(`${url}/oauth-authorize?platform=example`, { redirect: 'manual' })).headers.get('location') ?? ''
    t.equal(new URL(consent).searchParams.get('redirect_uri'), `${url}/oauth-callback`, HOST)
    t.equal((await fetch(consent)).status, 200, `${HOST}: the Example CRM knows it`)
  }
})

await t.test('npm start becomes the server, so that a signal reaches it', async t => {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { scripts: { start: string } }
  const start = scripts.start.replace('npm run -s build', 'true').replace('dist/server.js', `'${server}'`)
  const running = run(t, t.testdir(), {}, { command: ['sh', '-c', start] })
  await addressOf(running)
  running.child.kill('SIGTERM')
  t.equal(await running.exited, 0)
})

await t.test('a request that is being answered when the signal comes is brought to its end, also when the CRM takes its time', async t => {
  const folder = t.testdir()
  const running = run(t, folder, {})
  const url = await addressOf(running)
  const [, crm] = /Example CRM +(http:\S+)/.exec(running.output()) ?? []
  const { jwtToken } = await (await signIn(url)).json() as { jwtToken: string }
  const post = async (path: string, body: object, method = 'POST'): Promise<unknown> => await (await fetch(`${url}${path}?jwtToken=${jwtToken}`, {
    method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body)
  })).json()
  await post('/callLog', {
    logInfo: { sessionId: '1', direction: 'Inbound', from: { phoneNumber: '+16504445566' }, to: { phoneNumber: '+18662019834' }, startTime: 1, duration: 7 },
    note: '',
    contactId: 1,
    contactType: 'Contact',
    contactName: 'John Smith'
  })
  // More than ten seconds together, which is what the framework would wait for.
  await fetch(`${crm}/_faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rules: ['GET', 'PATCH'].map(method => ({ method, path: '/api/activities/*', times: 1, delayMs: 6_000 })) })
  })
  const answer = post('/callLog', { sessionId: '1', note: 'Wants the annual licence.' }, 'PATCH')
  await new Promise(resolve => setTimeout(resolve, 200))
  running.child.kill('SIGTERM')
  t.match(await answer, { successful: true, updatedNote: 'Wants the annual licence.' })
  t.equal(await running.exited, 0)
})

await t.test('what a connector leaves to itself stops nobody', async t => {
  const folder = t.testdir({
    connectors: {
      'twice.mjs': `import { apiKey, connector, path, Type } from 'patchbay'
        const answer = Type.Unknown()
        export default connector({
          platform: 'twice', title: 'Twice', hosts: ['api.example.com'], baseUrl: 'https://api.example.com', auth: apiKey({ authorization: () => 'Basic x' }),
          logFormat: 'none', dedupe: 'none', additionalSubmission: Type.Object({}), manifest: { name: 'twice', displayName: 'Twice', auth: { type: 'apiKey' } }
        }, {
          async getUserInfo () { return { crmUserId: '1', name: 'One' } },
          async findContact ({ crm }) {
            const [one, other] = [crm.get(path\`/one\`, { answer }), crm.get(path\`/other\`, { answer })]
            await one
            return await other
          },
          async createContact () { return { id: '1', name: 'One' } },
          async createCallLog () { return { logId: '1' } },
          async updateCallLog () { return {} }
        })`
    }
  })
  const running = run(t, folder, { CONNECTORS_DIR: join(folder, 'connectors'), TWICE_URL: 'http://127.0.0.1:1' })
  const url = await addressOf(running)
  const login = await fetch(`${url}/apiKeyLogin`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ platform: 'twice', apiKey: 'x' }) })
  const { jwtToken } = await login.json() as { jwtToken: string }
  for (let times = 0; times < 3; times++) {
    const answer = await (await fetch(`${url}/contact?phoneNumber=%2B1650444556${times}&jwtToken=${jwtToken}`)).json()
    t.match(answer, { successful: false, error: { code: 'unavailable' } })
  }
  await printed(/nobody waited for it/, running)
  t.equal((await fetch(`${url}/isAlive`)).status, 200)
  running.child.kill('SIGTERM')
  t.equal(await running.exited, 0)
})

await t.test('a disk that is full of logs costs lines of the log, nothing else', { skip: process.platform !== 'linux' && 'there is no /dev/full here' }, async t => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const start = async (folder: string): Promise<Running> => {
    const running = run(t, folder, { PORT: port, CONNECTORS_DIR: folder, FALLING_URL: 'http://127.0.0.1:1', LOG_LEVEL: 'trace' }, { stdout: openSync('/dev/full', 'w') })
    await alive(url, running)
    return running
  }
  const folder = t.testdir({
    'falling.mjs': `import { apiKey, connector, Type } from 'patchbay'
      export default connector({
        platform: 'falling', title: 'Falling', hosts: ['api.example.com'], baseUrl: 'https://api.example.com', auth: apiKey({ authorization: () => 'Basic x' }),
        logFormat: 'none', dedupe: 'none', additionalSubmission: Type.Object({}), manifest: { name: 'falling', displayName: 'Falling', auth: { type: 'apiKey' } }
      }, {
        async getUserInfo () { setTimeout(() => { throw new Error('nobody catches this') }); return { crmUserId: '1', name: 'One' } },
        async findContact () { return [] },
        async createContact () { return { id: '1', name: 'One' } },
        async createCallLog () { return { logId: '1' } },
        async updateCallLog () { return {} }
      })`
  })
  const first = await start(folder)
  const { jwtToken } = await (await signIn(url)).json() as { jwtToken: string }
  const answer = await fetch(`${url}/callLog?jwtToken=${jwtToken}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ logInfo: { sessionId: '1', direction: 'Inbound', startTime: 1 }, contactId: 1, contactName: 'John Smith' })
  })
  t.match(await answer.json(), { successful: true, logId: '1' })
  first.child.kill('SIGTERM')
  t.equal(await first.exited, 0)

  const second = await start(folder)
  await fetch(`${url}/apiKeyLogin`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ platform: 'falling', apiKey: 'x' }) }).catch(() => {})
  t.equal(await second.exited, 1, 'also the line about what ends the server')
})

await t.test('who does not read the log holds nobody up', async t => {
  const port = await freePort()
  const running = run(t, t.testdir(), { PORT: port, LOG_LEVEL: 'debug' })
  const url = `http://127.0.0.1:${port}`
  running.child.stdout?.removeAllListeners('data').pause()
  await alive(url, running)
  // More than the pipe between them takes.
  for (let times = 0; times < 30; times++) await Promise.all(Array.from({ length: 100 }, async () => await fetch(`${url}/health/live`)))
  running.child.kill('SIGTERM')
  t.equal(await running.exited, 0)
})

await t.test('a wrong variable stops the start with its name', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close() })
  const port = String((taken.address() as AddressInfo).port)
  const folder = t.testdir({ file: '' })
  mkdirSync(join(folder, 'data'))
  const key = Buffer.alloc(32).toString('base64')
  // One that is refused as it is read, whose table is in config.test.ts, and those that only a start finds out.
  const table: Array<[variable: string, value: string]> = [
    ['HOST', '192.0.2.1'],
    ['PORT', 'http'],
    ['PORT', port],
    ['DATABASE_URL', `file:${join(folder, 'file', 'below-a-file.db')}`],
    ['DATABASE_URL', 'postgres://127.0.0.1:1/nobody'],
    ['SESSION_SECRET', 'short'],
    ['ENCRYPTION_KEYS', 'not-a-key'],
    ['ENCRYPTION_KEYS', `a:${key},a:${key}`],
    ['EXAMPLE_CRM_PORT', port],
    ['EXAMPLE_URL', 'nowhere'],
    ['EXAMPLE_TOKEN_URL', 'nowhere']
  ]
  const secrets = { SESSION_SECRET: 'long-enough-for-everybody', ENCRYPTION_KEYS: `a:${key}`, HASH_KEY: 'x' }
  // Two at a time: each is a process that loads everything.
  const queue = table.values()
  await Promise.all([0, 1].map(async () => {
    for (const [variable, value] of queue) {
      const process = run(t, folder, { ...(variable.startsWith('DATABASE_URL') && secrets), [variable]: value })
      t.equal(await process.exited, 1, `${variable}=${value}`)
      t.match(process.errors(), new RegExp(`Patchbay cannot start: ${variable}`), `${variable}=${value}`)
    }
  }))
})

await t.test('on Postgres a missing secret stops the start with its name', async t => {
  const process = run(t, t.testdir(), { DATABASE_URL: 'postgres://127.0.0.1:1/nobody', SESSION_SECRET: 'long-enough-for-everybody', HASH_KEY: 'x' })
  t.equal(await process.exited, 1)
  t.match(process.errors(), /ENCRYPTION_KEYS/)
})

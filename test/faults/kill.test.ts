/** The built server, as it is run, that is killed again and again while clients work with it. What the CRM holds in the end is the judge. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Client from 'better-sqlite3'
import pino from 'pino'
import t, { type Test } from 'tap'
import { exampleCrm } from '../../src/connectors/example/crm/server.ts'
import type { Activity } from '../../src/connectors/example/crm/schemas.ts'
import { ask, type Call } from '../patchbay.ts'
import { long, seed } from './long.ts'

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
const platforms = ['example', 'searching']
const authorization = `Basic ${Buffer.from('example-key-ann:').toString('base64')}`

/** Longer than the lease of one who died. */
const lease = 31_000
const start = Date.UTC(2026, 0, 15, 9)
const kills = long ? 50 : 5
const clientsPerKill = 12

/** From 0 to 1, the same for the same seed (mulberry32). */
function randomOf (seed: number): () => number {
  let state = seed
  return () => {
    state = state + 0x6D2B79F5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}

interface Server { url: string, child: ChildProcess, exited: Promise<unknown> }

async function startServer (t: Test, folder: string, crmUrl: string, clockAhead: number): Promise<Server> {
  const child = fork(path('../../dist/server.js'), {
    execArgv: ['--import', path('dying.js')],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      ...process.env,
      PORT: '0',
      EXAMPLE_CRM_PORT: '0',
      EXAMPLE_URL: crmUrl,
      SEARCHING_URL: crmUrl,
      CONNECTORS_DIR: path('searching'),
      DATABASE_URL: `file:${join(folder, 'patchbay.db')}`,
      LOG_LEVEL: 'silent',
      CLOCK_AHEAD: String(clockAhead)
    }
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    const [, url] = /Server +(http:\S+)/.exec(output) ?? []
    if (url !== undefined) return { url, child, exited }
  }
  throw new Error('The server did not start')
}

/** Somebody who asks for one thing after the other, and asks again for what was not confirmed. */
class ExtensionUser {
  /** By which the record is told from others. */
  readonly startTime: number
  readonly words: string[]
  readonly #requests: Array<[path: string, request: Call]>
  #confirmed = 0

  constructor (index: number, token: string) {
    this.startTime = start + index * 60_000
    const contact = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
    const word = (about: string): string => `${about}-${index}-end`
    if (index % 3 === 0) {
      const messages = [0, 1, 2].map(minute => ({ id: word(`m${minute}`), direction: 'Inbound', creationTime: this.startTime + minute, subject: word(`text${minute}`) }))
      const logInfo = { conversationId: word('c'), conversationLogId: word('log'), type: 'SMS', correspondents: [{ phoneNumber: '+16504445566' }] }
      this.words = messages.map(({ subject }) => subject)
      this.#requests = [1, 2, 3].map(count => ['/messageLog', { method: 'POST', token, body: { logInfo: { ...logInfo, messages: messages.slice(0, count) }, ...contact } }])
      return
    }
    const sessionId = word('s')
    const [note, aiNote, recordingLink] = [word('note'), word('ai'), `https://example.com/${word('recording')}`]
    this.words = [note, aiNote, recordingLink]
    this.#requests = [
      ['/callLog', { method: 'POST', token, body: { logInfo: { sessionId, direction: 'Inbound', startTime: this.startTime, from: { phoneNumber: '+16504445566' } }, note, ...contact } }],
      ['/callLog', { method: 'PATCH', token, body: { sessionId, recordingLink, duration: 61 } }],
      ['/callLog', { method: 'PATCH', token, body: { sessionId, aiNote, result: 'Connected' } }],
      ['/callDisposition', { method: 'PUT', token, body: { sessionId, dispositions: { deals: 1 } } }]
    ]
  }

  get isSatisfied (): boolean {
    return this.#confirmed === this.#requests.length
  }

  /** Goes on until all is confirmed, or the server has died. */
  async work (url: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const [request] = this.#requests.slice(this.#confirmed)
      if (request === undefined) return
      let json: { successful?: boolean, error?: { code: string } } | undefined
      try {
        json = (await ask(url, ...request)).json
      } catch {
        return
      }
      if (json?.successful === true || json?.error?.code === 'waiting') this.#confirmed++
      else await pause(100)
    }
  }
}

await t.test(`a server that is killed ${kills} times during its work loses nothing and writes nothing twice, SEED=${seed}`, { timeout: 1_200_000 }, async t => {
  const folder = t.testdir()
  const random = randomOf(seed)
  const crm = exampleCrm({ file: ':memory:', logger: pino({ level: 'silent' }) })
  await crm.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => crm.close())
  const records = async (): Promise<Activity[]> => (await ask(crm.listeningOrigin, '/api/activities', { headers: { authorization } })).json.items
  const twice = async (): Promise<string[]> => {
    const times = (await records()).map(({ startTime }) => startTime)
    return times.filter((time, index) => times.indexOf(time) !== index)
  }

  let clockAhead = 0
  let server = await startServer(t, folder, crm.listeningOrigin, clockAhead)
  const tokens = await Promise.all(platforms.map(async platform =>
    (await ask(server.url, '/apiKeyLogin', { method: 'POST', body: { platform, apiKey: 'example-key-ann' } })).json.jwtToken as string))

  const users: ExtensionUser[] = []
  const written = new Map<number, string>()
  let interrupted = 0
  for (let kill = 0; kill < kills; kill++) {
    for (let count = 0; count < clientsPerKill; count++) users.push(new ExtensionUser(users.length, tokens[users.length % 2] ?? ''))
    server.child.send(1 + Math.floor(random() * 600))
    await Promise.all(users.map(async user => await user.work(server.url)))
    if (server.child.exitCode === null && server.child.signalCode === null) server.child.kill('SIGKILL')
    await server.exited
    if (users.some(user => !user.isSatisfied)) interrupted++

    // What it had sent before it died may still arrive. Then a person writes something into a few records.
    await pause(100)
    for (const { id, body } of (await records()).filter(({ id }) => !written.has(id)).slice(0, 5)) {
      written.set(id, `<p>person-${id}-end</p>`)
      await ask(crm.listeningOrigin, `/api/activities/${id}`, { method: 'PATCH', headers: { authorization }, body: { body: `${body}<p>person-${id}-end</p>` } })
    }
    t.strictSame(await twice(), [], `after kill ${kill + 1}`)
    // The long run waits for the leases of the last one who died.
    if (!long || kill < kills - 1) clockAhead += lease
    server = await startServer(t, folder, crm.listeningOrigin, clockAhead)
  }
  await Promise.all(users.map(async user => await user.work(server.url)))
  t.ok(users.every(user => user.isSatisfied), 'everybody is told that all is logged or kept')
  t.ok(interrupted > kills / 2, `${interrupted} of ${kills} deaths were in the middle of work`)

  const database = new Client(join(folder, 'patchbay.db'), { readonly: true })
  t.teardown(() => { database.close() })
  const halfDone = database.prepare<[], number>(['call_logs', 'message_logs'].map(table =>
    `SELECT id FROM ${table} WHERE state <> 'logged' OR sealed_pending <> ''`).join(' UNION ALL '))
  for (let second = 0; halfDone.all().length > 0 && second < 90; second++) await pause(1_000)
  t.equal(halfDone.all().length, 0, 'what was half done is done within 90 seconds')

  const found = await records()
  t.equal(found.length, users.length, 'one record for each')
  for (const { startTime, words } of users) {
    const [record, ...others] = found.filter(record => Date.parse(record.startTime) === startTime)
    if (record === undefined || others.length > 0) t.fail(`${others.length + (record === undefined ? 0 : 1)} records of ${words.join()}`)
    else if (words.some(word => record.body.split(word).length !== 2 && !(word.startsWith('http') && record.body.includes(word)))) t.fail('each part is there once', record)
    else if (record.type === 'call' && (record.durationSeconds !== 61 || record.outcome !== 'Connected' || record.dealId !== 1)) t.fail('each field is set', record)
  }
  const lost = [...written].filter(([id, paragraph]) => !found.some(record => record.id === id && record.body.includes(paragraph)))
  t.strictSame(lost, [], 'what a person wrote is there')
  t.equal(database.pragma('integrity_check', { simple: true }), 'ok')

  const stopped = once(server.child, 'exit')
  server.child.kill('SIGTERM')
  t.strictSame(await stopped, [0, null], 'and it stops when it is asked to')
})

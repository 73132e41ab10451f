/** Nothing that is secret or personal is in a log line or in the answer to a failure, and a request is two lines at most (promise P9). */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { newEncryptionKey } from '../../src/db/cipher.ts'
import { startPatchbay, type Answer, type Patchbay } from '../patchbay.ts'
import { filled, readDocument, type Document, type Operation } from './json-schema.ts'

/** What clients send, what the CRM holds, its reason for a refusal (which is told to the person), and tokens. No word looks like them. */
const sent = 'Sent~Canary'
const held = 'Held~Canary'
const reason = 'Reason~Canary'
const token = 'Token~Canary'
const phone = '6505550'

/** Values with which a request gets further than its checks. */
const plausible: Record<string, unknown> = {
  platform: 'example',
  platformName: 'example',
  startTime: '2018-09-11T13:24:09.000Z',
  creationTime: '2018-09-11T13:24:09.000Z',
  lastModifiedTime: '2018-09-11T13:24:09.000Z',
  duration: 7,
  contactId: '1',
  type: 'SMS',
  newContactType: 'Contact',
  isExtension: 'false',
  requireDetails: 'true',
  deals: 1,
  phoneNumber: `+1${phone}147`,
  to: { phoneNumber: `+1${phone}148`, name: sent },
  callbackUri: `https://example.com/x?code=${sent}&state=platform%3Dexample`,
  state: 'platform=example'
}

/** A call and a conversation, which are logged under one mood of the CRM. */
const about = (mood: Mood): Record<string, unknown> => ({
  ...plausible, sessionId: `${sent}-${mood}`, sessionIds: `${sent}-${mood}`, conversationId: `${sent}-${mood}`, conversationLogId: `${sent}-${mood}`, id: `${sent}-${mood}`, extensionNumber: sent, hashedExtensionId: sent, rcExtensionId: sent
})

let count = 0
const text = (): string => `${sent}-${count++}`

type Mood = 'well' | 'garbage' | 'another shape' | 400 | 401 | 403 | 404 | 409 | 422 | 429 | 500 | 'drops'

/** A CRM whose every word is a canary. */
async function startCrm (): Promise<{ url: string, mood: (mood: Mood) => void, close: () => void }> {
  let mood: Mood = 'well'
  const person = { id: 1, type: 'Contact', name: held, phone: `+1${phone}149`, number: null, company: held, deals: [{ id: 1, title: held, status: 'open' }] }
  const activity = { id: 1, subject: held, body: `<b>${held}</b>`, contactId: 1, outcome: held, dealId: 1 }
  const answers: Array<[path: RegExp, one: object, list: object]> = [
    [/^\/api\/me/, { id: 1, name: held, email: `${held}@example.com` }, {}],
    [/^\/api\/contacts/, person, { items: [person] }],
    [/^\/api\/activities\/./, activity, activity],
    [/^\/api\/activities/, activity, { items: [activity] }],
    [/^\/oauth\/token/, { access_token: token, refresh_token: token, token_type: 'Bearer', expires_in: 3600 }, {}]
  ]
  const send = (response: ServerResponse, status: number, text: string): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-note': held, 'retry-after': '60' }).end(text)
  }
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const [, one, list] = answers.find(([path]) => path.test(request.url ?? '')) ?? [/./, {}, {}]
      if (mood === 'drops') return request.socket.destroy()
      if (mood === 'garbage') return send(response, 200, `{${held}`)
      if (mood === 'another shape') return send(response, 200, JSON.stringify({ items: held, id: held, [held]: 1 }))
      if (mood !== 'well') return send(response, mood, JSON.stringify({ error: mood === 401 ? 'invalid_grant' : { message: reason, field: reason }, error_description: held, held }))
      send(response, 200, JSON.stringify(request.method === 'GET' && !/^\/api\/me/.test(request.url ?? '') ? list : one))
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => { server.once('listening', resolve) })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, mood: next => { mood = next }, close: () => { server.close(); server.closeAllConnections() } }
}

const isFailure = ({ status, json }: Answer): boolean => status >= 400 || json?.successful === false

/** The canaries in a text. */
const canariesIn = (text: string, also: readonly string[] = []): string[] =>
  [sent, held, token, phone, ...also].filter(canary => text.includes(canary) || text.includes(encodeURIComponent(canary)) || text.includes(Buffer.from(canary).toString('base64').slice(0, -2)))

async function send ({ call, logged }: Patchbay, document: Document, { method, path, query, body }: Operation, session: string, known: Record<string, unknown>): Promise<{ answer: Answer, lines: Array<{ level: number }> }> {
  const members = query.map(({ name, schema }): [string, string] => [name, String(filled(document, schema, { known, text }, name))])
  logged.length = 0
  const answer = await call(`${path}?${new URLSearchParams(members)}`, {
    method,
    token: session,
    headers: { 'x-forwarded-for': `192.0.2.${count++ % 250}`, 'user-agent': sent, 'rc-extension-id': sent, 'rc-account-id': sent, 'x-more': sent },
    ...(body !== undefined && { body: filled(document, body, { known, text }) })
  })
  // The line of a request is written when its answer is gone.
  while (!logged.some(line => JSON.parse(line).msg === 'request')) await pause(2)
  return { answer, lines: logged.map(line => JSON.parse(line)) }
}

await t.test('no canary is in the log at its loudest, nor in the answer to a failure', { timeout: 600_000 }, async t => {
  const crm = await startCrm()
  t.teardown(crm.close)
  const folder = t.testdir()
  const encryptionKeys = newEncryptionKey()
  const start = async (): Promise<Patchbay> => await startPatchbay(t, {
    folder, encryptionKeys, logLevel: 'trace', recoverEvery: 3_600_000, connector: { example: { url: crm.url } }, config: { trustProxy: ['127.0.0.1'] }
  })
  const patchbay = await start()
  const { users } = patchbay.app.repositories
  const [done, failed] = [new Set<string>(), new Set<string>()]
  const connect = async (kind: 'apiKey' | 'oauth'): Promise<string> => {
    const user = await users.save({
      platform: 'example', crmUserId: kind, name: sent, hostname: sent, timeZone: sent, extensionHash: sent, credentials: { kind, accessToken: token, refreshToken: token, ...(kind === 'oauth' && { expiresAt: 1 }) }, info: { companyId: sent }
    })
    return patchbay.app.signSession({ userId: user.id, platform: 'example', signIn: user.sessionId })
  }
  const documents = await Promise.all(['/openapi.json', '/connectors/example/openapi.json'].map(async path => readDocument((await patchbay.call(path)).json)))
  const moods: Mood[] = ['well', 400, 401, 403, 404, 409, 422, 429, 500, 'garbage', 'another shape', 'drops']
  for (const mood of moods) {
    crm.mood(mood)
    const problems: string[] = []
    for (const kind of ['apiKey', 'oauth'] as const) {
      for (const [title, known] of [['new', about(mood)], ['logged', about('well')], ['implausible', {}]] as const) {
        let session = await connect(kind)
        // The routes of a connector have the same handlers.
        for (const document of mood === 'well' ? documents : documents.slice(0, 1)) {
          for (const operation of document.operations) {
            const { answer, lines } = await send(patchbay, document, operation, session, known)
            const name = `${operation.operationId}, ${kind}, ${title}`
            if (isFailure(answer)) failed.add(operation.operationId)
            else done.add(operation.operationId)
            const loud = lines.filter(({ level }) => level >= 30).length
            if (loud > 2) problems.push(`${name}: ${loud} lines at info`)
            const inLog = canariesIn(patchbay.logged.join('\n'), [reason, session])
            if (inLog.length > 0) problems.push(`${name}: ${inLog.join(', ')} in the log`)
            const inAnswer = isFailure(answer) ? canariesIn(answer.text, [session]) : []
            if (inAnswer.length > 0) problems.push(`${name}: ${inAnswer.join(', ')} in the answer ${answer.text}`)
            if (operation.operationId === 'unAuthorize' || answer.status === 401) session = await connect(kind)
          }
        }
      }
    }
    t.strictSame(problems, [], `the CRM: ${mood}`)
  }

  await t.test('nor when what waits is written later', async t => {
    await patchbay.app.close()
    const { logged, app } = await start()
    await app.ready()
    while (!logged.some(line => /what waits could not be written yet|what waited is written/.test(line))) await pause(20)
    await app.close()
    t.strictSame(canariesIn(logged.join('\n'), [reason]), [])
  })
  const writing = ['createCallLog', 'updateCallLog', 'createMessageLog', 'createContact', 'findContact', 'getCallLog', 'apiKeyLogin']
  for (const name of writing) t.ok(done.has(name) && failed.has(name), `${name} succeeded and failed`)
})

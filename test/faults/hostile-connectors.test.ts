/** Connectors that do what no connector should: each gets a coded error, and nobody else notices. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { callRecord, startPatchbay } from '../patchbay.ts'

interface Hostile {
  title: string
  /** Members of the connector's info. */
  info?: string
  operations?: string
  /** What is asked; a contact when absent. */
  ask?: { path: string, method?: string, body?: unknown }
  code?: string
  /** What the log names. */
  place?: string
}

const source = (platform: string, { info = '', operations = '' }: Hostile): string => `'use strict'
  import { accountData, apiKey, connector, CrmError, path, Type } from 'patchbay'
  const notes = { answer: Type.Object({ id: Type.Integer() }) }
  const note = ({ externalId, contact, body }) => ({ type: 'call', externalId, subject: 'x', body, contactId: Number(contact.id), startTime: '2018-09-11T13:24:09.000Z' })
  export default connector({
    platform: '${platform}',
    title: 'Hostile',
    hosts: ['api.example.com'],
    baseUrl: 'https://api.example.com',
    auth: apiKey({ authorization: () => 'Basic ' + btoa('example-key-ann:') }),
    logFormat: 'text/plain',
    dedupe: 'native',
    additionalSubmission: Type.Object({ deals: Type.Optional(Type.Array(Type.String())) }),
    manifest: { name: '${platform}', displayName: 'Hostile', auth: { type: 'apiKey' } },
    ${info}
  }, {
    async getUserInfo () { return { crmUserId: '1', name: 'One', info: { plan: 'free' } } },
    async createCallLog () { return { logId: '1' } },
    async updateCallLog () { return {} },
    async getCallLog () { return { body: '' } },
    async findCallLog ({ crm }, { externalId }) {
      const { items: [found] } = await crm.get(path\`/api/activities\`, { query: { externalId }, answer: Type.Object({ items: Type.Array(Type.Object({ id: Type.Integer() })) }) })
      return found && { logId: String(found.id) }
    },
    ${operations}
  })`

const secret = 'Confidential-4711'
const contact = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
const create = { path: '/callLog', method: 'POST', body: { logInfo: callRecord(), additionalSubmission: { deals: ['1'] }, ...contact } }

const hostile: Hostile[] = [
  { title: 'throws a string', operations: `async findContact () { throw '${secret}' }` },
  { title: 'throws null', operations: 'async findContact () { throw null }' },
  { title: 'throws undefined', operations: 'async findContact () { throw undefined }' },
  { title: 'throws before it is async', operations: `findContact () { throw new TypeError('${secret}') }` },
  { title: 'throws what cannot be looked at', operations: `async findContact () { throw Object.defineProperties(new Error('${secret}'), Object.fromEntries(['name', 'code', 'stack', 'cause', 'message'].map(name => [name, { get () { throw new Error('no') } }]))) }` },
  { title: 'throws a proxy', operations: "async findContact () { throw new Proxy(new CrmError('invalid'), { get () { throw new Error('no') }, getPrototypeOf () { throw new Error('no') } }) }" },
  { title: 'throws a code of its own', operations: `async findContact () { throw Object.assign(new CrmError('invalid'), { code: '${secret}' }) }` },
  { title: 'throws an unknown kind', operations: "async findContact () { throw new CrmError('whatever') }" },
  { title: 'never resolves', operations: 'findContact: () => new Promise(() => {})', place: 'findContact did not end in time' },
  { title: 'gives nothing', operations: 'async findContact () {}', place: 'findContact Expected array' },
  { title: 'gives wrong types', operations: `async findContact () { return [{ id: 1, name: '${secret}' }, { id: 2, name: 5 }] }`, place: 'findContact 1.name: Expected string' },
  { title: 'gives getters that throw', operations: "async findContact () { return [{ id: 1, get name () { throw new Error('no') } }] }", place: 'findContact gave something else than plain values' },
  { title: 'gives functions', operations: "async findContact () { return [{ id: 1, name: 'One', title: () => {} }] }", place: 'findContact gave something else than plain values' },
  { title: 'changes what it gets', operations: "async createCallLog ({ crm }, log) { log.additionalSubmission.deals.push('2'); return { logId: '1' } }", ask: create, code: 'waiting' },
  { title: 'changes its user', operations: "async createCallLog (context) { context.user.info.plan = 'paid'; return { logId: '1' } }", ask: create, code: 'waiting' },
  { title: 'changes its client', operations: "async createCallLog ({ crm }) { crm.get = null; return { logId: '1' } }", ask: create, code: 'waiting' },
  { title: 'asks for a path that no request can have', operations: 'async findContact ({ crm }) { await crm.get(path`/api/all contacts`, notes) }', place: 'findContact path: must begin with a slash and be of visible ASCII characters without #, unless they are values' },
  { title: 'says to whom it speaks', operations: 'async findContact ({ crm }) { await crm.get(path`/api/me`, { ...notes, headers: { Host: "evil.example" } }) }', place: "findContact headers.host: is not a connector's to set" },
  { title: 'has no address for this user', info: `baseUrl: () => { throw new Error('${secret}') },`, operations: 'async findContact ({ crm }) { await crm.get(path`/x`, notes) }', place: 'baseUrl' },
  { title: 'has an address that is none', info: 'baseUrl: () => 5,', operations: 'async findContact ({ crm }) { await crm.get(path`/x`, notes) }', place: 'baseUrl Expected string' },
  {
    title: 'remembers lists that are none',
    info: "accountData: [accountData({ key: 'types', ttl: 1000, schema: Type.Array(Type.String()), fetch: async () => [5] })],",
    ask: { path: '/accountData?keys=types' },
    place: 'accountData.types 0: Expected string'
  },
  { title: 'asks a CRM that answers 50 MB', operations: 'async findContact ({ crm }) { await crm.get(path`/x`, notes) }', code: 'bad-response' },
  { title: 'cannot read headers', info: "rateLimit: { requests: 10, perMilliseconds: 1000, scope: 'user', read () { throw new Error('no') } },", operations: "async findContact ({ crm }) { throw new CrmError('permission', { message: String((await crm.get(path`/api/me`, notes)).id) }) }", code: 'permission' }
]

const platformOf = (index: number): string => `hostile${index}`

await t.test('whatever a connector does ends as a coded error that names the place, and others go on', async t => {
  const endless = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`{"id":1,"x":"${'y'.repeat(50 * 1024 * 1024)}"}`)
  }).listen(0, '127.0.0.1')
  t.teardown(() => { endless.close(); endless.closeAllConnections() })
  await new Promise(resolve => { endless.once('listening', resolve) })

  const folder = t.testdir({ connectors: Object.fromEntries(hostile.map((one, index) => [`${platformOf(index)}.ts`, source(platformOf(index), one)])) })
  const big = hostile.findIndex(({ title }) => /50 MB/.test(title))
  const patchbay = await startPatchbay(t, {
    folder,
    longestRequest: 1_000,
    config: { connectorsDir: join(folder, 'connectors') },
    connector: { [platformOf(big)]: { url: `http://127.0.0.1:${(endless.address() as AddressInfo).port}` } },
    onExampleCrm: ['example', ...hostile.flatMap(({ info = '' }, index) => /baseUrl/.test(info) ? [] : [platformOf(index)])]
  })
  const ann = await patchbay.signIn()
  for (const [index, { title, ask = { path: '/contact?phoneNumber=%2B16504445566' }, code = 'connector-failed', place }] of hostile.entries()) {
    const platform = platformOf(index)
    const token = await patchbay.connectUser(platform)
    patchbay.logged.length = 0
    const [answer, others] = await Promise.all([
      patchbay.call(ask.path, { ...ask, token }),
      patchbay.call('/contact?phoneNumber=%2B16504445566', { token: ann })
    ])
    t.equal(answer.status, 200, title)
    t.match(answer.json, { successful: false, returnMessage: { message: /Hostile|answered|is kept|^1$/ }, error: { code } }, title)
    t.match(others.json, { successful: true, contact: [{ id: 1 }] }, `${title}: others go on`)
    t.notOk([answer.text, ...patchbay.logged].join('').includes(secret), `${title}: its words are kept from the log and the answer`)
    if (code !== 'connector-failed' && code !== 'waiting') continue
    const line = patchbay.logged.map(text => JSON.parse(text)).find(({ error }) => error === code)
    t.match(line, { level: 50, platform, err: { type: 'CrmError', place: place === undefined ? new RegExp(`^${platform}\\.`) : `${platform}.${place}` } }, title)
  }
})

await t.test('text that no database can hold is mended, because what it tells of may be done', async t => {
  const operations = "async createCallLog () { return { logId: '1', returnMessage: { message: 'Logged for ' + '\\u{1f3a7}'.slice(0, 1) + '\\0!', messageType: 'success' } } }"
  const folder = t.testdir({ connectors: { 'hostile0.ts': source('hostile0', { title: '', operations }) } })
  const patchbay = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') } })
  const answer = await patchbay.call('/callLog', { ...create, token: await patchbay.connectUser('hostile0') })
  t.match(answer.json, { successful: true, returnMessage: { message: 'Logged for \ufffd!' } })
})

await t.test('routes of a connector that throw whatever they like are answered as a failure of the server', async t => {
  const info = `routes: async fastify => {
      fastify.get('/string', async () => { throw '${secret}' })
      fastify.get('/null', async () => { throw null })
      fastify.get('/error', async () => { throw new Error('${secret}') })
      fastify.get('/status', async () => { throw Object.assign(new Error('${secret}'), { statusCode: 418 }) })
    },
    rootRoutes: [{ kind: 'removal-notice', method: 'POST', url: '/hostile0-removed', operationId: 'removeHostile', summary: 'x', body: Type.Object({}), read () { throw '${secret}' } }],`
  const folder = t.testdir({ connectors: { 'hostile0.ts': source('hostile0', { title: '', info }) } })
  const patchbay = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') }, connector: { hostile0: { clientId: 'id', clientSecret: 'secret' } } })
  const notice = { method: 'POST', body: {}, headers: { authorization: `Basic ${btoa('id:secret')}` } }
  for (const [path, status, code, options] of [
    ['/connectors/hostile0/string', 500, 'internal'],
    ['/connectors/hostile0/null', 500, 'internal'],
    ['/connectors/hostile0/error', 500, 'internal'],
    ['/connectors/hostile0/status', 400, 'invalid-request'],
    ['/hostile0-removed', 500, 'internal', notice]
  ] as const) {
    const answer = await patchbay.call(path, options)
    t.match([answer.status, answer.json], [status, { successful: false, error: { code } }], path)
    t.notOk([answer.text, ...patchbay.logged].join('').includes(secret), `${path}: its words are kept from the log and the answer`)
  }
  t.equal((await patchbay.call('/isAlive')).text, 'OK')
})

const twoSteps = (second: string) => `async createCallLog ({ crm }, log) {
  const { id } = await crm.post(path\`/api/activities\`, { body: note(log), ...notes })
  ${second}
  return { logId: String(id) }
}`

await t.test('after a request that may have written, a record is looked for before anything is sent again', async t => {
  const table: Hostile[] = [
    { title: 'the next request is refused', operations: twoSteps('await crm.patch(path([`/api/activities/`, ``], id), { body: { contactId: "no number" }, ...notes })') },
    { title: 'the next request finds nothing', operations: twoSteps('await crm.get(path`/api/nothing`, notes)') },
    { title: 'its code fails', operations: twoSteps("throw new TypeError('no')") },
    { title: 'it gives a wrong result', operations: twoSteps('return { logId: id }') },
    { title: 'it does not end', operations: twoSteps('await new Promise(() => {})') },
    { title: 'the CRM says no in its own way', operations: twoSteps("throw new CrmError('permission')") }
  ]
  const folder = t.testdir({ connectors: Object.fromEntries(table.map((one, index) => [`${platformOf(index)}.ts`, source(platformOf(index), one)])) })
  const patchbay = await startPatchbay(t, { folder, longestRequest: 1_000, config: { connectorsDir: join(folder, 'connectors') }, onExampleCrm: table.map((_, index) => platformOf(index)) })
  for (const [index, { title }] of table.entries()) {
    const token = await patchbay.connectUser(platformOf(index))
    const log = async () => await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), ...contact } })
    t.match((await log()).json, { successful: false, error: { code: 'outcome-unknown' } }, title)
    t.match((await log()).json, { successful: true }, `${title}: a repeat finds it`)
    const { items } = (await patchbay.askCrm('/api/activities')).json
    t.equal(items.length, index + 1, `${title}: one record`)
  }
})

await t.test('after a request that may have written, a contact is looked for before it is made again', async t => {
  const operations = `async findContact ({ crm }, { phoneNumber: phone }) {
    const found = { id: Type.Integer(), name: Type.String(), type: Type.String() }
    return (await crm.get(path\`/api/contacts\`, { query: { phone }, answer: Type.Object({ items: Type.Array(Type.Object(found)) }) })).items.map(({ id, name, type }) => ({ id, name, type }))
  },
  async createContact ({ crm }, { phoneNumber: phone, name }) {
    await crm.post(path\`/api/contacts\`, { body: { type: 'Contact', name, phone }, ...notes })
    throw new CrmError('permission')
  }`
  const folder = t.testdir({ connectors: { 'hostile.ts': source('hostile', { title: '', operations }) } })
  const patchbay = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') }, onExampleCrm: ['hostile'] })
  const token = await patchbay.connectUser('hostile')
  const make = async () => (await patchbay.call('/contact', { method: 'POST', token, body: { phoneNumber: '+19995550100', newContactName: 'Nia' } })).json
  t.match(await make(), { successful: false, error: { code: 'permission' } })
  t.match(await make(), { successful: true, contact: { name: 'Nia', type: 'Contact' } })
  t.equal((await patchbay.askCrm('/api/contacts?phone=%2B19995550100')).json.items.length, 1)
})

await t.test('before a request that may have written, and where the connector knows better, a refusal is one', async t => {
  const table: Hostile[] = [
    { title: 'a search is refused', operations: 'async createCallLog ({ crm }) { await crm.post(path`/api/nothing`, { ...notes, reads: true }) }', code: 'not-found' },
    { title: 'after a search', operations: "async createCallLog ({ crm }, log) { await crm.post(path`/api/activities`, { body: note(log), ...notes, reads: true }); throw new CrmError('permission') }", code: 'permission' },
    { title: 'the connector undid it', operations: twoSteps("await crm.delete(path(['/api/activities/', ''], id), { answer: Type.Any() }); throw new CrmError('permission', { outcome: 'refused' })"), code: 'permission' },
    { title: 'a look is lost', operations: "async createCallLog ({ crm }) { await crm.get(path`/api/me`, { answer: Type.Literal('never') }) }", code: 'waiting' },
    { title: 'a search is lost', operations: "async createCallLog ({ crm }, log) { await crm.post(path`/api/activities`, { body: note(log), answer: Type.Literal('never'), reads: true }) }", code: 'waiting' },
    { title: 'its code fails before it asks', operations: "async createCallLog () { throw new TypeError('no') }", code: 'waiting' }
  ]
  const folder = t.testdir({ connectors: Object.fromEntries(table.map((one, index) => [`${platformOf(index)}.ts`, source(platformOf(index), one)])) })
  const patchbay = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') }, onExampleCrm: table.map((_, index) => platformOf(index)) })
  for (const [index, { title, code }] of table.entries()) {
    const token = await patchbay.connectUser(platformOf(index))
    t.match((await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), ...contact } })).json, { successful: false, error: { code } }, title)
  }
})

await t.test('what goes on when its time is up asks the CRM nothing more, whether its client has stayed or gone', { timeout: 20_000 }, async t => {
  const operations = `async createCallLog ({ crm, signal }, log) {
    process.emit('begun')
    await new Promise(resolve => { signal.addEventListener('abort', resolve) })
    process.emit('ended', await crm.post(path\`/api/activities\`, { body: note(log), ...notes }).catch(({ outcome }) => outcome))
  }`
  const folder = t.testdir({ connectors: { 'hostile0.ts': source('hostile0', { title: '', operations }) } })
  const patchbay = await startPatchbay(t, { folder, longestRequest: 500, config: { connectorsDir: join(folder, 'connectors') }, onExampleCrm: ['hostile0'] })
  const token = await patchbay.connectUser('hostile0')
  for (const leaves of [false, true]) {
    const body = JSON.stringify({ logInfo: { ...callRecord(), sessionId: String(leaves) }, ...contact })
    const [begun, ended] = [once(process, 'begun'), once(process, 'ended')]
    const client = connect(Number(new URL(patchbay.url).port))
    client.write(`POST /callLog HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    await begun
    if (leaves) client.destroy()
    t.strictSame(await ended, ['not-received'], `it knows, leaves: ${leaves}`)
    client.destroy()
  }
  t.strictSame(await patchbay.crmRequests(), [])
})

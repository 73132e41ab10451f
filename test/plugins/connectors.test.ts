import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startPatchbay } from '../patchbay.ts'

const manifest = '{ name: \'dropped\', displayName: \'Dropped\', auth: { type: \'apiKey\' } }'

const list = "{ key: 'ab', schema: Type.Array(Type.String()), ttl: 1, async fetch () { return [] } }"

/** @param all the operations as a whole, in place of a few with `operations` among them */
const connectorFile = ({ info = '', operations = '', head = '', all }: { info?: string, operations?: string, head?: string, all?: string } = {}): string => `
  import { apiKey, connector, Type } from 'patchbay'
  ${head}
  export default connector({
    platform: 'dropped',
    title: 'Dropped',
    hosts: ['api.example.com'],
    baseUrl: 'https://api.example.com',
    auth: apiKey(),
    logFormat: 'text/plain',
    dedupe: 'none',
    additionalSubmission: Type.Object({}),
    manifest: ${manifest},
    ${info}
  }, ${all ?? `{
    async getUserInfo () { return { crmUserId: '1', name: 'One' } },
    async createCallLog () { return { logId: '1' } },
    async updateCallLog () { return {} },
    async getCallLog () { return { body: '' } },
    ${operations}
  }`})`

/** Operations as the methods of a class. */
const instance = (members = ''): string => `new (class extends class { async updateCallLog () { return {} } } {
    #made = 0
    async getUserInfo () { return { crmUserId: '1', name: 'One' } }
    async createCallLog () { return { logId: String(++this.#made) } }
    async getCallLog () { return { body: '' } }
    ${members}
  })()`

const start = async (t: Test, file: string, more: { manifests?: Record<string, string>, name?: string } = {}) => {
  const folder = t.testdir({ connectors: { [more.name ?? 'dropped.ts']: file }, manifests: more.manifests ?? {} })
  return await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors'), manifestsDir: join(folder, 'manifests') } })
}

await t.test('a connector that fails its contract stops the start with file, field and reason', async t => {
  const table: Array<[title: string, file: string, problem: RegExp, more?: object]> = [
    ['a syntax error', 'export default (', /dropped\.ts: module cannot be loaded/],
    ['an error while it loads', connectorFile({ head: 'throw new Error("no luck")' }), /dropped\.ts: module cannot be loaded: no luck/],
    ['no connector', 'export default 42', /dropped\.ts: default export must be what connector/],
    ['a wrong name of an operation', connectorFile({ operations: 'async createCalLog () {}' }), /dropped\.ts: operations\.createCalLog is no operation/],
    ['a wrong name of a method', connectorFile({ all: instance('async createCalLog () {}') }), /dropped\.ts: operations\.createCalLog is no operation/],
    ['no operations', connectorFile({ all: 'undefined' }), /dropped\.ts: operations must be an object/],
    ['an operation that is no function', connectorFile({ operations: 'findContact: 1' }), /dropped\.ts: operations\.findContact must be a function/],
    ['an operation that is missing', connectorFile({ operations: 'createCallLog: undefined' }), /dropped\.ts: operations\.createCallLog/],
    ['a way to find records again without the operation', connectorFile({ info: "dedupe: 'native'" }), /dropped\.ts: operations\.findCallLog is required/],
    ['messages that cannot be found again as calls are', connectorFile({ info: "dedupe: 'search'", operations: "async findCallLog () {}, async createMessageLog () { return { logId: '1' } }" }), /dropped\.ts: operations\.findMessageLog is required with createMessageLog and dedupe: 'search'/],
    ['a composed text that cannot be read', connectorFile({ operations: 'getCallLog: undefined' }), /dropped\.ts: operations\.getCallLog/],
    ['a platform name that is none', connectorFile({ info: "platform: 'Drop-ped'" }), /dropped\.ts: platform "Drop-ped"/],
    ['a platform name that is taken', connectorFile({ info: "platform: 'example', manifest: { name: 'example', displayName: 'X', auth: { type: 'apiKey' } }" }), /dropped\.ts: platform "example" is taken by .*example/],
    ['a host that is none', connectorFile({ info: "hosts: ['https://x']" }), /dropped\.ts: hosts "https:\/\/x"/],
    ['no manifest', connectorFile({ info: 'manifest: undefined' }), /dropped\.ts: manifest is missing/],
    ['a manifest that does not match', connectorFile({ info: "manifest: { name: 'dropped', auth: { type: 'apiKey' } }" }), /dropped\.ts: manifest\.displayName does not match/],
    ['a manifest of another name', connectorFile({ info: "manifest: { name: 'other', displayName: 'X', auth: { type: 'apiKey' } }" }), /dropped\.ts: manifest\.name is "other"/],
    ['a manifest with another way to sign in', connectorFile({ info: "manifest: { name: 'dropped', displayName: 'X', auth: { type: 'oauth' } }" }), /dropped\.ts: manifest\.auth\.type is "oauth"/],
    ['a manifest field that the connector does not know', connectorFile({ info: `manifest: { ...${manifest}, page: { callLog: { additionalFields: [{ const: 'deals' }] } } }` }), /page\.callLog\.additionalFields has "deals"/],
    ['contact types that differ', connectorFile({ info: "contactTypes: ['Person']" }), /manifest\.contactTypes are none, but the connector says Person/],
    ['a setting that the manifest does not show', connectorFile({ info: "settings: [{ id: 'x', scope: 'user', schema: Type.String() }]" }), /manifest\.settings has no "x"/],
    ...["requests: 'many', perMilliseconds: 1000, scope: 'user'", "requests: 0, perMilliseconds: 1000, scope: 'user'", "requests: 10, perMilliseconds: NaN, scope: 'user'", "requests: Infinity, perMilliseconds: 1, scope: 'user'", "requests: 10, perMilliseconds: 1000, scope: 'company'", "requests: 10, scope: 'user'"].map((rateLimit): [string, string, RegExp] =>
      [`a rate limit of ${rateLimit}`, connectorFile({ info: `rateLimit: { ${rateLimit} }` }), /dropped\.ts: rateLimit\.(requests|perMilliseconds|scope) is not valid/]),
    ['no hosts', connectorFile({ info: 'hosts: undefined' }), /dropped\.ts: hosts is not valid/],
    ...[
      'undefined', '5', "new URL('https://api.example.com')", "'api.example.com'", "'https://other.example'", "'http://api.example.com'", "'https://api.example.com:8443'", "'https://api.example.com?v=1'", "'http://127.0.0.1:6067'"
    ].map((baseUrl): [string, string, RegExp] =>
      [`an address of ${baseUrl}`, connectorFile({ info: `baseUrl: ${baseUrl}` }), /dropped\.ts: baseUrl must be an https address on one of its hosts \(api\.example\.com\)/]),
    ['a format that is none', connectorFile({ info: "logFormat: 'text/rtf'" }), /dropped\.ts: logFormat is not valid/],
    ['account data with a schema that is none', connectorFile({ info: "accountData: [{ key: 'ab', schema: 5, ttl: 1, async fetch () {} }]" }), /accountData "ab" has a schema that cannot be used/],
    ['additional fields that are no object', connectorFile({ info: 'additionalSubmission: undefined' }), /dropped\.ts: additionalSubmission must be a Type\.Object/],
    ['additional fields of a page that are no schema', connectorFile({ info: "submissionOfPage: { newContact: { type: 'object' } }" }), /submissionOfPage\.newContact cannot be used/],
    ['an additional field of an unknown format', connectorFile({ info: "additionalSubmission: Type.Object({ due: Type.String({ format: 'dat' }) })" }), /dropped\.ts: additionalSubmission\.due .*"dat"/],
    ['account data of an unknown format', connectorFile({ info: "accountData: [{ key: 'ab', schema: Type.Array(Type.String({ format: 'dat' })), ttl: 1, async fetch () {} }]" }), /dropped\.ts: accountData "ab" has a schema that cannot be used.*"dat"/],
    ['account data without a proper key', connectorFile({ info: "accountData: [{ key: 'a,b', schema: Type.Array(Type.String()), ttl: 1, async fetch () {} }]" }), /accountData "a,b" must be letters and digits/],
    ['two lists of account data with one key', connectorFile({ info: `accountData: [${list}, ${list}]` }), /dropped\.ts: accountData has "ab" twice/],
    ...[
      ['accountData', '{}', 'accountData'],
      ['accountData', "[{ key: 'ab', schema: Type.String(), ttl: 1 }]", 'accountData.0.fetch'],
      ['accountData', "[{ key: 'ab', schema: Type.String(), async fetch () {} }]", 'accountData.0.ttl'],
      ['submissionOfPage', '{ messageLogs: Type.Object({}) }', 'submissionOfPage.messageLogs'],
      ['settings', "'a'", 'settings'],
      ['settings', '[{}]', 'settings.0.id'],
      ['settings', "[{ id: 'x', scope: 'company', schema: Type.String() }]", 'settings.0.scope'],
      ['readError', "'message'", 'readError'],
      ['rateLimit', "{ requests: 1, perMilliseconds: 1, scope: 'user', read: 1 }", 'rateLimit.read'],
      ['routes', '{}', 'routes'],
      ['rootRoutes', '{}', 'rootRoutes'],
      ['rootRoutes', "[{ kind: 'page', url: 5, html: '', operationId: 'a', summary: 'b' }]", 'rootRoutes.0.url'],
      ['rootRoutes', "[{ kind: 'page', url: '/dropped', operationId: 'a', summary: 'b' }]", 'rootRoutes.0.html'],
      ['rootRoutes', "[{ kind: 'removal-notice', url: '/dropped', operationId: 'a', summary: 'b', method: 'GET', body: Type.Object({}), read () {} }]", 'rootRoutes.0.method']
    ].map(([member = '', value = '', field = '']): [string, string, RegExp] =>
      [`${member} of ${value}`, connectorFile({ info: `${member}: ${value}` }), new RegExp(`dropped\\.ts: ${field.replaceAll('.', '\\.')} is not valid: `)]),
    ['a root route of no kind', connectorFile({ info: "rootRoutes: [{ url: '/dropped' }]" }), /dropped\.ts: rootRoutes\.0 must be what page\(\) or removalNotice\(\) gives/],
    ['a notice with a body that JSON does not have', connectorFile({ info: "rootRoutes: [{ kind: 'removal-notice', url: '/dropped', operationId: 'a', summary: 'b', method: 'POST', body: Type.Object({ at: Type.Date() }), read () {} }]" }), /dropped\.ts: rootRoutes\.0\.body\.at cannot be used: /],
    ['a setting with a schema that is none', connectorFile({ info: "settings: [{ id: 'x', scope: 'user', schema: 5 }]" }), /dropped\.ts: settings "x" has a schema that cannot be used/],
    ...['Type.Date()', 'Type.BigInt()', "Type.String({ label: 'Due' })"].map((due): [string, string, RegExp] =>
      [`an additional field of ${due}`, connectorFile({ info: `submissionOfPage: { messageLog: Type.Object({ note: Type.String(), due: Type.Optional(${due}) }) }` }), /dropped\.ts: submissionOfPage\.messageLog\.due cannot be used: /]),
    ['additional fields that have a name of their own', connectorFile({ info: "additionalSubmission: Type.Object({}, { $id: 'Answer' })" }), /dropped\.ts: additionalSubmission cannot be used: /],
    ['an additional field that the manifest\'s page lacks, and without which nothing can be logged', connectorFile({ info: 'additionalSubmission: Type.Object({ project: Type.String() })' }), /dropped\.ts: manifest\.page\.callLog\.additionalFields lacks "project", which additionalSubmission of the connector requires/],
    ['routes that cannot be registered', connectorFile({ info: "routes: async app => { app.get('/callLog', () => 1) }" }), /dropped\.ts: routes cannot be registered: /],
    ...['/callLog', '/droppedcallLog', '/dropped/:id', '/dropped*', 'dropped-x'].map((url): [string, string, RegExp] =>
      [`a root route at ${url}`, connectorFile({ info: `rootRoutes: [{ kind: 'page', url: '${url}', operationId: 'a', summary: 'b', html: '' }]` }), /rootRoutes ".*" must begin with \/dropped/]),
    ['a manifest file that is not JSON', connectorFile({ info: 'manifest: undefined' }), /dropped\.json: manifest is not JSON/, { manifests: { 'dropped.json': '{' } }]
  ]
  for (const [title, file, problem, more] of table) {
    await t.test(title, async t => {
      await t.rejects(start(t, file, more), { name: 'ConnectorError', message: problem })
    })
  }
})

await t.test('a file that is dropped in is a CRM like any other', async t => {
  const table = [
    ['TypeScript', 'dropped.ts', connectorFile()],
    ['JavaScript', 'dropped.mjs', connectorFile()],
    ...['dropped.mts', 'dropped.cts', 'dropped.cjs'].map((name): [string, string, string] => [name, name, connectorFile()]),
    ['CommonJS', 'dropped.cjs', `const { connector } = require('patchbay'); ${connectorFile().replace(/import .*/, "const { apiKey, Type } = require('patchbay')").replace('export default', 'module.exports =')}`],
    ['an instance of a class', 'dropped.js', connectorFile({ all: instance() })]
  ] as const
  for (const [title, name, file] of table) {
    await t.test(title, async t => {
      const patchbay = await start(t, file, { name })
      t.match((await patchbay.call('/crmManifest')).json.platforms, { dropped: { displayName: 'Dropped' }, example: {} })
      t.match((await patchbay.call('/implementedInterfaces?platform=dropped')).json, { getBasicAuth: true, createCallLog: true, findContact: false })
      t.ok((await patchbay.call('/connectors/dropped/openapi.json')).json.paths['/connectors/dropped/callLog'])
      const login = await patchbay.call('/apiKeyLogin', { method: 'POST', body: { platform: 'dropped', apiKey: 'any' } })
      const token = login.json.jwtToken
      const logged = await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: { sessionId: '1' }, contactId: '7' } })
      t.match(logged.json, { successful: true, logId: '1' })
      t.match((await patchbay.call('/contact?phoneNumber=+14155550100', { token })).json, { successful: false, error: { code: 'not-supported' } })
    })
  }
})

await t.test('additional fields and answers may have a format', async t => {
  const crm = createServer((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"at":"2026-03-01T14:05:00Z"}'))
  await once(crm.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => crm.close())
  const ask = (format: string): string => `await crm.get(path\`/x\`, { answer: Type.Object({ at: Type.String({ format: '${format}' }) }) })`
  const file = connectorFile({
    head: "import { path } from 'patchbay'",
    info: "additionalSubmission: Type.Object({ due: Type.Optional(Type.String({ format: 'date' })) })",
    operations: `async createCallLog ({ crm }, { additionalSubmission: { due } }) {
      const { at } = ${ask('date-time')}
      return { logId: due + ' ' + at }
    },
    async findContactWithName ({ crm }) { ${ask('dat')} }`
  })
  const folder = t.testdir({ connectors: { 'dropped.ts': file } })
  const patchbay = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') }, connector: { dropped: { url: `http://127.0.0.1:${(crm.address() as AddressInfo).port}` } } })
  const token = await patchbay.signIn('any', 'dropped')
  const log = async (sessionId: string, due: string) =>
    (await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: { sessionId }, contactId: '7', additionalSubmission: { due } } })).json
  t.match(await log('1', '2026-03-01'), { successful: true, logId: '2026-03-01 2026-03-01T14:05:00Z' })
  t.match(await log('2', '2026-02-30'), { successful: false, error: { code: 'invalid', field: 'due' } })
  t.match((await patchbay.call('/custom/contact/search?name=ann', { token })).json, { successful: false, error: { code: 'connector-failed' } }, 'one that cannot be checked is a mistake of the connector, not of the CRM')
})

await t.test('tests, settings of tools and declarations of types beside connectors are left alone', async t => {
  const names = ['dropped.test.mjs', 'dropped.test.ts', 'eslint.config.js', 'vite.config.mts', 'env.d.ts', 'env.d.mts', 'notes.md']
  const folder = t.testdir({ connectors: { 'dropped.ts': connectorFile(), ...Object.fromEntries(names.map(name => [name, 'throw new Error("executed")'])) } })
  const patchbay = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') } })
  t.match((await patchbay.call('/crmManifest')).json.platforms, { dropped: { displayName: 'Dropped' } })
})

await t.test('a folder may hold links, as Kubernetes mounts a ConfigMap', async t => {
  const startWith = async (t: Test, links: Record<string, string>) => {
    const withItsOwn = { 'index.mjs': connectorFile({ head: "import './mapping.mjs'" }), 'mapping.mjs': '' }
    const folder = t.testdir({ connectors: { '..2026': { 'dropped.mjs': connectorFile() } }, elsewhere: withItsOwn })
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, 'connectors', name))
    return await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') } })
  }
  for (const [title, links] of [['to files', { '..data': '..2026', 'dropped.mjs': '..data/dropped.mjs' }], ['to folders', { dropped: '../elsewhere' }], ['to files that import what is beside them', { 'dropped.mjs': '../elsewhere/index.mjs' }]] as const) {
    await t.test(title, async t => {
      const patchbay = await startWith(t, links)
      t.match((await patchbay.call('/crmManifest')).json.platforms, { dropped: { displayName: 'Dropped' } })
    })
  }
  await t.test('one that leads nowhere stops the start', async t => {
    await t.rejects(startWith(t, { 'gone.mjs': 'nowhere' }), { name: 'ConnectorError', message: /gone\.mjs: module is a link that leads nowhere/ })
  })
})

await t.test('a manifest of the operator goes before ours', async t => {
  const folder = t.testdir({ 'example.json': JSON.stringify({ name: 'example', displayName: 'Renamed', auth: { type: 'apiKey' }, contactTypes: [{ value: 'Contact', display: 'Person' }, { value: 'Lead', display: 'Lead' }] }) })
  const patchbay = await startPatchbay(t, { folder, config: { manifestsDir: folder } })
  t.equal((await patchbay.call('/crmManifest?platformName=example')).json.platforms.example.displayName, 'Renamed')
})

await t.test('the Example CRM can be left out', async t => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'x'), '')
  const patchbay = await startPatchbay(t, { folder, config: { exampleCrmPort: undefined as never } })
  t.notOk('example' in (await patchbay.call('/crmManifest')).json.platforms)
})

/** Nothing but the door opens connections: lint says so of the code, and the sockets of a running server show it. */
import { Socket } from 'node:net'
import { ESLint } from 'eslint'
import t from 'tap'
import { ask, callRecord, decide, startPatchbay } from '../patchbay.ts'

await t.test('every socket that the server opens to a CRM is opened by the door', async t => {
  const patchbay = await startPatchbay(t)
  const crmPort = Number(new URL(patchbay.crm.url).port)
  const begun = await fetch(`${patchbay.url}/oauth-authorize?platform=example`, { redirect: 'manual' })
  const allowed = await decide(begun.headers.get('location') ?? '')
  const opened: Array<{ port: unknown, by: string }> = []
  const { connect } = Socket.prototype
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 100
  Socket.prototype.connect = function (this: Socket, ...call: Parameters<typeof connect>) {
    const [options] = (Array.isArray(call[0]) ? call[0] : call) as unknown as [{ port?: unknown, path?: unknown }]
    opened.push({ port: Number(options.port ?? options.path), by: new Error('opened').stack ?? '' })
    return connect.apply(this, call)
  } as typeof connect
  t.teardown(() => {
    Socket.prototype.connect = connect
    Error.stackTraceLimit = stackTraceLimit
  })

  // All of it by way of the server: this file itself asks only the server, over sockets of its own.
  const token = await patchbay.signIn()
  const contact = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
  await patchbay.call('/contact?phoneNumber=+16504445566', { token })
  await patchbay.call('/contact', { method: 'POST', token, body: { phoneNumber: '+19995550100', newContactName: 'Nia New', newContactType: 'Lead' } })
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), note: 'x', ...contact } })).json, { successful: true })
  t.match((await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', note: 'y' } })).json, { successful: true })
  await patchbay.call('/callLog?sessionIds=4503991004&requireDetails=true', { token })
  await patchbay.call('/unAuthorize', { method: 'POST', token })

  const { jwtToken } = (await ask('', allowed)).json
  const { users } = patchbay.app.repositories
  const user = await users.find('1-example', 'example')
  await users.replaceCredentials({ userId: '1-example', accountId: '', platform: 'example' }, user?.version ?? 0, { accessToken: 'old', refreshToken: 'x', ...user?.credentials, expiresAt: 1 })
  t.match((await patchbay.call('/contact?phoneNumber=+16504445566&isForceRefreshAccountData=true', { token: jwtToken })).json, { successful: true }, 'with tokens that were renewed')
  await patchbay.call('/unAuthorize', { method: 'POST', token: jwtToken })
  const byServer = [...opened]
  const { json: { items } } = await patchbay.askCrm('/_requests')
  t.equal(items.filter(({ path }: { path: string }) => /^\/oauth\/(token|revoke)/.test(path)).length >= 3, true, 'tokens were made, renewed and taken back')

  const serverPort = Number(new URL(patchbay.url).port)
  t.ok(opened.some(({ port }) => port === crmPort))
  for (const { port, by } of byServer.filter(socket => socket.port !== serverPort)) {
    t.equal(port, crmPort)
    t.match(by, /src\/crm\/connections\.ts/)
  }
})

await t.test('lint refuses what could open a connection anywhere else', async t => {
  // These rules need no types, which would take their time.
  const eslint = new ESLint({
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } }, rules: { '@typescript-eslint/no-floating-promises': 'off' } }
  })
  /** The lines that lint complains about. */
  const refused = async (filePath: string, lines: string[]): Promise<string[]> => {
    const [result] = await eslint.lintText(`${lines.join('\n')}\n`, { filePath })
    const messages = (result?.messages ?? []).filter(({ message }) => /passes the door/.test(message))
    return lines.filter((_, index) => messages.some(({ line }) => line === index + 1))
  }
  const clients = [
    "export { request } from 'undici'", "export { request as a } from 'node:http'", "export { get } from 'https'", "import * as http from 'node:http'", "import https from 'node:https'",
    "export { connect } from 'node:http2'", "export { connect as b } from 'node:net'", "import { Socket } from 'net'", "export { connect as c } from 'tls'", "export { createSocket } from 'node:dgram'",
    "export { lookup } from 'node:dns'", "export { resolve } from 'node:dns/promises'",
    "export const d = fetch('http://127.0.0.1')", "export const e = globalThis.fetch('http://127.0.0.1')", "export const f = new WebSocket('ws://127.0.0.1')",
    "export const g = await import('node:http')", "export const h = process.getBuiltinModule('node:http')", "export { createRequire } from 'node:module'"
  ]
  const harmless = ["export { createServer } from 'node:http'", "export { isIP } from 'node:net'", "export type { Dispatcher } from 'undici'"]
  for (const file of ['src/connectors/example/mapping.ts', 'src/calls/outcome.ts', 'src/contract/type.ts']) {
    t.strictSame(await refused(file, [...clients, ...harmless]), clients, file)
  }
  t.strictSame(await refused('src/crm/connections.ts', clients.slice(0, 12)), [], 'the door itself may')
})

/** Whatever a client or a CRM names as a host, the server connects to nobody but the CRM (promise P8). */
import dns from 'node:dns'
import { createServer as createHttpServer } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { Socket, createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hosts } from '../crm/host-forms.ts'
import { startPatchbay, uniqueId, type Patchbay } from '../patchbay.ts'
import { filled, readDocument } from './json-schema.ts'

/** A CRM of which each customer has a host, and connectors that believe whatever they are told. */
const source = (platform: string, info: string): string => `
  import { apiKey, connector, oauth, ownTokens, path, Type } from 'patchbay'
  export default connector({
    platform: '${platform}',
    title: 'Hosted',
    hosts: ['*.tenants.example.com'],
    logFormat: 'text/plain',
    dedupe: 'none',
    additionalSubmission: Type.Object({}),
    ${info}
  }, {
    async getUserInfo ({ crm }) { await crm.get(path\`/me\`, { answer: Type.Any() }); return { crmUserId: '1', name: 'One' } },
    async createCallLog () { return { logId: '1' } },
    async updateCallLog () { return {} },
    async getCallLog () { return { body: '' } }
  })`

const shown = (platform: string, type: string, oauth = ''): string => `manifest: { name: '${platform}', displayName: 'Hosted', auth: { type: '${type}'${oauth} } }`
const connectors = {
  'hosted.ts': source('hosted', `baseUrl: ({ hostname }) => 'https://' + hostname, auth: [apiKey(), oauth({ authorizeUrl: '/authorize', tokenUrl: '/token', server: ({ hostname }) => 'https://' + hostname, client: { id: 'x' } })], ${shown('hosted', 'apiKey')}`),
  'told.ts': source('told', `baseUrl: 'https://x.tenants.example.com', auth: oauth({ authorizeUrl: '/authorize', tokenUrl: '/token', client: { id: 'x' }, baseUrl: ({ api_domain: domain }) => domain }), ${shown('told', 'oauth')}`),
  'own.ts': source('own', `baseUrl: 'https://x.tenants.example.com', auth: ownTokens({ form: 'oauth', async login (door, { callback }) { await door.send({ method: 'POST', url: callback.tokenUrl, form: {}, answer: Type.Any() }); return { accessToken: 'x' } }, renew: async (door, credentials) => credentials }), ${shown('own', 'oauth', ", oauth: { authUrl: 'https://x.tenants.example.com' }")}`)
}

/** Every address that the server dials itself, without the door's look at what a name resolves to. */
function watchSockets (t: Test, own: () => readonly string[]): unknown[] {
  const dialled: unknown[] = []
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (this: Socket, ...call: Parameters<typeof connect>) {
    const [options] = (Array.isArray(call[0]) ? call[0] : call) as unknown as [{ port?: unknown, path?: unknown, lookup?: { name: string } }]
    const isOurs = own().includes(String(options.port))
    if (!isOurs && options.lookup?.name !== 'lookup') dialled.push(options)
    return connect.apply(this, call)
  } as typeof connect
  t.teardown(() => { Socket.prototype.connect = connect })
  return dialled
}

/** Names resolve to a private address, whoever asks. */
function resolvePrivately (t: Test): void {
  const { lookup } = dns
  dns.lookup = ((_name: string, _options: object, callback: (error: null, addresses: dns.LookupAddress[]) => void) => { callback(null, [{ address: '127.0.0.1', family: 4 }]) }) as typeof dns.lookup
  syncBuiltinESMExports()
  t.teardown(() => {
    dns.lookup = lookup
    syncBuiltinESMExports()
  })
}

const portOf = (server: Server): string => String((server.address() as AddressInfo).port)

async function listening<Listener extends Server> (t: Test, server: Listener): Promise<Listener> {
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  return server
}

await t.test('no host that a client or a CRM names is connected to', { timeout: 600_000 }, async t => {
  let apiDomain = ''
  const tokens = await listening(t, createHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: 'x', token_type: 'Bearer', api_domain: apiDomain }))
  }))
  let arrived = 0
  const victim = await listening(t, createServer(socket => { arrived++; socket.destroy() }))
  const folder = t.testdir({ connectors })
  const patchbay = await startPatchbay(t, {
    folder,
    config: { connectorsDir: join(folder, 'connectors'), trustProxy: ['127.0.0.1'] },
    connector: { told: { tokenUrl: `http://127.0.0.1:${portOf(tokens)}/token` } },
    onExampleCrm: ['example']
  })
  const crmPort = new URL(patchbay.crm.url).port
  const dialled = watchSockets(t, () => [new URL(patchbay.url).port, portOf(tokens), crmPort])
  resolvePrivately(t)

  const ask = async ({ call }: Patchbay, path: string, query: Record<string, string>, body?: unknown) =>
    await call(`${path}?${new URLSearchParams(query)}`, { redirect: 'manual', headers: { 'x-forwarded-for': `2001:db8::${uniqueId().slice(0, 4)}` }, ...(body !== undefined && { method: 'POST', body }) })
  /** Every place where a host comes in, and leads to a request. */
  const places = (host: string): Array<[string, Promise<{ status: number, json: any }>]> => [
    ['hostname of a key', ask(patchbay, '/apiKeyLogin', {}, { platform: 'hosted', apiKey: 'x', hostname: host })],
    ['hostname of a callback', ask(patchbay, '/oauth-callback', { code: 'x', state: 'platform=hosted', hostname: host })],
    ['hostname in a state', ask(patchbay, '/oauth-callback', { code: 'x', state: `platform=hosted&hostname=${encodeURIComponent(host)}` })],
    ['tokenUrl', ask(patchbay, '/oauth-callback', { code: 'x', state: 'platform=own', tokenUrl: `https://${host}/token` })],
    ['tokenUrl without https', ask(patchbay, '/oauth-callback', { code: 'x', state: 'platform=own', tokenUrl: `http://${host}:${portOf(victim)}/token` })],
    ['callbackUri', ask(patchbay, '/oauth-callback', { callbackUri: `https://${host}/oauth-callback?code=x&state=platform%3Dhosted`, hostname: host })]
  ]
  for (const host of hosts.map(form => form.toWellFormed().replaceAll('\0', '%00'))) {
    apiDomain = `https://${host}`
    const asked = [...places(host), ['api_domain of a token answer', ask(patchbay, '/oauth-callback', { code: 'x', state: 'platform=told' })] as const]
    const wrong = (await Promise.all(asked.map(async ([place, answer]) => [place, await answer] as const)))
      .filter(([, { status, json }]) => status >= 500 || json?.jwtToken !== undefined)
    t.strictSame(wrong.map(([place, { status }]) => [place, status]), [], JSON.stringify(host))
  }
  t.equal(arrived, 0, 'nobody was reached')
  t.strictSame(dialled, [], 'nothing was dialled past the door')

  await t.test('nor one in any field of any route', async t => {
    for (const source of ['/openapi.json', '/connectors/example/openapi.json']) {
      const document = readDocument((await patchbay.call(source)).json)
      for (const { method, path, query, body, operationId } of document.operations) {
        const token = await patchbay.connectUser('example')
        for (const known of [{}, { platform: 'example', platformName: 'example', phoneNumber: '+16504445566', contactId: '1', startTime: 1, duration: 7, type: 'SMS', creationTime: 1, newContactType: 'Contact', state: 'platform=example', hostname: 'undefined', deals: 1, id: `${operationId}-1`, sessionId: `${operationId}-2` }]) {
          const filling = { known, text: () => `http://127.0.0.1:${portOf(victim)}/x` }
          const members = query.map(({ name, schema }): [string, string] => [name, String(filled(document, schema, filling, name))])
          const answer = await patchbay.call(`${path}?${new URLSearchParams(members)}`, { method, token, redirect: 'manual', ...(body !== undefined && { body: filled(document, body, filling) }) })
          t.ok(answer.status < 500, `${method} ${path}`)
        }
      }
    }
    t.equal(arrived, 0, 'nobody was reached')
    t.strictSame(dialled, [])
  })
})

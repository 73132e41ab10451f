import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ConnectorConfig } from '../../src/config.ts'
import { Type } from '../../src/contract/type.ts'
import { ownAddress } from '../../src/tokens/addresses.ts'
import { tokenDoor } from '../../src/tokens/own-tokens.ts'
import { startPatchbay } from '../patchbay.ts'
import { tokenServer } from './token-server.ts'

const door = tokenDoor({ fetch, addressOf: url => URL.canParse(url) ? new URL(url) : undefined, client: () => ({ id: 'id' }), now: 5 })
const answer = Type.Object({ token: Type.String() })

await t.test('a connector asks its token endpoints in its own way', async t => {
  const server = await tokenServer(t)
  server.answer({ token: 'x' })
  t.strictSame(await door.send({ method: 'POST', url: `${server.url}/token?v=1`, query: { code: 'a b', none: undefined }, answer }), { token: 'x' })
  await door.send({ method: 'POST', url: server.url, form: { grant: 'c+d' }, headers: { api_key: 'k' }, answer })
  await door.send({ method: 'POST', url: server.url, body: { n: 1 }, answer })
  await door.send({ method: 'GET', url: server.url, answer })
  t.match(server.received, [
    { method: 'POST', path: '/token', query: { v: '1', code: 'a b' }, body: '' },
    { form: { grant: 'c+d' }, headers: { 'content-type': /^application\/x-www-form-urlencoded/, api_key: 'k' } },
    { body: '{"n":1}', headers: { 'content-type': 'application/json', 'unified-crm-extension-version': /\d/ } },
    { method: 'GET', body: '' }
  ])
})

await t.test('what it is told when that fails', async t => {
  const server = await tokenServer(t)
  const table: Array<[body: object | string, status: number, code: string]> = [
    [{}, 401, 'auth-expired'],
    [{ error: 'invalid_grant' }, 400, 'auth-expired'],
    [{ error: 'invalid_client' }, 400, 'permission'],
    [{ error: 'invalid_client' }, 401, 'permission'],
    [{ error: 'unauthorized_client' }, 401, 'permission'],
    ['no', 403, 'permission'],
    ['', 408, 'unavailable'],
    ['', 429, 'unavailable'],
    ['', 502, 'unavailable'],
    ['', 304, 'bad-response'],
    [{ token: 1 }, 200, 'bad-response'],
    ['<html>', 200, 'bad-response']
  ]
  for (const [body, status, code] of table) {
    server.answer(body, status)
    await t.rejects(door.send({ method: 'GET', url: server.url, answer }), { code, outcome: 'not-received', status: status === 200 ? undefined : status }, `${status} ${JSON.stringify(body)}`)
  }
  for (const status of [429, 503]) {
    server.answer({ error: 'Later' }, status, { 'retry-after': '7' })
    await t.rejects(door.send({ method: 'GET', url: server.url, answer }), { code: 'unavailable', outcome: 'not-received', retryAfter: 7 }, `${status} with a delay`)
  }
  await t.rejects(door.send({ method: 'GET', url: 'http://127.0.0.1:1', answer }), { code: 'unavailable' })
  await t.rejects(door.send({ method: 'GET', url: 'garbage', answer }), { code: 'prerequisite' })
})

await t.test('where its addresses lead, as the operator says', t => {
  const table: Array<[title: string, address: string, config: ConnectorConfig, leads: string | undefined]> = [
    ['as they are', 'https://auth.hive.example/token', {}, 'https://auth.hive.example/token'],
    ['of the API, as they are', 'https://api.hive.example/v2/login', {}, 'https://api.hive.example/v2/login'],
    ['relative', '/token', {}, 'https://api.hive.example/token'],
    ['relative, elsewhere', '/token?v=1', { url: 'http://127.0.0.1:1/api' }, 'http://127.0.0.1:1/token?v=1'],
    ['relative, with a token endpoint', '/login', { url: 'http://127.0.0.1:1', tokenUrl: 'http://127.0.0.1:2/token' }, 'http://127.0.0.1:2/login'],
    ['relative, below the API', '/v2/login', { url: 'http://127.0.0.1:1/api' }, 'http://127.0.0.1:1/api/login'],
    ['relative, below the API, with a token endpoint', '/v2/login', { url: 'http://127.0.0.1:1', tokenUrl: 'http://127.0.0.1:2/x' }, 'http://127.0.0.1:1/login'],
    ['one of its hosts', 'https://auth.hive.example//evil.example/token?v=1', { url: 'http://127.0.0.1:1/api' }, 'http://127.0.0.1:1//evil.example/token?v=1'],
    ['below the API', 'https://API.hive.example/v2/login?v=1', { url: 'http://127.0.0.1:1/api' }, 'http://127.0.0.1:1/api/login?v=1'],
    ['the API itself', 'https://api.hive.example/v2', { url: 'http://127.0.0.1:1/api' }, 'http://127.0.0.1:1/api'],
    ['beside the API', 'https://api.hive.example/v20/login', { url: 'http://127.0.0.1:1/api' }, 'http://127.0.0.1:1/v20/login'],
    ['one of its hosts, with a token endpoint', 'https://auth.hive.example/token', { url: 'http://127.0.0.1:1', tokenUrl: 'http://127.0.0.1:2/x' }, 'http://127.0.0.1:2/token'],
    ['below the API, with a token endpoint', 'https://api.hive.example/v2/login', { url: 'http://127.0.0.1:1', tokenUrl: 'http://127.0.0.1:2/x' }, 'http://127.0.0.1:1/login'],
    ['below the API, with nothing but a token endpoint', 'https://api.hive.example/v2/login', { tokenUrl: 'http://127.0.0.1:2/x' }, 'http://127.0.0.1:2/v2/login'],
    ["the operator's own", 'http://127.0.0.1:1/token', { url: 'http://127.0.0.1:1/api' }, 'http://127.0.0.1:1/token'],
    ["one of its hosts that is the operator's", 'https://auth.hive.example/token', { url: 'http://127.0.0.1:1', tokenUrl: 'https://auth.hive.example' }, 'https://auth.hive.example/token'],
    ['another host, which the door refuses', 'https://evil.example/token', { url: 'http://127.0.0.1:1' }, 'https://evil.example/token'],
    ['another host without a scheme, which the door refuses', '//evil.example/token', { url: 'http://127.0.0.1:1' }, 'https://evil.example/token'],
    ['what is none', 'http://', {}, undefined],
    ['what is none, elsewhere', 'garbage', { url: 'http://127.0.0.1:1' }, undefined]
  ]
  const isOwn = ({ protocol, hostname }: URL): boolean => protocol === 'https:' && hostname.endsWith('.hive.example')
  const info = { platform: 'hive', baseUrl: 'https://api.hive.example/v2' }
  for (const [title, address, config, leads] of table) t.equal(ownAddress(info, () => config, isOwn, address)?.href, leads, title)
  const perCustomer = { ...info, baseUrl: ({ hostname }: { hostname: string }) => `https://${hostname}` }
  t.equal(ownAddress(perCustomer, () => ({ url: 'http://127.0.0.1:1/api' }), isOwn, 'https://a.hive.example/login')?.href, 'http://127.0.0.1:1/login')
  t.equal(ownAddress(perCustomer, () => ({}), isOwn, '/login'), undefined, 'nobody says where that is')
  t.end()
})

/** A CRM with sessions on top of OAuth: tokens are used once, a session ends, everything is in the query. */
async function sessionCrm (t: Test) {
  const asked: string[] = []
  const spent: string[] = []
  let loginFails = false
  let rotates = true
  let count = 0
  let [good, session] = ['', '']
  const crm = {
    endSession: () => { session = 'ended' },
    endGrant: () => { good = 'ended' },
    failLogin: (fails: boolean) => { loginFails = fails },
    /** From now on a refresh token is good for many times, and no new one is given for it. */
    stopRotating: () => { rotates = false },
    /** The refresh tokens that it was sent. */
    spent,
    asked: () => asked.splice(0)
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    asked.push(pathname)
    const reply = (status: number, body: object): void => { response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)) }
    const isClient = searchParams.get('client_secret') === 'the-secret'
    if (pathname === '/token') {
      if (searchParams.has('refresh_token')) spent.push(searchParams.get('refresh_token') ?? '')
      const known = searchParams.get('code') === 'good' || searchParams.get('refresh_token') === good
      if (!isClient || !known) return reply(400, { error: 'invalid_grant' })
      count++
      if (!rotates) return reply(200, { access_token: `access-${count}` })
      good = `refresh-${count}`
      return reply(200, { access_token: `access-${count}`, refresh_token: good })
    }
    if (pathname === '/login') {
      if (loginFails) return reply(503, {})
      session = `session-${searchParams.get('access_token')}`
      return reply(200, { session })
    }
    if (pathname === '/logout') return reply(200, {})
    if (request.headers['hive-token'] !== session || request.headers.authorization !== undefined) return reply(401, {})
    reply(200, { id: 7, name: 'Sam', items: [] })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { ...crm, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const connector = `
  import { Type, connector, ownTokens, path } from 'patchbay'
  const Tokens = Type.Object({ access_token: Type.String(), refresh_token: Type.String() })

  async function session (door, tokenUrl, grant, keep) {
    const { id: client_id, secret: client_secret } = door.client()
    const tokens = await door.send({ method: 'POST', url: tokenUrl, query: { client_id, client_secret, ...grant }, answer: Tokens })
    await keep?.({ refreshToken: tokens.refresh_token })
    const { session } = await door.send({ method: 'POST', url: new URL('/login', tokenUrl).href, query: { access_token: tokens.access_token }, answer: Type.Object({ session: Type.String() }) })
    return { accessToken: session, refreshToken: tokens.refresh_token, tokenUrl, expiresAt: door.now + 600_000 }
  }

  export default connector({
    platform: 'hive',
    title: 'Hive',
    hosts: ['*.hive.example'],
    baseUrl: 'https://api.hive.example',
    auth: ownTokens({
      form: 'oauth',
      login: async (door, { code, redirectUri, callback }) => await session(door, callback.tokenUrl, { code, redirect_uri: redirectUri }),
      renew: async (door, { tokenUrl, refreshToken }, keep) => await session(door, tokenUrl, { refresh_token: refreshToken }, keep),
      revoke: async (door, { tokenUrl }) => { await door.send({ method: 'GET', url: new URL('/logout', tokenUrl).href, answer: Type.Object({}) }) },
      authorization: ({ accessToken }) => ({ 'Hive-Token': accessToken })
    }),
    logFormat: 'none',
    dedupe: 'none',
    additionalSubmission: Type.Object({}),
    manifest: { name: 'hive', displayName: 'Hive', auth: { type: 'oauth', oauth: { authUrl: 'https://auth.hive.example' } } }
  }, {
    async getUserInfo ({ crm }) {
      const { id, name } = await crm.get(path\`/me\`, { answer: Type.Object({ id: Type.Integer(), name: Type.String() }) })
      return { crmUserId: String(id), name }
    },
    async findContact ({ crm }) {
      return (await crm.get(path\`/contacts\`, { answer: Type.Object({ items: Type.Array(Type.Any()) }) })).items
    },
    async createCallLog () { return { logId: '1' } },
    async updateCallLog () { return {} }
  })`

await t.test('a connector keeps sessions of its own: renewed in time, when refused, and once for everybody', async t => {
  const crm = await sessionCrm(t)
  const folder = t.testdir({ connectors: { 'hive.ts': connector } })
  let now = Date.now()
  const hive: ConnectorConfig = { url: crm.url, clientId: 'id', clientSecret: 'the-secret' }
  const patchbay = await startPatchbay(t, { folder, clock: () => now, config: { connectorsDir: join(folder, 'connectors') }, connector: { hive } })
  const redirected = (code: string): string =>
    `/oauth-callback?callbackUri=https://ringcentral.github.io/ringcentral-embeddable/redirect.html?code=${code}&state=platform=hive&hostname=temp&tokenUrl=${crm.url}/token&username=sam`
  t.match(await patchbay.call(redirected('bad')), { status: 400, json: { error: { code: 'login-refused' } } })
  const { json: { jwtToken: token } } = await patchbay.call(redirected('good'))
  t.match(await patchbay.app.repositories.users.find('7-hive', 'hive'), { credentials: { kind: 'own', accessToken: 'session-access-1', refreshToken: 'refresh-1', tokenUrl: `${crm.url}/token` } })
  crm.asked()

  let number = 0
  const lookUp = async () => await patchbay.call(`/contact?phoneNumber=+1650555${1000 + number++}`, { token })
  const many = async (): Promise<number> => (await Promise.all(Array.from({ length: 20 }, lookUp))).filter(({ json }) => json.successful).length
  const renewals = (): number => crm.asked().filter(path => path === '/token').length

  t.equal(await many(), 20)
  t.equal(renewals(), 0)
  now += 500_000
  t.equal(await many(), 20)
  t.equal(renewals(), 1)
  crm.endSession()
  t.equal(await many(), 20)
  t.equal(renewals(), 1)

  crm.endSession()
  const { clientId } = hive
  delete hive.clientId
  t.match((await lookUp()).json, { successful: false, error: { code: 'unavailable', message: /HIVE_CLIENT_ID/ } }, 'a client that was taken away signs nobody out')
  hive.clientId = clientId ?? ''
  t.match((await lookUp()).json, { successful: true })

  crm.asked()
  crm.endSession()
  crm.endGrant()
  t.match(await lookUp(), { status: 401, json: { errorCode: 'CRM_SESSION_REVOKED' } })
  await lookUp()
  t.equal(renewals(), 1)

  const { json: { jwtToken: again } } = await patchbay.call(redirected('good'))
  crm.asked()
  await patchbay.call('/unAuthorize', { method: 'POST', token: again })
  t.strictSame(crm.asked(), ['/logout'])
})

await t.test('a renewal whose second step fails loses nothing of the first: the next one goes on with the new refresh token', async t => {
  const crm = await sessionCrm(t)
  const folder = t.testdir({ connectors: { 'hive.ts': connector } })
  let now = Date.now()
  const patchbay = await startPatchbay(t, {
    folder, clock: () => now, config: { connectorsDir: join(folder, 'connectors') }, connector: { hive: { url: crm.url, clientId: 'id', clientSecret: 'the-secret' } }
  })
  const { json: { jwtToken: token } } = await patchbay.call(
    `/oauth-callback?callbackUri=https://ringcentral.github.io/ringcentral-embeddable/redirect.html?code=good&state=platform=hive&hostname=temp&tokenUrl=${crm.url}/token&username=sam`
  )
  const lookUp = async () => (await patchbay.call(`/contact?phoneNumber=+1650555${1000 + crm.spent.length}`, { token })).json
  const stored = async () => await patchbay.app.repositories.users.find('7-hive', 'hive')
  const ends: Array<[how: string, end: () => void]> = [['the session has expired', () => { now += 600_001 }], ['the CRM refuses the session', crm.endSession]]
  for (const [how, end] of ends) {
    end()
    crm.failLogin(true)
    t.match(await lookUp(), { successful: false, error: { code: 'unavailable', retryable: true } }, how)
    t.match(await stored(), { revokedAt: null, renewingUntil: null, credentials: { refreshToken: `refresh-${crm.spent.length + 1}` } }, how)
    crm.failLogin(false)
    t.match(await lookUp(), { successful: true }, how)
  }
  t.strictSame(crm.spent, ['refresh-1', 'refresh-2', 'refresh-3', 'refresh-4'], 'each refresh token was sent once')
  t.match(await stored(), { credentials: { accessToken: 'session-access-5', refreshToken: 'refresh-5' } })
})

await t.test('what a renewal keeps before its second step fails harms neither the old refresh token nor the old expiry', async t => {
  const keeping = 'keep?.({ refreshToken: tokens.refresh_token })'
  const table: Array<[what: string, rotates: boolean, source: string, spent: string[]]> = [
    ['no refresh token, where the CRM gave none', false, connector.replace('refresh_token: Type.String() })', 'refresh_token: Type.Optional(Type.String()) })')
      .replace('refreshToken: tokens.refresh_token, tokenUrl', 'refreshToken: tokens.refresh_token ?? grant.refresh_token, tokenUrl'), ['refresh-1', 'refresh-1']],
    ['the new expiry', true, connector.replace(keeping, keeping.replace(' })', ', expiresAt: door.now + 600_000 })')), ['refresh-1', 'refresh-2']]
  ]
  for (const [what, rotates, source, spent] of table) {
    await t.test(what, async t => {
      const crm = await sessionCrm(t)
      const folder = t.testdir({ connectors: { 'hive.ts': source } })
      let now = Date.now()
      const patchbay = await startPatchbay(t, {
        folder, clock: () => now, config: { connectorsDir: join(folder, 'connectors') }, connector: { hive: { url: crm.url, clientId: 'id', clientSecret: 'the-secret' } }
      })
      const { json: { jwtToken: token } } = await patchbay.call(
        `/oauth-callback?callbackUri=https://ringcentral.github.io/ringcentral-embeddable/redirect.html?code=good&state=platform=hive&hostname=temp&tokenUrl=${crm.url}/token&username=sam`
      )
      const lookUp = async (number: string) => (await patchbay.call(`/contact?phoneNumber=${number}`, { token })).json
      if (!rotates) crm.stopRotating()
      now += 600_001
      crm.failLogin(true)
      t.match(await lookUp('+16505551000'), { successful: false, error: { code: 'unavailable' } })
      crm.failLogin(false)
      crm.asked()
      t.match(await lookUp('+16505551001'), { successful: true })
      t.strictSame(crm.asked(), ['/token', '/login', '/contacts'], 'the dead access token is not sent')
      t.strictSame(crm.spent, spent)
    })
  }
})

await t.test('what is kept is checked like all that a connector gives', async t => {
  const crm = await sessionCrm(t)
  const folder = t.testdir({ connectors: { 'hive.ts': connector.replace('{ refreshToken: tokens.refresh_token })', '{ refreshToken: 5 })') } })
  const patchbay = await startPatchbay(t, {
    folder, config: { connectorsDir: join(folder, 'connectors') }, connector: { hive: { url: crm.url, clientId: 'id', clientSecret: 'the-secret' } }
  })
  const { json: { jwtToken: token } } = await patchbay.call(
    `/oauth-callback?callbackUri=https://ringcentral.github.io/ringcentral-embeddable/redirect.html?code=good&state=platform=hive&hostname=temp&tokenUrl=${crm.url}/token&username=sam`
  )
  crm.endSession()
  t.match((await patchbay.call('/contact?phoneNumber=+16505551000', { token })).json, { successful: false, error: { code: 'unavailable' } })
  t.match(patchbay.logged.join(''), 'hive.auth.renew refreshToken: Expected string')
  t.match(await patchbay.app.repositories.users.find('7-hive', 'hive'), { renewingUntil: null, credentials: { refreshToken: 'refresh-1' } })
})

await t.test('a login form that is exchanged for credentials', async t => {
  const folder = t.testdir({
    connectors: {
      'hive.ts': connector.replace("form: 'oauth',", "form: 'apiKey',").replace("auth: { type: 'oauth'", "auth: { type: 'apiKey'")
        .replace('callback.tokenUrl, { code, redirect_uri: redirectUri }', 'fields.tokenUrl, { code: fields.password }').replace('{ code, redirectUri, callback }', '{ fields }')
    }
  })
  const crm = await sessionCrm(t)
  const patchbay = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') }, connector: { hive: { url: crm.url, clientId: 'id', clientSecret: 'the-secret' } } })
  const login = async (password: string) => await patchbay.call('/apiKeyLogin', {
    method: 'POST', body: { platform: 'hive', apiKey: 'apiKey', hostname: 'undefined', additionalInfo: { apiKey: 'apiKey', password, tokenUrl: `${crm.url}/token` } }
  })
  t.match(await login('bad'), { status: 400, json: { error: { code: 'login-refused' } } })
  t.match(await login('good'), { status: 200, json: { jwtToken: /./, name: 'Sam' } })
})

await t.test('a password goes where the operator says that the CRM is, and nowhere else', async t => {
  const crm = await sessionCrm(t)
  const left: string[] = []
  const proxy = createServer().on('connect', ({ url = '' }, socket) => {
    left.push(url)
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await new Promise<void>(resolve => { proxy.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { proxy.close() })
  const form = connector.replace("form: 'oauth',", "form: 'apiKey',").replace("auth: { type: 'oauth'", "auth: { type: 'apiKey'")
  const written = ["'https://auth.hive.example/token'", "'https://api.hive.example/token'", "'/token'", "'https://evil.example/token'"]
  const folder = t.testdir(Object.fromEntries(written.map((address, at) => [String(at), {
    'hive.ts': form.replace('callback.tokenUrl, { code, redirect_uri: redirectUri }', `${address}, { code: fields.password }`).replace('{ code, redirectUri, callback }', '{ fields }')
      .replace("new URL('/login', tokenUrl).href", "'https://api.hive.example/login'")
  }])))
  for (const [at, address] of written.entries()) {
    const patchbay = await startPatchbay(t, {
      folder,
      config: { connectorsDir: join(folder, String(at)), proxies: { httpsProxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` } },
      connector: { hive: { url: crm.url, clientId: 'id', clientSecret: 'the-secret' } }
    })
    const { json } = await patchbay.call('/apiKeyLogin', { method: 'POST', body: { platform: 'hive', apiKey: 'x', additionalInfo: { password: 'good' } } })
    if (address.includes('evil')) t.match(json, { error: { code: 'login-refused', message: /is not at the address/ } }, address)
    else t.match(json, { name: 'Sam' }, address)
    await patchbay.app.close()
  }
  t.strictSame(left, [], 'nothing leaves for another host')
})

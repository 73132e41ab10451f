import t from 'tap'
import { oauth, type Credentials, type OAuthAuth, type Place } from '../../src/contract/auth.ts'
import type { ConnectorInfo } from '../../src/contract/connector.ts'
import { PatchbayError } from '../../src/contract/errors.ts'
import { Type } from '../../src/contract/type.ts'
import type { ConnectorConfig } from '../../src/config.ts'
import { consentPage, exchangeCode, renewTokens, revokeTokens, type OAuthParts } from '../../src/tokens/oauth.ts'
import { tokenServer } from './token-server.ts'

const acme: ConnectorInfo = {
  platform: 'acme',
  title: 'Acme',
  hosts: [],
  baseUrl: 'https://api.acme.example',
  auth: [],
  logFormat: 'none',
  dedupe: 'none',
  additionalSubmission: Type.Object({})
}
const place: Place = { hostname: '', callback: {} }
const code = { code: 'c0de', redirectUri: 'https://patchbay.example/oauth-callback', place }
const basic = `Basic ${Buffer.from('the-id_1:the/secret~').toString('base64')}`

function parts (auth: Partial<OAuthAuth>, settings: ConnectorConfig = {}, info = acme): OAuthParts {
  return {
    info,
    auth: oauth({ authorizeUrl: '/oauth/authorize', tokenUrl: '/oauth/token', revokeUrl: '/oauth/revoke', ...auth }),
    settings: () => ({ clientId: 'the-id_1', clientSecret: 'the/secret~', ...settings }),
    clock: () => 1_000_000,
    fetch: () => fetch
  }
}

interface ErrorFacts { code: string, message?: RegExp, outcome?: string, retryAfter?: number }

const stored: Credentials & { refreshToken: string } =
  { kind: 'oauth', accessToken: 'old', refreshToken: 'r1', issuedAt: 1, expiresAt: 2, baseUrl: 'https://old.acme.example', note: 'kept' }

await t.test('a code becomes credentials', async t => {
  const server = await tokenServer(t)
  server.answer({ access_token: 'a1', token_type: 'bearer', expires_in: 3600, refresh_token: 'r1', account: 7 })
  const made = await exchangeCode(parts({}, { url: server.url }), code)
  t.strictSame(made.credentials, { kind: 'oauth', accessToken: 'a1', refreshToken: 'r1', issuedAt: 1_000_000, expiresAt: 4_600_000 })
  t.match(made.answer, { account: 7 })
  t.notOk('access_token' in made.answer || 'refresh_token' in made.answer)
  t.match(server.received, [{
    method: 'POST',
    path: '/oauth/token',
    headers: { authorization: basic, accept: 'application/json', 'unified-crm-extension-version': /\d/ },
    form: { grant_type: 'authorization_code', code: 'c0de', redirect_uri: code.redirectUri },
    query: {}
  }])
})

await t.test('the client proves itself as the CRM wants it', async t => {
  const server = await tokenServer(t)
  server.answer({ access_token: 'a1', expires_in: '60' })
  const table: Array<[auth: Partial<OAuthAuth>, settings: ConnectorConfig, want: object]> = [
    [{ clientAuthentication: 'header' }, {}, { headers: { authorization: basic }, query: {}, form: { code: 'c0de' } }],
    [{ clientAuthentication: 'body' }, {}, { query: {}, form: { client_id: 'the-id_1', client_secret: 'the/secret~', code: 'c0de' } }],
    [{ clientAuthentication: 'query' }, {}, { body: '', query: { client_id: 'the-id_1', client_secret: 'the/secret~', grant_type: 'authorization_code', code: 'c0de', redirect_uri: code.redirectUri } }],
    [{ tokenParameters: { audience: 'api' } }, {}, { form: { audience: 'api', code: 'c0de' } }]
  ]
  for (const [auth, settings, want] of table) {
    server.received.length = 0
    await exchangeCode(parts(auth, { url: server.url, ...settings }), code)
    t.match(server.received, [want], JSON.stringify(auth))
    if (auth.clientAuthentication !== 'header' && auth.clientAuthentication !== undefined) t.equal(server.received[0]?.headers.authorization, undefined)
  }

  server.received.length = 0
  const publicClient = parts({ client: { id: 'public' } }, { url: server.url })
  await exchangeCode({ ...publicClient, settings: () => ({ url: server.url }) }, { ...code, verifier: 'v'.repeat(43) })
  t.match(server.received, [{ form: { client_id: 'public', code_verifier: 'v'.repeat(43) } }], 'a public client has its id and PKCE only')
  t.equal(server.received[0]?.headers.authorization, undefined)
})

await t.test('tokens are kept whatever the CRM calls their type: how they are used is the connector\'s to say', async t => {
  const server = await tokenServer(t)
  for (const type of ['BearerToken', 'Zoho-oauthtoken', 'mac']) {
    server.answer({ access_token: 'a1', token_type: type })
    t.match(await exchangeCode(parts({}, { url: server.url }), code), { credentials: { accessToken: 'a1' } }, type)
  }
})

await t.test('a renewal keeps what the answer leaves out', async t => {
  const server = await tokenServer(t)
  const renew = async (answer: object, auth: Partial<OAuthAuth> = {}) => {
    server.answer(answer)
    return await renewTokens(parts(auth, { url: server.url }), stored)
  }
  t.strictSame(await renew({ access_token: 'a2' }), { kind: 'oauth', accessToken: 'a2', refreshToken: 'r1', issuedAt: 1_000_000, baseUrl: 'https://old.acme.example', note: 'kept' },
    'an end that is not known is none')
  t.match(server.received, [{ form: { grant_type: 'refresh_token', refresh_token: 'r1' }, headers: { authorization: basic } }])
  t.match(await renew({ access_token: 'a2', refresh_token: 'r2', expires_in: 60 }), { refreshToken: 'r2', expiresAt: 1_060_000 })
  const moved = { baseUrl: ({ api_domain: domain }: Readonly<Record<string, unknown>>) => String(domain) }
  t.match(await renew({ access_token: 'a2', api_domain: 'https://new.acme.example' }, moved), { baseUrl: 'https://new.acme.example' })
})

await t.test('why tokens were not given', async t => {
  const server = await tokenServer(t)
  const table: Array<[title: string, answer: [body: object | string, status?: number, headers?: Record<string, string>], login: ErrorFacts, renewal: ErrorFacts]> = [
    ['invalid_grant', [{ error: 'invalid_grant' }, 400], { code: 'login-refused' }, { code: 'auth-expired' }],
    ['invalid_grant with 200', [{ error: 'invalid_grant' }], { code: 'login-refused' }, { code: 'auth-expired' }],
    ['invalid_grant with 503', [{ error: 'invalid_grant' }, 503], { code: 'login-refused' }, { code: 'auth-expired' }],
    ['invalid_grant as a form', ['error=invalid_grant', 400], { code: 'login-refused' }, { code: 'auth-expired' }],
    ['invalid_client', [{ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic' }], { code: 'not-configured' }, { code: 'unavailable', message: /client id and secret/ }],
    ['unauthorized_client', [{ error: 'unauthorized_client' }, 400], { code: 'not-configured' }, { code: 'unavailable', message: /client id and secret/ }],
    ['another refusal', [{ error: 'invalid_scope' }, 400], { code: 'login-refused' }, { code: 'unavailable' }],
    ['down', ['<html>', 503], { code: 'unavailable' }, { code: 'unavailable', outcome: 'not-received' }],
    ['too much', ['{}', 429, { 'retry-after': '7' }], { code: 'unavailable', retryAfter: 7 }, { code: 'unavailable', retryAfter: 7 }],
    ['too much, with a reason', [{ error: 'Rate limit exceeded' }, 429, { 'retry-after': '7' }], { code: 'unavailable', retryAfter: 7 }, { code: 'unavailable', outcome: 'not-received', retryAfter: 7 }],
    ['down, with a reason', [{ error: 'server_error' }, 503, { 'retry-after': '7' }], { code: 'unavailable', retryAfter: 7 }, { code: 'unavailable', outcome: 'not-received', retryAfter: 7 }],
    ['down, with a reason and no delay', [{ error: 'server_error' }, 500], { code: 'unavailable' }, { code: 'unavailable' }],
    ['a refusal for now', [{ error: 'temporarily_unavailable' }, 400, { 'retry-after': '7' }], { code: 'unavailable', retryAfter: 7 }, { code: 'unavailable', retryAfter: 7 }],
    ['invalid_client with 503', [{ error: 'invalid_client' }, 503, { 'retry-after': '7' }], { code: 'not-configured' }, { code: 'unavailable', message: /client id and secret/ }],
    ['invalid_grant with 429', [{ error: 'invalid_grant' }, 429, { 'retry-after': '7' }], { code: 'login-refused' }, { code: 'auth-expired' }],
    ['a no in its own words', [{ message: 'The code has expired' }, 400], { code: 'login-refused' }, { code: 'unavailable' }],
    ['a no in two of its own words', [{ error: { code: 'bad_code' } }, 422], { code: 'login-refused' }, { code: 'unavailable' }],
    ['a no in one word', [{ message: 'Unauthorized' }, 401], { code: 'login-refused' }, { code: 'unavailable' }],
    ['a no without words', ['', 403], { code: 'login-refused' }, { code: 'unavailable' }],
    ['a no in its own words for now', [{ message: 'Busy' }, 403, { 'retry-after': '7' }], { code: 'unavailable', retryAfter: 7 }, { code: 'unavailable', retryAfter: 7 }],
    ['too much, in its own words', [{ message: 'Slow down' }, 429], { code: 'unavailable' }, { code: 'unavailable' }],
    ['too late', [{ message: 'Timeout' }, 408], { code: 'unavailable' }, { code: 'unavailable' }],
    ['too late, with a reason', [{ error: 'timeout' }, 408], { code: 'unavailable' }, { code: 'unavailable' }],
    ['a redirect', ['', 302, { location: 'https://elsewhere.example' }], { code: 'unavailable' }, { code: 'unavailable' }],
    ['nonsense', ['{"access_token":', 200], { code: 'unavailable' }, { code: 'unavailable' }]
  ]
  for (const [title, answer, login, renewal] of table) {
    server.answer(...answer)
    const manual = parts({}, { url: server.url })
    const unfollowed = { ...manual, fetch: () => async (url: string | URL, init?: RequestInit) => await fetch(url, { ...init, redirect: 'manual' as const }) }
    await t.rejects(exchangeCode(unfollowed, code), login, `${title}, at login`)
    await t.rejects(renewTokens(unfollowed, stored), renewal, `${title}, at renewal`)
  }
  const nobody = parts({}, { url: 'http://127.0.0.1:1' })
  await t.rejects(exchangeCode(nobody, code), { code: 'unavailable' })
  await t.rejects(renewTokens(nobody, stored), { code: 'unavailable', outcome: 'not-received' })
})

await t.test('an answer that a connector cannot straighten is the fault of nobody who signs in', async t => {
  const server = await tokenServer(t)
  server.answer({ message: 'no' }, 400)
  const failing = parts({ normalise: () => { throw new PatchbayError('connector-failed') } }, { url: server.url })
  await t.rejects(exchangeCode(failing, code), { code: 'unavailable' })
})

await t.test('where the authorization server is: the operator, the choice at sign-in, the connector', async t => {
  const page = async (auth: Partial<OAuthAuth>, settings: ConnectorConfig, at: Partial<Place> = {}, info = acme) =>
    await consentPage(parts(auth, settings, info), { place: { ...place, ...at }, redirectUri: 'https://r.example', state: 's', verifier: undefined })
  const regions = { server: ({ hostname }: Place) => hostname === 'eu.acme.example' ? 'https://eu.acme.example' : 'https://www.acme.example' }
  const ofClient = { server: ({ callback }: Place) => callback['tokenUrl'] }
  const ofUser = { ...acme, baseUrl: ({ info }: { info: Readonly<Record<string, unknown>> }) => new URL(String(info['restUrl'])).origin }
  const absolute = { authorizeUrl: 'https://login.acme.example/a', tokenUrl: 'https://login.acme.example/t', revokeUrl: 'https://login.acme.example/r' }
  const table: Array<[title: string, url: Promise<string>, want: string]> = [
    ['at the API', page({}, {}), 'https://api.acme.example/oauth/authorize'],
    ['at the API, as the operator says', page({}, { url: 'https://sandbox.example' }), 'https://sandbox.example/oauth/authorize'],
    ['as the connector says', page({ server: 'https://login.acme.example' }, { url: 'https://sandbox.example' }), 'https://login.acme.example/oauth/authorize'],
    ['where the operator has the tokens from', page({ server: 'https://login.acme.example' }, { tokenUrl: 'https://proxy.example/t' }), 'https://proxy.example/oauth/authorize'],
    ['an address of its own', page({ authorizeUrl: 'https://consent.example/go' }, {}), 'https://consent.example/go'],
    ['by region', page(regions, {}, { hostname: 'eu.acme.example' }), 'https://eu.acme.example/oauth/authorize'],
    ['by region, the main one', page(regions, {}), 'https://www.acme.example/oauth/authorize'],
    ['at the API of the user', page({}, {}, { hostname: 'h.example' }, { ...acme, baseUrl: ({ hostname }) => `https://${hostname}` }), 'https://h.example/oauth/authorize'],
    ['at addresses of its own, whoever knows where the API is', page(absolute, {}, {}, ofUser), 'https://login.acme.example/a'],
    ['at addresses of its own, whoever knows the server', page({ ...absolute, ...ofClient }, {}), 'https://login.acme.example/a'],
    ['at the only CRM of the operator', page({}, { url: 'https://crm.example' }, {}, ofUser), 'https://crm.example/oauth/authorize'],
    ['where the operator has the tokens from, whoever knows the server', page(ofClient, { tokenUrl: 'https://proxy.example/t' }), 'https://proxy.example/oauth/authorize']
  ]
  for (const [title, url, want] of table) t.equal((await url).split('?')[0], want, title)
  await t.rejects(page(ofClient, {}), { code: 'prerequisite' }, 'a client that does not say where')
  await t.rejects(page(ofClient, {}, { callback: { tokenUrl: 'garbage' } }), { code: 'prerequisite' }, 'a client that says nonsense')
  const { revokeUrl: _, ...withoutRevocation } = parts(absolute).auth
  const made = { ...parts(absolute, {}, ofUser), auth: withoutRevocation, fetch: () => async () => Response.json({ access_token: 'a1' }) }
  t.match(await exchangeCode(made, code), { credentials: { accessToken: 'a1' } })
})

await t.test('a token that was issued where the operator said cannot be renewed when nobody says it any more', async t => {
  const ofUser = { ...acme, baseUrl: ({ hostname }: { hostname: string }) => `https://${hostname}` }
  const issued = { ...parts({}, { url: 'https://crm.example' }, ofUser), fetch: () => async () => Response.json({ access_token: 'a1', refresh_token: 'r1' }) }
  const { credentials } = await exchangeCode(issued, code)
  await t.rejects(renewTokens(parts({}, {}, ofUser), { ...credentials, refreshToken: 'r1' }), { code: 'prerequisite' })
})

await t.test('the consent page gets what the connector declares', async t => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' // RFC 7636, appendix B
  const auth = { scope: 'a b', authorizeParameters: { access_type: 'offline', prompt: 'consent' } }
  const url = new URL(await consentPage(parts(auth), { place, redirectUri: 'https://r.example', state: 'platform=acme', verifier }))
  t.strictSame(Object.fromEntries(url.searchParams), {
    response_type: 'code',
    client_id: 'the-id_1',
    redirect_uri: 'https://r.example',
    scope: 'a b',
    access_type: 'offline',
    prompt: 'consent',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    state: 'platform=acme'
  })
})

await t.test('a token is renewed where it was issued, by the client of that region', async t => {
  const server = await tokenServer(t)
  server.answer({ access_token: 'a1', refresh_token: 'r1' })
  const auth = { server: ({ hostname }: Place) => `${server.url}/${hostname}/`, tokenUrl: 'token', region: ({ hostname }: Place) => hostname, clientAuthentication: 'body' as const }
  const regional = { ...parts(auth), settings: (_platform: string, region = '') => ({ clientId: `id-${region}`, clientSecret: 's' }) }
  const { credentials } = await exchangeCode(regional, { ...code, place: { ...place, hostname: 'eu' } })
  t.match(credentials, { server: `${server.url}/eu/`, region: 'eu' })
  await renewTokens(regional, { ...credentials, refreshToken: 'r1' })
  t.match(server.received, [{ path: '/eu/token', form: { client_id: 'id-eu' } }, { path: '/eu/token', form: { client_id: 'id-eu', refresh_token: 'r1' } }])
})

await t.test('without a client the operator is told which variable to set', async t => {
  const unset = (auth: Partial<OAuthAuth>, platform = 'acme'): OAuthParts => ({ ...parts(auth, {}, { ...acme, platform }), settings: () => ({}) })
  await t.rejects(exchangeCode(unset({}), code), { code: 'not-configured', message: /ACME_CLIENT_ID/ })
  await t.rejects(exchangeCode(unset({ region: () => 'eu' }, 'acmeSheets'), code), { code: 'not-configured', message: /ACME_SHEETS_EU_CLIENT_ID/ })
})

await t.test('tokens are taken back, the refresh token first', async t => {
  const server = await tokenServer(t)
  server.answer('', 200)
  await revokeTokens(parts({}, { url: server.url }), stored)
  t.match(server.received, [
    { path: '/oauth/revoke', form: { token: 'r1', token_type_hint: 'refresh_token' }, headers: { authorization: basic } },
    { path: '/oauth/revoke', form: { token: 'old', token_type_hint: 'access_token' } }
  ])
  server.received.length = 0
  await revokeTokens(parts({ clientAuthentication: 'query' }, { url: server.url }), { accessToken: 'a' })
  t.match(server.received, [{ query: { token: 'a', client_id: 'the-id_1' }, body: '' }])
  const { revokeUrl: _, ...auth } = parts({}).auth
  await revokeTokens({ ...parts({}, { url: server.url }), auth }, stored)
  t.equal(server.received.length, 1, 'not where the CRM has no way to')
  server.answer('', 500)
  await t.rejects(revokeTokens(parts({}, { url: server.url }), stored), { code: 'unavailable' })
})

await t.test('a token that the CRM does not take back keeps no other from being taken back, and the first problem is told', async t => {
  const server = await tokenServer(t)
  server.answer('', 200)
  const table: Array<[refused: Record<string, number>, problem: RegExp]> = [
    [{ refresh_token: 400 }, /answered 400/],
    [{ access_token: 503 }, /answered 503/],
    [{ refresh_token: 400, access_token: 503 }, /answered 400/]
  ]
  for (const [refused, message] of table) {
    server.received.length = 0
    server.refuse(({ form }) => refused[form['token_type_hint'] ?? ''])
    await t.rejects(revokeTokens(parts({}, { url: server.url }), stored), { code: 'unavailable', message }, JSON.stringify(refused))
    t.strictSame(server.received.map(({ form }) => form['token']), ['r1', 'old'], JSON.stringify(refused))
  }
})

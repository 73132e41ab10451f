import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { runningCrm } from './running-crm.ts'

const redirectUri = 'http://127.0.0.1:1/back'
const client = { client_id: 'patchbay-example', client_secret: 'patchbay-example-secret' }

async function oauthCrm (t: Parameters<typeof runningCrm>[0], options: Parameters<typeof runningCrm>[1] = {}) {
  const crm = await runningCrm(t, options)

  async function form (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    const answer = await fetch(crm.url + path, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(fields) })
    const text = await answer.text()
    const content: any = text === '' ? null : JSON.parse(text)
    return { status: answer.status, headers: answer.headers, content }
  }

  async function consent (fields: Record<string, string> = {}): Promise<string> {
    const { headers } = await form('/oauth/authorize', { client_id: client.client_id, redirect_uri: redirectUri, user: '1', decision: 'allow', ...fields })
    return new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
  }

  const token = async (fields: Record<string, string>, headers?: Record<string, string>) => await form('/oauth/token', fields, headers)
  const exchange = async (code: string, more: Record<string, string> = {}) => await token({ ...client, grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...more })
  const refresh = async (refreshToken: string) => await token({ ...client, grant_type: 'refresh_token', refresh_token: refreshToken })
  const me = async (accessToken: string) => await crm.call('GET', '/api/me', undefined, `Bearer ${accessToken}`)
  return { ...crm, form, consent, token, exchange, refresh, me }
}

await t.test('a user gives a client access, and it acts in their name', async t => {
  const { form, consent, exchange, me, url } = await oauthCrm(t, { accessTokenLifetime: 60 })
  const page = await fetch(`${url}/oauth/authorize?response_type=code&client_id=patchbay-example&redirect_uri=${redirectUri}&state=${encodeURIComponent('"><script>')}`)
  t.match(page.headers.get('content-security-policy'), "form-action 'self' http://127.0.0.1:1")
  const html = await page.text()
  t.match(html, '<option value="2">Bob Broker</option>')
  t.notMatch(html, '<script>')

  const { status, headers } = await form('/oauth/authorize', { client_id: client.client_id, redirect_uri: redirectUri, state: 's&1', user: '2', decision: 'allow' })
  t.equal(status, 303)
  t.match(headers.get('location'), /^http:\/\/127\.0\.0\.1:1\/back\?code=[\w-]{43}&state=s%261$/)

  const { content } = await exchange(await consent({ user: '2' }))
  t.match(content, { access_token: /./, token_type: 'Bearer', expires_in: 60, refresh_token: /./ })
  t.match((await me(content.access_token)).content, { name: 'Bob Broker' })
  t.equal((await me(content.refresh_token)).status, 401)
})

await t.test('a denial goes back to the client', async t => {
  const { form } = await oauthCrm(t)
  const { headers } = await form('/oauth/authorize', { client_id: client.client_id, redirect_uri: redirectUri, state: 's', user: '1', decision: 'deny' })
  t.equal(headers.get('location'), `${redirectUri}?error=access_denied&state=s`)
})

await t.test('nobody is sent to a page that is not registered', async t => {
  const { form, url } = await oauthCrm(t, { redirectUris: ['https://patchbay.example/oauth-callback'] })
  const table: Array<[redirectUri: string, status: number]> = [
    ['http://127.0.0.1:7/any', 303],
    ['http://localhost:7/any', 303],
    ['https://ringcentral.github.io/ringcentral-embeddable/redirect.html', 303],
    ['https://patchbay.example/oauth-callback', 303],
    ['https://patchbay.example/', 400],
    ['https://evil.example/', 400],
    ['http://127.0.0.1.evil.example/', 400],
    ['javascript:alert(1)', 400],
    ['garbage', 400]
  ]
  for (const [target, status] of table) {
    const fields = { client_id: client.client_id, redirect_uri: target, user: '1', decision: 'allow' }
    t.equal((await form('/oauth/authorize', fields)).status, status, target)
    const page = await fetch(`${url}/oauth/authorize?${new URLSearchParams({ ...fields, response_type: 'code' })}`)
    t.equal(page.status, status === 303 ? 200 : 400, target)
  }
  const stranger = { redirect_uri: redirectUri, user: '1', decision: 'allow', client_id: 'stranger' }
  t.match(await form('/oauth/authorize', stranger), { status: 400, content: { error: { field: 'client_id' } } })
  t.match(await form('/oauth/authorize', { ...stranger, client_id: client.client_id, user: '9' }), { status: 400, content: { error: { field: 'user' } } })
})

await t.test('a code is good once, for a while, for its own page', async t => {
  let now = Date.now()
  const { consent, exchange, me } = await oauthCrm(t, { clock: () => now })
  const invalid = { status: 400, content: { error: 'invalid_grant' } }
  const code = await consent()
  const { content } = await exchange(code)
  t.match(await exchange(code), invalid)
  t.equal((await me(content.access_token)).status, 401, 'a second time ends what came of the first')
  t.match(await exchange('guess'), invalid)
  t.match(await exchange(await consent(), { redirect_uri: 'http://127.0.0.1:1/other' }), invalid)
  const late = await consent()
  now += 5 * 60_000
  t.match(await exchange(late), invalid)
})

await t.test('with PKCE a code needs its verifier', async t => {
  const { consent, exchange } = await oauthCrm(t)
  const verifier = randomBytes(32).toString('base64url')
  const challenge = { code_challenge: createHash('sha256').update(verifier).digest('base64url') }
  t.equal((await exchange(await consent(challenge), { code_verifier: verifier })).status, 200)
  t.equal((await exchange(await consent(challenge), { code_verifier: `${verifier}x` })).status, 400)
  t.equal((await exchange(await consent(challenge))).status, 400)
  t.equal((await exchange(await consent(), { code_verifier: verifier })).status, 400, 'which it did not ask for')
})

await t.test('a refresh token is good once; a second time ends the grant', async t => {
  let now = Date.now()
  const { consent, exchange, refresh, me } = await oauthCrm(t, { clock: () => now, accessTokenLifetime: 60 })
  const { content: first } = await exchange(await consent())
  now += 60_000
  t.equal((await me(first.access_token)).status, 401, 'the access token has ended')
  const { content: second } = await refresh(first.refresh_token)
  t.equal((await me(second.access_token)).status, 200)
  t.match(await refresh(first.refresh_token), { status: 400, content: { error: 'invalid_grant' } })
  t.equal((await me(second.access_token)).status, 401)
  t.equal((await refresh(second.refresh_token)).status, 400)
})

await t.test('a client proves itself in the header, the form or the query', async t => {
  const { consent, token, url } = await oauthCrm(t)
  const grant = async () => ({ grant_type: 'authorization_code', code: await consent(), redirect_uri: redirectUri })
  const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`${client.client_id}:${secret}`).toString('base64')}` })
  t.equal((await token(await grant(), basic(client.client_secret))).status, 200)
  t.equal((await token({ ...await grant(), ...client })).status, 200)
  t.equal((await fetch(`${url}/oauth/token?${new URLSearchParams({ ...await grant(), ...client })}`, { method: 'POST' })).status, 200)
  t.match(await token(await grant(), basic('wrong')), { status: 401, content: { error: 'invalid_client' } })
  t.match(await token(await grant()), { status: 401, content: { error: 'invalid_client' } })
  t.match(await token({ ...client, grant_type: 'password' }), { status: 400, content: { error: 'unsupported_grant_type' } })
})

await t.test('tokens are taken back', async t => {
  const { consent, exchange, refresh, form, me } = await oauthCrm(t)
  const { content } = await exchange(await consent())
  t.equal((await form('/oauth/revoke', { ...client, token: content.access_token })).status, 200)
  t.equal((await me(content.access_token)).status, 401)
  const { content: renewed } = await refresh(content.refresh_token)
  t.equal((await form('/oauth/revoke', { ...client, token: renewed.refresh_token, token_type_hint: 'refresh_token' })).status, 200)
  t.equal((await me(renewed.access_token)).status, 401)
  t.equal((await form('/oauth/revoke', { ...client, token: 'unknown' })).status, 200)
  t.equal((await form('/oauth/revoke', { token: 'unknown' })).status, 401)
})

await t.test('tests make tokens end', async t => {
  const { call, consent, exchange, refresh, me } = await oauthCrm(t)
  t.same((await call('PUT', '/_oauth', { accessTokenUses: 2, accessTokenLifetime: 30 })).content, { accessTokenUses: 2, accessTokenLifetime: 30 })
  const { content } = await exchange(await consent())
  t.equal(content.expires_in, 30)
  t.same([(await me(content.access_token)).status, (await me(content.access_token)).status, (await me(content.access_token)).status], [200, 200, 401])
  await call('PUT', '/_oauth', { accessTokenUses: null })
  t.equal((await me(content.access_token)).status, 200)
  t.equal((await call('DELETE', '/_oauth/access-tokens')).status, 204)
  t.equal((await me(content.access_token)).status, 401)
  const { content: renewed } = await refresh(content.refresh_token)
  t.equal((await call('DELETE', '/_oauth/refresh-tokens')).status, 204)
  t.equal((await refresh(renewed.refresh_token)).status, 400)
  t.equal((await call('PUT', '/_oauth', { accessTokenUses: 0 })).status, 400)
  t.equal((await call('DELETE', '/_oauth/all')).status, 400)
})

await t.test('requests for tokens meet faults, and are listed without their secrets', async t => {
  const { call, consent, exchange, refresh } = await oauthCrm(t)
  const code = await consent()
  await call('PUT', '/_faults', { rules: [{ method: 'POST', path: '/oauth/token', times: 1, status: 503, retryAfter: 2 }] })
  t.match(await exchange(code), { status: 503, content: { error: { code: 'unavailable' } } })
  const { content } = await exchange(code)
  await refresh(content.refresh_token)
  await call('PUT', '/_faults', { rules: [{ method: 'POST', path: '/oauth/token', times: 1, status: 400 }] })
  t.match(await refresh('x'), { status: 400, content: { error: { code: 'invalid' } } })
  const { content: { items } } = await call('GET', '/_requests')
  t.match(items.map(({ body, status }: { body: object, status: number }) => ({ ...body, status })), [
    { grant_type: 'authorization_code', status: 503 }, { grant_type: 'authorization_code', status: 200 },
    { grant_type: 'refresh_token', status: 200 }, { grant_type: 'refresh_token', status: 400 }
  ])
  for (const secret of [code, content.refresh_token, content.access_token, client.client_secret]) t.notOk(JSON.stringify(items).includes(secret))
})

await t.test('a database of before gets the tables, and keeps no token in plain text', async t => {
  const file = join(t.testdir(), 'crm.db')
  const first = await runningCrm(t, { file })
  await first.crm.close()
  const db = new Database(file)
  db.exec('DROP TABLE tokens; DROP TABLE grants; PRAGMA user_version = 1')
  db.close()
  const { consent, exchange, me, crm } = await oauthCrm(t, { file })
  const { content } = await exchange(await consent())
  t.equal((await me(content.access_token)).status, 200)
  await crm.close()
  const rows = new Database(file).prepare('SELECT hash FROM tokens').all()
  t.equal(rows.length, 3)
  t.notOk(JSON.stringify(rows).includes(content.access_token))
})

await t.test('the description of the API has it all', async t => {
  const { call } = await runningCrm(t)
  const { content } = await call('GET', '/openapi.json')
  for (const path of ['/oauth/authorize', '/oauth/token', '/oauth/revoke', '/_oauth', '/_oauth/{kind}']) t.ok(path in content.paths, path)
  t.match(content.components.securitySchemes.oauth, { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: '/oauth/authorize', tokenUrl: '/oauth/token' } } })
  t.match(content.paths['/oauth/token'].post.requestBody.content, { 'application/x-www-form-urlencoded': { schema: {} } })
})

import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { fakeServer } from '../../src/testing/fake-crm.ts'
import { oauthServer, type OAuthServerOptions } from '../../src/testing/oauth-server.ts'
import { ask, type Answer } from '../patchbay.ts'

const redirectUri = 'http://127.0.0.1:6066/oauth-callback'
const client = { client_id: 'an-id', client_secret: 'a secret' }
const basic = { authorization: `Basic ${btoa('an-id:a secret')}` }

async function server (t: Test, options: Partial<OAuthServerOptions<string>> = {}) {
  const oauth = oauthServer<string>({
    clock: () => 0,
    client: { id: client.client_id, secret: client.client_secret },
    redirectUri: () => redirectUri,
    defaultUser: 'u-1',
    accessTokenLifetime: 3600,
    tokenAnswer: () => ({}),
    refusal: error => ({ error }),
    ...options
  })
  const app = fakeServer({ clock: () => 0, below: [], tokenEndpoints: [], failure: (_status, error) => ({ error }) })
  app.register(oauth.routes)
  app.get('/me', async request => ({ user: oauth.userOf(request) ?? null }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => await app.close())
  const codeOf = (address: string): string => new URL(address).searchParams.get('code') ?? ''
  return {
    url,
    newCode: () => codeOf(oauth.consent(undefined)),
    codeFor: async (query: Record<string, string>) => {
      const asked = new URLSearchParams({ client_id: client.client_id, redirect_uri: redirectUri, ...query })
      const { status, headers } = await ask(url, `/oauth/authorize?${asked}`, { redirect: 'manual' })
      return status === 302 ? codeOf(headers.get('location') ?? '') : status
    },
    post: async (path: string, { form, query = {}, headers = {} }: { form?: Record<string, string>, query?: Record<string, string>, headers?: Record<string, string> }): Promise<Answer> =>
      await ask(url, `${path}?${new URLSearchParams(query)}`, {
        method: 'POST',
        headers: { ...headers, ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }) },
        ...(form !== undefined && { body: String(new URLSearchParams(form)) })
      }),
    me: async (authorization: string) => (await ask(url, '/me', { headers: { authorization } })).json.user
  }
}

const exchange = (code: string | number) => ({ grant_type: 'authorization_code', code: String(code), redirect_uri: redirectUri })

await t.test('a client shows what it is in the header, in the body or in the address', async t => {
  const { newCode, post, me } = await server(t)
  for (const [where, sent] of [
    ['header', () => ({ headers: basic, form: exchange(newCode()) })],
    ['body', () => ({ form: { ...exchange(newCode()), ...client } })],
    ['address', () => ({ query: { ...exchange(newCode()), ...client } })]
  ] as const) {
    const { status, json } = await post('/oauth/token', sent())
    t.equal(status, 200, where)
    t.equal(await me(`Bearer ${json.access_token}`), 'u-1', where)
    t.equal((await post('/oauth/revoke', { ...sent(), form: { ...client, token: json.refresh_token } })).status, 200, where)
    t.equal(await me(`Bearer ${json.access_token}`), null, where)
  }
})

await t.test('who is not the client is refused', async t => {
  const { newCode, post } = await server(t)
  for (const [title, sent] of [
    ['nothing', { form: exchange(newCode()) }],
    ['another secret in the header', { headers: { authorization: `Basic ${btoa('an-id:guessed')}` }, form: { ...exchange(newCode()), ...client } }],
    ['another secret in the body', { form: { ...exchange(newCode()), ...client, client_secret: 'guessed' } }],
    ['no secret in the address', { query: { ...exchange(newCode()), client_id: client.client_id } }]
  ] as const) {
    t.match(await post('/oauth/token', sent), { status: 401, json: { error: 'The client is not known' } }, title)
  }
})

await t.test('a code that was asked for with a challenge is given out only for its verifier', async t => {
  const { codeFor, post } = await server(t)
  const verifier = 'a-verifier-that-has-forty-three-signs-or-more-of-them'
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const newCode = async (): Promise<string | number> => await codeFor({ code_challenge: challenge, code_challenge_method: 'S256' })
  const redeem = async (more: object): Promise<number> => (await post('/oauth/token', { headers: basic, form: { ...exchange(await newCode()), ...more } })).status
  t.equal(await redeem({}), 400)
  t.equal(await redeem({ code_verifier: `${verifier}x` }), 400)
  t.equal(await redeem({ code_verifier: verifier }), 200)
  t.equal(await codeFor({ code_challenge: verifier, code_challenge_method: 'plain' }), 400, 'S256 only')
  t.equal(await codeFor({ code_challenge: verifier }), 400, 'without a method it is plain')
})

await t.test('a refresh token is good once, or for ever where the CRM does not rotate it', async t => {
  for (const rotates of [true, false]) {
    const { newCode, post } = await server(t, { rotates })
    const { json: { refresh_token: token } } = await post('/oauth/token', { headers: basic, form: exchange(newCode()) })
    const refresh = async (): Promise<Answer> => await post('/oauth/token', { headers: basic, form: { grant_type: 'refresh_token', refresh_token: token } })
    t.equal('refresh_token' in (await refresh()).json, rotates)
    t.equal((await refresh()).status, rotates ? 400 : 200)
  }
})

await t.test('scheme and addresses are those of the CRM', async t => {
  const { newCode, post, me } = await server(t, { scheme: 'Zoho-oauthtoken', paths: { token: '/oauth/v2/token' } })
  const { json: { access_token: token } } = await post('/oauth/v2/token', { headers: basic, form: exchange(newCode()) })
  t.equal(await me(`Zoho-oauthtoken ${token}`), 'u-1')
  t.equal(await me(`Bearer ${token}`), null)
  t.equal((await post('/oauth/token', {})).status, 404)
})

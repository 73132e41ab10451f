import { readFileSync } from 'node:fs'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Nullable, OneOf, Type, ref } from '../../../contract/type.ts'
import type { Grants, IssuedTokens, TokenRules } from './grants.ts'
import { Refusal } from './refusal.ts'
import { Failure, OAuthFailure, TokenAnswer } from './schemas.ts'
import { exampleClient } from './seed.ts'
import type { Store } from './store.ts'

export interface OAuthOptions {
  readonly grants: Grants
  readonly rules: TokenRules
  readonly store: Store
  /** To which a client may have its users sent back, besides this machine. */
  readonly redirectUris: readonly string[]
}

const text = Type.Optional(Type.String())
const tag = ['OAuth']

/** From the root of the package, so that the built server finds it too. */
const page = readFileSync(new URL('../../../../src/connectors/example/crm/page/authorize.html', import.meta.url), 'utf8')

const AuthorizeQuery = Type.Object({
  response_type: OneOf(['code']),
  client_id: Type.String(),
  redirect_uri: Type.String(),
  state: text,
  scope: text,
  code_challenge: text,
  code_challenge_method: Type.Optional(OneOf(['S256']))
})

const TokenRequest = Type.Object({
  grant_type: text,
  code: text,
  redirect_uri: text,
  code_verifier: text,
  refresh_token: text,
  client_id: text,
  client_secret: text
})

/** OAuth 2: the page on which a user gives a client access, and the endpoints where it gets, renews and returns its tokens. */
const oauth: FastifyPluginAsyncTypebox<OAuthOptions> = async (app, { grants, rules, store, redirectUris }) => {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })

  /** @throws {Refusal} when the client is not known or may not send its users there */
  function checkClient (clientId: string, redirectUri: string): URL {
    if (clientId !== exampleClient.id) throw new Refusal(400, 'client_id: there is no such client', { field: 'client_id' })
    const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
    const isHere = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
    if (url === undefined || !(isHere || redirectUris.includes(redirectUri))) {
      throw new Refusal(400, 'redirect_uri: is not registered for this client', { field: 'redirect_uri' })
    }
    return url
  }

  app.get('/oauth/authorize', {
    schema: {
      operationId: 'showConsent',
      summary: 'The page on which a user allows or denies access',
      tags: tag,
      security: [],
      querystring: AuthorizeQuery,
      response: { 200: { description: 'The page', content: { 'text/html': { schema: Type.String() } } }, 400: ref(Failure) }
    }
  }, async (request, reply) => {
    const { client_id: clientId, redirect_uri: redirectUri, state = '', code_challenge: challenge = '' } = request.query
    const { origin } = checkClient(clientId, redirectUri)
    const hidden = { client_id: clientId, redirect_uri: redirectUri, state, code_challenge: challenge }
    const html = page
      .replace('<!-- users -->', () => store.users().map(({ id, name }) => `<option value="${id}">${escaped(name)}</option>`).join(''))
      .replace('<!-- hidden -->', () => Object.entries(hidden).map(hiddenInput).join(''))
    // A browser holds the redirect that follows the form to this list, too.
    reply.header('content-security-policy',
      `default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${origin}`)
    return await reply.type('text/html; charset=utf-8').send(html)
  })

  app.post('/oauth/authorize', {
    schema: {
      operationId: 'decideConsent',
      summary: 'The decision made on that page',
      tags: tag,
      security: [],
      consumes: ['application/x-www-form-urlencoded'],
      body: Type.Object({
        client_id: Type.String(),
        redirect_uri: Type.String(),
        state: text,
        code_challenge: text,
        user: Type.String({ pattern: '^[0-9]{1,9}$' }),
        decision: OneOf(['allow', 'deny'])
      }),
      response: { 303: { description: 'Back to the client', type: 'null' }, 400: ref(Failure) }
    }
  }, async (request, reply) => {
    const { client_id: clientId, redirect_uri: redirectUri, state = '', code_challenge: challenge = '', user, decision } = request.body
    const target = checkClient(clientId, redirectUri)
    if (decision === 'deny') target.searchParams.set('error', 'access_denied')
    else {
      if (grants.user(Number(user)) === undefined) throw new Refusal(400, 'user: there is no such user', { field: 'user' })
      target.searchParams.set('code', grants.consent(Number(user), redirectUri, challenge || undefined))
    }
    if (state !== '') target.searchParams.set('state', state)
    return await reply.redirect(target.href, 303)
  })

  const tokens = (issued: IssuedTokens | undefined): TokenAnswer | OAuthFailure => issued === undefined
    ? { error: 'invalid_grant', error_description: 'It is not known, was used before, or has ended' }
    : { access_token: issued.accessToken, token_type: 'Bearer', expires_in: issued.expiresIn, refresh_token: issued.refreshToken }

  app.post('/oauth/token', {
    schema: {
      operationId: 'requestTokens',
      summary: 'Tokens for a code, or new ones for a refresh token, which is good for one time',
      description: 'The client proves itself with Basic authorization, or with `client_id` and `client_secret` among the other parameters, ' +
        'in the form or in the query. A refresh token that comes a second time ends the whole grant.',
      tags: tag,
      security: [],
      consumes: ['application/x-www-form-urlencoded'],
      querystring: TokenRequest,
      body: Nullable(TokenRequest),
      response: {
        200: ref(TokenAnswer),
        400: Type.Union([ref(OAuthFailure), ref(Failure)]),
        401: ref(OAuthFailure),
        429: ref(Failure),
        500: ref(Failure),
        503: ref(Failure)
      }
    }
  }, async (request, reply) => {
    const given = { ...request.query, ...request.body }
    reply.header('cache-control', 'no-store')
    if (!isExampleClient(request.headers.authorization, given)) {
      return await reply.code(401).header('www-authenticate', 'Basic realm="Example CRM"').send({ error: 'invalid_client' })
    }
    const { grant_type: grant, code = '', redirect_uri: redirectUri = '', code_verifier: verifier, refresh_token: refreshToken = '' } = given
    if (grant !== 'authorization_code' && grant !== 'refresh_token') return await reply.code(400).send({ error: 'unsupported_grant_type' })
    const answer = tokens(grant === 'refresh_token' ? grants.refresh(refreshToken) : grants.exchange(code, redirectUri, verifier))
    return await reply.code('error' in answer ? 400 : 200).send(answer)
  })

  app.post('/oauth/revoke', {
    schema: {
      operationId: 'revokeToken',
      summary: 'Takes a token back: a refresh token with all that came of it',
      tags: tag,
      security: [],
      consumes: ['application/x-www-form-urlencoded'],
      body: Type.Object({ token: Type.String(), token_type_hint: text, client_id: text, client_secret: text }),
      response: { 200: Type.Object({}), 400: ref(Failure), 401: ref(OAuthFailure) }
    }
  }, async (request, reply) => {
    if (!isExampleClient(request.headers.authorization, request.body)) return await reply.code(401).send({ error: 'invalid_client' })
    grants.revoke(request.body.token)
    return {}
  })

  const described = (operationId: string, summary: string) => ({ operationId, summary, tags: ['Faults'], security: [] })

  const Rules = Type.Object({
    accessTokenLifetime: Type.Optional(Type.Integer({ minimum: 1, description: 'Seconds' })),
    accessTokenUses: Type.Optional(Nullable(Type.Integer({ minimum: 1, description: 'After how many requests an access token ends' })))
  }, { additionalProperties: false })

  app.put('/_oauth', {
    schema: { ...described('setTokenRules', 'How access tokens behave from now on'), body: Rules, response: { 200: Rules, 400: ref(Failure) } }
  }, async request => Object.assign(rules, request.body))

  app.delete('/_oauth/:kind', {
    schema: {
      ...described('endTokens', 'Ends all tokens of a kind at once'),
      params: Type.Object({ kind: OneOf(['access-tokens', 'refresh-tokens']) }),
      response: { 204: Type.Null(), 400: ref(Failure) }
    }
  }, async (request, reply) => {
    grants.endAll(request.params.kind === 'access-tokens' ? 'access' : 'refresh')
    return reply.code(204).send(null)
  })
}

function isExampleClient (authorization: string | undefined, given: { client_id?: string, client_secret?: string }): boolean {
  const basic = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1]
  const shown = basic === undefined ? `${given.client_id}:${given.client_secret}` : Buffer.from(basic, 'base64').toString()
  return shown === `${exampleClient.id}:${exampleClient.secret}`
}

const hiddenInput = ([name, value]: [string, string]): string => `<input type="hidden" name="${name}" value="${escaped(value)}">`

const escaped = (value: string): string => value.replace(/[&<>"']/g, character => `&#${character.codePointAt(0)};`)

export default oauth

/** The authorization server of a fake CRM: authorization code flow with PKCE, refresh tokens, revocation. Everything is in memory. */
import { createHash, randomBytes } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from '../contract/type.ts'
import { Refusal } from './refusal.ts'

export interface OAuthServerOptions<UserId> {
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly client: { readonly id: string, readonly secret: string }
  /** The address to which users may be sent back. */
  readonly redirectUri: () => string
  /** Who says yes on the consent page. */
  readonly defaultUser: UserId
  /** Seconds. */
  readonly accessTokenLifetime: number
  /** What a token answer has besides the tokens. */
  readonly tokenAnswer: () => Readonly<Record<string, unknown>>
  /** The body of a refused token request. */
  readonly refusal: (message: string) => unknown
  /** `/oauth/authorize`, `/oauth/token` and `/oauth/revoke` where absent. */
  readonly paths?: Partial<Record<'authorize' | 'token' | 'revoke', string>>
  /** What stands before the access token in the Authorization header; `Bearer` when absent. */
  readonly scheme?: string
  /** Whether a refresh token is good once only, and each renewal brings the next one. It is when absent. */
  readonly rotates?: boolean
}

export interface OAuthServer<UserId = number> {
  /** The consent page, the token endpoint and the end of tokens. */
  readonly routes: FastifyPluginAsyncTypebox
  /** Says yes on the consent page. @returns the address to which the browser is sent back, with a code in it */
  readonly consent: (state: string | undefined) => string
  /** A new pair of tokens, without the flow. */
  readonly grant: (userId: UserId) => { readonly accessToken: string, readonly refreshToken: string }
  /** Whose token it is; undefined when it is not good. */
  readonly userOf: (request: FastifyRequest) => UserId | undefined
  /** Ends all access tokens at once, as time would. */
  readonly expireAccessTokens: () => void
  /** How many grants were taken back. */
  readonly revokedGrants: () => number
}

/** One person's yes, until it is revoked. */
interface Grant<UserId> { readonly userId: UserId, revoked: boolean }
interface Issued<UserId> { readonly grant: Grant<UserId>, readonly until: number, readonly challenge: string | undefined, used: boolean }

/** Milliseconds. */
const codeLifetime = 5 * 60_000
const refreshTokenLifetime = 60 * 24 * 60 * 60_000

export function oauthServer<UserId> (options: OAuthServerOptions<UserId>): OAuthServer<UserId> {
  const { clock, client, defaultUser, accessTokenLifetime, scheme = 'Bearer', rotates = true } = options
  const paths = { authorize: '/oauth/authorize', token: '/oauth/token', revoke: '/oauth/revoke', ...options.paths }
  type Secrets = Map<string, Issued<UserId>>
  const codes: Secrets = new Map()
  const accessTokens: Secrets = new Map()
  const refreshTokens: Secrets = new Map()
  const grants: Array<Grant<UserId>> = []

  const issue = (into: Secrets, grant: Grant<UserId>, lifetime: number, challenge?: string): string => {
    const secret = randomBytes(20).toString('hex')
    into.set(secret, { grant, until: clock() + lifetime, challenge, used: false })
    return secret
  }
  const pair = (grant: Grant<UserId>) => ({
    accessToken: issue(accessTokens, grant, accessTokenLifetime * 1000),
    refreshToken: issue(refreshTokens, grant, refreshTokenLifetime)
  })
  const newGrant = (userId: UserId): Grant<UserId> => {
    const grant = { userId, revoked: false }
    grants.push(grant)
    return grant
  }
  const isGood = (issued: Issued<UserId> | undefined): issued is Issued<UserId> => issued !== undefined && !issued.grant.revoked && issued.until > clock()

  /** A code is taken once, and so is a refresh token that rotates. */
  function spend (from: Secrets, secret: string | undefined, name: string, { once = true, verifier = '' } = {}): Grant<UserId> {
    const issued = from.get(secret ?? '')
    if (!isGood(issued)) throw new Refusal(400, `The ${name} is not valid`)
    if (issued.used) throw new Refusal(400, `The ${name} was already exchanged`)
    if (issued.challenge !== undefined && issued.challenge !== createHash('sha256').update(verifier).digest('base64url')) {
      throw new Refusal(400, 'The code verifier does not fit the challenge')
    }
    issued.used = once
    return issued.grant
  }

  function consent (state: string | undefined, challenge?: string): string {
    const target = new URL(options.redirectUri())
    target.searchParams.set('code', issue(codes, newGrant(defaultUser), codeLifetime, challenge))
    if (state !== undefined) target.searchParams.set('state', state)
    return target.href
  }

  const Form = Type.Record(Type.String(), Type.String())
  const tokenSchema = { querystring: Form, body: Form }
  const AuthorizeQuery = Type.Object({
    client_id: Type.Literal(client.id),
    redirect_uri: Type.String(),
    state: Type.Optional(Type.String()),
    code_challenge: Type.Optional(Type.String()),
    code_challenge_method: Type.Optional(Type.Literal('S256'))
  })

  const routes: FastifyPluginAsyncTypebox = async app => {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))))
    })
    app.setErrorHandler<Refusal>(async (error, _request, reply) =>
      await reply.code(error.statusCode ?? 500).send(options.refusal(error.message)))

    // Where all parameters are in the address, there is no body.
    const mayBeEmpty = async (request: FastifyRequest): Promise<void> => { request.body ??= {} }
    const requireClient = async ({ headers: { authorization }, query, body }: FastifyRequest): Promise<void> => {
      const sent = { ...Object(query), ...Object(body) }
      const shown = authorization === undefined
        ? `${sent.client_id}:${sent.client_secret}`
        : Buffer.from(/^Basic (\S+)$/.exec(authorization)?.[1] ?? '', 'base64').toString()
      if (shown !== `${client.id}:${client.secret}`) throw new Refusal(401, 'The client is not known')
    }
    const ofClient = { preValidation: mayBeEmpty, preHandler: requireClient, schema: tokenSchema }

    // Nobody looks at a page here: whoever comes has said yes.
    app.get(paths.authorize, { schema: { querystring: AuthorizeQuery } }, async (request, reply) => {
      const { redirect_uri: redirectUri, state, code_challenge: challenge, code_challenge_method: method } = request.query
      if (redirectUri !== options.redirectUri()) throw new Refusal(400, 'The redirect URI is not registered')
      if (challenge !== undefined && method === undefined) throw new Refusal(400, 'The challenge has to be made by S256')
      return await reply.redirect(consent(state, challenge), 302)
    })

    app.post(paths.token, ofClient, async ({ query, body }) => {
      const { grant_type: kind, code, code_verifier: verifier, redirect_uri: redirectUri, refresh_token: refreshToken } = { ...query, ...body }
      if (kind === 'authorization_code' && redirectUri !== options.redirectUri()) throw new Refusal(400, 'The redirect URI is another one')
      if (kind !== 'authorization_code' && kind !== 'refresh_token') throw new Refusal(400, 'There is no such grant type')
      const grant = kind === 'authorization_code' ? spend(codes, code, 'code', { verifier }) : spend(refreshTokens, refreshToken, 'refresh token', { once: rotates })
      const tokens = pair(grant)
      const isRenewal = kind === 'refresh_token'
      return {
        access_token: tokens.accessToken,
        token_type: 'Bearer',
        expires_in: accessTokenLifetime,
        ...((rotates || !isRenewal) && { refresh_token: tokens.refreshToken }),
        ...options.tokenAnswer()
      }
    })

    app.post(paths.revoke, ofClient, async ({ query, body }) => {
      const { token = '' } = { ...query, ...body }
      const refresh = refreshTokens.get(token)
      if (refresh !== undefined) refresh.grant.revoked = true
      accessTokens.delete(token)
      return { success: true }
    })
  }

  return {
    routes,
    consent,
    grant: userId => pair(newGrant(userId)),
    userOf ({ headers: { authorization = '' } }) {
      const [shown, token = ''] = authorization.split(' ')
      const issued = shown === scheme ? accessTokens.get(token) : undefined
      return isGood(issued) ? issued.grant.userId : undefined
    },
    expireAccessTokens: () => { accessTokens.clear() },
    revokedGrants: () => grants.filter(({ revoked }) => revoked).length
  }
}

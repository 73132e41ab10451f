/** The authorization server of a fake CRM: authorization code flow, rotating refresh tokens, revocation. Everything is in memory. */
import { randomBytes } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from '../contract/type.ts'
import { Refusal } from './refusal.ts'

export interface OAuthServerOptions {
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly client: { readonly id: string, readonly secret: string }
  /** The address to which users may be sent back. */
  readonly redirectUri: () => string
  /** Who says yes on the consent page. */
  readonly defaultUser: number
  /** Seconds. */
  readonly accessTokenLifetime: number
  /** What a token answer has besides the tokens. */
  readonly tokenAnswer: () => Readonly<Record<string, unknown>>
  /** The body of a refused token request. */
  readonly refusal: (message: string) => unknown
}

export interface OAuthServer {
  /** `GET /oauth/authorize`, `POST /oauth/token`, `POST /oauth/revoke`. */
  readonly routes: FastifyPluginAsyncTypebox
  /** Says yes on the consent page. @returns the address to which the browser is sent back, with a code in it */
  readonly consent: (state: string | undefined) => string
  /** A new pair of tokens, without the flow. */
  readonly grant: (userId: number) => { readonly accessToken: string, readonly refreshToken: string }
  /** Whose token it is; undefined when it is not good. */
  readonly userOf: (request: FastifyRequest) => number | undefined
  /** Ends all access tokens at once, as time would. */
  readonly expireAccessTokens: () => void
  /** How many grants were taken back. */
  readonly revokedGrants: () => number
}

/** One person's yes, until it is revoked. */
interface Grant { readonly userId: number, revoked: boolean }
interface Issued { readonly grant: Grant, readonly until: number, used: boolean }

/** Milliseconds. */
const codeLifetime = 5 * 60_000
const refreshTokenLifetime = 60 * 24 * 60 * 60_000

export function oauthServer (options: OAuthServerOptions): OAuthServer {
  const { clock, client, defaultUser, accessTokenLifetime } = options
  const codes = new Map<string, Issued>()
  const accessTokens = new Map<string, Issued>()
  const refreshTokens = new Map<string, Issued>()
  const grants: Grant[] = []

  const issue = (into: Map<string, Issued>, grant: Grant, lifetime: number): string => {
    const secret = randomBytes(20).toString('hex')
    into.set(secret, { grant, until: clock() + lifetime, used: false })
    return secret
  }
  const pair = (grant: Grant) => ({
    accessToken: issue(accessTokens, grant, accessTokenLifetime * 1000),
    refreshToken: issue(refreshTokens, grant, refreshTokenLifetime)
  })
  const newGrant = (userId: number): Grant => {
    const grant = { userId, revoked: false }
    grants.push(grant)
    return grant
  }
  const isGood = (issued: Issued | undefined): issued is Issued => issued !== undefined && !issued.grant.revoked && issued.until > clock()

  /** A code or refresh token is taken once. */
  function spend (from: Map<string, Issued>, secret: string | undefined, name: string): Grant {
    const issued = from.get(secret ?? '')
    if (!isGood(issued)) throw new Refusal(400, `The ${name} is not valid`)
    if (issued.used) throw new Refusal(400, `The ${name} was already exchanged`)
    issued.used = true
    return issued.grant
  }

  function consent (state: string | undefined): string {
    const target = new URL(options.redirectUri())
    target.searchParams.set('code', issue(codes, newGrant(defaultUser), codeLifetime))
    if (state !== undefined) target.searchParams.set('state', state)
    return target.href
  }

  const Form = Type.Record(Type.String(), Type.String())

  const routes: FastifyPluginAsyncTypebox = async app => {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))))
    })
    app.setErrorHandler<Refusal>(async (error, _request, reply) =>
      await reply.code(error.statusCode ?? 500).send(options.refusal(error.message)))

    const requireClient = async (request: FastifyRequest): Promise<void> => {
      const shown = /^Basic (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      if (Buffer.from(shown, 'base64').toString() !== `${client.id}:${client.secret}`) throw new Refusal(401, 'The client is not known')
    }

    // Nobody looks at a page here: whoever comes has said yes.
    app.get('/oauth/authorize', {
      schema: { querystring: Type.Object({ client_id: Type.Literal(client.id), redirect_uri: Type.String(), state: Type.Optional(Type.String()) }) }
    }, async (request, reply) => {
      if (request.query.redirect_uri !== options.redirectUri()) throw new Refusal(400, 'The redirect URI is not registered')
      return await reply.redirect(consent(request.query.state), 302)
    })

    app.post('/oauth/token', { onRequest: requireClient, schema: { body: Form } }, async request => {
      const { grant_type: kind, code, redirect_uri: redirectUri, refresh_token: refreshToken } = request.body
      if (kind === 'authorization_code' && redirectUri !== options.redirectUri()) throw new Refusal(400, 'The redirect URI is another one')
      if (kind !== 'authorization_code' && kind !== 'refresh_token') throw new Refusal(400, 'There is no such grant type')
      const grant = kind === 'authorization_code' ? spend(codes, code, 'code') : spend(refreshTokens, refreshToken, 'refresh token')
      const tokens = pair(grant)
      return {
        access_token: tokens.accessToken,
        token_type: 'Bearer',
        expires_in: accessTokenLifetime,
        refresh_token: tokens.refreshToken,
        ...options.tokenAnswer()
      }
    })

    app.post('/oauth/revoke', { onRequest: requireClient, schema: { body: Form } }, async request => {
      const { token = '' } = request.body
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
      const issued = accessTokens.get(/^Bearer (\S+)$/.exec(authorization)?.[1] ?? '')
      return isGood(issued) ? issued.grant.userId : undefined
    },
    expireAccessTokens: () => { accessTokens.clear() },
    revokedGrants: () => grants.filter(({ revoked }) => revoked).length
  }
}

/**
 * Session tokens: who calls, as the extension's JWT says (HS256, 14 days, in the query or as bearer). A token that has less than a
 * week left is answered with a fresh one in the header `x-refreshed-jwt-token`.
 */
import { createSigner, createVerifier } from 'fast-jwt'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import { PatchbayError } from '../contract/errors.ts'
import { Type, TypeCompiler, type Static } from '../contract/type.ts'
import type { User, Users } from '../db/users.ts'

const day = 24 * 60 * 60
const lifetime = 14 * day
const renewBefore = 7 * day

const Claims = Type.Object({
  id: Type.String({ minLength: 1 }),
  platform: Type.String({ minLength: 1 }),
  /** The sign-in it belongs to: signing out ends it. Tokens made by an older server have none. */
  sid: Type.Optional(Type.String()),
  exp: Type.Optional(Type.Number())
})
type Claims = Static<typeof Claims>
const claims = TypeCompiler.Compile(Claims)

export interface Session {
  readonly userId: string
  readonly platform: string
  readonly signIn: string | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** A new session token for a user. */
    signSession: (session: Session) => string
    /** Who a token was made for; undefined when it is not valid. */
    readSession: (token: string) => Session | undefined
  }
  interface FastifyRequest {
    /** Who calls; undefined without a valid token. */
    session: Session | undefined
  }
}

export interface SessionOptions {
  secret: string
  /** Epoch milliseconds. */
  clock: () => number
}

export default fp<SessionOptions>(async (fastify, { secret, clock }) => {
  const seconds = (): number => Math.floor(clock() / 1000)
  const sign = createSigner({ key: secret, algorithm: 'HS256' })
  // Time is compared here, by the injected clock.
  const verify = createVerifier({ key: secret, algorithms: ['HS256'], ignoreExpiration: true })
  /** A client sends its token with each request. (The cache of fast-jwt hashes it before each look.) */
  const verified = new LRUCache<string, Claims>({ max: 1_000 })

  const signSession = ({ userId, platform, signIn }: Session): string => {
    const issued = seconds()
    return sign({ id: userId, platform, ...(signIn !== undefined && { sid: signIn }), iat: issued, exp: issued + lifetime })
  }

  const claimsOf = (token: string): Claims | undefined => {
    try {
      const payload: unknown = verify(token)
      if (!claims.Check(payload)) return undefined
      verified.set(token, payload)
      return payload
    } catch {
      return undefined // A token that does not verify is no token: nothing failed, the caller is just not signed in.
    }
  }

  const read = (token: string): Claims | undefined => {
    const found = verified.get(token) ?? claimsOf(token)
    return found !== undefined && (found.exp === undefined || found.exp > seconds()) ? found : undefined
  }

  fastify.decorate('signSession', signSession)
  fastify.decorate('readSession', token => {
    const found = read(token)
    return found && { userId: found.id, platform: found.platform, signIn: found.sid }
  })
  fastify.decorateRequest('session', undefined)
  fastify.addHook('onRequest', (request, reply, done) => {
    for (const token of presentedTokens(request)) {
      const found = read(token)
      if (found === undefined) continue
      request.session = { userId: found.id, platform: found.platform, signIn: found.sid }
      if (found.exp !== undefined && found.exp - seconds() <= renewBefore) reply.header('x-refreshed-jwt-token', signSession(request.session))
      break
    }
    done()
  })
}, { name: 'session' })

/** Bearer before query; the first one that is valid counts. */
function * presentedTokens (request: FastifyRequest): Generator<string> {
  const bearer = /^bearer ([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) yield bearer
  const { jwtToken } = request.query as { jwtToken?: unknown }
  if (typeof jwtToken === 'string' && jwtToken !== '') yield jwtToken
}

/** Whether a token was presented at all, valid or not. */
export const presentsToken = (request: FastifyRequest): boolean => presentedTokens(request).next().done !== true

/** For routes of signed-in users, as `onRequest` hook: refuses with `not-signed-in` before anything of the body is read. */
export const requireSession: onRequestHookHandler = (request, _reply, done) => {
  done(request.session === undefined ? new PatchbayError('not-signed-in') : undefined)
}

/** The user whom a token was made for; undefined when there is none any more, or they have signed out since then. */
export async function userOf ({ userId, platform, signIn }: Session, users: Pick<Users, 'find'>): Promise<User | undefined> {
  const user = await users.find(userId, platform)
  return signIn === undefined || user?.sessionId === signIn ? user : undefined
}

/** @throws {PatchbayError} `not-signed-in` */
export function sessionOf (request: FastifyRequest): Session {
  if (request.session === undefined) throw new PatchbayError('not-signed-in')
  return request.session
}

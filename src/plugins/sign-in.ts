/** Signing in with an API key or a login form, and signing out. */
import fp from 'fastify-plugin'
import { returnMessage, type ReturnMessage } from '../contract/answer.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, errorKind } from '../contract/errors.ts'
import type { Caller } from '../calls/caller.ts'

export interface ApiKeyLogin {
  readonly platform: string
  readonly apiKey: string | undefined
  readonly hostname: string | undefined
  readonly fields: Readonly<Record<string, unknown>>
  /** The hashed extension id that the client says, for analytics only. */
  readonly extensionHash: string
  readonly signal: AbortSignal
}

export interface SignedIn {
  readonly jwtToken: string
  readonly name: string
  readonly returnMessage: ReturnMessage
}

declare module 'fastify' {
  interface FastifyInstance {
    /** @throws {PatchbayError} `unknown-platform`, `login-refused`, or what the CRM said */
    signIn: (login: ApiKeyLogin) => Promise<SignedIn>
    /** Revokes the credentials at the CRM, where it knows that, and forgets them in any case. */
    signOut: (caller: Caller) => Promise<ReturnMessage>
  }
}

export default fp(async fastify => {
  const { users } = fastify.repositories

  fastify.decorate('signIn', async ({ platform, apiKey = '', hostname, fields, extensionHash, signal }) => {
    const connector = fastify.connectors.get(platform)
    const { info, operations } = connector
    if (info.auth.type !== 'apiKey') throw new PatchbayError('login-refused', { message: `${info.title} signs in by OAuth, not with a key.` })
    const host = knownHost(hostname)
    const unknown = { hostname: host, info: {}, crmUserId: '', name: '', timeZone: '', timeZoneOffset: '' }
    const crm = fastify.crmFor(connector, unknown, { accessToken: apiKey }, signal)
    try {
      const found = await operations.getUserInfo({ crm, user: unknown, settings: {}, signal }, { apiKey, hostname: host, fields })
      const user = await users.save({
        platform,
        crmUserId: found.crmUserId,
        name: found.name,
        hostname: found.hostname ?? host,
        timeZone: found.timeZone,
        extensionHash,
        credentials: { accessToken: found.apiKey ?? apiKey },
        info: found.info
      })
      return {
        jwtToken: fastify.signSession({ userId: user.id, platform, signIn: user.sessionId }),
        name: user.name,
        returnMessage: found.returnMessage ?? returnMessage('success', `Connected to ${info.title} as ${user.name}.`, 3000)
      }
    } catch (error) {
      // A client shows a refused login by its status; with 200 it would take it for a login.
      if (!(error instanceof CrmError)) throw error
      if (error.code === 'auth-expired') throw new PatchbayError('login-refused', { cause: error })
      throw new PatchbayError(errorKind(error.code).retryable ? 'login-failed' : 'login-refused', { message: error.message, cause: error })
    }
  })

  fastify.decorate('signOut', async ({ tenant, connector, context }) => {
    let told: ReturnMessage = returnMessage('success', `Signed out of ${connector.info.title}.`, 3000)
    try {
      told = (await connector.operations.unAuthorize?.(context))?.returnMessage ?? told
    } catch (error) {
      if (!(error instanceof CrmError)) throw error
      fastify.log.warn({ err: error, platform: connector.info.platform }, 'revoking credentials at the CRM failed')
      told = returnMessage('warning', `Signed out here. ${connector.info.title} did not confirm it: ${error.message}`)
    } finally {
      await users.signOut(tenant)
    }
    return told
  })
}, { name: 'sign-in', dependencies: ['request-caller'] })

/** The words that clients send when they know no host are no host. */
const knownHost = (hostname: string | undefined): string =>
  hostname === undefined || ['undefined', 'null', 'temp'].includes(hostname) ? '' : hostname

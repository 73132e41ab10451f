/** Signing in with a key, a login form or OAuth, and signing out. */
import fp from 'fastify-plugin'
import { returnMessage, type ReturnMessage } from '../contract/answer.ts'
import type { Connector } from '../contract/connector.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, errorKind } from '../contract/errors.ts'
import type { Login } from '../contract/operations.ts'
import type { Caller } from '../calls/caller.ts'
import { waitsForUser } from '../calls/outcome.ts'
import { isSignedIn, tenantOf } from '../db/users.ts'
import { knownHost, type OAuthCallback } from '../tokens/callback.ts'
import type { Connected } from '../tokens/connect.ts'
import { fixedSource } from '../tokens/source.ts'

interface Client {
  /** The hashed extension id that the client says, for analytics only. */
  readonly extensionHash: string
  readonly signal: AbortSignal
}

export interface ApiKeyLogin extends Client {
  readonly platform: string
  readonly apiKey: string | undefined
  readonly hostname: string | undefined
  readonly fields: Readonly<Record<string, unknown>>
}

/** What the person gave, besides what the platform makes of it. */
type Submitted = Omit<Login, 'hostname' | 'tokenAnswer'>

export interface SignedIn {
  readonly jwtToken: string
  readonly name: string
  readonly returnMessage: ReturnMessage
}

declare module 'fastify' {
  interface FastifyInstance {
    /** @throws {PatchbayError} `unknown-platform`, `login-refused`, or what the CRM said */
    signIn: (login: ApiKeyLogin) => Promise<SignedIn>
    /**
     * @throws {PatchbayError} `unknown-platform`, `login-refused`, `not-configured`
     * @throws {CrmError} what the CRM said
     */
    signInByOAuth: (callback: OAuthCallback, client: Client) => Promise<SignedIn>
    /** Revokes the credentials at the CRM, where it knows that, and forgets them in any case. */
    signOut: (caller: Caller) => Promise<ReturnMessage>
  }
}

export default fp(async fastify => {
  const { users, callLogs, messageLogs } = fastify.repositories

  /** Asks the CRM whose credentials these are, and keeps them for that user. */
  async function save (connector: Connector, connected: Connected, submitted: Submitted, { extensionHash, signal }: Client): Promise<SignedIn> {
    const { platform, title } = connector.info
    const { credentials, hostname, tokenAnswer } = connected
    const unknown = { hostname, info: {}, crmUserId: '', name: '', timeZone: '', timeZoneOffset: '' }
    const crm = fastify.crmFor(connector, unknown, fixedSource(credentials), { signal })
    const found = await connector.operations.getUserInfo({ crm, user: unknown, settings: {}, signal }, { ...submitted, hostname, tokenAnswer })
    const user = await users.save({
      platform,
      crmUserId: found.crmUserId,
      name: found.name,
      hostname: found.hostname ?? hostname,
      timeZone: found.timeZone,
      extensionHash,
      credentials: found.apiKey === undefined ? credentials : { ...credentials, accessToken: found.apiKey },
      info: found.info
    })
    await Promise.all([callLogs, messageLogs].map(async logs => await logs.hurry(tenantOf(user), waitsForUser)))
    return {
      jwtToken: fastify.signSession({ userId: user.id, platform, signIn: user.sessionId }),
      name: user.name,
      returnMessage: found.returnMessage ?? returnMessage('success', `Connected to ${title} as ${user.name}.`, 3000)
    }
  }

  fastify.decorate('signIn', async ({ platform, apiKey = '', hostname, fields, ...client }) => {
    const connector = fastify.connectors.get(platform)
    try {
      const connected = await fastify.tokens.fromForm(connector, { apiKey, hostname: knownHost(hostname), fields }, client.signal)
      return await save(connector, connected, { apiKey, fields, callback: {} }, client)
    } catch (error) {
      // A client shows a refused login by its status; with 200 it would take it for a login.
      if (!(error instanceof CrmError)) throw error
      if (error.code === 'auth-expired') throw new PatchbayError('login-refused', { cause: error })
      throw new PatchbayError(errorKind(error.code).retryable ? 'login-failed' : 'login-refused', { message: error.message, cause: error })
    }
  })

  fastify.decorate('signInByOAuth', async (callback, client) => {
    const connector = fastify.connectors.get(callback.platform)
    const connected = await fastify.tokens.fromCallback(connector, callback, client.signal)
    return await save(connector, connected, { fields: {}, callback: callback.parameters }, client)
  })

  fastify.decorate('signOut', async ({ tenant, connector, context }) => {
    const problems: unknown[] = []
    let told: ReturnMessage = returnMessage('success', `Signed out of ${connector.info.title}.`, 3000)
    try {
      told = (await connector.operations.unAuthorize?.(context))?.returnMessage ?? told
    } catch (error) {
      if (!(error instanceof PatchbayError)) throw error
      problems.push(error)
      told = returnMessage('warning', `Signed out here. ${connector.info.title} did not confirm it: ${error.message}`)
    } finally {
      const user = await users.find(tenant.userId, tenant.platform)
      await users.signOut(tenant)
      try {
        if (isSignedIn(user) && user.revokedAt === null) await fastify.tokens.revoke(connector, user.credentials, context.signal)
      } catch (error) {
        problems.push(error)
      }
      if (problems.length > 0) fastify.log.warn({ err: problems[0], platform: connector.info.platform }, 'taking credentials back at the CRM failed')
    }
    return told
  })
}, { name: 'sign-in', dependencies: ['request-caller', 'tokens'] })

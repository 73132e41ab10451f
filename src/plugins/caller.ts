/** Who calls: from the session token to the stored user, their connector and a client for their CRM. Loaded once per request. */
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../calls/caller.ts'
import type { Config } from '../config.ts'
import { PatchbayError, type ErrorCode } from '../contract/errors.ts'
import type { Connector } from '../contract/connector.ts'
import type { CrmClient } from '../contract/crm.ts'
import type { ConnectedUser } from '../contract/operations.ts'
import type { Tenant } from '../db/tenant.ts'
import type { Credentials, User } from '../db/users.ts'
import { sessionOf } from './session.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** A client for the CRM of somebody with these credentials. */
    crmFor: (connector: Connector, user: Pick<ConnectedUser, 'hostname' | 'info'>, credentials: Credentials, signal: AbortSignal) => CrmClient
    /** A stored user with everything an operation needs. */
    callerOf: (user: User & { credentials: Credentials }, options: { signal: AbortSignal, background?: boolean }) => Caller
  }
  interface FastifyRequest {
    /** The stored user of the session; undefined when there is none any more, or they have signed out since the token was made. */
    user: () => Promise<User | undefined>
    /**
     * The connected user with everything an operation needs.
     * @param unknown the code to throw when there is no such user, or they are not connected to the CRM
     */
    caller: (options?: { unknown: ErrorCode }) => Promise<Caller>
  }
}

export interface CallerOptions {
  connectorConfig: Config['connector']
}

const userOfRequest = new WeakMap<FastifyRequest, Promise<User | undefined>>()

export default fp<CallerOptions>(async (fastify, { connectorConfig }) => {
  const { users } = fastify.repositories
  // Read at the start, so that a wrong value stops it.
  const configured = new Map(fastify.connectors.all().map(({ info: { platform } }) => [platform, connectorConfig(platform)]))

  fastify.decorate('crmFor', ({ info }, user, credentials, signal) => {
    const url = configured.get(info.platform)?.url
    return fastify.crm({
      info,
      baseUrl: url ?? (typeof info.baseUrl === 'string' ? info.baseUrl : info.baseUrl(user)),
      configuredByOperator: url !== undefined,
      authorization: async () => info.auth.type === 'apiKey' ? info.auth.authorization(credentials.accessToken) : `Bearer ${credentials.accessToken}`,
      signal
    })
  })

  fastify.decorateRequest('user', async function (this: FastifyRequest) {
    const { userId, platform, signIn } = sessionOf(this)
    const loading = userOfRequest.get(this) ?? users.find(userId, platform)
    userOfRequest.set(this, loading)
    const user = await loading
    return signIn === undefined || user?.sessionId === signIn ? user : undefined
  })

  fastify.decorateRequest('caller', async function (this: FastifyRequest, { unknown } = { unknown: 'unknown-user' }) {
    const user = await this.user()
    if (user?.credentials === undefined) throw new PatchbayError(unknown)
    return fastify.callerOf({ ...user, credentials: user.credentials }, { signal: this.deadline })
  })

  fastify.decorate('callerOf', (user, { signal }) => {
    const connector = fastify.connectors.get(user.platform)
    const context = { crm: fastify.crmFor(connector, user, user.credentials, signal), user: user satisfies ConnectedUser, settings: user.settings, signal }
    return { tenant: tenantOf(user), connector, context }
  })
}, { name: 'request-caller', dependencies: ['db', 'session', 'connectors', 'crm', 'deadline'] })

export const tenantOf = ({ id, accountId, platform }: User): Tenant => ({ userId: id, accountId, platform })

/** @throws {PatchbayError} `user-not-found` */
export async function knownUser (request: FastifyRequest): Promise<User> {
  const user = await request.user()
  if (user === undefined) throw new PatchbayError('user-not-found')
  return user
}

/** Who calls: from the session token to the stored user, their connector and a client for their CRM. Loaded once per request. */
import { isDeepStrictEqual } from 'node:util'
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../calls/caller.ts'
import type { Config } from '../config.ts'
import { authOf, authorizationOf, type Authorization, type Credentials } from '../contract/auth.ts'
import { PatchbayError, type ErrorCode } from '../contract/errors.ts'
import type { Connector } from '../contract/connector.ts'
import type { CrmClient } from '../contract/crm.ts'
import { companyOf, type ConnectedUser } from '../contract/operations.ts'
import type { Tenant } from '../db/tenant.ts'
import { isSignedIn, tenantOf, type SignedInUser, type User } from '../db/users.ts'
import type { CrmScope } from '../crm/scope.ts'
import type { CredentialSource } from '../tokens/source.ts'
import { sessionOf, userOf } from './session.ts'

/** What a request has loaded. In the request itself: what a `WeakMap` holds survives it until the next large garbage collection. */
const loadedUser = Symbol('loaded user')

/** Who waits for what is asked of the CRM. */
export type Waiting = Pick<CrmScope, 'signal' | 'background'>

declare module 'fastify' {
  interface FastifyInstance {
    /** A client for the CRM of somebody, with the credentials that the source has at each request. */
    crmFor: (connector: Connector, user: Pick<ConnectedUser, 'hostname' | 'info'>, source: CredentialSource, waiting: Waiting) => CrmClient
    /** A stored user with everything an operation needs. */
    callerOf: (user: SignedInUser, waiting: Waiting) => Caller
  }
  interface FastifyRequest {
    /** The stored user of the session; undefined when there is none any more, or they have signed out since the token was made. */
    user: () => Promise<User | undefined>
    /**
     * The connected user with everything an operation needs.
     * @param unknown the code to throw when there is no such user, or they are not connected to the CRM
     */
    caller: (options?: { unknown: ErrorCode }) => Promise<Caller>
    /** Whose rows the connected user sees, where nothing is asked of the CRM. @throws {PatchbayError} `unknown-user` */
    tenant: () => Promise<Tenant>
    [loadedUser]: Promise<User | undefined> | undefined
  }
}

export interface CallerOptions {
  connectorConfig: Config['connector']
}

export default fp<CallerOptions>(async (fastify, { connectorConfig }) => {
  const { users } = fastify.repositories
  // Read at the start, so that a wrong value stops it.
  const configured = new Map(fastify.connectors.all().map(({ info: { platform } }) => [platform, connectorConfig(platform)]))

  fastify.decorate('crmFor', ({ info }, user, source, waiting) => {
    const url = configured.get(info.platform)?.url
    const company = companyOf(user)
    const authorization = (credentials: Credentials): Authorization => authorizationOf(authOf(info, credentials), credentials)
    return fastify.crm({
      info,
      async baseUrl () {
        const { baseUrl } = await source.current()
        return url ?? baseUrl ?? (typeof info.baseUrl === 'string' ? info.baseUrl : info.baseUrl(user))
      },
      configuredByOperator: url !== undefined,
      // Everybody of one customer of the CRM shares its budget.
      ...(company !== undefined && { accountKey: company }),
      authorization: async () => authorization(await source.current()),
      renew: async refused => {
        const other = await source.other(credentials => isDeepStrictEqual(authorization(credentials), refused))
        return other && authorization(other)
      },
      accepted: () => source.accepted?.(),
      ...waiting
    })
  })

  fastify.decorateRequest(loadedUser, undefined)
  fastify.decorateRequest('user', async function (this: FastifyRequest) {
    return await (this[loadedUser] ??= userOf(sessionOf(this), users))
  })

  fastify.decorateRequest('caller', async function (this: FastifyRequest, { unknown } = { unknown: 'unknown-user' }) {
    return fastify.callerOf(connected(await this.user(), unknown), { signal: this.deadline })
  })

  fastify.decorateRequest('tenant', async function (this: FastifyRequest) {
    return tenantOf(connected(await this.user(), 'unknown-user'))
  })

  fastify.decorate('callerOf', (user, waiting) => {
    const connector = fastify.connectors.get(user.platform)
    const { signal } = waiting
    const crm = fastify.crmFor(connector, user, fastify.tokens.of(connector, user, signal), waiting)
    return fastify.completeCaller({ tenant: tenantOf(user), connector, user }, { crm, user: connectedUser(user), settings: user.settings, signal })
  })
}, { name: 'request-caller', dependencies: ['db', 'session', 'connectors', 'context', 'crm', 'deadline', 'tokens'] })

/** A connector never sees credentials, nor what else a row holds. */
const connectedUser = ({ crmUserId, name, hostname, timeZone, timeZoneOffset, info }: User): ConnectedUser =>
  ({ crmUserId, name, hostname, timeZone, timeZoneOffset, info })

function connected (user: User | undefined, unknown: ErrorCode): SignedInUser {
  if (!isSignedIn(user)) throw new PatchbayError(unknown)
  return user
}

/** @throws {PatchbayError} `user-not-found` */
export async function knownUser (request: FastifyRequest): Promise<User> {
  const user = await request.user()
  if (user === undefined) throw new PatchbayError('user-not-found')
  return user
}

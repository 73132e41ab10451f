/** What an operation gets besides the client of its CRM: account data, what came with a match, and who a record is for. */
import fp from 'fastify-plugin'
import type { Caller } from '../calls/caller.ts'
import type { AccountDataProvider } from '../contract/account-data.ts'
import type { Connector } from '../contract/connector.ts'
import { companyOf, type SignInContext } from '../contract/operations.ts'
import type { Tenant } from '../db/tenant.ts'
import { tenantOf, type User } from '../db/users.ts'
import { frozen } from './guarded-connector.ts'
import { userOf } from './session.ts'

declare module 'fastify' {
  interface FastifyInstance {
    completeCaller: (who: { tenant: Tenant, connector: Connector, user: User }, context: SignInContext) => Caller
  }
}

export default fp(async fastify => {
  const { users } = fastify.repositories

  fastify.decorate('completeCaller', ({ tenant, connector, user }, context) => ({
    tenant,
    connector,
    context: {
      ...context,
      // Nothing lets admins set anything yet.
      accountSettings: {},
      // Of one list all requests that need it get the same.
      accountData: async ({ key }) => frozen(await fastify.accountData.get(tenant, declared(connector, key), context)) as never,
      remembered: async contact => await fastify.contacts.remembered(tenant, user, contact)
    },
    async assignedTo ({ isAssignedToUser, adminAssignedUserToken } = {}) {
      if (isAssignedToUser !== true || typeof adminAssignedUserToken !== 'string') return undefined
      const session = fastify.readSession(adminAssignedUserToken)
      if (session?.platform !== user.platform) return undefined
      const assigned = await userOf(session, users)
      return assigned !== undefined && areColleagues(assigned, user) ? { tenant: tenantOf(assigned), crmUserId: assigned.crmUserId } : undefined
    }
  }))
}, { name: 'context', dependencies: ['db', 'session', 'services'] })

/** @throws {TypeError} for a list that the connector does not declare */
function declared ({ info }: Connector, key: string): AccountDataProvider {
  const provider = info.accountData?.find(one => one.key === key)
  if (provider === undefined) throw new TypeError(`The connector declares no account data "${key}"`)
  return provider
}

/** Whether two users belong to one company of the CRM and one telephony account, as far as either is known. */
function areColleagues (one: User, other: User): boolean {
  return one.accountId === other.accountId && companyOf(one) === companyOf(other)
}

/** Adds the door to the CRMs: every request to one passes here, and nothing else opens a connection (docs/crm-requests.md). */
import fp from 'fastify-plugin'
import type { Config, ProxyConfig } from '../config.ts'
import type { CrmClient } from '../contract/crm.ts'
import { crmClient } from '../crm/client.ts'
import { connections } from '../crm/connections.ts'
import { door } from '../crm/door.ts'
import { crmFetch, type CrmFetch } from '../crm/fetch.ts'
import { defaultLimits, type Limits } from '../crm/limits.ts'
import type { Resolve } from '../crm/lookups.ts'
import type { CrmAccount, CrmScope } from '../crm/scope.ts'

export type { CrmAccount, CrmScope } from '../crm/scope.ts'

declare module 'fastify' {
  interface FastifyInstance {
    crm: (account: CrmAccount) => CrmClient
    /** For what is no JSON API, such as token endpoints and media: the same door, in the form of fetch. Redirects are not followed. */
    crmFetch: (scope: CrmScope) => CrmFetch
  }
}

export interface CrmOptions {
  /** What the operator says about each connector; his addresses are the only ones that scopes he configured may fetch from. */
  connectorConfig?: Config['connector'] | undefined
  /** CIDRs that requests may go to although private. */
  allowPrivateNetworks?: readonly string[] | undefined
  proxies?: ProxyConfig | undefined
  limits?: Partial<Limits>
  clock?: () => number
  random?: () => number
  resolve?: Resolve
}

/** Epoch milliseconds that no correction of the system's time moves back. */
const steadyClock = (): number => performance.timeOrigin + performance.now()

export default fp<CrmOptions>(async (fastify, options) => {
  const { connectorConfig, allowPrivateNetworks = [], proxies = {}, clock = steadyClock, random = Math.random, resolve } = options
  const limits = { ...defaultLimits, ...options.limits }
  const { send, close } = door({ connections: connections({ limits, allowPrivateNetworks, proxies, resolve }), limits, clock, random, log: fastify.log })
  fastify.addHook('onClose', close)
  fastify.decorate('crm', account => crmClient(account, send))
  fastify.decorate('crmFetch', scope => {
    const configured = connectorConfig?.(scope.info.platform, scope.region)
    const operatorOrigins = [configured?.url, configured?.tokenUrl].filter(address => address !== undefined).map(address => new URL(address).origin)
    return crmFetch(scope, operatorOrigins, send)
  })
}, { name: 'crm' })

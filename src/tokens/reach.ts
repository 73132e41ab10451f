/** The ways to the token endpoints of a CRM, through the door that every request passes. */
import type { OAuthAuth, TokenDoor } from '../contract/auth.ts'
import type { Connector, ConnectorInfo } from '../contract/connector.ts'
import type { Clock } from '../db/database.ts'
import { clientOf, ownAddress, type Settings } from './addresses.ts'
import type { Fetch } from './endpoint.ts'
import type { OAuthParts } from './oauth.ts'
import { tokenDoor } from './own-tokens.ts'

export interface Waiting {
  readonly signal: AbortSignal
  /** Milliseconds after which no attempt of a request is begun; as long as the door allows it when absent. */
  readonly lastStart?: number
}

export interface ReachParts {
  readonly settings: Settings
  readonly clock: Clock
  readonly crmFetch: (scope: { info: ConnectorInfo, region?: string, configuredByOperator: boolean } & Waiting) => Fetch
  /** Whether an address is on one of the connector's hosts. */
  readonly isOwn: (info: ConnectorInfo, url: URL) => boolean
}

export interface Reach {
  /** For the OAuth that the platform does. */
  oauth: (connector: Connector, auth: OAuthAuth, waiting: Waiting) => OAuthParts
  /** For a connector that does it itself. */
  door: (connector: Connector, waiting: Waiting) => TokenDoor
}

export function reach ({ settings, clock, crmFetch, isOwn }: ReachParts): Reach {
  /** Connectors build addresses out of what clients say: only the operator's own ones are free of their list of hosts. */
  function fetchIn (info: ConnectorInfo, region: string | undefined, waiting: Waiting): Fetch {
    const { url, tokenUrl } = settings(info.platform, region)
    const chosen = new Set([url, tokenUrl].filter(address => address !== undefined).map(address => new URL(address).origin))
    return async (address, init) => {
      const configuredByOperator = chosen.has(new URL(address).origin)
      return await crmFetch({ info, ...(region !== undefined && { region }), configuredByOperator, ...waiting })(address, init)
    }
  }

  return {
    oauth: ({ info }, auth, waiting) => ({ info, auth, settings, clock, fetch: region => fetchIn(info, region, waiting) }),
    door: ({ info }, waiting) => tokenDoor({
      fetch: fetchIn(info, undefined, waiting),
      addressOf: address => ownAddress(info, settings, url => isOwn(info, url), address),
      client: () => clientOf(info, settings, ''),
      now: clock()
    })
  }
}

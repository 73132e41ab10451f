/** Who asks for what: the inputs of the door. */
import { hash } from 'node:crypto'
import type { Authorization } from '../contract/auth.ts'
import type { ConnectorInfo } from '../contract/connector.ts'
import { covers } from './hosts.ts'

/** Where requests of one connector may go. */
export interface CrmScope {
  readonly info: Pick<ConnectorInfo, 'platform' | 'title' | 'hosts' | 'readError' | 'rateLimit'>
  /** The region whose settings of the operator count; the main ones when absent. */
  readonly region?: string
  /**
   * The operator chose the address, so the connector's list of hosts does not bind it, nor does the ban on private networks; only
   * the origin that was chosen may be asked.
   */
  readonly configuredByOperator: boolean
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal
  /**
   * Milliseconds after which no attempt of a call is begun: where an answer is given once only, and `signal` would cut it off. Without
   * it, attempts are begun as long as there is time to talk and to wait.
   */
  readonly lastStart?: number
  /**
   * Names the CRM account: delays that the CRM asks for and its budget are shared by everybody with the same key. Without one, a
   * host that the connector lists as `*.example.com` is one account, and on other hosts each authorization is one.
   */
  readonly accountKey?: string
  /** Nobody waits for it: it gives way to the requests that somebody waits for. */
  readonly background?: boolean
}

/** What the client of one user needs to know. */
export interface CrmAccount extends CrmScope {
  /** Asked for each authorization: a renewal may move the user's CRM to another address. */
  readonly baseUrl: () => Promise<string>
  readonly authorization: () => Promise<Authorization>
  /** After a 401: another authorization, with which the request is made once more; undefined when there is none. */
  readonly renew?: (refused: Authorization) => Promise<Authorization | undefined>
  /** Told when the CRM did not refuse what `renew` gave. */
  readonly accepted?: () => void
}

/**
 * The name under which a CRM account's budget is kept.
 * @param authorization undefined for a request that is nobody's
 * @returns undefined when it cannot be told which account it is
 */
export function accountName ({ info, accountKey }: Pick<CrmScope, 'info' | 'accountKey'>, { origin, hostname }: URL, authorization: Authorization | undefined): string | undefined {
  const user = (): string | undefined => authorization && hash('sha256', JSON.stringify(authorization), 'base64')
  const ownHost = info.hosts.some(entry => entry.startsWith('*.') && covers(entry, hostname)) ? '' : undefined
  const name = info.rateLimit?.scope === 'user' ? user() : accountKey ?? ownHost ?? user()
  return name === undefined ? undefined : JSON.stringify([info.platform, origin, name])
}

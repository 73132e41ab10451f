/** Keeping connections to CRMs: credentials that stay fresh, and are taken back at the end. */
import { LRUCache } from 'lru-cache'
import { authOf, ownCredentials, type Credentials, type Keep } from '../contract/auth.ts'
import type { Connector } from '../contract/connector.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError } from '../contract/errors.ts'
import { timeLimit } from '../contract/time-limit.ts'
import type { Clock } from '../db/database.ts'
import type { SignedInUser, Users } from '../db/users.ts'
import { renewTokens, revokeTokens } from './oauth.ts'
import type { Reach } from './reach.ts'
import { renewals } from './renewal.ts'
import { storedSource, unlessAborted, type CredentialSource } from './source.ts'

export interface Keeping {
  /** Where the credentials of a connected user come from, for one request of a client. */
  of: (connector: Connector, user: SignedInUser, signal: AbortSignal) => CredentialSource
  /** Takes credentials back at the CRM, where it knows that. Whoever waits for it may wait no longer than `signal` says. */
  revoke: (connector: Connector, credentials: Credentials, signal?: AbortSignal) => Promise<void>
  /** Resolves when no renewal is under way. */
  settled: () => Promise<void>
}

export interface KeepingParts {
  readonly users: Users
  readonly connectorOf: (platform: string) => Connector
  readonly reach: Reach
  readonly clock: Clock
  readonly log: { readonly warn: (facts: object, message: string) => void }
}

/** For all requests of one renewal. Below the lease that it is made under. Milliseconds. */
const renewalTime = 12_000
/**
 * An attempt that begins later would be cut off before the door gives it up; and what a CRM has issued by then is lost, with the
 * refresh token that it was issued for. Milliseconds.
 */
const lastStart = 1_000
/** How long a token that was refused as soon as it was issued is not renewed. Milliseconds. */
const refusedTime = 60_000
/** Whoever signs out waits for it. Milliseconds. */
const revocationTime = 5_000

export function keeping ({ users, connectorOf, reach, clock, log }: KeepingParts): Keeping {
  async function renewed ({ platform, credentials }: SignedInUser, keep: Keep): Promise<Credentials> {
    const connector = connectorOf(platform)
    const auth = authOf(connector.info, credentials)
    // Not the signal of whoever asked first: a token that the CRM has given out must not be lost because a client went away.
    const signal = AbortSignal.timeout(renewalTime)
    const waiting = { signal, lastStart }
    const { refreshToken } = credentials
    if (auth.type === 'own') return ownCredentials(await unlessAborted(auth.renew(reach.door(connector, waiting), credentials, keep), signal), clock())
    if (auth.type !== 'oauth' || refreshToken === undefined) throw new CrmError('auth-expired')
    return await renewTokens(reach.oauth(connector, auth, waiting), { ...credentials, refreshToken })
  }

  /** Fails with `auth-expired`, or with `unavailable`: whatever else is wrong may be right later, and signs nobody out. */
  async function request (user: SignedInUser, keep: Keep): Promise<Credentials> {
    try {
      return await renewed(user, keep)
    } catch (error) {
      if (!(error instanceof PatchbayError) || error.code === 'auth-expired') throw error
      const { message, retryAfter } = error
      // Nothing has been sent of what the credentials are for.
      throw new CrmError('unavailable', { outcome: 'not-received', message, cause: error, ...(retryAfter !== undefined && { retryAfter }) })
    }
  }

  async function revoke (connector: Connector, credentials: Credentials, waiting?: AbortSignal): Promise<void> {
    const auth = authOf(connector.info, credentials)
    const signal = waiting === undefined ? AbortSignal.timeout(revocationTime) : timeLimit(revocationTime, waiting)
    if (auth.type === 'own' && auth.revoke !== undefined) await unlessAborted(auth.revoke(reach.door(connector, { signal }), credentials), signal)
    if (auth.type === 'oauth') await revokeTokens(reach.oauth(connector, auth, { signal }), credentials)
  }

  /** Whoever discards does not depend on it. */
  async function discard ({ platform, credentials }: SignedInUser): Promise<void> {
    try {
      await revoke(connectorOf(platform), credentials)
    } catch (error) {
      log.warn({ err: error, platform }, 'taking credentials back at the CRM failed')
    }
  }

  const { renew, settled } = renewals({ users, clock, log, request, discard })
  const unproven = new LRUCache<string, string>({ max: 1_000, ttl: refusedTime, perf: { now: clock } })

  return {
    of: (connector, user, signal) => storedSource(user, credentials => authOf(connector.info, credentials), { renew, unproven, clock, signal }),
    revoke,
    settled
  }
}

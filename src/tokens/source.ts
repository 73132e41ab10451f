/** Where a client of the CRM takes its credentials from, request after request. */
import type { Auth, Credentials } from '../contract/auth.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError } from '../contract/errors.ts'
import { companyOf } from '../contract/operations.ts'
import type { Clock } from '../db/database.ts'
import type { SignedInUser } from '../db/users.ts'

export interface CredentialSource {
  /**
   * Credentials to use now, renewed when they are about to expire.
   * @throws {PatchbayError} `session-revoked`, `unknown-user`, `unreadable`
   * @throws {CrmError} `unavailable` when they have expired and cannot be renewed right now
   */
  current: () => Promise<Credentials>
  /** Other credentials than those that the CRM has just refused; undefined when there are none. */
  other: (isRefused: (credentials: Credentials) => boolean) => Promise<Credentials | undefined>
  /** Tells that the CRM has taken what `other` gave. */
  accepted?: () => void
}

/** How long before its end a token is renewed, in milliseconds. Of one with a shorter life it is the second half. */
const margin = 2 * 60_000

/** Credentials that are used as they are: somebody who is just signing in. */
export const fixedSource = (credentials: Credentials): CredentialSource => ({ current: async () => credentials, other: async () => undefined })

/**
 * Access tokens that a refusal brought and that the CRM has not taken yet, by user. When it refuses such a one, too, it refuses the
 * user, and another token would only use up the refresh token.
 */
export interface Unproven {
  get: (user: string) => string | undefined
  set: (user: string, accessToken: string) => unknown
  delete: (user: string) => unknown
}

export interface StoredSourceParts {
  readonly renew: (seen: SignedInUser) => Promise<SignedInUser>
  readonly unproven: Unproven
  readonly clock: Clock
  /** Ends the waiting for a renewal, not the renewal: its result must not be lost. */
  readonly signal: AbortSignal
}

/** @param authOf the kind of credentials */
export function storedSource (user: SignedInUser, authOf: (credentials: Credentials) => Auth, { renew, unproven, clock, signal }: StoredSourceParts): CredentialSource {
  const key = `${user.platform}/${user.id}`
  let latest = user
  let postponed = false
  const renewed = async (): Promise<Credentials> => {
    const next = await unlessAborted(renew(latest), signal)
    // Somebody has connected to another company of the CRM meanwhile: what was begun for the first one is nothing for the other.
    if (companyOf(next) !== companyOf(user)) throw new CrmError('unavailable', { outcome: 'not-received' })
    latest = next
    return latest.credentials
  }
  return {
    async current () {
      if (latest.revokedAt !== null) throw new PatchbayError('session-revoked')
      const { credentials } = latest
      const isAlive = (): boolean => (credentials.expiresAt ?? 0) > clock()
      if (!canRenew(authOf(credentials), credentials) || !isDue(credentials, clock()) || (postponed && isAlive())) return credentials
      try {
        return await renewed()
      } catch (error) {
        postponed = error instanceof CrmError
        if (postponed && isAlive()) return credentials
        throw error
      }
    },
    async other (isRefused) {
      const { credentials } = latest
      if (!canRenew(authOf(credentials), credentials)) return undefined
      if (!isRefused(credentials)) return credentials
      if (unproven.get(key) === credentials.accessToken) return undefined
      const other = await renewed()
      unproven.set(key, other.accessToken)
      return other
    },
    accepted () { unproven.delete(key) }
  }
}

export function isDue ({ expiresAt, issuedAt }: Pick<Credentials, 'expiresAt' | 'issuedAt'>, now: number): boolean {
  if (expiresAt === undefined) return false
  const early = issuedAt === undefined ? margin : Math.min(margin, (expiresAt - issuedAt) / 2)
  return expiresAt - early <= now
}

const canRenew = (auth: Auth, { refreshToken }: Credentials): boolean =>
  auth.type === 'own' || (auth.type === 'oauth' && refreshToken !== undefined)

/** @throws {CrmError} `unavailable` when it has not ended by then */
export async function unlessAborted<Result> (work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(new CrmError('unavailable', { outcome: 'not-received', cause: signal.reason }))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  return await Promise.race([work, aborted])
}

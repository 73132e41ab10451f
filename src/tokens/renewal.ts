/**
 * Renewing the credentials of a user: at most once at a time, over all processes. Who may renew is a lease in the user's row, guarded
 * by its version; the others wait and go on with what the winner stored. (Many CRMs take a refresh token once: two requests with the
 * same one end the connection.)
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Credentials, Keep } from '../contract/auth.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError } from '../contract/errors.ts'
import type { Clock } from '../db/database.ts'
import { isSignedIn, tenantOf, type SignedInUser, type Users } from '../db/users.ts'

export interface RenewalParts {
  readonly users: Pick<Users, 'find' | 'leaseRenewal' | 'endRenewal' | 'replaceCredentials' | 'markRevoked'>
  readonly clock: Clock
  readonly log: { readonly warn: (facts: object, message: string) => void }
  /** Asks the CRM for new credentials. Throws `auth-expired` when it never gives any again. */
  readonly request: (user: SignedInUser, keep: Keep) => Promise<Credentials>
  /** Takes back what nobody will use. */
  readonly discard: (user: SignedInUser) => Promise<void>
}

export interface Renewals {
  /**
   * @param seen the user with the credentials that are of no use any more
   * @returns the user with other credentials
   * @throws {PatchbayError} `session-revoked` when the CRM has ended the connection, `unknown-user` when the user has signed out
   * @throws {CrmError} `unavailable` when the CRM cannot be asked right now
   */
  renew: (seen: SignedInUser) => Promise<SignedInUser>
  /** Resolves when no renewal is under way. */
  settled: () => Promise<void>
}

/** Longer than a request for tokens can take, so that a lease that ran out belongs to nobody who still asks. Milliseconds. */
const leaseTime = 15_000
const [shortestPause, longestPause] = [10, 250]
/** Between the attempts to store what a CRM has issued: as long as a database needs to be there again. Milliseconds. */
const storePauses = [100, 300, 1_000, 3_000, 10_000]
/**
 * What is stored of an access token stays together until the renewal is done: with the expiry of the next one it would count as fresh.
 * By the token and its time of issue those who wait see that it is not done.
 */
const ofAccessToken = new Set(['accessToken', 'issuedAt', 'expiresAt', 'baseUrl', 'kind'])

export function renewals ({ users, clock, log, request, discard }: RenewalParts): Renewals {
  const underWay = new Map<string, Promise<SignedInUser>>()

  async function renewAlone (seen: SignedInUser): Promise<SignedInUser> {
    let wait = shortestPause
    for (;;) {
      const row = await users.find(seen.id, seen.platform)
      if (!isSignedIn(row) || row.sessionId !== seen.sessionId) throw new PatchbayError('unknown-user')
      if (row.revokedAt !== null) throw new PatchbayError('session-revoked')
      if (!sameCredentials(row, seen)) return row
      if (row.renewingUntil !== null && row.renewingUntil > clock()) {
        await pause(wait)
        wait = Math.min(wait * 2, longestPause)
        continue
      }
      const mine = await users.leaseRenewal(tenantOf(row), row.version, clock() + leaseTime)
      const renewed = isSignedIn(mine) ? await renewWith(mine) : undefined
      if (renewed !== undefined) return renewed
    }
  }

  /** Undefined when the row has become somebody else's meanwhile: then it says how to go on. */
  async function renewWith (mine: SignedInUser): Promise<SignedInUser | undefined> {
    const tenant = tenantOf(mine)
    let row = mine
    let keeping = Promise.resolve()
    const keep: Keep = async known => await (keeping = keeping.then(async () => {
      const kept = Object.fromEntries(Object.entries(known).filter(([member, value]) => value !== undefined && !ofAccessToken.has(member)))
      row = await storeAtLast(row, { ...row.credentials, ...kept }, true) ?? row
    }))
    let credentials: Credentials
    try {
      // A renewal that is cut off has not ended until what it keeps is stored: the next one begins with it.
      credentials = await request(mine, keep).finally(async () => await Promise.allSettled([keeping]))
    } catch (error) {
      if (!(error instanceof CrmError && error.code === 'auth-expired')) {
        await users.endRenewal(tenant, row.version)
        throw error
      }
      if (!await users.markRevoked(tenant, row.version)) return undefined
      log.warn({ platform: mine.platform, err: error }, 'the CRM has ended a connection: the user has to connect again')
      throw new PatchbayError('session-revoked', { cause: error })
    }
    return await storeAtLast(row, credentials)
  }

  /** A database that fails for a moment must not cost the connection: the CRM may not take the old token again. */
  async function storeAtLast (mine: SignedInUser, credentials: Credentials, goesOn = false): Promise<SignedInUser | undefined> {
    for (const wait of storePauses) {
      try {
        return await store(mine, credentials, goesOn)
      } catch (error) {
        log.warn({ platform: mine.platform, err: error }, 'storing renewed credentials failed: they are stored again')
        await pause(wait)
      }
    }
    return await store(mine, credentials, goesOn)
  }

  async function store (mine: SignedInUser, credentials: Credentials, goesOn: boolean): Promise<SignedInUser | undefined> {
    let row = mine
    for (;;) {
      const stored = await users.replaceCredentials(tenantOf(row), row.version, credentials, goesOn)
      if (isSignedIn(stored)) return stored
      // Whoever took over after a lease that ran out holds what was renewed here already, and must not be left with it.
      const current = await users.find(mine.id, mine.platform)
      if (!isSignedIn(current)) await discard({ ...mine, credentials })
      if (!isSignedIn(current) || !sameCredentials(current, mine)) return undefined
      row = current
    }
  }

  return {
    async renew (seen) {
      const key = `${seen.platform}/${seen.id}`
      for (;;) {
        const others = underWay.get(key)
        if (others === undefined) {
          const mine = renewAlone(seen).finally(() => underWay.delete(key))
          underWay.set(key, mine)
          return await mine
        }
        const renewed = await others
        // It may have begun for somebody who had seen older credentials, and end with these.
        if (!sameCredentials(renewed, seen)) return renewed
      }
    },
    async settled () {
      await Promise.allSettled(underWay.values())
    }
  }
}

const sameCredentials = ({ credentials: one }: SignedInUser, { credentials: other }: SignedInUser): boolean =>
  one.accessToken === other.accessToken && one.issuedAt === other.issuedAt

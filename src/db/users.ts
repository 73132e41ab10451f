/** The people who are connected to a CRM, their credentials and settings. */
import { randomUUID } from 'node:crypto'
import { and, eq, sql, type SQL } from 'drizzle-orm'
import type { Credentials } from '../contract/auth.ts'
import type { UserSettings } from '../contract/settings.ts'
import type { Cipher } from './cipher.ts'
import type { Clock, Database } from './database.ts'
import { quiet } from './quiet.ts'
import { rowCache } from './row-cache.ts'
import type { Tables } from './schema.ts'
import type { Tenant } from './tenant.ts'

type Row = Tables['users']['$inferSelect']

/** Facts about a user. `''` where one is not known. */
export type UserFacts = Pick<Row, 'name' | 'accountId' | 'extensionHash' | 'hostname' | 'timeZone' | 'timeZoneOffset'>

export interface User extends Omit<Row, 'sealedCredentials' | 'settingsVersion'> {
  readonly isSignedIn: boolean
  /**
   * Undefined when the user has signed out. Opened when somebody looks: most requests never ask the CRM.
   * @throws {CipherError}
   */
  readonly credentials: Credentials | undefined
}

export type SignedInUser = User & { readonly isSignedIn: true, readonly credentials: Credentials }

export const tenantOf = ({ id, accountId, platform }: User): Tenant => ({ userId: id, accountId, platform })

export const isSignedIn = (user: User | undefined): user is SignedInUser => user?.isSignedIn === true

/** Somebody who has just signed in. Facts that are absent leave those that are stored. */
export interface Login extends Partial<{ [Fact in keyof UserFacts]: string | undefined }> {
  platform: string
  crmUserId: string
  credentials: Credentials
  /** Public facts that the connector wants to keep; they are merged over the stored ones, member by member. */
  info?: Readonly<Record<string, unknown>> | undefined
}

export interface Users {
  find (userId: string, platform: string): Promise<User | undefined>
  /** Makes the user or signs them in again; settings stay. */
  save (login: Login): Promise<User>
  /**
   * Merges settings entry by entry, so that two who change different ones at once both succeed.
   * @returns all settings as they are now, or undefined when there is no such user
   */
  saveSettings (tenant: Tenant, changes: UserSettings, remove?: readonly string[]): Promise<UserSettings | undefined>
  /**
   * The right to renew the credentials, for this process alone until that instant. Undefined when the row has changed since that
   * `version` was read.
   * @returns the row with its new version
   */
  leaseRenewal (tenant: Tenant, version: number, until: number): Promise<User | undefined>
  /** Gives the right to renew back. */
  endRenewal (tenant: Tenant, version: number): Promise<void>
  /**
   * Replaces credentials that were renewed. Undefined when they have changed since that `version` was read (a new login, a
   * logout, somebody else's renewal): those stay.
   * @param goesOn the renewal is not done yet, so the right to it stays
   */
  replaceCredentials (tenant: Tenant, version: number, credentials: Credentials, goesOn?: boolean): Promise<User | undefined>
  /**
   * Remembers, until the next login, that the CRM has ended these credentials. False when they have changed since that `version`
   * was read.
   */
  markRevoked (tenant: Tenant, version: number): Promise<boolean>
  /** Forgets the credentials and renews the `sessionId`. False when there is no such user. */
  signOut (tenant: Tenant): Promise<boolean>
}

const open = Symbol('open')
const opened = Symbol('opened')

/** A class, because an object literal with a getter gets a hidden class of its own each time, which slows down whoever reads a user. */
class OpenedLate {
  readonly [open]: () => Credentials | undefined
  [opened]: Credentials | undefined

  constructor (first: () => Credentials | undefined) {
    this[open] = first
    this[opened] = undefined
  }

  get credentials (): Credentials | undefined {
    return (this[opened] ??= this[open]())
  }
}

/**
 * `version` guards the credentials and what comes with a login; settings have a version of their own, so that changing a setting
 * never makes the result of a token renewal void.
 */
export function users (
  { handle, read, othersChanges, tables: { users: table } }: Database, cipher: Cipher, clock: Clock, newId: () => string = randomUUID
): Users {
  type Key = Pick<Row, 'id' | 'platform'>
  const byKey = handle.select().from(table)
    .where(and(eq(table.id, sql.placeholder('id')), eq(table.platform, sql.placeholder('platform')))).prepare()

  const cache = rowCache<User>(othersChanges)
  const nameOf = ({ id, platform }: Key): string => `${platform}/${id}`

  async function rowOf ({ id, platform }: Key): Promise<Row | undefined> {
    const [row] = await read(() => byKey.execute({ id, platform }))
    return row
  }

  const keyOf = ({ userId, platform }: Tenant): Key => ({ id: userId, platform })
  const at = ({ id, platform }: Key): SQL | undefined => and(eq(table.id, id), eq(table.platform, platform))
  const seal = (key: Key, credentials: Credentials): string => cipher.seal(JSON.stringify(credentials), credentialsIdentity(key))

  const unseal = (sealed: string, key: Key): Credentials => JSON.parse(cipher.open(sealed, credentialsIdentity(key))) as Credentials

  /** The step of a renewal, guarded by the row's version. */
  async function step (tenant: Tenant, version: number, changes: Partial<Row>): Promise<User | undefined> {
    const key = keyOf(tenant)
    const [row] = await cache.changing(nameOf(key), async () => await handle.update(table)
      .set({ ...changes, version: version + 1, updatedAt: clock() })
      .where(and(at(key), eq(table.version, version))).returning())
    return row && user(row)
  }

  function user ({ sealedCredentials, settingsVersion, ...row }: Row): User {
    const isSignedIn = sealedCredentials !== ''
    return Object.assign(new OpenedLate(() => isSignedIn ? unseal(sealedCredentials, row) : undefined), row, { isSignedIn })
  }

  return quiet<Users>({
    async find (userId, platform) {
      const key = { id: userId, platform }
      return await cache.get(nameOf(key), async () => {
        const row = await rowOf(key)
        return row && user(row)
      })
    },
    async save (login) {
      const key = { id: `${login.crmUserId}-${login.platform}`, platform: login.platform }
      const facts = knownFacts(login)
      const info = definedOnly(login.info ?? {})
      // Whoever loses a round lost it to somebody who got through, so this ends.
      for (;;) {
        const stored = await rowOf(key)
        const updatedAt = clock()
        const changes = { ...facts, ...noRenewal, sealedCredentials: seal(key, login.credentials), updatedAt }
        const [row] = await cache.changing(nameOf(key), async () => stored === undefined
          ? await handle.insert(table)
            .values({ ...key, ...newUser, crmUserId: login.crmUserId, info, sessionId: newId(), createdAt: updatedAt, ...changes })
            .onConflictDoNothing().returning()
          : await handle.update(table)
            .set({ ...changes, info: { ...stored.info, ...info }, version: stored.version + 1 })
            .where(and(at(key), eq(table.version, stored.version))).returning())
        if (row !== undefined) return user(row)
      }
    },
    async saveSettings (tenant, changes, remove = []) {
      const key = keyOf(tenant)
      for (;;) {
        const stored = await rowOf(key)
        if (stored === undefined) return undefined
        const merged = Object.entries({ ...stored.settings, ...changes }).filter(([id]) => !remove.includes(id))
        const [row] = await cache.changing(nameOf(key), async () => await handle.update(table)
          .set({ settings: Object.fromEntries(merged), settingsVersion: stored.settingsVersion + 1, updatedAt: clock() })
          .where(and(at(key), eq(table.settingsVersion, stored.settingsVersion))).returning())
        if (row !== undefined) return row.settings
      }
    },
    leaseRenewal: async (tenant, version, until) => await step(tenant, version, { renewingUntil: until }),
    async endRenewal (tenant, version) {
      await step(tenant, version, { renewingUntil: null })
    },
    replaceCredentials: async (tenant, version, credentials, goesOn = false) =>
      // The CRM has just issued them: a refusal that somebody met with older ones says nothing any more.
      await step(tenant, version, { ...(goesOn ? { revokedAt: null } : noRenewal), sealedCredentials: seal(keyOf(tenant), credentials) }),
    markRevoked: async (tenant, version) => await step(tenant, version, { renewingUntil: null, revokedAt: clock() }) !== undefined,
    async signOut (tenant) {
      const key = keyOf(tenant)
      const rows = await cache.changing(nameOf(key), async () => await handle.update(table)
        .set({ ...noRenewal, sealedCredentials: '', sessionId: newId(), version: sql`${table.version} + 1`, updatedAt: clock() })
        .where(at(key)).returning({ id: table.id }))
      return rows.length > 0
    }
  })
}

const newUser = { settings: {}, settingsVersion: 1, version: 1 }
const noRenewal = { renewingUntil: null, revokedAt: null }

/** Where credentials are sealed for. The platform comes first: it has no slash, so that no two users share an identity. */
export const credentialsIdentity = ({ id, platform }: Pick<Row, 'id' | 'platform'>): string => `users/${platform}/${id}/credentials`

/** What clients and old databases write when they know nothing (defect D-24). */
const NOTHING = new Set<string | undefined>([undefined, '', 'undefined', 'null'])

function knownFacts ({ name, accountId, extensionHash, hostname, timeZone, timeZoneOffset }: Login): Partial<UserFacts> {
  const facts = { name, accountId, extensionHash, hostname: hostname === 'temp' ? undefined : hostname, timeZone, timeZoneOffset }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => !NOTHING.has(value)))
}

function definedOnly (members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

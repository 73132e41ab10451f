/** What connectors and the platform remember for a company or a user for a while: lists out of a CRM, found contacts. */
import { and, eq, lt, sql, type SQL } from 'drizzle-orm'
import type { Clock, Database } from './database.ts'
import { preparedForColumns } from './prepared.ts'
import { quiet } from './quiet.ts'

/** Whose data it is: all users of a company of the CRM share it, or one user has it alone. */
export interface DataOwner {
  /** Names a company, or a user by their id; never empty. */
  ownerKey: string
  platform: string
}

/** Anything that JSON holds, except null. */
export type JsonData = NonNullable<unknown>

export interface Known {
  data: JsonData
  expired: boolean
  /** Epoch milliseconds. */
  expiresAt: number
}

export interface AccountData {
  /** The data, also after its time when nobody has removed it yet: better stale than none where the CRM does not answer. */
  get (owner: DataOwner, dataKey: string): Promise<Known | undefined>
  /** @param ttl milliseconds */
  set (owner: DataOwner, dataKey: string, data: JsonData, ttl: number): Promise<void>
  /** What is known expires in `ttl` milliseconds from now, unless it has been replaced meanwhile. */
  expireIn (owner: DataOwner, dataKey: string, known: Pick<Known, 'expiresAt'>, ttl: number): Promise<void>
  remove (owner: DataOwner, dataKey: string): Promise<void>
  /** Forgets, for all owners, what expired before that instant. */
  removeExpired (before: number): Promise<void>
}

/** Where what a CRM told may be remembered, or not. */
export type CachedAccountData = Pick<AccountData, 'get' | 'set' | 'expireIn'>

/** For what the CRM has told or done, which counts whether or not the database can remember it: a failure is no more than a line in the log. */
export function asCache (data: AccountData, log: { readonly warn: (facts: object, message: string) => void }): CachedAccountData {
  const orNothing = async <Result>(platform: string, work: Promise<Result>): Promise<Result | undefined> => {
    try {
      return await work
    } catch (err) {
      log.warn({ err, platform }, 'what a CRM told could not be remembered')
      return undefined
    }
  }
  return {
    get: async (owner, dataKey) => await orNothing(owner.platform, data.get(owner, dataKey)),
    set: async (owner, ...entry) => { await orNothing(owner.platform, data.set(owner, ...entry)) },
    expireIn: async (owner, ...entry) => { await orNothing(owner.platform, data.expireIn(owner, ...entry)) }
  }
}

export function accountData ({ handle, read, write, tables: { accountData: table } }: Database, clock: Clock): AccountData {
  function entry ({ ownerKey, platform }: DataOwner, dataKey: string): SQL | undefined {
    return and(eq(table.ownerKey, ownerKey), eq(table.platform, platform), eq(table.dataKey, dataKey))
  }

  const selectEntry = handle.select({ data: table.data, expiresAt: table.expiresAt }).from(table).where(and(
    eq(table.ownerKey, sql.placeholder('ownerKey')),
    eq(table.platform, sql.placeholder('platform')),
    eq(table.dataKey, sql.placeholder('dataKey'))
  )).prepare()
  const upsert = preparedForColumns(table, columns => handle.insert(table).values(columns).onConflictDoUpdate({
    target: [table.ownerKey, table.platform, table.dataKey],
    set: { data: columns.data, expiresAt: columns.expiresAt, updatedAt: columns.updatedAt }
  }).prepare())

  return quiet<AccountData>({
    async get ({ ownerKey, platform }, dataKey) {
      const [row] = await read(() => selectEntry.execute({ ownerKey, platform, dataKey }))
      return row && { ...row, expired: row.expiresAt <= clock() }
    },
    async set ({ ownerKey, platform }, dataKey, data, ttl) {
      if (ownerKey === '') throw new TypeError('Data without an owner would be shared by everybody whose company is not known')
      const now = clock()
      const { statement, values } = upsert({ ownerKey, platform, dataKey, data, expiresAt: now + ttl, createdAt: now, updatedAt: now })
      await write(() => statement.execute(values))
    },
    async expireIn (owner, dataKey, { expiresAt }, ttl) {
      const now = clock()
      await handle.update(table).set({ expiresAt: now + ttl, updatedAt: now }).where(and(entry(owner, dataKey), eq(table.expiresAt, expiresAt)))
    },
    async remove (owner, dataKey) {
      await handle.delete(table).where(entry(owner, dataKey))
    },
    async removeExpired (before) {
      await handle.delete(table).where(lt(table.expiresAt, before))
    }
  })
}

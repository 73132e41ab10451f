/** The logs of calls: one row per user, call and extension. */
import { and, asc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import { fittingLogs, type CallIdentity } from './call-identity.ts'
import { chunks } from './chunks.ts'
import type { Cipher } from './cipher.ts'
import type { Clock, Database } from './database.ts'
import { isDue, isPutOff, lifecycle, newRowId, rowPlaceholders, rowValues, unchanged, type LifecycleChanges } from './lifecycle.ts'
import { preparedForColumns, preparedForList } from './prepared.ts'
import { quiet } from './quiet.ts'
import type { Tables } from './schema.ts'
import { ownedBy, tenantPlaceholders, within, type Tenant } from './tenant.ts'

export type CallLog = Tables['callLogs']['$inferSelect']

export interface CallLogChanges extends LifecycleChanges {
  /** Epoch milliseconds. */
  startTime?: number
}

export interface NewCallLog extends CallLogChanges, Partial<CallIdentity> {
  sessionId: string
  telephonySessionId?: string
  /** Until when the one who reserves it may be sending, in epoch milliseconds. */
  leaseUntil: number
}

/** What there is to say of a call that may be logged. */
export type LoggedCall = Pick<CallLog, 'sessionId' | 'extensionNumber' | 'hashedExtensionId' | 'state' | 'crmLogId' | 'contactId' | 'fingerprints'>

export interface CallLogs {
  find (tenant: Tenant, sessionId: string, identity: CallIdentity): Promise<CallLog | undefined>
  /** The best fitting log of each session that has one, by session id. */
  findMany (tenant: Tenant, sessionIds: Iterable<string>, identity: CallIdentity): Promise<Map<string, LoggedCall>>
  /** The records that hold a call: one for each extension that has logged it. */
  recordsOf (tenant: Tenant, sessionId: string): Promise<string[]>
  /** The first step, to `sending` unless said otherwise. Undefined when this very log is there already. */
  reserve (tenant: Tenant, log: NewCallLog): Promise<CallLog | undefined>
  /** The next step. Undefined when the row has changed since it was read, which is then left as it is. */
  advance (row: CallLog, changes: CallLogChanges): Promise<CallLog | undefined>
  /** Forgets a log, unless the row has changed since it was read. */
  remove (row: CallLog): Promise<void>
  /** What waits to be written, `''` when nothing does. */
  pendingOf (row: Pick<CallLog, 'id' | 'sealedPending'>): string
  /** For the recovery job alone, as it looks over all tenants: rows that somebody has to go on with, the longest waiting first. */
  due (now: number, limit: number, exceptPlatforms?: readonly string[]): Promise<CallLog[]>
  /** Makes due what was put off for one of these reasons, which are codes of errors. */
  hurry (tenant: Tenant, reasons: readonly string[]): Promise<void>
}

export function callLogs (
  { handle, read, write, tables: { callLogs: table } }: Database, cipher: Cipher, clock: Clock, newId = newRowId
): CallLogs {
  const life = lifecycle('call_logs', cipher, clock)
  const { sessionId, extensionNumber, hashedExtensionId, state, crmLogId, contactId, fingerprints } = table
  const select = handle.select().from(table)
    .where(and(within(table, tenantPlaceholders), eq(sessionId, sql.placeholder('sessionId')))).prepare()
  const selectMany = preparedForList(sessionIds => handle
    .select({ sessionId, extensionNumber, hashedExtensionId, state, crmLogId, contactId, fingerprints }).from(table)
    .where(and(within(table, tenantPlaceholders), inArray(sessionId, sessionIds))).prepare())
  const insert = preparedForColumns(table, columns => handle.insert(table).values(columns).onConflictDoNothing().returning().prepare())
  const update = preparedForColumns(table, columns => handle.update(table).set(columns).where(unchanged(table, rowPlaceholders)).returning().prepare())

  return quiet<CallLogs>({
    async find ({ userId, platform }, sessionId, identity) {
      return fittingLogs(await read(() => select.execute({ userId, platform, sessionId })), identity)[0]
    },
    async findMany ({ userId, platform }, sessionIds, identity) {
      const rows: LoggedCall[] = []
      for (const ids of chunks(sessionIds)) {
        const { statement, values } = selectMany(ids)
        rows.push(...await read(() => statement.execute({ userId, platform, ...values })))
      }
      // The last entry of a session stays in the map: the best one.
      return new Map(fittingLogs(rows, identity).reverse().map(row => [row.sessionId, row]))
    },
    async recordsOf ({ userId, platform }, sessionId) {
      const logs = await read(() => select.execute({ userId, platform, sessionId }))
      return logs.flatMap(({ crmLogId }) => crmLogId === '' ? [] : [crmLogId])
    },
    async reserve (tenant, { pending = '', ...log }) {
      const { statement, values } = insert({ state: 'sending', fingerprints: {}, ...log, ...ownedBy(tenant), ...life.first(newId(), pending) })
      const [row] = await write(() => statement.execute(values))
      return life.made(row, pending)
    },
    async advance (row, { pending, ...changes }) {
      const { statement, values } = update({ ...changes, ...life.next(row, pending) })
      const [next] = await write(() => statement.execute({ ...values, ...rowValues(row) }))
      return life.made(next, pending)
    },
    async remove (row) {
      await handle.delete(table).where(unchanged(table, row))
    },
    pendingOf: life.pendingOf,
    async due (now, limit, exceptPlatforms = []) {
      return await handle.select().from(table).where(and(isDue(table, now), notInArray(table.platform, [...exceptPlatforms]))).orderBy(asc(table.updatedAt)).limit(limit)
    },
    async hurry (tenant, reasons) {
      const now = clock()
      await handle.update(table).set({ nextAttemptAt: now }).where(isPutOff(table, tenant, reasons, now))
    }
  })
}

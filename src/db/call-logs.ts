/** The logs of calls: one row per user, call and extension. */
import { randomUUID } from 'node:crypto'
import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { fittingLogs, type CallIdentity } from './call-identity.ts'
import { chunks } from './chunks.ts'
import type { Cipher } from './cipher.ts'
import type { Clock, Database } from './database.ts'
import { isDue, lifecycle, unchanged, type LifecycleChanges } from './lifecycle.ts'
import { quiet } from './quiet.ts'
import type { Tables } from './schema.ts'
import { ownedBy, within, type Tenant } from './tenant.ts'

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

export interface CallLogs {
  find (tenant: Tenant, sessionId: string, identity: CallIdentity): Promise<CallLog | undefined>
  /** The best fitting log of each session that has one, by session id. */
  findMany (tenant: Tenant, sessionIds: Iterable<string>, identity: CallIdentity): Promise<Map<string, CallLog>>
  /** The first step, to `sending` unless said otherwise. Undefined when this very log is there already. */
  reserve (tenant: Tenant, log: NewCallLog): Promise<CallLog | undefined>
  /** The next step. Undefined when the row has changed since it was read, which is then left as it is. */
  advance (row: CallLog, changes: CallLogChanges): Promise<CallLog | undefined>
  /** Forgets a log, unless the row has changed since it was read. */
  remove (row: CallLog): Promise<void>
  /** What waits to be written, `''` when nothing does. */
  pendingOf (row: Pick<CallLog, 'id' | 'sealedPending'>): string
  /** For the recovery job alone, as it looks over all tenants: rows that somebody has to go on with, the longest waiting first. */
  due (now: number, limit: number): Promise<CallLog[]>
}

export function callLogs (
  { handle, tables: { callLogs: table } }: Database, cipher: Cipher, clock: Clock, newId: () => string = randomUUID
): CallLogs {
  const life = lifecycle('call_logs', cipher, clock)
  const ofSession = handle.select().from(table).where(and(
    eq(table.userId, sql.placeholder('userId')),
    eq(table.platform, sql.placeholder('platform')),
    eq(table.sessionId, sql.placeholder('sessionId'))
  )).prepare()

  async function findMany (tenant: Tenant, sessionIds: Iterable<string>, identity: CallIdentity): Promise<Map<string, CallLog>> {
    const rows: CallLog[] = []
    for (const ids of chunks(sessionIds)) {
      rows.push(...await handle.select().from(table).where(and(within(table, tenant), inArray(table.sessionId, ids))))
    }
    // The last entry of a session stays in the map: the best one.
    return new Map(fittingLogs(rows, identity).reverse().map(row => [row.sessionId, row]))
  }

  return quiet<CallLogs>({
    findMany,
    async find (tenant, sessionId, identity) {
      const { userId, platform } = tenant
      return fittingLogs(await ofSession.execute({ userId, platform, sessionId }), identity)[0]
    },
    async reserve (tenant, { pending = '', ...log }) {
      const [row] = await handle.insert(table)
        .values({ state: 'sending', fingerprints: {}, ...log, ...ownedBy(tenant), ...life.first(newId(), pending) })
        .onConflictDoNothing().returning()
      return row
    },
    async advance (row, { pending, ...changes }) {
      const [next] = await handle.update(table)
        .set({ ...changes, ...life.next(row, pending) })
        .where(unchanged(table, row)).returning()
      return next
    },
    async remove (row) {
      await handle.delete(table).where(unchanged(table, row))
    },
    pendingOf: life.pendingOf,
    async due (now, limit) {
      return await handle.select().from(table).where(isDue(table, now)).orderBy(asc(table.updatedAt)).limit(limit)
    }
  })
}

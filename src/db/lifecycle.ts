/** What call logs and message logs do alike: every step on the way into the CRM is guarded by the row's version. */
import { and, eq, gt, inArray, lte, or, sql, type Placeholder, type SQL } from 'drizzle-orm'
import { v7 } from 'uuid'
import type { Cipher } from './cipher.ts'
import type { Clock } from './database.ts'
import { unwritten, type Tables } from './schema.ts'
import { tenantPlaceholders, within, type Tenant } from './tenant.ts'

type LogTable = Tables['callLogs'] | Tables['messageLogs']
type LogRow = LogTable['$inferSelect']

/** What a step may change. Instants are epoch milliseconds; null takes one away. */
export type LifecycleChanges = Partial<Pick<LogRow,
  'contactId' | 'contactType' | 'crmLogId' | 'state' | 'leaseUntil' | 'attempts' | 'nextAttemptAt' |
  'lastErrorCode' | 'fingerprints' | 'answer'
>> & {
  /** What waits to be written, in plain text: it is sealed on the way in. `''` when nothing waits any more. */
  pending?: string
}

/** The columns that a step sets by itself. */
interface Lifecycle {
  /** Of a new row. */
  first (id: string, pending: string): Pick<LogRow, 'id' | 'version' | 'sealedPending' | 'createdAt' | 'updatedAt'>
  /** Of the step after `row`. */
  next (row: LogRow, pending: string | undefined): Pick<LogRow, 'version' | 'updatedAt'> & { sealedPending?: string }
  /** The row that a step has given, which is not opened to tell what was just sealed in it. */
  made<Row extends LogRow> (row: Row | undefined, pending: string | undefined): Row | undefined
  /** What waits to be written, `''` when nothing does. */
  pendingOf (row: Pick<LogRow, 'id' | 'sealedPending'>): string
}

/** Ids of rows follow time: new ones stand together in the index. Random ones would change another page of it with each log. */
export const newRowId: () => string = v7

/** Where what waits is sealed for. */
export const pendingIdentity = (tableName: string, id: string): string => `${tableName}/${id}/pending`

/** @param tableName stands in the identity of what is sealed */
export function lifecycle (tableName: string, cipher: Cipher, clock: Clock): Lifecycle {
  const identity = (id: string): string => pendingIdentity(tableName, id)
  const seal = (id: string, pending: string): string => pending === '' ? '' : cipher.seal(pending, identity(id))
  /** A step looks at what waits more than once. */
  const opened = new WeakMap<object, string>()
  return {
    first (id, pending) {
      const now = clock()
      return { id, version: 1, sealedPending: seal(id, pending), createdAt: now, updatedAt: now }
    },
    next (row, pending) {
      const sealed = pending === undefined ? {} : { sealedPending: seal(row.id, pending) }
      return { version: row.version + 1, updatedAt: clock(), ...sealed }
    },
    made (row, pending) {
      if (row !== undefined && pending !== undefined) opened.set(row, pending)
      return row
    },
    pendingOf (row) {
      if (row.sealedPending === '') return ''
      const pending = opened.get(row) ?? cipher.open(row.sealedPending, identity(row.id))
      opened.set(row, pending)
      return pending
    }
  }
}

/** What {@link unchanged} looks at. */
type ReadRow = { [Name in 'id' | 'userId' | 'platform']: string | Placeholder } & { version: number | Placeholder }

/** In place of the row, for a statement that is prepared: the row is among its values. */
export const rowPlaceholders: ReadRow = {
  ...tenantPlaceholders,
  id: sql.placeholder('id'),
  version: sql.placeholder('version')
}

/** The values of {@link rowPlaceholders}. */
export const rowValues = ({ id, userId, platform, version }: LogRow): Record<keyof ReadRow, unknown> => ({ id, userId, platform, version })

/** Holds while nobody has changed the row since it was read. */
export function unchanged (table: LogTable, row: ReadRow): SQL | undefined {
  return and(eq(table.id, row.id), within(table, row), eq(table.version, row.version))
}

/**
 * Rows that somebody has to go on with, none of which anybody works on (its lease ran out): one that was being sent or looked for,
 * and one whose next attempt is due. A missing instant counts as past for the first kind, so that no row is stuck for ever.
 * (`unwritten` adds nothing but the words of the index, without which no database sees that it may use it.)
 */
export function isDue (table: LogTable, now: number): SQL | undefined {
  const passed = (instant: typeof table.leaseUntil | typeof table.nextAttemptAt): SQL => lte(sql`coalesce(${instant}, 0)`, now)
  return and(
    passed(table.leaseUntil),
    or(
      and(unwritten, inArray(table.state, ['sending', 'unknown', 'waiting']), passed(table.nextAttemptAt)),
      lte(table.nextAttemptAt, now)
    )
  )
}

/**
 * Rows of a user whose next attempt was put off for one of these reasons. Of a record that may be in the CRM nobody changes the time:
 * a look before it proves nothing.
 */
export function isPutOff (table: LogTable, tenant: Tenant, reasons: readonly string[], now: number): SQL | undefined {
  return and(within(table, tenant), inArray(table.state, ['waiting', 'logged']), gt(table.nextAttemptAt, now), inArray(table.lastErrorCode, [...reasons]))
}

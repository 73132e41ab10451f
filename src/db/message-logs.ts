/** The logs of messages: one row per record in the CRM (a conversation on one day), and the messages that are in it. */
import { and, asc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import { chunks } from './chunks.ts'
import type { Cipher } from './cipher.ts'
import type { Clock, Database } from './database.ts'
import { isDue, isPutOff, lifecycle, newRowId, rowPlaceholders, rowValues, unchanged, type LifecycleChanges } from './lifecycle.ts'
import { preparedForColumns, preparedForList } from './prepared.ts'
import { quiet } from './quiet.ts'
import type { Tables } from './schema.ts'
import { ownedBy, tenantPlaceholders, within, type Tenant } from './tenant.ts'

export type MessageLog = Tables['messageLogs']['$inferSelect']
export type MessageLogChanges = LifecycleChanges

export interface NewMessageLog extends MessageLogChanges {
  /** Conversation and day; in a group conversation with the contact at its end. */
  conversationLogId: string
  conversationId?: string
  /** Until when the one who reserves it may be sending, in epoch milliseconds. */
  leaseUntil: number
}

export interface MessageLogs {
  find (tenant: Tenant, conversationLogId: string): Promise<MessageLog | undefined>
  /** The first step, to `sending` unless said otherwise. Undefined when the conversation has a log already. */
  reserve (tenant: Tenant, log: NewMessageLog): Promise<MessageLog | undefined>
  /** The next step. Undefined when the row has changed since it was read, which is then left as it is. */
  advance (row: MessageLog, changes: MessageLogChanges): Promise<MessageLog | undefined>
  /** Forgets a log, unless the row has changed since it was read. */
  remove (row: MessageLog): Promise<void>
  /** What waits to be written, `''` when nothing does. */
  pendingOf (row: Pick<MessageLog, 'id' | 'sealedPending'>): string
  /** Which of these messages are in a log. */
  knownMessages (tenant: Tenant, messageIds: Iterable<string>): Promise<Set<string>>
  /**
   * The next step together with the messages that it brought into the record: both or, when the row has changed since it was
   * read or is somebody else's, neither (undefined). Messages that are in a log already stay where they are.
   */
  recordMessages (
    tenant: Tenant, row: MessageLog, changes: MessageLogChanges, messageIds: Iterable<string>
  ): Promise<MessageLog | undefined>
  /**
   * The next step of a log whose record is gone: it begins now, and the messages that were in it are forgotten. Both or, when the row
   * has changed since it was read, neither (undefined).
   */
  startAnew (row: MessageLog, changes: MessageLogChanges): Promise<MessageLog | undefined>
  /** For the recovery job alone, as it looks over all tenants: rows that somebody has to go on with, the longest waiting first. */
  due (now: number, limit: number, exceptPlatforms?: readonly string[]): Promise<MessageLog[]>
  /** Makes due what was put off for one of these reasons, which are codes of errors. */
  hurry (tenant: Tenant, reasons: readonly string[]): Promise<void>
}

export function messageLogs (
  { handle, tables, read, write, atomic }: Database, cipher: Cipher, clock: Clock, newId = newRowId
): MessageLogs {
  const { messageLogs: table, messages } = tables
  const life = lifecycle('message_logs', cipher, clock)

  const select = handle.select().from(table)
    .where(and(within(table, tenantPlaceholders), eq(table.conversationLogId, sql.placeholder('conversationLogId')))).prepare()
  const selectKnown = preparedForList(messageIds => handle.select({ id: messages.messageId }).from(messages)
    .where(and(within(messages, tenantPlaceholders), inArray(messages.messageId, messageIds))).prepare())
  const insert = preparedForColumns(table, columns => handle.insert(table).values(columns).onConflictDoNothing().returning().prepare())
  const update = preparedForColumns(table, columns => handle.update(table).set(columns).where(unchanged(table, rowPlaceholders)).returning().prepare())

  return quiet<MessageLogs>({
    async find ({ userId, platform }, conversationLogId) {
      const [row] = await read(() => select.execute({ userId, platform, conversationLogId }))
      return row
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
    async knownMessages ({ userId, platform }, messageIds) {
      const known = new Set<string>()
      for (const ids of chunks(messageIds)) {
        const { statement, values } = selectKnown(ids)
        for (const { id } of await read(() => statement.execute({ userId, platform, ...values }))) known.add(id)
      }
      return known
    },
    async recordMessages (tenant, row, { pending, ...changes }, messageIds) {
      const { userId, platform } = tenant
      const results = await atomic(transaction => [
        transaction.update(table).set({ ...changes, ...life.next(row, pending) }).where(unchanged(table, { ...row, userId, platform })).returning(),
        ...chunks(messageIds).map(ids => transaction.insert(messages)
          .values(ids.map(messageId => ({ userId, platform, messageId, messageLogId: row.id, createdAt: clock() })))
          .onConflictDoNothing())
      ] as const)
      return results?.[0][0]
    },
    async startAnew (row, { pending, ...changes }) {
      const results = await atomic(transaction => [
        transaction.update(table).set({ ...changes, ...life.next(row, pending), createdAt: clock() }).where(unchanged(table, row)).returning(),
        transaction.delete(messages).where(eq(messages.messageLogId, row.id))
      ] as const)
      return results?.[0][0]
    },
    async due (now, limit, exceptPlatforms = []) {
      return await handle.select().from(table).where(and(isDue(table, now), notInArray(table.platform, [...exceptPlatforms]))).orderBy(asc(table.updatedAt)).limit(limit)
    },
    async hurry (tenant, reasons) {
      const now = clock()
      await handle.update(table).set({ nextAttemptAt: now }).where(isPutOff(table, tenant, reasons, now))
    }
  })
}

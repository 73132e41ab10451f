/** The tables, once for both dialects. After a change: `npm run db:generate` writes the migrations. */
import { sql } from 'drizzle-orm'
import type { ReturnMessage } from '../contract/answer.ts'
import type { UserSettings } from '../contract/settings.ts'
import type { Columns } from './columns.sqlite.ts'

/** Where a log is on its way into the CRM. */
export const LOG_STATES = ['sending', 'logged', 'failed', 'waiting', 'unknown', 'needs-user'] as const
export type LogState = typeof LOG_STATES[number]

export type Tables = ReturnType<typeof schema>

/** Whose row it is. */
const tenant = ({ text }: Columns) => ({
  userId: text().notNull().default(''),
  accountId: text().notNull().default(''),
  platform: text().notNull().default('')
})

/** What a call log and a message log have in common: their way into the CRM. */
const lifecycle = ({ text, integer, instant, json }: Columns) => ({
  contactId: text().notNull().default(''),
  contactType: text().notNull().default(''),
  crmLogId: text().notNull().default(''),
  state: text({ enum: LOG_STATES }).notNull(),
  version: integer().notNull(),
  leaseUntil: instant(),
  attempts: integer().notNull().default(0),
  nextAttemptAt: instant(),
  lastErrorCode: text().notNull().default(''),
  lastErrorMessage: text().notNull().default(''),
  fingerprints: json<Record<string, string>>().notNull(),
  sealedPending: text().notNull().default(''),
  answer: json<ReturnMessage>(),
  createdAt: instant().notNull(),
  updatedAt: instant().notNull()
})

/** Only what waits is in the indexes by which it is found: otherwise each step of each log would change two more places of a large file. */
export const unwritten = sql`state <> 'logged'`
const attempted = sql`next_attempt_at IS NOT NULL`

export function schema (columns: Columns) {
  const { table, text, integer, instant, json, index, primaryKey, uniqueIndex } = columns

  const users = table('users', {
    id: text().notNull(),
    platform: text().notNull(),
    crmUserId: text().notNull(),
    name: text().notNull().default(''),
    accountId: text().notNull().default(''),
    extensionHash: text().notNull().default(''),
    hostname: text().notNull().default(''),
    timeZone: text().notNull().default(''),
    timeZoneOffset: text().notNull().default(''),
    sealedCredentials: text().notNull().default(''),
    renewingUntil: instant(),
    revokedAt: instant(),
    info: json<Record<string, unknown>>().notNull(),
    settings: json<UserSettings>().notNull(),
    settingsVersion: integer().notNull(),
    sessionId: text().notNull(),
    version: integer().notNull(),
    createdAt: instant().notNull(),
    updatedAt: instant().notNull()
  }, t => [primaryKey({ columns: [t.id, t.platform] })])

  const callLogs = table('call_logs', {
    id: text().primaryKey(),
    ...tenant(columns),
    sessionId: text().notNull().default(''),
    extensionNumber: text().notNull().default(''),
    hashedExtensionId: text().notNull().default(''),
    telephonySessionId: text().notNull().default(''),
    startTime: instant(),
    ...lifecycle(columns)
  }, t => [
    uniqueIndex('call_logs_identity').on(t.userId, t.platform, t.sessionId, t.extensionNumber, t.hashedExtensionId),
    index('call_logs_state').on(t.state, t.leaseUntil, t.nextAttemptAt).where(unwritten),
    index('call_logs_next_attempt').on(t.nextAttemptAt).where(attempted)
  ])

  const messageLogs = table('message_logs', {
    id: text().primaryKey(),
    ...tenant(columns),
    conversationLogId: text().notNull().default(''),
    conversationId: text().notNull().default(''),
    ...lifecycle(columns)
  }, t => [
    uniqueIndex('message_logs_identity').on(t.userId, t.platform, t.conversationLogId),
    index('message_logs_state').on(t.state, t.leaseUntil, t.nextAttemptAt).where(unwritten),
    index('message_logs_next_attempt').on(t.nextAttemptAt).where(attempted)
  ])

  const messages = table('messages', {
    userId: text().notNull().default(''),
    platform: text().notNull().default(''),
    messageId: text().notNull().default(''),
    messageLogId: text().notNull().references(() => messageLogs.id, { onDelete: 'cascade' }),
    createdAt: instant().notNull()
  }, t => [
    primaryKey({ columns: [t.userId, t.platform, t.messageId] }),
    index('messages_log').on(t.messageLogId)
  ])

  const accountData = table('account_data', {
    ownerKey: text().notNull().default(''),
    platform: text().notNull().default(''),
    dataKey: text().notNull().default(''),
    data: json<NonNullable<unknown>>().notNull(),
    expiresAt: instant().notNull(),
    createdAt: instant().notNull(),
    updatedAt: instant().notNull()
  }, t => [
    primaryKey({ columns: [t.ownerKey, t.platform, t.dataKey] }),
    index('account_data_expiry').on(t.expiresAt)
  ])

  const noteCache = table('note_cache', {
    userId: text().notNull().default(''),
    platform: text().notNull().default(''),
    sessionId: text().notNull().default(''),
    sealedNote: text().notNull(),
    expiresAt: instant().notNull()
  }, t => [
    primaryKey({ columns: [t.userId, t.platform, t.sessionId] }),
    index('note_cache_expiry').on(t.expiresAt)
  ])

  return { users, callLogs, messageLogs, messages, accountData, noteCache }
}

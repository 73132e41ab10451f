/** The tables on SQLite, each under its own name: drizzle-kit reads them here. */
import { columns } from './columns.sqlite.ts'
import { schema } from './schema.ts'

export const { users, callLogs, messageLogs, messages, accountData, noteCache } = schema(columns)

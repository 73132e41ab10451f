/** The tables on Postgres, each under its own name: drizzle-kit reads them here. */
import { asSqlite } from './as-sqlite.ts'
import { columns } from './columns.postgres.ts'
import { schema } from './schema.ts'

export const { users, callLogs, messageLogs, messages, accountData, noteCache } = schema(asSqlite(columns))

/** What tables are made of on SQLite. The same keys as `columns.postgres.ts`. */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const columns = {
  table: sqliteTable,
  text,
  integer: () => integer(),
  /** Epoch milliseconds. */
  instant: () => integer(),
  json: <Value>() => text({ mode: 'json' }).$type<Value>(),
  index,
  primaryKey,
  uniqueIndex
}
export type Columns = typeof columns

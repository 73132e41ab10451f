/** What tables are made of on Postgres. The same keys as `columns.sqlite.ts`. */
import { bigint, customType, index, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Columns } from './columns.sqlite.ts'

/** Drizzle's own `jsonb` parses a stored string once more: the string `"12"` would come back as the number 12. */
const jsonb = customType<{ data: unknown, driverData: unknown }>({
  dataType: () => 'jsonb',
  toDriver: value => JSON.stringify(value),
  fromDriver: value => value
})

export const columns = {
  table: pgTable,
  text,
  integer: () => integer(),
  instant: () => bigint({ mode: 'number' }),
  json: () => jsonb(),
  index,
  primaryKey,
  uniqueIndex
} satisfies Record<keyof Columns, unknown>

/** The databases that every repository is tested on. */
import { createSecretKey } from 'node:crypto'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { sql, type SQL } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { drizzle } from 'drizzle-orm/pglite'
import type { Test } from 'tap'
import { cipher } from '../../src/db/cipher.ts'
import { openDatabase, type Database } from '../../src/db/database.ts'
import { bringUpToDate, postgresDatabase } from '../../src/db/postgres.ts'
import type { Tenant } from '../../src/db/tenant.ts'
import type { User } from '../../src/db/users.ts'

let pglite: PGlite | undefined

/** An empty Postgres in this process. One is shared by the tests of a file, because starting it takes a second. */
export async function openPglite (): Promise<Database> {
  pglite ??= new PGlite()
  // The results of both drivers have `rows`, which is all that opening needs.
  const handle = drizzle(pglite, { casing: 'snake_case' }) as unknown as NodePgDatabase
  await bringUpToDate(async work => await handle.transaction(work))
  const database = postgresDatabase(handle, async () => {})
  await handle.execute(sql`TRUNCATE users, call_logs, message_logs, messages, account_data, note_cache`)
  return database
}

/** Tests one behaviour on an empty SQLite file and on an empty Postgres. */
export async function onEveryDatabase (t: Test, title: string, check: (t: Test, database: Database) => Promise<void>): Promise<void> {
  const databases = {
    SQLite: async (t: Test) => await openDatabase(`file:${join(t.testdir(), 'patchbay.db')}`),
    Postgres: openPglite
  }
  for (const [name, open] of Object.entries(databases)) {
    await t.test(`${title} (${name})`, async t => {
      const database = await open(t)
      t.teardown(() => database.close())
      await check(t, database)
    })
  }
}

/** Runs a statement that no repository has. */
export async function execute (database: Database, statement: string): Promise<void> {
  const handle = database.handle as unknown as { run?: (query: SQL) => unknown, execute?: (query: SQL) => PromiseLike<unknown> }
  await (handle.run ?? handle.execute)?.call(handle, sql.raw(statement))
}

export const testCipher = cipher(new Map([['test', createSecretKey(Buffer.alloc(32, 7))]]))

/** Ids in the order in which they are asked for: `id-1`, `id-2`, ... */
export function countingIds (): () => string {
  let count = 0
  return () => `id-${++count}`
}

export const alice: Tenant = { userId: '1-acme', accountId: '500', platform: 'acme' }
/** Others who must not see what is alice's: another user, and the same id on another platform. */
export const strangers: Tenant[] = [
  { userId: '2-acme', accountId: '500', platform: 'acme' },
  { userId: '1-acme', accountId: '500', platform: 'other' }
]

/** What there is to know of a user, for comparing: the credentials are opened. */
export const membersOf = (user: User | undefined): object | undefined =>
  user && { ...Object.fromEntries(Object.entries(user)), credentials: user.credentials }

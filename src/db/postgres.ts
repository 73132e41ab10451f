/** Postgres through a pool of connections. */
import { getTableName, sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { asSqlite } from './as-sqlite.ts'
import type { Database, Handle, Results, Statement } from './database.ts'
import { guarded, unlessGuardFailed } from './guard.ts'
import { migrate } from './migrate.ts'
import * as tables from './tables.postgres.ts'

const CONNECT_TIMEOUT = 5_000

/** Any number that every process uses and other programs on the same database do not: "patchbay" in ASCII. */
const MIGRATION_LOCK = BigInt('0x7061746368626179')

/**
 * Opens a pool of connections and brings the tables up to date.
 * @param url `postgres://` or `postgresql://`
 * @throws when nobody answers, the login is refused, or the tables are not ours
 */
export async function openPostgres (url: string): Promise<Database> {
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT })
  // A connection that breaks while nobody uses it is replaced by the pool; without listeners it would end the process.
  // A break that matters fails the statement that runs into it.
  const ignore = () => {}
  pool.on('error', ignore)
  pool.on('connect', client => { client.on('error', ignore) })
  try {
    return await postgresDatabase(drizzle(pool, { casing: 'snake_case' }), () => pool.end())
  } catch (error) {
    await pool.end()
    throw error
  }
}

/**
 * A database over a Postgres that is already open, with its tables brought up to date.
 * @param postgres made with `casing: 'snake_case'`
 * @param close ends its connections
 */
export async function postgresDatabase (postgres: NodePgDatabase, close: () => Promise<void>): Promise<Database> {
  const names = ['patchbay_migrations', ...Object.values(tables).map(getTableName)].map(name => `'${name}'`)
  await postgres.transaction(async transaction => {
    await transaction.execute(sql.raw(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`))
    await migrate(
      async statement => (await transaction.execute(sql.raw(statement))).rows,
      'postgres',
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() AND tablename IN (${names.join()})`
    )
  })
  return {
    handle: asSqlite<Handle>(postgres),
    tables,
    ping: async () => { await postgres.execute(sql`SELECT 1`) },
    close,
    write: async execute => await execute(),
    async atomic<const Statements extends readonly Statement[]> (build: (handle: Handle) => Statements) {
      return await unlessGuardFailed(() => postgres.transaction(async transaction => {
        const results: unknown[] = []
        for (const statement of build(asSqlite<Handle>(transaction))) results.push(guarded(await statement))
        return results as unknown as Results<Statements>
      }))
    }
  }
}

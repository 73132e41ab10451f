/** Postgres through a pool of connections. */
import { DrizzleQueryError, getTableName, sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { asSqlite } from './as-sqlite.ts'
import type { Database, Handle, Results, Statement } from './database.ts'
import { guarded, isGuardFailed, unlessGuardFailed } from './guard.ts'
import { migrate } from './migrate.ts'
import * as tables from './tables.postgres.ts'

const CONNECT_TIMEOUT = 5_000
/** With the rollback after it and the wait for a connection before it, below the 25 s that a request may take. Milliseconds. */
const LONGEST_STATEMENT = 8_000

/** Any number that every process uses and other programs on the same database do not: "patchbay" in ASCII. */
const MIGRATION_LOCK = BigInt('0x7061746368626179')

/**
 * Opens a pool of connections and brings the tables up to date.
 * @param url `postgres://` or `postgresql://`
 * @param longestStatement milliseconds after which a statement counts as lost, and its connection as broken
 * @throws when nobody answers, the login is refused, or the tables are not ours
 */
export async function openPostgres (url: string, longestStatement = LONGEST_STATEMENT): Promise<Database> {
  const connection = { connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT, keepAlive: true }
  await bringUpToDateAt(connection)
  // Not the server's `statement_timeout`, which poolers between here and there refuse.
  const pool = new pg.Pool({ ...connection, query_timeout: longestStatement })
  // A connection that breaks while nobody uses it is replaced by the pool.
  pool.on('error', ignore)
  pool.on('connect', client => { client.on('error', ignore) })
  pool.on('release', (failure: unknown, client) => {
    if (failure instanceof Error && !isAnswered(failure)) endAfter(cancel(client, connection), client)
  })
  return postgresDatabase(drizzle(pool, { casing: 'snake_case' }), async () => { await pool.end() }, async work => await onOneOf(pool, work))
}

/** For breaks of connections: one that matters fails the statement that runs into it, and without a listener each ends the process. */
const ignore = (): void => {}

/** On a connection of its own: a migration, and the wait for that of another process, take as long as they take. */
async function bringUpToDateAt (connection: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(connection).on('error', ignore)
  try {
    await client.connect()
    await bringUpToDate(async work => await drizzle(client, { casing: 'snake_case' }).transaction(work))
  } finally {
    await client.end()
  }
}

/** Whether it is the server that tells of a failure: then nothing goes on there. */
const isAnswered = (failure: Error): boolean => (failure instanceof DrizzleQueryError ? failure.cause : failure) instanceof pg.DatabaseError

/** Of the driver's clients, what its types leave out. */
interface Session {
  readonly processID: number
  readonly secretKey: number
  readonly connection: { startup: () => void, cancel: (processID: number, secretKey: number) => void, unref: () => void }
  end: (ended?: () => void) => Promise<void>
}

/**
 * Asks the server to end the statement of a connection that is given up. It would go on: what waits for a lock there does not notice
 * that the other side has gone, takes up one of the server's connections, and writes when the lock is free. Poolers pass the request on.
 *
 * It costs a connection for a moment, before any login and beyond those that the server counts. No statement waits for it, nobody hears
 * whether it arrives, and one that cannot be made is given up like any other.
 * @returns settles when the server has closed that connection, or it is given up
 */
async function cancel (client: pg.PoolClient, config: pg.ClientConfig): Promise<void> {
  const { processID, secretKey } = client as unknown as Session
  const messenger = new pg.Client(config).on('error', ignore)
  const { connection } = messenger as unknown as Session
  // In the place of a login. The server closes the connection then, without an answer.
  connection.startup = () => { connection.cancel(processID, secretKey) }
  const closed = messenger.connect()
  connection.unref()
  await closed
}

/**
 * Keeps the connection of a client that its pool is about to end until something is done or has failed: a pooler knows only the keys
 * of connections that stand. For the pool, it has ended at once, and it does not keep the process.
 */
function endAfter (done: Promise<void>, client: pg.PoolClient): void {
  const session = client as unknown as Session
  const end = session.end.bind(session)
  session.end = async ended => {
    ended?.()
    await done.catch(ignore)
    await end()
  }
  session.connection.unref()
}

type Transaction = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0]
type InTransaction = <Result>(work: (transaction: Transaction) => Promise<Result>) => Promise<Result>

/** A transaction whose connection is given back whatever happens. (Drizzle keeps one that breaks before the transaction has begun.) */
async function onOneOf<Result> (pool: pg.Pool, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
  const client = await pool.connect().catch((cause: Error) => { throw new DrizzleQueryError('CONNECT', [], cause) })
  let failure: unknown
  try {
    return await drizzle(client, { casing: 'snake_case' }).transaction(work)
  } catch (error) {
    if (!isGuardFailed(error)) failure = error
    throw error
  } finally {
    // The pool ends a connection of which nobody knows in what state it is.
    client.release(failure as Error | undefined)
  }
}

/** Makes or migrates the tables, in turn with other processes. */
export async function bringUpToDate (inTransaction: InTransaction): Promise<void> {
  const names = ['patchbay_migrations', ...Object.values(tables).map(getTableName)].map(name => `'${name}'`)
  await inTransaction(async transaction => {
    await transaction.execute(sql.raw(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`))
    await migrate(
      async statement => (await transaction.execute(sql.raw(statement))).rows,
      'postgres',
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() AND tablename IN (${names.join()})`
    )
  })
}

/**
 * A database over a Postgres whose tables are up to date.
 * @param postgres made with `casing: 'snake_case'`
 * @param close ends its connections
 * @param inTransaction the handle's own when absent
 */
export function postgresDatabase (
  postgres: NodePgDatabase, close: () => Promise<void>, inTransaction: InTransaction = async work => await postgres.transaction(work)
): Database {
  return {
    handle: asSqlite<Handle>(postgres),
    tables,
    ping: async () => { await postgres.execute(sql`SELECT 1`) },
    close,
    read: async execute => await execute(),
    write: async execute => await execute(),
    async atomic<const Statements extends readonly Statement[]> (build: (handle: Handle) => Statements) {
      return await unlessGuardFailed(() => inTransaction(async transaction => {
        const results: unknown[] = []
        for (const statement of build(asSqlite<Handle>(transaction))) results.push(guarded(await statement))
        return results as unknown as Results<Statements>
      }))
    }
  }
}

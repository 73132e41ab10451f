/** SQLite in one file. */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Client from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Database, Handle, Results, Statement } from './database.ts'
import { groupedReads, groupedWrites } from './groups.ts'
import { guarded, unlessGuardFailed } from './guard.ts'
import { migrate } from './migrate.ts'
import * as tables from './tables.sqlite.ts'

/** How long to wait while another process writes, in milliseconds. */
const BUSY_TIMEOUT = 5_000
const BUSY_PAUSE = 10
/**
 * After how many pages of the write-ahead log they are moved into the file itself. Meanwhile nobody is answered, and in a large file
 * hardly two of them are neighbours: a few at a time (SQLite's own choice is 1,000).
 */
const CHECKPOINT_PAGES = 250
/** How much of the file is kept in memory at most, in KiB: enough to find a log among a million without asking the system for it. */
const CACHE_SIZE = 65_536

/**
 * Opens a database file, which is made together with its folder when it is not there, and brings its tables up to date.
 * @throws when the file cannot be written or is not ours
 */
export async function openSqlite (file: string): Promise<Database> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // Before SQLite opens it: the files beside it (-wal, -shm) get the mode of the database file.
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)

  const client = new Client(file, { timeout: BUSY_TIMEOUT })
  try {
    await writeAhead(client)
    // Neither is kept in the file. In WAL mode anything below FULL may lose the last commits with the power.
    client.pragma('synchronous = FULL')
    // A migration may make a table anew; with foreign keys on, dropping the old one would delete what refers to it.
    client.pragma('foreign_keys = OFF')
    await migrateAlone(client)
    client.pragma('foreign_keys = ON')
    client.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    client.pragma(`cache_size = -${CACHE_SIZE}`)
  } catch (error) {
    client.close()
    throw error
  }

  // Without asking the disk: connections share the memory in which they tell each other.
  const dataVersion = client.prepare<[], number>('PRAGMA data_version').pluck()
  const handle = drizzle(client, { casing: 'snake_case' })
  const [read, write] = [groupedReads(client), groupedWrites(client)]
  return {
    handle,
    tables,
    othersChanges: () => dataVersion.get() ?? 0,
    ping: async () => { client.prepare('SELECT 1').get() },
    close: async () => { client.close() },
    read: async execute => await read(() => execute().sync()),
    write: async execute => await write(() => execute().sync()),
    async atomic<const Statements extends readonly Statement[]> (build: (handle: Handle) => Statements) {
      const transaction = client.transaction(() => build(handle).map(statement => guarded(statement.prepare().execute().sync())))
      // Immediate: a transaction that takes the write lock only later may fail at once instead of waiting for another process.
      return await unlessGuardFailed(() => transaction.immediate() as unknown as Results<Statements>)
    }
  }
}

/** While another process switches the same new file to WAL, SQLite may fail at once instead of waiting. */
async function writeAhead (client: Client.Database): Promise<void> {
  const giveUp = performance.now() + BUSY_TIMEOUT
  for (;;) {
    try {
      client.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (!(error instanceof Client.SqliteError) || error.code !== 'SQLITE_BUSY' || performance.now() > giveUp) throw error
    }
    await setTimeout(BUSY_PAUSE)
  }
}

/** Migrates while no other process can write. The connection is still ours alone, so that awaiting inside is safe. */
async function migrateAlone (client: Client.Database): Promise<void> {
  client.exec('BEGIN IMMEDIATE')
  await migrate(async statement => {
    const prepared = client.prepare<[], Record<string, unknown>>(statement)
    if (prepared.reader) return prepared.all()
    prepared.run()
    return []
  }, 'sqlite', "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
  client.exec('COMMIT')
}

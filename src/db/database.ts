/** One database behind one type, whichever dialect its URL names. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DrizzleQueryError } from 'drizzle-orm'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { Tables } from './schema.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** Drizzle's query builder. On Postgres too it has the type of SQLite's: `as-sqlite.ts` says why. */
export type Handle = BetterSQLite3Database

/** A statement that the handle of `atomic` built and that nobody has awaited yet. */
export type Statement = PromiseLike<unknown> & { prepare (): { execute (): { sync (): unknown } } }
/** What `execute()` of a prepared statement gives: it runs when it is awaited, or by `sync()` on SQLite. */
export type Executed<Result> = PromiseLike<Result> & { sync (): Result }
export type Results<Statements extends readonly Statement[]> = { [Index in keyof Statements]: Awaited<Statements[Index]> }

export interface Database {
  handle: Handle
  tables: Tables
  /** A number that is another one when another connection has changed something. Absent where that would be a question over the net. */
  othersChanges?: () => number
  /** Resolves when the database answers. */
  ping (): Promise<void>
  close (): Promise<void>
  /**
   * Runs a prepared statement that reads, together with what others read at the same moment: for the paths on which many read.
   * @param execute gives what `execute()` of the statement gives, which nobody has awaited yet
   */
  read<Result> (execute: () => Executed<Result>): Promise<Result>
  /** The same for one that writes. */
  write<Result> (execute: () => Executed<Result>): Promise<Result>
  /**
   * Runs a list of statements in one transaction. A statement whose `returning()` gives no row is a guard that did not hold:
   * everything is undone, and the answer is undefined.
   * @param build builds the statements with the handle of the transaction; it cannot read in between
   */
  atomic<const Statements extends readonly Statement[]> (build: (handle: Handle) => Statements): Promise<Results<Statements> | undefined>
}

/** Epoch milliseconds. */
export type Clock = () => number

/**
 * The file of a `file:` URL (relative ones start at the working directory), or undefined for another database.
 * @throws an error that names DATABASE_URL when `file://` is followed by something else than an absolute path
 */
export function databaseFile (url: string): string | undefined {
  if (!url.startsWith('file:') || url === 'file:') return undefined
  if (!url.startsWith('file://')) return resolve(url.slice('file:'.length))
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw new Error('DATABASE_URL: file:// wants an absolute path (file:///var/patchbay.db), else write file:data.db', { cause: error })
  }
}

/**
 * Opens the database and brings its tables up to date.
 * @param url `file:<path>` for SQLite, `postgres://` or `postgresql://`
 * @param longestStatement milliseconds after which a statement of Postgres counts as lost; what requests can wait for when absent
 * @throws an error that names DATABASE_URL and says what is wrong: a form that is not known, not writable, not a database,
 *   somebody else's, changed by another version
 */
export async function openDatabase (url: string, longestStatement?: number): Promise<Database> {
  const file = databaseFile(url)
  if (file === undefined && !/^postgres(ql)?:\/\//.test(url)) {
    throw new Error('DATABASE_URL must be file:<path>, for example file:./data/patchbay.db, or postgres://<user>@<host>/<database>')
  }
  try {
    return file === undefined ? await openPostgres(url, longestStatement) : await openSqlite(file)
  } catch (error) {
    const where = file ?? 'Postgres'
    throw new Error(`DATABASE_URL (${where}): ${reason(error)}`, file === undefined ? {} : { cause: error })
  }
}

/** What an error says. Drizzle's says the statement instead, and Node's says nothing when every address of a host refused. */
function reason (error: unknown): string {
  if (error instanceof DrizzleQueryError) return reason(error.cause)
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ')
  return error instanceof Error ? error.message : String(error)
}

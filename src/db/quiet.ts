/** Errors of a database without the values of the statement. */
import Client from 'better-sqlite3'
import { DrizzleQueryError } from 'drizzle-orm'
import { PatchbayError } from '../contract/errors.ts'

/** A statement that the database refused. `code` is the database's own. It has no `cause`, which would hold the values again. */
export class StatementError extends Error {
  override name = 'StatementError'
  readonly code: string
  /** Whether the database, not the statement, is in the way: it is away, busy or full, and the same statement may do later. */
  readonly passes: boolean
  constructor (cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    // Class 22 of Postgres, data exceptions, quotes the value that it does not take.
    super(code.startsWith('22') || !(cause instanceof Error) ? 'A value was refused' : cause.message)
    this.code = code
    this.passes = code === '' ? cause instanceof Error && cause.name === 'Error' : passing.test(code)
  }
}

/**
 * Codes of Postgres by their classes (connection, rollback, resources, operator, system) or one by one (a standby that only reads,
 * transactions that took too long, a lock that somebody else holds), of SQLite, and of Node.js. (The driver of Postgres gives none to
 * timeouts and to connections that end.)
 *
 * https://www.postgresql.org/docs/current/errcodes-appendix.html, https://www.sqlite.org/rescode.html
 */
const passing = /^((08|40|53|57|58)[0-9A-Z]{3}|25006|25P0[34]|55P03|SQLITE_(BUSY|FULL|IOERR|LOCKED|CANTOPEN)(_\w+)?|E(?!RR_)[A-Z_]+)$/

/**
 * The same repository, with errors that may be logged: drizzle writes the values of a failed statement, people's names and words
 * among them, into the message of its error.
 *
 * Its methods throw {@link StatementError}, or `not-ready` with it as the cause where the database is in the way.
 */
export function quiet<Repository extends object> (repository: Repository): Repository {
  const methods = Object.entries(repository).map(([name, method]) => [name, (...input: unknown[]) => {
    const answer: unknown = method(...input)
    return answer instanceof Promise ? answer.catch(rethrow) : answer
  }])
  return Object.fromEntries(methods) as Repository
}

/** Seconds until a database that is away, busy or full is worth asking again. */
const databaseRest = 5

function rethrow (error: unknown): never {
  if (error instanceof DrizzleQueryError) throw refused(error.cause)
  // Not wrapped by drizzle.
  throw error instanceof Client.SqliteError ? refused(error) : error
}

/** Coded where it passes, because it may happen within an operation, where anything else is the connector's failure. */
function refused (cause: unknown): Error {
  const error = new StatementError(cause)
  return error.passes ? new PatchbayError('not-ready', { retryAfter: databaseRest, cause: error }) : error
}

/** Errors of a database without the values of the statement. */
import { DrizzleQueryError } from 'drizzle-orm'

/** A statement that the database refused. `code` is the database's own. It has no `cause`, which would hold the values again. */
export class StatementError extends Error {
  override name = 'StatementError'
  readonly code: string
  constructor (cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    // Class 22 of Postgres, data exceptions, quotes the value that it does not take.
    super(code.startsWith('22') || !(cause instanceof Error) ? 'A value was refused' : cause.message)
    this.code = code
  }
}

/**
 * The same repository, with errors that may be logged: drizzle writes the values of a failed statement, people's names and words
 * among them, into the message of its error.
 */
export function quiet<Repository extends object> (repository: Repository): Repository {
  const methods = Object.entries(repository).map(([name, method]) => [name, (...input: unknown[]) => {
    const answer: unknown = method(...input)
    return answer instanceof Promise ? answer.catch(rethrow) : answer
  }])
  return Object.fromEntries(methods) as Repository
}

function rethrow (error: unknown): never {
  throw error instanceof DrizzleQueryError ? new StatementError(error.cause) : error
}

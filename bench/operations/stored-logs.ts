/** A database as it is after years: many logs of many users, made by copying one that the server itself has written. */
import Database from 'better-sqlite3'
import { userOf, type KnownSession } from './workload.ts'

const users = 1000
const rowsPerStatement = 20_000

/**
 * @param file a database with at least one log
 * @returns the sessions of the users that connections belong to
 */
export function storeLogs (file: string, count: number): KnownSession {
  const database = new Database(file, { timeout: 10_000 })
  database.pragma('synchronous = OFF')
  const differing: Readonly<Record<string, string>> = {
    id: 'lower(hex(randomblob(16)))',
    user_id: `(n % ${users} + 1) || '-example'`,
    session_id: `'' || (${firstSession} + n)`,
    crm_log_id: `'' || (${firstSession} + n)`
  }
  const columns = database.prepare<[], { name: string }>("SELECT name FROM pragma_table_info('call_logs')").all().map(({ name }) => name)
  const insert = database.prepare(`
    WITH RECURSIVE numbers (n) AS (SELECT CAST(? AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
    INSERT INTO call_logs (${columns.join(', ')})
    SELECT ${columns.map(name => differing[name] ?? `first.${name}`).join(', ')}
    FROM numbers, (SELECT * FROM call_logs ORDER BY created_at LIMIT 1) AS first`)
  for (let n = 0; n < count; n += rowsPerStatement) insert.run(n, Math.min(n + rowsPerStatement, count))
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()

  const sessionsEach = count / users
  return (connection, turn) => String(firstSession + userOf(connection) - 1 + users * (turn * 7919 % sessionsEach))
}

const firstSession = 9_000_000_000

import { join } from 'node:path'
import Client from 'better-sqlite3'
import t from 'tap'
import { openDatabase } from '../../src/db/database.ts'
import { startPatchbay } from '../patchbay.ts'

const rows = 100_000

await t.test(`a server with ${rows} logs reads none of them to be ready`, async t => {
  const folder = t.testdir()
  const file = join(folder, 'patchbay.db')
  await (await openDatabase(`file:${file}`)).close()
  const client = new Client(file)
  for (const [table, key] of [['call_logs', 'session_id'], ['message_logs', 'conversation_log_id']] as const) {
    client.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})
      INSERT INTO ${table} (id, user_id, platform, ${key}, state, version, fingerprints, created_at, updated_at)
      SELECT n, '1-example', 'example', n, 'logged', 3, '{}', n, n FROM numbers`)
  }

  // Whatever is asked of any database from here on, and how many rows it gave.
  const statement = Object.getPrototypeOf(client.prepare('SELECT 1'))
  const asked = new Set<string>()
  let given = 0
  for (const method of ['run', 'get', 'all'] as const) {
    const perform = statement[method]
    statement[method] = function (this: Client.Statement, ...values: unknown[]) {
      asked.add(this.source)
      const result = perform.apply(this, values)
      if (method === 'all') given += result.length
      return result
    }
    t.teardown(() => { statement[method] = perform })
  }
  const patchbay = await startPatchbay(t, { folder, recoverEvery: 60_000 })
  t.equal((await patchbay.call('/health/ready')).status, 200)
  await patchbay.app.close()

  const aboutLogs = [...asked].filter(source => /"(call|message)_logs"/.test(source) && source.startsWith('select'))
  t.equal(aboutLogs.length, 2, 'what is due is looked for')
  t.ok(given < 100, `${given} rows were read`)
  for (const source of aboutLogs) {
    const plan = client.prepare(`EXPLAIN QUERY PLAN ${source}`).all(Array(source.split('?').length - 1).fill(null)).map(step => (step as { detail: string }).detail)
    t.notMatch(plan.join('\n'), /\bSCAN\b/, source)
  }
  client.close()
})

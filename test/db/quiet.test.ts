import { DrizzleQueryError } from 'drizzle-orm'
import t from 'tap'
import { callLogs } from '../../src/db/call-logs.ts'
import { quiet } from '../../src/db/quiet.ts'
import { alice, execute, onEveryDatabase, testCipher } from './databases.ts'

await onEveryDatabase(t, 'an error says what the database refused, without the values', async (t, database) => {
  const logs = callLogs(database, testCipher, () => 0)
  await execute(database, 'ALTER TABLE call_logs RENAME TO hidden')
  const failure: Error = await logs.reserve(alice, { sessionId: 'canary', leaseUntil: 1 }).then(() => t.fail('nothing refused'), error => error)
  t.match(failure.message, /call_logs/)
  t.notMatch(`${failure.stack} ${JSON.stringify(failure)} ${JSON.stringify(failure.cause)}`, /canary/)
  await execute(database, 'ALTER TABLE hidden RENAME TO call_logs')
})

const refused = (cause: Error): Error => new DrizzleQueryError('INSERT', ['canary'], cause)

await t.test('an error that quotes a value keeps only its code', async t => {
  const cause = Object.assign(new Error('invalid input syntax for type bigint: "canary"'), { code: '22P02', detail: 'canary' })
  const repository = quiet({ save: async () => { throw refused(cause) } })
  await t.rejects(repository.save(), { message: 'A value was refused', code: '22P02', cause: undefined })
})

await t.test('other errors and answers pass', async t => {
  const repository = quiet({
    fail: async () => { throw new RangeError('no') },
    lost: async () => { throw refused(new Error('connection lost')) },
    find: async (id: string) => id,
    open: (id: string) => id
  })
  await t.rejects(repository.fail(), RangeError)
  await t.rejects(repository.lost(), { code: 'not-ready', cause: { name: 'StatementError', message: 'connection lost', code: '' } })
  t.equal(await repository.find('1'), '1')
  t.equal(repository.open('2'), '2')
})

await t.test('an error says whether the database is in the way, or the statement', async t => {
  const table: Array<[passes: boolean, codes: string[]]> = [
    [true, ['', 'ECONNREFUSED', 'ETIMEDOUT']],
    [true, ['08006', '25006', '25P03', '25P04', '40001', '53300', '55P03', '57P01']],
    [true, ['SQLITE_FULL', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_IOERR_WRITE']],
    [false, ['22P02', '23505', '25001', '25P02', '55000', '42P01', 'SQLITE_ERROR', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CORRUPT']]
  ]
  for (const [passes, codes] of table) {
    for (const code of codes) {
      const repository = quiet({ save: async () => { throw refused(code === '' ? new Error('timeout') : Object.assign(new Error('x'), { code })) } })
      await t.rejects(repository.save(), passes ? { code: 'not-ready', retryAfter: 5, cause: { name: 'StatementError', code } } : { name: 'StatementError', code }, code)
    }
  }
})

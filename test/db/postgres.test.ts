import { PGlite } from '@electric-sql/pglite'
import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { users } from '../../src/db/users.ts'
import { membersOf, testCipher } from './databases.ts'
import { servePostgres } from './postgres-server.ts'

await t.test('a Postgres database opens by its URL, survives broken connections and closes', async t => {
  const pglite = await PGlite.create()
  const server = await servePostgres(pglite)
  t.teardown(async () => { server.stop(); await pglite.close() })

  const database = await openDatabase(server.url)
  await database.ping()
  const people = users(database, testCipher, () => 1)
  const { handle, tables } = database
  const saved = await people.save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'x' }, info: { text: '12' } })
  t.strictSame(membersOf(await people.find('1-acme', 'acme')), membersOf(saved))
  t.type(saved.createdAt, 'number')

  server.breakConnections()
  t.strictSame(membersOf(await database.ping().catch(() => database.ping()).then(() => people.find('1-acme', 'acme'))), membersOf(saved))

  const undone = await database.atomic(transaction => [
    transaction.update(tables.users).set({ name: 'changed' }),
    transaction.update(tables.users).set({ name: 'guarded' }).where(eq(tables.users.version, 99)).returning()
  ])
  t.equal(undone, undefined)
  t.strictSame(await handle.select({ name: tables.users.name }).from(tables.users), [{ name: '' }])
  // Each of them breaks when its transaction begins.
  for (let times = 0; times < 12; times++) {
    server.breakAtBegin()
    await t.rejects(database.atomic(transaction => [transaction.update(tables.users).set({ name: 'x' })]), String(times))
  }
  await database.ping()
  await database.close()

  const again = await openDatabase(server.url.replace('postgres:', 'postgresql:'))
  server.stop()
  server.breakConnections()
  for (const how of ['a connection that broke', 'none that can be made']) {
    await t.rejects(users(again, testCipher, () => 1).signOut({ userId: '1-acme', accountId: '', platform: 'acme' }), { code: 'not-ready', cause: { name: 'StatementError' } }, how)
  }
  await again.close()
})

await t.test('a Postgres that vanishes without a word holds nobody up, and its connections are not used again', async t => {
  const pglite = await PGlite.create()
  const server = await servePostgres(pglite)
  t.teardown(async () => { server.stop(); await pglite.close() })

  const database = await openPostgres(server.url, 500)
  const { handle, tables } = database
  const statements: Array<[title: string, run: () => Promise<unknown>]> = [
    ['a statement', async () => await database.ping()],
    ['a transaction', async () => await database.atomic(transaction => [transaction.update(tables.users).set({ name: 'x' })])]
  ]
  for (const [title, run] of statements) {
    await run()
    server.vanish()
    await t.rejects(run(), title)
    await t.resolves(run(), `${title}, after that`)
  }
  await t.rejects(handle.select({ no: sql`no_such_column` }).from(tables.users), 'what the server has answered is at its end there')
  await database.close()
  await server.left()
  t.strictSame(server.cancelled, [2, 3], 'and goes on nowhere: what the server does may be waiting for a lock')
})

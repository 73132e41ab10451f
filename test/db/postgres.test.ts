import { createServer, type AddressInfo, type Socket } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { users } from '../../src/db/users.ts'
import { membersOf, testCipher } from './databases.ts'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const [cancelRequest, backendKeyData] = [Buffer.from('0000001004d2162e', 'hex'), Buffer.from('4b0000000c', 'hex')]

/** Postgres on a socket, for the real driver. It has one session, so connections must not use it at the same time. */
async function servePostgres (pglite: PGlite) {
  const sockets = new Set<Socket>()
  const silent = new WeakSet<Socket>()
  let breaking = false
  let sessions = 0
  const cancelled: number[] = []
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    let queue = Promise.resolve()
    socket.on('data', bytes => {
      if (silent.has(socket)) return
      if (breaking && /\bbegin\b/i.test(bytes.toString('latin1'))) {
        breaking = false
        return socket.destroy()
      }
      if (bytes.subarray(0, 8).equals(cancelRequest)) {
        cancelled.push(Number(bytes.toString('latin1', 8)))
        return socket.destroy()
      }
      queue = queue.then(async () => { socket.write(withKey(await pglite.execProtocolRaw(bytes))) })
    })
  })
  /** Process and key of each session are its own: together `00000001`, `00000002`, ... */
  function withKey (answer: Uint8Array): Uint8Array {
    const at = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).indexOf(backendKeyData)
    return at < 0 ? answer : Buffer.concat([answer.subarray(0, at), backendKeyData, Buffer.from(String(++sessions).padStart(8, '0')), answer.subarray(at + 13)])
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `postgres://postgres:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/postgres`,
    /** The connection on which the next transaction begins. */
    breakAtBegin: () => { breaking = true },
    breakConnections: () => { for (const socket of sockets) socket.destroy() },
    /** Nothing is answered on the connections that stand, and nobody says why. */
    vanish: () => { for (const socket of sockets) silent.add(socket) },
    /** The sessions that somebody has asked to end their statement. */
    cancelled,
    stop: () => { server.close() }
  }
}

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
  t.strictSame(server.cancelled, [2, 3], 'and goes on nowhere: what the server does may be waiting for a lock')
})

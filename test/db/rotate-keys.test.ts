import { createSecretKey } from 'node:crypto'
import { eq } from 'drizzle-orm'
import t from 'tap'
import { callLogs } from '../../src/db/call-logs.ts'
import { cipher } from '../../src/db/cipher.ts'
import type { Database } from '../../src/db/database.ts'
import { messageLogs } from '../../src/db/message-logs.ts'
import { noteCache } from '../../src/db/note-cache.ts'
import { rotateKeys } from '../../src/db/rotate-keys.ts'
import { users } from '../../src/db/users.ts'
import { alice, countingIds, onEveryDatabase } from './databases.ts'

const keys = { old: createSecretKey(Buffer.alloc(32, 1)), new_: createSecretKey(Buffer.alloc(32, 2)) }
const before = cipher(new Map([['old', keys.old]]))
const during = cipher(new Map([['new_', keys.new_], ['old', keys.old]]))
const after = cipher(new Map([['new_', keys.new_]]))
const clock = () => 1_000

/** 230 users, 130 waiting call logs, 3 waiting message logs, 120 notes; and one of each that holds nothing. */
async function fill (database: Database): Promise<void> {
  const people = users(database, before, clock)
  for (let index = 0; index < 230; index++) {
    await people.save({ platform: index % 2 === 0 ? 'acme' : 'other', crmUserId: String(index), credentials: { accessToken: `token-${index}` } })
  }
  await people.save({ platform: 'acme', crmUserId: 'gone', credentials: { accessToken: 'x' } })
  await people.signOut({ userId: 'gone-acme', accountId: '', platform: 'acme' })
  const calls = callLogs(database, before, clock, countingIds())
  for (let index = 0; index < 130; index++) await calls.reserve(alice, { sessionId: `s${index}`, leaseUntil: 1, pending: `call ${index}` })
  await calls.reserve(alice, { sessionId: 'nothing', leaseUntil: 1 })
  const conversations = messageLogs(database, before, clock)
  for (let index = 0; index < 3; index++) await conversations.reserve(alice, { conversationLogId: `c${index}`, leaseUntil: 1, pending: `message ${index}` })
  const notes = noteCache(database, before, clock)
  for (let index = 0; index < 120; index++) await notes.put(alice, `s${index}`, `note ${index}`, 5_000)
}

const counts = async (database: Database): Promise<object> => Object.fromEntries((await rotateKeys(database, during))
  .map(({ name, resealed, unreadable, remaining }) => [name, [resealed, unreadable.length, remaining]]))

await onEveryDatabase(t, 'everything is sealed with the first key, and opens as before', async (t, database) => {
  await fill(database)
  t.strictSame(await counts(database), { credentials: [230, 0, 0], 'waiting call logs': [130, 0, 0], 'waiting message logs': [3, 0, 0], notes: [120, 0, 0] })
  t.strictSame(await counts(database), { credentials: [0, 0, 0], 'waiting call logs': [0, 0, 0], 'waiting message logs': [0, 0, 0], notes: [0, 0, 0] }, 'a second run finds nothing to do')

  const people = users(database, after, clock)
  for (let index = 0; index < 230; index++) {
    const platform = index % 2 === 0 ? 'acme' : 'other'
    t.match(await people.find(`${index}-${platform}`, platform), { version: 1, credentials: { accessToken: `token-${index}` } }, 'nobody\'s renewal is made void')
  }
  t.equal((await people.find('gone-acme', 'acme'))?.credentials, undefined)
  const calls = callLogs(database, after, clock)
  t.equal(calls.pendingOf(await calls.find(alice, 's129', { extensionNumber: '', hashedExtensionId: '' }) ?? { id: '', sealedPending: '' }), 'call 129')
  const conversations = messageLogs(database, after, clock)
  t.equal(conversations.pendingOf(await conversations.find(alice, 'c2') ?? { id: '', sealedPending: '' }), 'message 2')
  t.equal((await noteCache(database, after, clock).find(alice, 's119'))?.note, 'note 119')
})

await onEveryDatabase(t, 'what cannot be read stays as it is and is named', async (t, database) => {
  const people = users(database, before, clock)
  for (const crmUserId of ['1', '2', '3']) await people.save({ platform: 'acme', crmUserId, credentials: { accessToken: `token-${crmUserId}` } })
  const { handle, tables: { users: table } } = database
  const [first, second] = await handle.select().from(table).orderBy(table.id)
  await handle.update(table).set({ sealedCredentials: first?.sealedCredentials ?? '' }).where(eq(table.id, second?.id ?? ''))

  const [credentials] = await rotateKeys(database, during)
  t.match(credentials, { name: 'credentials', resealed: 2, remaining: 0 })
  t.strictSame(credentials?.unreadable, ['users/acme/2-acme/credentials'])
  const unreadable = await users(database, during, clock).find('2-acme', 'acme')
  t.throws(() => unreadable?.credentials, { code: 'unreadable' })
  await people.save({ platform: 'acme', crmUserId: '2', credentials: { accessToken: 'again' } })
  t.match((await rotateKeys(database, during))[0], { resealed: 1, unreadable: [] }, 'until somebody signs in again')
})

await onEveryDatabase(t, 'another key with the id of the first one is noticed', async (t, database) => {
  await fill(database)
  const mistaken = cipher(new Map([['old', keys.new_]]))
  t.strictSame((await rotateKeys(database, mistaken)).map(({ resealed, unreadable, remaining }) => [resealed, unreadable.length, remaining]), [[0, 230, 0], [0, 130, 0], [0, 3, 0], [0, 120, 0]])
})

await onEveryDatabase(t, 'what changes meanwhile is not overwritten', async (t, database) => {
  const people = users(database, before, clock)
  await people.save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'first' } })
  let writes = 0
  const disturbed: Database = {
    ...database,
    atomic: async build => {
      // A server that does not have the new ring yet.
      if (writes++ === 0) await people.save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'second' } })
      return await database.atomic(build)
    }
  }
  const [credentials] = await rotateKeys(disturbed, during)
  t.match(credentials, { unreadable: [], remaining: 0 })
  t.match(await users(database, after, clock).find('1-acme', 'acme'), { version: 2, credentials: { accessToken: 'second' } })
})

await onEveryDatabase(t, 'a server that goes on sealing with the old key is noticed', async (t, database) => {
  const people = users(database, before, clock)
  const sign = async () => await people.save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'x' } })
  await sign()
  const stubborn: Database = {
    ...database,
    atomic: async build => {
      const results = await database.atomic(build)
      await sign()
      return results
    }
  }
  t.match((await rotateKeys(stubborn, during))[0], { remaining: 1, unreadable: [] })
})

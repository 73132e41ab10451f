import { join } from 'node:path'
import type Client from 'better-sqlite3'
import t from 'tap'
import { accountData } from '../../src/db/account-data.ts'
import { callLogs } from '../../src/db/call-logs.ts'
import { openDatabase } from '../../src/db/database.ts'
import { messageLogs } from '../../src/db/message-logs.ts'
import { noteCache } from '../../src/db/note-cache.ts'
import { users } from '../../src/db/users.ts'
import { alice, testCipher } from './databases.ts'

await t.test('no statement of a repository reads a whole table', async t => {
  const database = await openDatabase(`file:${join(t.testdir(), 'patchbay.db')}`)
  t.teardown(() => database.close())
  const client = (database.handle as unknown as { $client: Client.Database }).$client
  const statements = new Set<string>()
  const prepare = client.prepare.bind(client)
  client.prepare = (text: string) => {
    statements.add(text)
    return prepare(text)
  }

  const clock = (): number => 1_000
  const anyone = { extensionNumber: '', hashedExtensionId: '' }
  const people = users(database, testCipher, clock)
  const { version } = await people.save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'x' } })
  await people.save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'x' } })
  await people.saveSettings(alice, { one: { value: 1 } })
  await people.replaceCredentials(alice, version, { accessToken: 'y' })
  await people.signOut(alice)
  const calls = callLogs(database, testCipher, clock)
  const call = await calls.reserve(alice, { sessionId: 's1', leaseUntil: 1 })
  if (call !== undefined) await calls.advance(call, { state: 'logged' })
  await calls.findMany(alice, ['s1', 's2'], anyone)
  await calls.due(1_000, 10)
  await calls.hurry(alice, ['auth-expired'])
  const conversations = messageLogs(database, testCipher, clock)
  await conversations.find(alice, 'c1')
  const conversation = await conversations.reserve(alice, { conversationLogId: 'c1', leaseUntil: 1 })
  if (conversation !== undefined) await conversations.recordMessages(alice, conversation, {}, ['m1'])
  await conversations.knownMessages(alice, ['m1', 'm2'])
  await conversations.due(1_000, 10)
  await conversations.hurry(alice, ['auth-expired'])
  const owner = { ownerKey: '500', platform: 'acme' }
  const data = accountData(database, clock)
  await data.set(owner, 'key', [], 1)
  await data.get(owner, 'key')
  await data.remove(owner, 'key')
  await data.removeExpired(1_000)
  const notes = noteCache(database, testCipher, clock)
  await notes.put(alice, 's1', 'note', 1)
  await notes.remove(alice, 's1', await notes.find(alice, 's1') ?? { note: '', sealedNote: '' })
  await notes.removeExpired()

  t.ok(statements.size >= 20)
  for (const statement of statements) {
    const values = Array(statement.split('?').length - 1).fill(null)
    const plan = prepare(`EXPLAIN QUERY PLAN ${statement}`).all(values).map(step => String((step as { detail: unknown }).detail))
    t.notMatch(plan.join('\n'), /\bSCAN\b/, statement)
  }
})

import t from 'tap'
import type { Database } from '../../src/db/database.ts'
import { messageLogs, type MessageLog, type MessageLogs } from '../../src/db/message-logs.ts'
import { alice, countingIds, onEveryDatabase, strangers, testCipher } from './databases.ts'

function repository (database: Database, clock = () => 1_000): MessageLogs {
  return messageLogs(database, testCipher, clock, countingIds())
}

async function reserved (logs: MessageLogs, conversationLogId: string, more = {}): Promise<MessageLog> {
  const row = await logs.reserve(alice, { conversationLogId, leaseUntil: 2_000, ...more })
  if (row === undefined) throw new Error('already reserved')
  return row
}

await onEveryDatabase(t, 'a conversation is reserved once, and found as it was reserved (defect D-19)', async (t, database) => {
  const logs = repository(database)
  const row = await reserved(logs, 'c1/2024-05-01-77', { conversationId: 'c1', contactId: '77', contactType: 'Lead', pending: 'hello' })
  t.match(row, { id: 'id-1', ...alice, conversationLogId: 'c1/2024-05-01-77', conversationId: 'c1', contactId: '77', state: 'sending', version: 1 })
  t.equal(logs.pendingOf(row), 'hello')
  t.equal(await logs.reserve(alice, { conversationLogId: 'c1/2024-05-01-77', leaseUntil: 1 }), undefined)
  t.strictSame(await logs.find(alice, 'c1/2024-05-01-77'), row)
})

await onEveryDatabase(t, 'conversations and messages belong to one user (defect D-20)', async (t, database) => {
  const logs = repository(database)
  const row = await reserved(logs, 'c1')
  const recorded = await logs.recordMessages(alice, row, { state: 'logged' }, ['m1'])
  for (const stranger of strangers) {
    t.equal(await logs.find(stranger, 'c1'), undefined)
    t.strictSame(await logs.knownMessages(stranger, ['m1']), new Set())
    t.equal(await logs.advance({ ...row, ...stranger, version: 2 }, { state: 'failed' }), undefined)
    t.equal(recorded && await logs.recordMessages(stranger, recorded, {}, ['m2']), undefined)
    const own = await logs.reserve(stranger, { conversationLogId: 'c1', leaseUntil: 1 })
    t.ok(own && await logs.recordMessages(stranger, own, {}, ['m1']), 'has the same message in a log of their own')
    t.strictSame(await logs.knownMessages(stranger, ['m1']), new Set(['m1']))
  }
  t.strictSame(await logs.find(alice, 'c1'), recorded)
  t.strictSame(await logs.knownMessages(alice, ['m1', 'm2']), new Set(['m1']))
})

await onEveryDatabase(t, 'messages are recorded together with the step that brought them, or neither is', async (t, database) => {
  let now = 1_000
  const logs = repository(database, () => now)
  const row = await reserved(logs, 'c1', { pending: 'words' })
  now = 1_100
  const attempts = await Promise.all([['m1', 'm2'], ['m1', 'm3']].map(ids => logs.recordMessages(alice, row, { state: 'logged', pending: '' }, ids)))
  t.match(attempts, [{ version: 2, state: 'logged', sealedPending: '', updatedAt: 1_100 }, undefined])
  t.strictSame(await logs.knownMessages(alice, ['m1', 'm2', 'm3', 'm4']), new Set(['m1', 'm2']))

  const [winner] = attempts
  const again = winner && await logs.recordMessages(alice, winner, {}, ['m2', 'm3', 'm3'])
  t.equal(again?.version, 3, 'a message that is known already does no harm')
  t.strictSame(await logs.knownMessages(alice, ['m1', 'm2', 'm3']), new Set(['m1', 'm2', 'm3']))
  t.equal((again && await logs.recordMessages(alice, again, { state: 'failed' }, []))?.state, 'failed')
})

await onEveryDatabase(t, 'a long conversation fits', async (t, database) => {
  const logs = repository(database)
  const ids = Array.from({ length: 11_000 }, (_, index) => `m${index}`)
  t.ok(await logs.recordMessages(alice, await reserved(logs, 'c1'), {}, ids))
  t.equal((await logs.knownMessages(alice, [...ids, 'new'])).size, 11_000)
})

await onEveryDatabase(t, 'a step is taken once from each version', async (t, database) => {
  const logs = repository(database)
  const row = await reserved(logs, 'c1')
  const steps = await Promise.all([1, 2].map(() => logs.advance(row, { state: 'waiting', nextAttemptAt: 5, lastErrorCode: 'rate-limited' })))
  t.equal(steps.filter(step => step !== undefined).length, 1)
  t.match(await logs.find(alice, 'c1'), { state: 'waiting', version: 2, nextAttemptAt: 5, lastErrorCode: 'rate-limited' })
})

await onEveryDatabase(t, 'a log is forgotten with its messages, only as it was read, and only within its tenant', async (t, database) => {
  const logs = repository(database)
  const row = await reserved(logs, 'c1')
  const next = await logs.recordMessages(alice, row, {}, ['m1'])
  for (const stranger of strangers) await logs.remove({ ...row, ...stranger, version: 2 })
  await logs.remove(row)
  t.strictSame(await logs.find(alice, 'c1'), next)
  if (next !== undefined) await logs.remove(next)
  t.equal(await logs.find(alice, 'c1'), undefined)
  t.strictSame(await logs.knownMessages(alice, ['m1']), new Set())
})

await onEveryDatabase(t, 'a log starts anew without its messages, once, and only as it was read', async (t, database) => {
  let now = 1_000
  const logs = repository(database, () => now)
  const row = await logs.recordMessages(alice, await reserved(logs, 'c1'), { state: 'logged' }, ['m1'])
  const other = await logs.recordMessages(alice, await reserved(logs, 'c2'), { state: 'logged' }, ['m2'])
  if (row === undefined || other === undefined) throw new Error('not recorded')
  for (const not of [{ ...row, version: 1 }, ...strangers.map(stranger => ({ ...row, ...stranger }))]) {
    t.equal(await logs.startAnew(not, { state: 'waiting' }), undefined)
    t.strictSame(await logs.knownMessages(alice, ['m1']), new Set(['m1']))
  }
  now = 1_500
  const anew = await logs.startAnew(row, { state: 'waiting', pending: 'words' })
  t.match(anew, { id: row.id, state: 'waiting', version: 3, createdAt: 1_500 })
  t.equal(anew && logs.pendingOf(anew), 'words')
  t.strictSame(await logs.knownMessages(alice, ['m1', 'm2']), new Set(['m2']), 'and without those of no other')
})

await onEveryDatabase(t, 'due are the logs that nobody goes on with', async (t, database) => {
  const logs = repository(database)
  await reserved(logs, 'due', { leaseUntil: 100 })
  await reserved(logs, 'not due', { leaseUntil: 101 })
  await reserved(logs, 'waiting', { state: 'waiting', leaseUntil: 1, nextAttemptAt: 100 })
  t.strictSame((await logs.due(100, 10)).map(({ conversationLogId }) => conversationLogId).sort(), ['due', 'waiting'])

  await reserved(logs, 'put off', { state: 'waiting', leaseUntil: 1, nextAttemptAt: 9_000, lastErrorCode: 'auth-expired' })
  await logs.hurry(alice, ['auth-expired'])
  t.strictSame((await logs.due(1_000, 10)).find(({ conversationLogId }) => conversationLogId === 'put off')?.nextAttemptAt, 1_000)
})

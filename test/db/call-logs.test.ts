import t from 'tap'
import { callLogs, type CallLog, type CallLogs } from '../../src/db/call-logs.ts'
import type { Database } from '../../src/db/database.ts'
import { alice, countingIds, onEveryDatabase, strangers, testCipher } from './databases.ts'

const anyone = { extensionNumber: '', hashedExtensionId: '' }

function repository (database: Database, clock = () => 1_000): CallLogs {
  return callLogs(database, testCipher, clock, countingIds())
}

async function reserved (logs: CallLogs, sessionId: string, more = {}): Promise<CallLog> {
  const row = await logs.reserve(alice, { sessionId, leaseUntil: 2_000, ...more })
  if (row === undefined) throw new Error('already reserved')
  return row
}

await onEveryDatabase(t, 'a call is reserved once, and found as it was reserved', async (t, database) => {
  const logs = repository(database)
  const call = { telephonySessionId: 'ts1', extensionNumber: '101', contactId: '7', contactType: 'Lead', startTime: 5 }
  const row = await reserved(logs, 's1', { ...call, attempts: 1 })
  t.strictSame(row, {
    id: 'id-1',
    ...alice,
    sessionId: 's1',
    extensionNumber: '101',
    hashedExtensionId: '',
    telephonySessionId: 'ts1',
    startTime: 5,
    contactId: '7',
    contactType: 'Lead',
    crmLogId: '',
    state: 'sending',
    version: 1,
    leaseUntil: 2_000,
    attempts: 1,
    nextAttemptAt: null,
    lastErrorCode: '',
    lastErrorMessage: '',
    fingerprints: {},
    sealedPending: '',
    answer: null,
    createdAt: 1_000,
    updatedAt: 1_000
  })
  t.equal(await logs.reserve(alice, { sessionId: 's1', extensionNumber: '101', leaseUntil: 9_000 }), undefined)
  t.strictSame(await logs.find(alice, 's1', anyone), row)
  t.equal(await logs.find(alice, 's2', anyone), undefined)
})

await onEveryDatabase(t, 'ids follow time, so that the index of a large table grows at its end', async (t, database) => {
  const logs = callLogs(database, testCipher, () => 1_000)
  const ids: string[] = []
  for (let n = 0; n < 100; n++) ids.push((await reserved(logs, `s${n}`)).id)
  t.strictSame(ids, ids.toSorted())
  t.equal(new Set(ids).size, 100)
})

await onEveryDatabase(t, 'of 50 equal reservations at once, one wins (defect D-02)', async (t, database) => {
  const logs = repository(database)
  const rows = await Promise.all(Array.from({ length: 50 }, () => logs.reserve(alice, { sessionId: 's1', leaseUntil: 1 })))
  t.equal(rows.filter(row => row !== undefined).length, 1)
})

await onEveryDatabase(t, 'two extensions and two users each have a log of the same call (defects D-20, D-21)', async (t, database) => {
  const logs = repository(database)
  await reserved(logs, 's1')
  await reserved(logs, 's1', { extensionNumber: '101' })
  await reserved(logs, 's1', { hashedExtensionId: 'H1' })
  for (const stranger of strangers) {
    t.equal(await logs.find(stranger, 's1', anyone), undefined)
    t.strictSame(await logs.findMany(stranger, ['s1'], anyone), new Map())
    t.ok(await logs.reserve(stranger, { sessionId: 's1', leaseUntil: 1 }))
  }
  t.equal((await logs.find(alice, 's1', { extensionNumber: '', hashedExtensionId: 'H1' }))?.hashedExtensionId, 'H1')
  t.equal((await logs.find(alice, 's1', { extensionNumber: '101', hashedExtensionId: '' }))?.extensionNumber, '101')
  t.equal((await logs.find({ ...alice, accountId: '' }, 's1', anyone))?.id, 'id-1', 'also while the account is not known')
})

await onEveryDatabase(t, 'a row knows its tenant only from the tenant', async (t, database) => {
  const forged = { sessionId: 's1', leaseUntil: 1, userId: '2-acme', id: 'x', version: 9 }
  t.match(await repository(database).reserve(alice, forged), { userId: alice.userId, id: 'id-1', version: 1 })
})

await onEveryDatabase(t, 'logs of many sessions are found at once, however many are asked for', async (t, database) => {
  const logs = repository(database)
  await reserved(logs, 's1')
  await reserved(logs, 's3', { hashedExtensionId: 'H1' })
  await reserved(logs, 's3')
  const asked = Array.from({ length: 12_000 }, (_, index) => `s${index}`)
  const found = await logs.findMany(alice, asked, { extensionNumber: '', hashedExtensionId: 'H1' })
  t.strictSame([...found].map(([sessionId, { hashedExtensionId }]) => [sessionId, hashedExtensionId]).sort(), [['s1', ''], ['s3', 'H1']])
  t.strictSame(await logs.findMany(alice, [], anyone), new Map())
})

await onEveryDatabase(t, 'a step is taken once from each version', async (t, database) => {
  let now = 1_000
  const logs = repository(database, () => now)
  const row = await reserved(logs, 's1')
  now = 1_500
  const answer = { message: 'Größe 東京 🎧 \' " \\', messageType: 'success', ttl: 3_000 } as const
  const changes = { state: 'logged', leaseUntil: null, answer, fingerprints: { note: 'ab', 'größe 🎧': 'cd' }, startTime: 77, contactId: '8' } as const
  const steps = await Promise.all([1, 2, 3].map(attempt => logs.advance(row, { ...changes, crmLogId: `crm-${attempt}` })))
  const winners = steps.filter(step => step !== undefined)
  t.equal(winners.length, 1)
  t.match(winners[0], { ...changes, id: row.id, version: 2, createdAt: 1_000, updatedAt: 1_500 })
  t.strictSame(await logs.find(alice, 's1', anyone), winners[0])
})

await onEveryDatabase(t, 'a step cannot reach into another tenant', async (t, database) => {
  const logs = repository(database)
  const row = await reserved(logs, 's1')
  for (const stranger of strangers) t.equal(await logs.advance({ ...row, ...stranger }, { state: 'failed' }), undefined)
  t.strictSame(await logs.find(alice, 's1', anyone), row)
})

await onEveryDatabase(t, 'what waits to be written is sealed, and stays until a step says otherwise', async (t, database) => {
  const logs = repository(database)
  const row = await reserved(logs, 's1', { pending: 'note: Größe 🎧' })
  t.notMatch(row.sealedPending, 'note')
  t.equal(logs.pendingOf(row), 'note: Größe 🎧')

  const kept = await logs.advance(row, { state: 'waiting' })
  t.equal(kept && logs.pendingOf(kept), 'note: Größe 🎧')
  const changed = kept && await logs.advance(kept, { pending: 'other' })
  t.equal(changed && logs.pendingOf(changed), 'other')
  const done = changed && await logs.advance(changed, { state: 'logged', pending: '' })
  t.equal(done && logs.pendingOf(done), '')
  t.equal(done?.sealedPending, '')

  const other = await reserved(logs, 's2')
  t.throws(() => logs.pendingOf({ ...other, sealedPending: row.sealedPending }), { name: 'CipherError' }, 'moved to another row')
})

await onEveryDatabase(t, 'a log is forgotten only as it was read, and only within its tenant', async (t, database) => {
  const logs = repository(database)
  const row = await reserved(logs, 's1')
  for (const stranger of strangers) await logs.remove({ ...row, ...stranger })
  const next = await logs.advance(row, { state: 'failed' })
  await logs.remove(row)
  t.strictSame(await logs.find(alice, 's1', anyone), next)
  if (next !== undefined) await logs.remove(next)
  t.equal(await logs.find(alice, 's1', anyone), undefined)
})

await onEveryDatabase(t, 'due are the logs that nobody goes on with, of all tenants, the longest waiting first', async (t, database) => {
  let now = 0
  const logs = repository(database, () => now++)
  const log = async (sessionId: string, more: object): Promise<unknown> => await reserved(logs, sessionId, { leaseUntil: 100, ...more })
  await log('lease over', {})
  await log('lease holds', { leaseUntil: 101 })
  await log('looked for', { state: 'unknown', nextAttemptAt: 100 })
  await log('looked for later', { state: 'unknown', nextAttemptAt: 101 })
  await log('being looked for', { state: 'unknown', leaseUntil: 101, nextAttemptAt: 1 })
  await log('next attempt', { state: 'waiting', nextAttemptAt: 100 })
  await log('later attempt', { state: 'waiting', nextAttemptAt: 101 })
  await log('done', { state: 'logged' })
  await log('refused', { state: 'failed' })
  await log('change waits', { state: 'logged', nextAttemptAt: 100 })
  await log('change waits longer', { state: 'logged', nextAttemptAt: 101 })
  await log('change is being written', { state: 'logged', leaseUntil: 101, nextAttemptAt: 1 })
  await log('for a person', { state: 'needs-user' })
  for (const stranger of strangers) await logs.reserve(stranger, { sessionId: `of ${stranger.userId} ${stranger.platform}`, leaseUntil: 1 })
  const lost = await reserved(logs, 'no instants', { leaseUntil: 500 })
  await logs.advance(lost, { leaseUntil: null, state: 'unknown' })

  const due = (await logs.due(100, 20)).map(({ sessionId }) => sessionId)
  t.strictSame(due, ['lease over', 'looked for', 'next attempt', 'change waits', 'of 2-acme acme', 'of 1-acme other', 'no instants'])
  t.equal((await logs.due(100, 2)).length, 2)
  t.strictSame(await logs.due(100, 20, [alice.platform, ...strangers.map(({ platform }) => platform)]), [])
  t.strictSame((await logs.due(0, 20)).map(({ sessionId }) => sessionId), ['no instants'])
})

await onEveryDatabase(t, 'what was put off for a reason is made due for one user, but not what may be in the CRM', async (t, database) => {
  const logs = repository(database, () => 100)
  const log = async (sessionId: string, more: object): Promise<unknown> => await reserved(logs, sessionId, { leaseUntil: 1, nextAttemptAt: 900, lastErrorCode: 'auth-expired', ...more })
  await log('create waits', { state: 'waiting' })
  await log('change waits', { state: 'logged', lastErrorCode: 'unreadable' })
  await log('change is being written', { state: 'logged', leaseUntil: 900 })
  await log('for another reason', { state: 'waiting', lastErrorCode: 'rate-limited' })
  await log('may be in the CRM', { state: 'unknown' })
  await log('done', { state: 'logged', nextAttemptAt: null })
  for (const stranger of strangers) await logs.reserve(stranger, { sessionId: 'of a stranger', leaseUntil: 1, state: 'waiting', nextAttemptAt: 900, lastErrorCode: 'auth-expired' })

  await logs.hurry(alice, ['auth-expired', 'unreadable'])
  t.strictSame((await logs.due(100, 20)).map(({ sessionId }) => sessionId).sort(), ['change waits', 'create waits'])
})

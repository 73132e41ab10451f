import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import t from 'tap'
import { preparedForColumns, preparedForList } from '../../src/db/prepared.ts'
import { onEveryDatabase } from './databases.ts'

const user = { id: '1', platform: 'acme', crmUserId: '1', info: { city: 'Ulm' }, settings: {}, settingsVersion: 1, sessionId: 's', version: 1, createdAt: 1, updatedAt: 1 }

await onEveryDatabase(t, 'a statement is put together once for each set of columns, and encodes them', async (t, { handle, tables: { users } }) => {
  let built = 0
  const insert = preparedForColumns(users, columns => handle.insert(users).values(columns).returning().prepare())
  const update = preparedForColumns(users, columns => {
    built++
    return handle.update(users).set(columns).where(eq(users.id, sql.placeholder('id'))).returning().prepare()
  })
  const inserted = insert(user)
  t.match(await inserted.statement.execute(inserted.values), [user])

  for (const changes of [{ name: 'Ann', info: { city: 'Rom' } }, { name: 'Bob', info: { city: 'Bonn' } }, { version: 2 }]) {
    const { statement, values } = update(changes)
    t.match(await statement.execute({ ...values, id: '1' }), [changes])
  }
  t.equal(built, 2)
})

await onEveryDatabase(t, 'nothing is stored as nothing, in a column of JSON too', async (t, { handle, tables: { callLogs } }) => {
  const log = { id: '1', state: 'logged' as const, version: 1, fingerprints: {}, answer: { message: 'Logged' }, leaseUntil: 5, createdAt: 1, updatedAt: 1 }
  const insert = preparedForColumns(callLogs, columns => handle.insert(callLogs).values(columns).prepare())
  for (const row of [log, { ...log, id: '2', sessionId: '2', answer: null, leaseUntil: null }]) {
    const { statement, values } = insert(row)
    await statement.execute(values)
  }
  const withoutAnswer = await handle.select({ id: callLogs.id }).from(callLogs).where(sql`${callLogs.answer} IS NULL AND ${callLogs.leaseUntil} IS NULL`)
  t.same(withoutAnswer, [{ id: '2' }])
})

await onEveryDatabase(t, 'lists of any length are looked for with few statements', async (t, { handle, tables: { noteCache } }) => {
  const ids = Array.from({ length: 9 }, (_, index) => String(index))
  await handle.insert(noteCache).values(ids.map(sessionId => ({ userId: '1', platform: 'acme', sessionId, sealedNote: '', expiresAt: 1 })))
  const lengths: number[] = []
  const select = preparedForList(sessionIds => {
    lengths.push(sessionIds.length)
    return handle.select({ id: noteCache.sessionId }).from(noteCache)
      .where(and(eq(noteCache.userId, sql.placeholder('userId')), inArray(noteCache.sessionId, sessionIds))).orderBy(asc(noteCache.sessionId)).prepare()
  })
  for (const length of [1, 2, 3, 4, 5, 8, 9]) {
    const { statement, values } = select(ids.slice(0, length))
    const found = await statement.execute({ ...values, userId: '1' })
    t.same(found.map(({ id }) => id), ids.slice(0, length))
  }
  t.same(lengths, [1, 2, 4, 8, 16])
})

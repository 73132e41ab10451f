import t from 'tap'
import { rowCache, type RowCache } from '../../src/db/row-cache.ts'

/** A row that is read after a while, as from a database that does not answer at once. */
function slowly (row: object): { read: () => Promise<object>, answer: () => void, reads: () => number } {
  let reads = 0
  let answer = (): void => {}
  return {
    read: async () => {
      reads++
      await new Promise<void>(resolve => { answer = resolve })
      return row
    },
    answer: () => { answer() },
    reads: () => reads
  }
}

const readsOf = async (rows: RowCache<object>, key: string): Promise<number> => {
  let reads = 0
  await rows.get(key, async () => {
    reads++
    return {}
  })
  return reads
}

await t.test('a row is read once until it is changed here, or something elsewhere', async t => {
  let others = 1
  const rows = rowCache(() => others)
  const counts: number[] = []
  const look = async (): Promise<void> => { counts.push(await readsOf(rows, 'a')) }
  await look()
  await look()
  await rows.changing('b', async () => {})
  await look()
  await rows.changing('a', async () => {})
  await look()
  await look()
  others++
  await look()
  await look()
  t.strictSame(counts, [1, 0, 0, 1, 0, 1, 0])
})

await t.test('a write that fails may have happened', async t => {
  const rows = rowCache(() => 1)
  await readsOf(rows, 'a')
  await t.rejects(rows.changing('a', async () => { throw new Error('the disk is full') }), /full/)
  t.equal(await readsOf(rows, 'a'), 1)
})

await t.test('what was read while it was changed is not remembered', async t => {
  let others = 1
  const rows = rowCache(() => others)
  const old = slowly({ old: true })
  const reading = rows.get('a', old.read)
  await rows.changing('a', async () => {})
  old.answer()
  t.strictSame(await reading, { old: true })
  t.equal(await readsOf(rows, 'a'), 1, 'changed here')

  const older = slowly({ old: true })
  const readingAgain = rows.get('b', older.read)
  others++
  await readsOf(rows, 'c')
  older.answer()
  await readingAgain
  t.equal(await readsOf(rows, 'b'), 1, 'changed elsewhere')
})

await t.test('what is not there is looked for again, and so is all where nobody tells of changes', async t => {
  const rows = rowCache<object>(() => 1)
  t.equal(await rows.get('a', async () => undefined), undefined)
  t.equal(await readsOf(rows, 'a'), 1)
  const blind = rowCache<object>(undefined)
  t.strictSame([await readsOf(blind, 'a'), await readsOf(blind, 'a')], [1, 1])
})

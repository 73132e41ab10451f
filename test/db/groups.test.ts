import { join } from 'node:path'
import Client from 'better-sqlite3'
import t, { type Test } from 'tap'
import { groupedReads, groupedWrites } from '../../src/db/groups.ts'

/** A table, and what the database is told to do with it. */
function open (t: Test) {
  const told: string[] = []
  const client = new Client(join(t.testdir(), 'group.db'), { verbose: statement => { told.push(String(statement)) } })
  t.teardown(() => client.close())
  client.exec('CREATE TABLE things (name TEXT PRIMARY KEY)')
  const insert = client.prepare('INSERT INTO things VALUES (?)')
  return {
    client,
    read: groupedReads(client),
    write: groupedWrites(client),
    insert: (name: string) => insert.run(name).changes,
    names: () => client.prepare('SELECT name FROM things ORDER BY name').pluck().all(),
    commits: () => told.filter(statement => statement === 'COMMIT').length
  }
}

await t.test('Writes of the same moment share one transaction, and each caller hears its own result when it is over', async t => {
  const { write, insert, names, commits } = open(t)
  const heard: Array<[string, number]> = []
  const results = await Promise.all(['a', 'b', 'c'].map(async name => {
    const result = await write(() => `${insert(name)} row for ${name}`)
    heard.push([name, commits()])
    return result
  }))
  t.same(results, ['1 row for a', '1 row for b', '1 row for c'])
  t.same(heard, [['a', 1], ['b', 1], ['c', 1]])
  t.same(names(), ['a', 'b', 'c'])

  await write(() => insert('later'))
  t.equal(commits(), 2)

  await Promise.all(Array.from({ length: 65 }, async (_, index) => await write(() => insert(`of many ${index}`))))
  t.equal(commits(), 5, 'of 32 at most')
})

await t.test('Reads of the same moment share one transaction, too, and see what is there when it begins', async t => {
  const { client, read, insert, commits } = open(t)
  const find = client.prepare('SELECT name FROM things WHERE name = ?').pluck()
  const reading = Promise.all(['a', 'b'].map(async name => await read(() => find.get(name))))
  insert('a')
  t.same(await reading, ['a', undefined])
  t.equal(commits(), 1)
  await Promise.all(Array.from({ length: 33 }, async () => await read(() => find.get('a'))))
  t.equal(commits(), 4, 'of 16 at most')
  await t.rejects(read(() => { throw new Error('This one only') }), { message: 'This one only' })
})

await t.test('A statement that fails is undone alone', async t => {
  const { write, insert, names } = open(t)
  const [first, same, other] = await Promise.allSettled([write(() => insert('a')), write(() => insert('a')), write(() => insert('b'))])
  t.match([first, same, other], [{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } }, { status: 'fulfilled' }])
  t.same(names(), ['a', 'b'])
})

await t.test('When the transaction ends, nobody is told of success', async t => {
  const { client, write, insert, names } = open(t)
  const settled = await Promise.allSettled([
    write(() => insert('a')),
    write(() => {
      client.exec('ROLLBACK')
      throw new Error('The disk is full')
    }),
    write(() => insert('b'))
  ])
  t.same(settled.map(({ status }) => status), ['rejected', 'rejected', 'rejected'])
  t.match(settled[0], { reason: { message: 'The disk is full' } })
  t.same(names(), [])

  await write(() => insert('c'))
  t.same(names(), ['c'], 'the next ones are written')
})

await t.test('Writes to a closed database are refused', async t => {
  const { client, write, insert } = open(t)
  const writing = write(() => insert('a'))
  client.close()
  await t.rejects(writing, /not open/)
})

import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Client from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import t from 'tap'
import { databaseFile, openDatabase, type Database } from '../../src/db/database.ts'
import { users } from '../../src/db/users.ts'
import { execute, onEveryDatabase, openPglite, testCipher } from './databases.ts'

const pragma = (database: Database, name: string): unknown =>
  (database.handle as unknown as { $client: Client.Database }).$client.pragma(name, { simple: true })

async function savedName (database: Database, name: string): Promise<string> {
  return (await users(database, testCipher, () => 0).save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'x' }, name })).name
}

await t.test('the URL names the database', async t => {
  t.equal(databaseFile('file:./data/patchbay.db'), join(process.cwd(), 'data/patchbay.db'))
  t.equal(databaseFile('file:data/patch bay%.db'), join(process.cwd(), 'data/patch bay%.db'))
  t.equal(databaseFile('file:/var/lib/patchbay.db'), '/var/lib/patchbay.db')
  t.equal(databaseFile('file:///var/lib/patch%20bay.db'), '/var/lib/patch bay.db')
  t.equal(databaseFile('postgres://localhost/x'), undefined)
  for (const url of ['', 'file:', './data.db', 'mysql://localhost/x', 'postgres:x', ' file:x', 'http://localhost']) {
    await t.rejects(openDatabase(url), { message: /^DATABASE_URL must be file:<path>/ }, `refuses "${url}"`)
  }
  await t.rejects(openDatabase('file://data/patchbay.db'), { message: /^DATABASE_URL: file:\/\/ wants an absolute path/ })
})

await t.test('every open of a file sets what makes commits last', async t => {
  const url = `file:${join(t.testdir(), 'patchbay.db')}`
  for (const open of ['first', 'second']) {
    const database = await openDatabase(url)
    t.equal(pragma(database, 'journal_mode'), 'wal', open)
    t.equal(pragma(database, 'synchronous'), 2, `${open}: FULL`)
    t.equal(pragma(database, 'busy_timeout'), 5_000, open)
    t.equal(pragma(database, 'foreign_keys'), 1, open)
    await database.close()
  }
})

await t.test('what is written moves into the file a few pages at a time, since nobody is answered meanwhile', async t => {
  const file = join(t.testdir(), 'patchbay.db')
  const database = await openDatabase(`file:${file}`)
  t.teardown(async () => { await database.close() })
  for (let n = 0; n < 600; n++) await savedName(database, `Zoë ${n}`)
  t.ok(statSync(`${file}-wal`).size < 1_200_000, 'at most 250 pages of 4 KiB wait, and those of one commit')
})

await t.test('the file and its folder are made, for nobody else to read', async t => {
  const file = join(t.testdir(), 'new', 'folder', 'patchbay.db')
  const database = await openDatabase(`file:${file}`)
  await savedName(database, 'Zoë')
  const modes = ['', '-wal', '-shm'].map(suffix => statSync(file + suffix).mode & 0o777)
  await database.close()
  t.strictSame(modes, [0o600, 0o600, 0o600])
  t.equal(statSync(join(file, '..')).mode & 0o777, 0o700)
  t.notOk(existsSync(`${file}-wal`), 'closing leaves one file')
})

await t.test('a file that others could read no longer can be after an open', async t => {
  const file = join(t.testdir({ 'patchbay.db': '' }), 'patchbay.db')
  t.not(statSync(file).mode & 0o777, 0o600)
  await (await openDatabase(`file:${file}`)).close()
  t.equal(statSync(file).mode & 0o777, 0o600)
})

await t.test('what was written is there after the next open', async t => {
  const url = pathToFileURL(join(t.testdir(), 'patch bay.db')).href
  for (const open of ['first', 'second']) {
    const database = await openDatabase(url)
    await database.ping()
    t.equal(await savedName(database, open === 'first' ? 'Zoë' : ''), 'Zoë')
    await database.close()
  }
})

await onEveryDatabase(t, 'a list of statements is done as a whole or not at all', async (t, database) => {
  const { tables, handle, atomic } = database
  await savedName(database, 'before')
  const named = async (): Promise<unknown> => (await handle.select({ name: tables.users.name }).from(tables.users))[0]?.name

  const done = await atomic(transaction => [
    transaction.update(tables.users).set({ name: 'between' }),
    transaction.update(tables.users).set({ name: 'after' }).where(eq(tables.users.name, 'between')).returning({ name: tables.users.name })
  ])
  t.strictSame(done?.[1], [{ name: 'after' }])
  t.equal(await named(), 'after')

  const guarded = await atomic(transaction => [
    transaction.update(tables.users).set({ name: 'undone' }),
    transaction.update(tables.users).set({ name: 'guarded' }).where(eq(tables.users.version, 99)).returning(),
    transaction.delete(tables.users)
  ])
  t.equal(guarded, undefined)
  t.equal(await named(), 'after', 'a guard that does not hold undoes everything')

  await t.rejects(atomic(transaction => [
    transaction.update(tables.users).set({ name: 'undone' }),
    transaction.insert(tables.messages).values({ messageLogId: 'of no log', createdAt: 0 })
  ]))
  t.equal(await named(), 'after', 'an error undoes everything')
})

await t.test('a database that is not ours stops the open', async t => {
  const folder = t.testdir({ 'text.db': 'this is no database, but long enough to be looked at as one'.repeat(40), file: '' })
  const ours = join(folder, 'ours.db')
  const database = await openDatabase(`file:${ours}`)
  await savedName(database, 'Zoë')
  await database.close()

  const other = new Client(join(folder, 'other.db'))
  other.exec('CREATE TABLE songs (title TEXT)')
  other.close()
  const bytes = readFileSync(ours)
  writeFileSync(join(folder, 'damaged.db'), bytes.fill(0xff, 100, 4_096))
  copyFileSync(ours, join(folder, 'cut.db'))
  truncateSync(join(folder, 'cut.db'), 8_192)
  copyFileSync(ours, join(folder, 'newer.db'))
  const newer = new Client(join(folder, 'newer.db'))
  newer.exec('INSERT INTO patchbay_migrations VALUES (9999999999999)')
  newer.close()

  const cases: Array<[file: string, problem: RegExp]> = [
    ['text.db', /file is not a database/],
    ['damaged.db', /malformed/],
    ['cut.db', /malformed/],
    ['other.db', /belongs to something else, it already has tables \(songs\)/],
    ['newer.db', /another version of Patchbay/],
    ['', /EISDIR/],
    ['file/below.db', /EEXIST|ENOTDIR/]
  ]
  for (const [file, problem] of cases) {
    const failure: Error = await openDatabase(`file:${join(folder, file)}`).then(() => t.fail('opened'), error => error)
    t.match(failure.message, /^DATABASE_URL \(/)
    t.match(failure.message, problem)
  }
  const untouched = new Client(join(folder, 'other.db'))
  t.strictSame(untouched.prepare('SELECT name FROM sqlite_master').pluck().all(), ['songs'])
  untouched.close()
})

await t.test('a file that is locked for long stops the open', async t => {
  const file = join(t.testdir(), 'patchbay.db')
  await (await openDatabase(`file:${file}`)).close()
  const other = new Client(file)
  other.pragma('locking_mode = EXCLUSIVE')
  other.exec('BEGIN EXCLUSIVE')
  await t.rejects(openDatabase(`file:${file}`), { message: /^DATABASE_URL .*locked/ })
  other.close()
})

await t.test('a Postgres that does not answer stops the open, without telling the password', async t => {
  for (const host of ['127.0.0.1:1', 'localhost:1']) {
    const failure: Error = await openDatabase(`postgres://me:hunter2@${host}/x`).then(() => t.fail('opened'), error => error)
    t.match(failure.message, /^DATABASE_URL \(Postgres\): .*ECONNREFUSED/)
    t.notMatch(`${failure.stack} ${JSON.stringify(failure)}`, 'hunter2')
  }
  await t.rejects(openDatabase('postgres://me:hunter2@[bad/x'), { message: /^DATABASE_URL \(Postgres\)/, cause: undefined })
})

await t.test('a Postgres schema that is not ours stops the open, other tables in it do not', async t => {
  const database = await openPglite()
  await execute(database, 'ALTER TABLE patchbay_migrations RENAME TO songs')
  await t.rejects(openPglite(), { message: /belongs to something else/ })
  await execute(database, 'ALTER TABLE songs RENAME TO patchbay_migrations')
  await execute(database, 'CREATE TABLE songs (title TEXT)')
  await openPglite()
  await database.ping()
})

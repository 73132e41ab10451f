import { join } from 'node:path'
import t from 'tap'
import { openDatabase, type Database } from '../../src/db/database.ts'
import { users, type Login, type Users } from '../../src/db/users.ts'
import { alice, countingIds, membersOf, onEveryDatabase, strangers, testCipher } from './databases.ts'

const login: Login = {
  platform: 'acme',
  crmUserId: '1',
  credentials: { accessToken: 'token-1', refreshToken: 'refresh-1', expiresAt: 9_000, scope: ['a', 'b'] },
  name: 'Zoë 🎧',
  accountId: '500',
  extensionHash: 'hash',
  hostname: 'acme.example.com',
  timeZone: 'Europe/Berlin',
  timeZoneOffset: '+01:00',
  info: { company: 'Acme', region: 'eu' }
}

const noRenewal = { renewingUntil: null, revokedAt: null }

function repository (database: Database, clock = () => 1_000): Users {
  return users(database, testCipher, clock, countingIds())
}

await onEveryDatabase(t, 'a user is found as they signed in', async (t, database) => {
  const people = repository(database)
  const saved = await people.save(login)
  t.strictSame(membersOf(saved), { ...login, ...noRenewal, isSignedIn: true, id: '1-acme', settings: {}, sessionId: 'id-1', version: 1, createdAt: 1_000, updatedAt: 1_000 })
  t.strictSame(membersOf(await people.find('1-acme', 'acme')), membersOf(saved))
  for (const { userId, platform } of strangers) t.equal(await people.find(userId, platform), undefined)
})

await onEveryDatabase(t, 'a new login replaces what it brings and leaves the rest', async (t, database) => {
  let now = 1_000
  const people = repository(database, () => now)
  await people.save(login)
  await people.saveSettings(alice, { autoLog: { value: true } })
  now = 2_000
  const credentials = { accessToken: 'token-2' }
  const info = { region: 'us', company: undefined }
  const again = await people.save({ platform: 'acme', crmUserId: '1', credentials, name: 'Zoe', hostname: '', timeZone: undefined, info })
  t.strictSame(membersOf(again), {
    ...login,
    isSignedIn: true,
    ...noRenewal,
    id: '1-acme',
    credentials,
    name: 'Zoe',
    info: { company: 'Acme', region: 'us' },
    settings: { autoLog: { value: true } },
    sessionId: 'id-1',
    version: 2,
    createdAt: 1_000,
    updatedAt: 2_000
  })
  t.strictSame(membersOf(await people.find('1-acme', 'acme')), membersOf(again))
})

await onEveryDatabase(t, 'words for nothing are nothing (defect D-24)', async (t, database) => {
  const people = repository(database)
  for (const word of ['undefined', 'null', '', 'temp', undefined]) {
    const { hostname } = await people.save({ platform: 'acme', crmUserId: String(word), credentials: { accessToken: 'x' }, hostname: word })
    t.equal(hostname, '', String(word))
  }
  const facts = { name: 'null', accountId: 'undefined' }
  const { name, accountId } = await people.save({ platform: 'acme', crmUserId: '1', credentials: { accessToken: 'x' }, ...facts })
  t.strictSame([name, accountId], ['', ''])
})

await onEveryDatabase(t, 'ids that look alike are apart by platform', async (t, database) => {
  const people = repository(database)
  await people.save({ platform: 'c', crmUserId: 'a-b', credentials: { accessToken: 'of a-b' } })
  await people.save({ platform: 'b-c', crmUserId: 'a', credentials: { accessToken: 'of a' } })
  t.match(await people.find('a-b-c', 'c'), { crmUserId: 'a-b', credentials: { accessToken: 'of a-b' } })
  t.match(await people.find('a-b-c', 'b-c'), { crmUserId: 'a', credentials: { accessToken: 'of a' } })
})

await onEveryDatabase(t, 'many logins of one person at once make one user', async (t, database) => {
  const people = repository(database)
  const saved = await Promise.all(Array.from({ length: 10 }, (_, index) => people.save({ ...login, info: { [`browser-${index}`]: true } })))
  t.equal(new Set(saved.map(({ sessionId }) => sessionId)).size, 1)
  const user = await people.find('1-acme', 'acme')
  t.equal(user?.version, 10)
  t.equal(Object.keys(user?.info ?? {}).length, 10, 'no login lost what another one brought')
})

await onEveryDatabase(t, 'settings are merged entry by entry (defect D-16)', async (t, database) => {
  const people = repository(database)
  await people.save(login)
  await Promise.all(Array.from({ length: 20 }, (_, index) => people.saveSettings(alice, { [`setting-${index}`]: { value: index } })))
  const stored = (await people.find('1-acme', 'acme'))?.settings
  t.equal(Object.keys(stored ?? {}).length, 20, 'twenty tabs at once')

  const before = Object.fromEntries(Array.from({ length: 18 }, (_, index) => [`setting-${index}`, { value: index }]))
  const changes = { 'setting-3': { value: 'ß', customizable: false, options: [{ id: 1 }] }, new: { value: null }, both: { value: 1 } }
  const merged = await people.saveSettings(alice, changes, ['setting-18', 'setting-19', 'both', 'not there'])
  t.strictSame(merged, { ...before, 'setting-3': changes['setting-3'], new: { value: null } })
  t.strictSame((await people.find('1-acme', 'acme'))?.settings, merged)
  for (const stranger of strangers) t.equal(await people.saveSettings(stranger, { mine: { value: 1 } }), undefined)
})

await onEveryDatabase(t, 'of two renewals of one version, one is kept', async (t, database) => {
  const people = repository(database)
  const { version } = await people.save(login)
  const renewed = await Promise.all(['a', 'b'].map(accessToken => people.replaceCredentials(alice, version, { accessToken })))
  const winners = renewed.filter(user => user !== undefined)
  t.equal(winners.length, 1)
  t.equal(winners[0]?.version, version + 1)
  t.strictSame(membersOf(await people.find('1-acme', 'acme')), membersOf(winners[0]))
  for (const stranger of strangers) t.equal(await people.replaceCredentials(stranger, version + 1, { accessToken: 'stolen' }), undefined)
})

await onEveryDatabase(t, 'the right to renew is given once, and ends with the renewal', async (t, database) => {
  const people = repository(database)
  const { version } = await people.save(login)
  const leases = await Promise.all([people.leaseRenewal(alice, version, 9_000), people.leaseRenewal(alice, version, 9_000)])
  t.strictSame(leases.map(lease => lease?.renewingUntil).sort(), [9_000, undefined])
  t.match(await people.replaceCredentials(alice, version + 1, { accessToken: 'renewed' }), { renewingUntil: null, version: version + 2 })

  await people.leaseRenewal(alice, version + 2, 9_000)
  await people.endRenewal(alice, version + 2)
  t.equal((await people.find('1-acme', 'acme'))?.renewingUntil, 9_000, 'whose right it was not cannot end it')
  await people.endRenewal(alice, version + 3)
  t.equal((await people.find('1-acme', 'acme'))?.renewingUntil, null)
  for (const stranger of strangers) t.equal(await people.leaseRenewal(stranger, version + 4, 9_000), undefined)
})

await onEveryDatabase(t, 'that the CRM ended a connection is remembered until the next login', async (t, database) => {
  const people = repository(database)
  const { version } = await people.save(login)
  t.equal(await people.markRevoked(alice, version + 1), false, 'of credentials that have changed meanwhile')
  t.equal(await people.markRevoked(alice, version), true)
  t.match(await people.find('1-acme', 'acme'), { revokedAt: 1_000, credentials: login.credentials })
  t.equal((await people.save(login)).revokedAt, null)
})

await onEveryDatabase(t, 'a change of settings does not make a renewal void', async (t, database) => {
  const people = repository(database)
  const { version } = await people.save(login)
  await people.saveSettings(alice, { autoLog: { value: true } })
  t.match(await people.replaceCredentials(alice, version, { accessToken: 'renewed' }), { credentials: { accessToken: 'renewed' } })
})

await onEveryDatabase(t, 'a login or a logout makes a renewal void', async (t, database) => {
  const people = repository(database)
  const { version } = await people.save(login)
  await people.save(login)
  t.equal(await people.replaceCredentials(alice, version, { accessToken: 'late' }), undefined)
  await people.signOut(alice)
  t.equal(await people.replaceCredentials(alice, version + 1, { accessToken: 'late' }), undefined)
})

await onEveryDatabase(t, 'signing out forgets the credentials and ends the session, for that user only', async (t, database) => {
  const people = repository(database)
  await people.save(login)
  for (const stranger of strangers) t.equal(await people.signOut(stranger), false)
  t.match(await people.find('1-acme', 'acme'), { credentials: { accessToken: 'token-1' }, sessionId: 'id-1' })

  t.equal(await people.signOut(alice), true)
  const user = await people.find('1-acme', 'acme')
  t.equal(user?.credentials, undefined)
  t.not(user?.sessionId, 'id-1')
  const [row] = await database.handle.select().from(database.tables.users)
  t.equal(row?.sealedCredentials, '')

  const back = await people.save(login)
  t.equal(back.sessionId, user?.sessionId)
  t.strictSame(back.credentials, login.credentials)
})

await onEveryDatabase(t, 'credentials that were moved or changed do not open', async (t, database) => {
  const people = repository(database)
  await people.save(login)
  await people.save({ ...login, crmUserId: '2' })
  const { handle, tables } = database
  const [first] = await handle.select().from(tables.users)
  await handle.update(tables.users).set({ sealedCredentials: first?.sealedCredentials ?? '' })
  const found = await Promise.allSettled(['1-acme', '2-acme'].map(async id => (await people.find(id, 'acme'))?.credentials))
  t.strictSame(found.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.match(found.find(({ status }) => status === 'rejected'), { reason: { code: 'unreadable', name: 'CipherError' } })
})

await onEveryDatabase(t, 'a user is found as somebody else has changed them meanwhile, in this process or in another', async (t, database) => {
  const people = repository(database)
  const { version } = await people.save(login)
  const token = async (): Promise<string | undefined> => (await people.find('1-acme', 'acme'))?.credentials?.accessToken
  t.equal(await token(), 'token-1')
  await people.replaceCredentials(alice, version, { accessToken: 'renewed here' })
  t.equal(await token(), 'renewed here')

  const others = database.othersChanges === undefined ? database : await openDatabase(`file:${join(t.testdirName, 'patchbay.db')}`)
  if (others !== database) t.teardown(() => others.close())
  await users(others, testCipher, () => 1_000).replaceCredentials(alice, version + 1, { accessToken: 'renewed elsewhere' })
  t.equal(await token(), 'renewed elsewhere')
  await people.saveSettings(alice, { autoLog: { value: true } })
  t.strictSame((await people.find('1-acme', 'acme'))?.settings, { autoLog: { value: true } })
  await users(others, testCipher, () => 1_000).signOut(alice)
  t.equal(await token(), undefined)
})

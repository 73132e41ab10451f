import t from 'tap'
import { accountData } from '../../src/db/account-data.ts'
import { onEveryDatabase } from './databases.ts'

const account = { ownerKey: '500', platform: 'acme' }
const others = [{ ownerKey: '501', platform: 'acme' }, { ownerKey: '500', platform: 'other' }]

await onEveryDatabase(t, 'data of every JSON kind comes back as it was set', async (t, database) => {
  const data = accountData(database, () => 0)
  const values = [
    [], {}, 0, -1.5, false, true, '', '12', 'null', '"quoted"', [{ id: 1, name: 'Größe 東京 🎧 \' \\ \u2028' }], { nested: { none: null, list: [null, [1]] } }
  ]
  for (const [index, value] of values.entries()) {
    await data.set(account, `key-${index}`, value, 1_000)
    t.strictSame(await data.get(account, `key-${index}`), { data: value, expired: false, expiresAt: 1_000 })
  }
})

await onEveryDatabase(t, 'data is replaced, expires, is served stale and removed', async (t, database) => {
  let now = 1_000
  const data = accountData(database, () => now)
  await data.set(account, 'types', ['old'], 10)
  await data.set(account, 'types', ['new'], 100)
  await data.set(account, 'owners', ['me'], 200)
  now = 1_099
  t.strictSame(await data.get(account, 'types'), { data: ['new'], expired: false, expiresAt: 1_100 })
  now = 1_100
  t.strictSame(await data.get(account, 'types'), { data: ['new'], expired: true, expiresAt: 1_100 })
  await data.removeExpired(1_100)
  t.ok(await data.get(account, 'types'))
  await data.removeExpired(1_101)
  t.equal(await data.get(account, 'types'), undefined)
  t.ok(await data.get(account, 'owners'))
  await data.remove(account, 'owners')
  t.equal(await data.get(account, 'owners'), undefined)
})

await onEveryDatabase(t, 'what is known expires later, unless it has been replaced since it was read', async (t, database) => {
  let now = 1_000
  const data = accountData(database, () => now)
  await data.set(account, 'types', ['old'], 100)
  await data.set(account, 'owners', ['me'], 100)
  now = 1_200
  await data.expireIn(account, 'types', { expiresAt: 1_100 }, 50)
  t.strictSame(await data.get(account, 'types'), { data: ['old'], expired: false, expiresAt: 1_250 })
  await data.set(account, 'types', ['new'], 1_000)
  for (const expiresAt of [1_100, 1_250]) await data.expireIn(account, 'types', { expiresAt }, 50)
  t.strictSame(await data.get(account, 'types'), { data: ['new'], expired: false, expiresAt: 2_200 })
  t.strictSame(await data.get(account, 'owners'), { data: ['me'], expired: true, expiresAt: 1_100 })
})

await onEveryDatabase(t, 'data belongs to one owner (defect S-22)', async (t, database) => {
  const data = accountData(database, () => 0)
  await data.set(account, 'types', ['ours'], 1_000)
  for (const other of others) {
    t.equal(await data.get(other, 'types'), undefined)
    await data.remove(other, 'types')
    await data.set(other, 'types', ['theirs'], 1_000)
    await data.expireIn(other, 'types', { expiresAt: 1_000 }, 2_000)
  }
  t.strictSame(await data.get(account, 'types'), { data: ['ours'], expired: false, expiresAt: 1_000 })
  await t.rejects(data.set({ ownerKey: '', platform: 'acme' }, 'types', [], 1), { message: /without an owner/ })
})

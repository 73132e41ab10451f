import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Credentials } from '../../src/contract/auth.ts'
import { CrmError } from '../../src/contract/crm.ts'
import type { Database } from '../../src/db/database.ts'
import { users, type SignedInUser } from '../../src/db/users.ts'
import { renewals, type RenewalParts } from '../../src/tokens/renewal.ts'
import { alice, onEveryDatabase, testCipher } from '../db/databases.ts'

/** A CRM that takes each refresh token once, and several processes that renew on one database. */
async function setUp (database: Database) {
  let now = 1_000
  const clock = () => now
  const people = users(database, testCipher, clock)
  const asked: string[] = []
  const discarded: string[] = []
  let count = 1
  const issue = (): Credentials => ({ accessToken: `a${count}`, refreshToken: `r${count++}`, issuedAt: now })
  const signIn = async () => await people.save({ platform: 'acme', crmUserId: '1', credentials: issue() }) as SignedInUser
  const seen = await signIn()
  let good = seen.credentials.refreshToken
  const request = async ({ credentials: { refreshToken = '' } }: SignedInUser): Promise<Credentials> => {
    asked.push(refreshToken)
    await pause(5)
    if (refreshToken !== good) throw new CrmError('auth-expired')
    const issued = issue()
    good = issued.refreshToken
    return issued
  }
  const log = { warn: () => {} }
  const process = (parts: Partial<RenewalParts> = {}) => renewals({
    users: people,
    clock,
    log,
    request,
    discard: async ({ credentials }) => { discarded.push(credentials.accessToken) },
    ...parts
  })
  const stored = async () => await people.find('1-acme', 'acme')
  /** A renewal that has new credentials, and keeps them to itself until its lease is over. */
  const beyondItsLease = async () => {
    let release = (): void => {}
    const held = new Promise<void>(resolve => { release = resolve })
    const slow = process({
      request: async user => {
        const credentials = await request(user)
        await held
        return credentials
      }
    }).renew(seen)
    await pause(50)
    now += 15_001
    return { slow, release }
  }
  return {
    seen, people, asked, discarded, process, request, beyondItsLease, issue, stored, signIn, pass: (milliseconds: number) => { now += milliseconds }, setGood: (token: string) => { good = token }
  }
}

await onEveryDatabase(t, 'many processes that renew at once ask once, and all get the same', async (t, database) => {
  const { seen, asked, process, stored } = await setUp(database)
  const renewed = await Promise.all(Array.from({ length: 6 }, process).flatMap(({ renew }) => [renew(seen), renew(seen), renew(seen)]))
  t.strictSame(asked, ['r1'])
  t.strictSame(new Set(renewed.map(({ credentials }) => credentials.accessToken)), new Set(['a2']))
  t.match(await stored(), { renewingUntil: null, credentials: { accessToken: 'a2', refreshToken: 'r2' } })
  t.match((await process().renew(seen)).credentials, { accessToken: 'a2' }, 'whoever comes later with old credentials does not ask either')
  t.equal(asked.length, 1)
})

await onEveryDatabase(t, 'the lease of a process that died is taken over', async (t, database) => {
  const { seen, asked, people, process, pass } = await setUp(database)
  await people.leaseRenewal(alice, seen.version, 16_000)
  const waiting = process().renew(seen)
  await pause(50)
  t.strictSame(asked, [])
  pass(15_001)
  t.match((await waiting).credentials, { accessToken: 'a2' })
})

await onEveryDatabase(t, 'a renewal that comes back after its lease was taken over still counts', async (t, database) => {
  const { seen, asked, process, request, beyondItsLease, stored } = await setUp(database)
  const { slow, release } = await beyondItsLease()
  const other = process({
    request: async user => {
      release()
      await pause(30)
      return await request(user)
    }
  }).renew(seen)
  t.match((await slow).credentials, { accessToken: 'a2' })
  t.match((await other).credentials, { accessToken: 'a2' }, 'the second one was refused, but found what the first one has stored')
  t.strictSame(asked, ['r1', 'r1'])
  t.match(await stored(), { revokedAt: null, credentials: { refreshToken: 'r2' } })
})

await onEveryDatabase(t, 'and so does one that comes back after another was refused', async (t, database) => {
  const { seen, process, beyondItsLease, stored } = await setUp(database)
  const { slow, release } = await beyondItsLease()
  await t.rejects(process().renew(seen), { code: 'session-revoked' })
  release()
  t.match((await slow).credentials, { accessToken: 'a2' })
  t.match(await stored(), { revokedAt: null, credentials: { refreshToken: 'r2' } })
})

await onEveryDatabase(t, 'what a CRM has issued is stored, although the database fails for a moment, before or after it wrote', async (t, database) => {
  const { seen, people, asked, process, stored } = await setUp(database)
  for (const wrote of [false, true]) {
    let failures = 2
    const failing: RenewalParts['users'] = {
      ...people,
      replaceCredentials: async (...step) => {
        if (wrote && failures > 0) await people.replaceCredentials(...step)
        if (failures-- > 0) throw new Error('The connection was cut')
        return await people.replaceCredentials(...step)
      }
    }
    const before = asked.length
    const renewed = await process({ users: failing }).renew(await stored() as SignedInUser)
    t.equal(asked.length, before + 1)
    t.strictSame((await stored())?.credentials, renewed.credentials)
  }
  t.not((await stored())?.credentials?.accessToken, seen.credentials.accessToken)
})

await onEveryDatabase(t, 'what a renewal keeps on its way is there for the next one when it fails', async (t, database) => {
  const { seen, people, asked, process, request, stored } = await setUp(database)
  const { accessToken, issuedAt } = seen.credentials
  let failures = 2
  const failing = process({
    users: {
      ...people,
      replaceCredentials: async (...step) => {
        if (failures-- > 0) throw new Error('The connection was cut')
        return await people.replaceCredentials(...step)
      }
    },
    request: async (user, keep) => {
      // Nobody waits here until it is kept, as when a renewal is cut off.
      const issued = await request(user)
      keep({ ...issued, expiresAt: 9_000_000, baseUrl: 'https://new', kind: 'own', tokenUrl: 'https://there' }).catch(() => {})
      throw new CrmError('unavailable')
    }
  })
  await t.rejects(failing.renew(seen), { code: 'unavailable' })
  t.match(await stored(), { renewingUntil: null, revokedAt: null })
  t.strictSame((await stored())?.credentials, { accessToken, issuedAt, refreshToken: 'r2', tokenUrl: 'https://there' }, 'but nothing that belongs to the new access token')
  t.match((await process().renew(seen)).credentials, { accessToken: 'a3', refreshToken: 'r3' })
  t.strictSame(asked, ['r1', 'r2'])
})

await onEveryDatabase(t, 'nobody goes on with what a renewal has only kept', async (t, database) => {
  const { seen, asked, process, request, stored } = await setUp(database)
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const slow = process({
    request: async (user, keep) => {
      const renewed = await request(user)
      await keep(renewed)
      await held
      return { ...renewed, accessToken: 'whole' }
    }
  })
  const renewing = [slow.renew(seen), slow.renew(seen), process().renew(seen)]
  await pause(100)
  t.match(await stored(), { renewingUntil: 16_000, credentials: { accessToken: 'a1', refreshToken: 'r2' } })
  release()
  for (const { credentials } of await Promise.all(renewing)) t.match(credentials, { accessToken: 'whole', refreshToken: 'r2' })
  t.strictSame(asked, ['r1'])
  t.match(await stored(), { renewingUntil: null, credentials: { accessToken: 'whole' } })
})

await onEveryDatabase(t, 'a renewal that is refused after it has kept something ends the connection', async (t, database) => {
  const { seen, process, request, stored } = await setUp(database)
  await t.rejects(process({
    request: async (user, keep) => {
      await keep(await request(user))
      throw new CrmError('auth-expired')
    }
  }).renew(seen), { code: 'session-revoked' })
  t.match(await stored(), { renewingUntil: null, revokedAt: 1_000, credentials: { refreshToken: 'r2' } })
})

await onEveryDatabase(t, 'what is kept does not come back after a logout or a login', async (t, database) => {
  const { seen, people, process, request, discarded, signIn, setGood, stored } = await setUp(database)
  const during = async (seen: SignedInUser, happens: () => Promise<unknown>) => await process({
    request: async (user, keep) => {
      const renewed = await request(user)
      await happens()
      await keep(renewed)
      return renewed
    }
  }).renew(seen)
  const { credentials } = await during(seen, signIn)
  t.strictSame(credentials, (await stored())?.credentials)
  t.strictSame(discarded, [])
  setGood(credentials.refreshToken ?? '')
  await t.rejects(during(await stored() as SignedInUser, async () => await people.signOut(alice)), { code: 'unknown-user' })
  t.equal((await stored())?.credentials, undefined)
  t.strictSame(discarded, ['a3', 'a4'], 'neither what was kept, with the old access token, nor what followed')
})

await onEveryDatabase(t, 'a login during a renewal goes before it', async (t, database) => {
  const { seen, process, request, signIn, stored } = await setUp(database)
  for (const fails of [false, true]) {
    const { credentials } = await process({
      request: async user => {
        const renewed = await request(user).catch(() => undefined)
        await signIn()
        if (fails || renewed === undefined) throw new CrmError('auth-expired')
        return renewed
      }
    }).renew(await stored() as SignedInUser)
    t.strictSame(credentials, (await stored())?.credentials, fails ? 'also when it is refused' : 'what it brought is not kept')
    t.equal((await stored())?.revokedAt, null)
  }
  t.not((await stored())?.credentials?.accessToken, seen.credentials.accessToken)
})

await onEveryDatabase(t, 'a logout during a renewal ends it, and nobody keeps what it brought', async (t, database) => {
  const { seen, people, process, request, discarded, stored } = await setUp(database)
  await t.rejects(process({
    request: async user => {
      const renewed = await request(user)
      await people.signOut(alice)
      return renewed
    }
  }).renew(seen), { code: 'unknown-user' })
  t.strictSame(discarded, ['a2'])
  t.equal((await stored())?.credentials, undefined)
})

await onEveryDatabase(t, 'a session that was ended does not go on with the credentials of the next', async (t, database) => {
  const { seen, people, process, signIn } = await setUp(database)
  await people.signOut(alice)
  await signIn()
  await t.rejects(process().renew(seen), { code: 'unknown-user' })
})

await onEveryDatabase(t, 'a refusal is remembered, any other failure is not', async (t, database) => {
  const { seen, asked, process, setGood, stored } = await setUp(database)
  const failing = process({ request: async () => { throw new CrmError('unavailable') } })
  await t.rejects(failing.renew(seen), { code: 'unavailable' })
  t.match(await stored(), { renewingUntil: null, revokedAt: null })

  setGood('another')
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, process).map(({ renew }) => renew(seen)))
  for (const outcome of outcomes) t.match(outcome, { status: 'rejected', reason: { code: 'session-revoked' } })
  t.equal(asked.length, 1)
  await t.rejects(process().renew(seen), { code: 'session-revoked' })
  t.equal(asked.length, 1)
})

await onEveryDatabase(t, 'who joins a renewal that ends with what they have already, begins another', async (t, database) => {
  const { seen, asked, process } = await setUp(database)
  const { renew, settled } = process()
  const fresh = await renew(seen)
  const [one, other] = await Promise.all([renew(seen), renew(fresh)])
  t.equal(one.credentials.accessToken, 'a2')
  t.equal(other.credentials.accessToken, 'a3')
  t.strictSame(asked, ['r1', 'r2'])
  await settled()
})

import t from 'tap'
import { accountData } from '../../src/accounts/account-data.ts'
import { CrmError } from '../../src/contract/crm.ts'
import { PatchbayError } from '../../src/contract/errors.ts'
import { Type } from '../../src/contract/type.ts'
import { accountData as remembered } from '../../src/db/account-data.ts'
import { alice, onEveryDatabase } from '../db/databases.ts'

const user = { crmUserId: '1', name: '', hostname: '', timeZone: '', timeZoneOffset: '', info: {} }

await onEveryDatabase(t, 'whoever shares a request for a list does not suffer when the one who began it has gone', async (t, database) => {
  const lists = accountData({ remembered: remembered(database, () => 0), log: { debug: () => {} } })
  let asked = 0
  const provider = {
    key: 'types',
    ttl: 1_000,
    schema: Type.Array(Type.String()),
    fetch: async ({ signal }: { signal: AbortSignal }) => {
      asked++
      await new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, 50)
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(new Error('nobody waits'))
        })
      })
      return ['call']
    }
  }
  const [leaving, staying] = [new AbortController(), new AbortController()]
  const get = async (signal: AbortSignal) => await lists.get(alice, provider as never, { crm: {} as never, user, signal })
  const answers = [get(leaving.signal), get(staying.signal), get(staying.signal)]
  setTimeout(() => { leaving.abort() }, 10)
  t.match(await Promise.allSettled(answers), [{ status: 'rejected' }, { status: 'fulfilled', value: ['call'] }, { status: 'fulfilled', value: ['call'] }])
  t.equal(asked, 2, 'one more time for those who stayed')
})

await onEveryDatabase(t, 'who shares a list', async (t, database) => {
  const lists = accountData({ remembered: remembered(database, () => 0), log: { debug: () => {} } })
  const listOf = async (userId: string, platform: string, companyId: unknown, told: string) => {
    const provider = { key: 'types', ttl: 1_000, schema: Type.String(), fetch: async () => told }
    return await lists.get({ userId, platform, accountId: '500' }, provider, { crm: {} as never, user: { ...user, info: { companyId } }, signal: AbortSignal.timeout(9_000) })
  }
  const table: Array<[who: string, userId: string, platform: string, companyId: unknown, gets: string]> = [
    ['the first one of a company', '1-acme', 'acme', 77, 'the first one of a company'],
    ['a colleague', '2-acme', 'acme', '77', 'the first one of a company'],
    ['somebody of another company', '3-acme', 'acme', 78, 'somebody of another company'],
    ['a company of that number at another CRM', '1-other', 'other', 77, 'a company of that number at another CRM'],
    ['somebody of no company', '4-acme', 'acme', undefined, 'somebody of no company'],
    ['another one of none', '5-acme', 'acme', undefined, 'another one of none'],
    ['one whose company has no name', '6-acme', 'acme', '', 'one whose company has no name'],
    ['another such one', '7-acme', 'acme', '', 'another such one'],
    ['a company that is called like a user', '8-acme', 'acme', '4-acme', 'a company that is called like a user'],
    ['the same user in another company', '1-acme', 'acme', 79, 'the same user in another company']
  ]
  for (const [who, userId, platform, companyId, gets] of table) t.equal(await listOf(userId, platform, companyId, who), gets, who)
})

await onEveryDatabase(t, 'what the CRM refuses one user, it may give the colleague who waits for the same; when it fails, it is asked once', async (t, database) => {
  const failures = [
    [new PatchbayError('session-revoked'), 2],
    [new CrmError('auth-expired'), 2],
    [new CrmError('permission'), 2],
    [new CrmError('unavailable'), 1],
    [new CrmError('rate-limited'), 1]
  ] as const
  for (const [failure, times] of failures) {
    const lists = accountData({ remembered: remembered(database, () => 0), log: { debug: () => {} } })
    let asked = 0
    const provider = {
      key: failure.code.replace('-', ''),
      ttl: 1_000,
      schema: Type.Array(Type.String()),
      fetch: async () => {
        if (asked++ > 0) return ['call']
        await new Promise(resolve => { setTimeout(resolve, 20) })
        throw failure
      }
    }
    const ask = async (userId: string) => await lists.get(
      { ...alice, userId }, provider, { crm: {} as never, user: { ...user, info: { companyId: 77 } }, signal: AbortSignal.timeout(9_000) }
    )
    const refused = { status: 'rejected', reason: failure }
    const [first, sameUser, colleague] = await Promise.allSettled([ask('1-acme'), ask('1-acme'), ask('2-acme')])
    t.match([first, sameUser], [refused, refused], failure.code)
    t.match(colleague, times === 1 ? refused : { status: 'fulfilled', value: ['call'] }, failure.code)
    t.equal(asked, times, failure.code)
  }
})

await onEveryDatabase(t, 'an old list is given to whoever is refused the new one, and to nobody else; when the CRM fails, to everybody for a minute', async (t, database) => {
  const failures = [
    [new CrmError('auth-expired'), true],
    [new CrmError('permission'), true],
    [new CrmError('unavailable'), false],
    [new CrmError('rate-limited'), false]
  ] as const
  for (const [failure, isTheirs] of failures) {
    let now = 0
    const lists = accountData({ remembered: remembered(database, () => now), log: { debug: () => {} } })
    const told = [async () => ['old'], async () => { throw failure }, async () => ['new'], async () => ['newest']]
    const provider = {
      key: failure.code.replace('-', ''),
      ttl: 100_000,
      schema: Type.Array(Type.String()),
      fetch: async () => {
        await new Promise(resolve => { setTimeout(resolve, 20) })
        return await told.shift()?.() ?? []
      }
    }
    const ask = async (userId: string) => await lists.get(
      { ...alice, userId }, provider, { crm: {} as never, user: { ...user, info: { companyId: 77 } }, signal: AbortSignal.timeout(9_000) }
    )
    await ask('1-acme')
    now += 100_000
    const given = isTheirs ? ['new'] : ['old']
    t.strictSame(await Promise.all([ask('1-acme'), ask('1-acme'), ask('2-acme'), ask('3-acme')]), [['old'], ['old'], given, given], failure.code)
    now += 59_999
    t.strictSame(await ask('1-acme'), given, failure.code)
    now += 1
    t.strictSame(await ask('3-acme'), ['new'], `${failure.code}: nobody has shortened the time of a new list, or lengthened that of an old one`)
    t.equal(told.length, 1, failure.code)
  }
})

await onEveryDatabase(t, 'whoever goes before the CRM has answered leaves no old list for others', async (t, database) => {
  let now = 0
  const lists = accountData({ remembered: remembered(database, () => now), log: { debug: () => {} } })
  const [leaving, staying] = [new AbortController(), new AbortController()]
  const told = [
    async () => ['old'],
    async () => await new Promise<string[]>((_resolve, reject) => { leaving.signal.addEventListener('abort', () => { reject(new CrmError('unavailable')) }) }),
    async () => ['new']
  ]
  const provider = { key: 'types', ttl: 1_000, schema: Type.Array(Type.String()), fetch: async () => await told.shift()?.() ?? [] }
  const ask = async (userId: string, { signal }: AbortController) =>
    await lists.get({ ...alice, userId }, provider, { crm: {} as never, user: { ...user, info: { companyId: 77 } }, signal })
  await ask('1-acme', staying)
  now += 1_000
  const answers = [ask('1-acme', leaving), ask('2-acme', staying)]
  while (told.length > 1) await new Promise(resolve => { setImmediate(resolve) })
  leaving.abort()
  t.strictSame(await Promise.all(answers), [['old'], ['new']], 'who waited for the same gets what the CRM has')
  t.strictSame(await ask('3-acme', staying), ['new'])
})

await onEveryDatabase(t, 'a list that another process has got is not replaced by the old one when the CRM fails here', async (t, database) => {
  let now = 0
  const [here, there] = [1, 2].map(() => accountData({ remembered: remembered(database, () => now), log: { debug: () => {} } }))
  const ask = async (lists = here, fetch: () => Promise<string[]>) => {
    const provider = { key: 'types', ttl: 100_000, schema: Type.Array(Type.String()), fetch }
    return await lists?.get(alice, provider, { crm: {} as never, user, signal: AbortSignal.timeout(9_000) })
  }
  await ask(here, async () => ['old'])
  now += 100_000
  let fail = (_error: Error): void => {}
  let answer: Promise<unknown> | undefined
  await new Promise<void>(resolve => {
    answer = ask(here, async () => await new Promise((_resolve, reject) => {
      fail = reject
      resolve()
    }))
  })
  t.strictSame(await ask(there, async () => ['new']), ['new'])
  fail(new CrmError('unavailable'))
  t.strictSame(await answer, ['old'])
  now += 60_000
  for (const lists of [here, there]) t.strictSame(await ask(lists, async () => ['asked again']), ['new'])
})

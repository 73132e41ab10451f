import t from 'tap'
import { accountData } from '../../src/accounts/account-data.ts'
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

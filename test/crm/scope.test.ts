import t from 'tap'
import { accountName } from '../../src/crm/scope.ts'
import { info } from './doors.ts'

const shared = new URL('https://api.example.com/v1')
const own = new URL('https://acme.tenants.example.com/v1')
const limited = (scope: 'user' | 'account') => ({ ...info, rateLimit: { requests: 1, perMilliseconds: 1, scope } })

await t.test('who shares a budget', async t => {
  const ann = accountName({ info }, shared, 'Bearer ann')
  t.equal(accountName({ info }, shared, 'Bearer ann'), ann)
  const table: Array<[title: string, one: string | undefined, other: string | undefined, same: boolean]> = [
    ['users of a shared host', ann, accountName({ info }, shared, 'Bearer bob'), false],
    ['users of an account that has a name', accountName({ info, accountKey: 'acme' }, shared, 'Bearer ann'), accountName({ info, accountKey: 'acme' }, shared, 'Bearer bob'), true],
    ['accounts with two names', accountName({ info, accountKey: 'acme' }, shared, 'x'), accountName({ info, accountKey: 'other' }, shared, 'x'), false],
    ['users of a host that belongs to one account', accountName({ info }, own, 'Bearer ann'), accountName({ info }, own, 'Bearer bob'), true],
    ['hosts of two accounts', accountName({ info }, own, 'x'), accountName({ info }, new URL('https://other.tenants.example.com'), 'x'), false],
    ['users whose tokens have limits of their own', accountName({ info: limited('user'), accountKey: 'acme' }, own, 'Bearer ann'), accountName({ info: limited('user'), accountKey: 'acme' }, own, 'Bearer bob'), false],
    ['a user whose authorization is several headers', accountName({ info }, shared, { token: 'ann', key: 'x' }), accountName({ info }, shared, { token: 'ann', key: 'x' }), true],
    ['users whose authorization is another header', accountName({ info }, shared, { token: 'ann' }), accountName({ info }, shared, { token: 'bob' }), false],
    ['two connectors', accountName({ info, accountKey: 'acme' }, shared, 'x'), accountName({ info: { ...info, platform: 'other' }, accountKey: 'acme' }, shared, 'x'), false]
  ]
  for (const [title, one, other, same] of table) t.equal(one === other, same, title)
  t.notMatch(ann, /ann/, 'no token is kept')
})

await t.test('a request that is nobody\'s has a budget of its own, unless its account is known', async t => {
  t.equal(accountName({ info }, shared, undefined), undefined)
  t.equal(accountName({ info: limited('user') }, own, undefined), undefined)
  t.type(accountName({ info }, own, undefined), 'string')
  t.type(accountName({ info, accountKey: 'acme' }, shared, undefined), 'string')
})

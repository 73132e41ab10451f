import fc from 'fast-check'
import t from 'tap'
import { rateState, retryAfter } from '../../src/crm/headers.ts'

const now = Date.parse('2026-03-01T12:00:00Z')

await t.test('every form of Retry-After is read', async t => {
  const table: Array<[value: string, seconds: number | undefined]> = [
    ['0', 0],
    ['7', 7],
    [' 7 ', 7],
    ['+7', 7],
    ['1.5', 1.5],
    ['-3', 0],
    ['86400', 86_400],
    ['99999999999', 86_400],
    ['9'.repeat(400), 86_400],
    ['Sun, 01 Mar 2026 12:00:10 GMT', 10],
    ['sun, 01 mar 2026 12:00:10 gmt', 10],
    ['Sunday, 01-Mar-26 12:00:10 GMT', 10],
    ['Sun Mar  1 12:00:10 2026', 10],
    ['Sun, 01 Mar 2026 14:00:10 +0200', 10],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['Fri, 01 Jan 2100 00:00:00 GMT', 86_400],
    ['', undefined],
    ['soon', undefined],
    ['10s', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['12 apples', undefined],
    ['Sun, 99 Foo 2026', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['5, 10', undefined]
  ]
  for (const [value, seconds] of table) t.equal(retryAfter({ 'retry-after': value }, now), seconds, value)
  t.equal(retryAfter({}, now), undefined)
})

await t.test("a date is compared with the CRM's own time where it tells it", async t => {
  const headers = { 'retry-after': 'Sun, 01 Mar 2026 15:00:10 GMT', date: 'Sun, 01 Mar 2026 15:00:05 GMT' }
  t.equal(retryAfter(headers, now), 5)
  t.equal(retryAfter({ ...headers, date: 'garbage' }, now), 3 * 3600 + 10)
})

await t.test('whatever the header holds, the delay is no number or between 0 and a day', async () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.date({ noInvalidDate: true }).map(date => date.toUTCString())), value => {
    const delay = retryAfter({ 'retry-after': value }, now)
    return delay === undefined || (delay >= 0 && delay <= 86_400)
  }))
})

await t.test('what is left of the budget is read under both names and in every unit of the reset', async t => {
  const seconds = now / 1000
  const table: Array<[headers: Record<string, string>, state: object]> = [
    [{}, {}],
    [{ 'x-ratelimit-limit': '80', 'x-ratelimit-remaining': '79', 'x-ratelimit-reset': '2' }, { limit: 80, remaining: 79, resetSeconds: 2 }],
    [{ 'ratelimit-limit': '10, 10;w=1', 'ratelimit-remaining': '0', 'ratelimit-reset': '1' }, { limit: 10, remaining: 0, resetSeconds: 1 }],
    [{ 'ratelimit-remaining': '3', 'x-ratelimit-remaining': '9' }, { remaining: 3 }],
    [{ 'x-ratelimit-reset': String(seconds + 30) }, { resetSeconds: 30 }],
    [{ 'x-ratelimit-reset': String(now + 30_000) }, { resetSeconds: 30 }],
    [{ 'x-ratelimit-reset': String(seconds - 30) }, { resetSeconds: 0 }],
    [{ 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '' }, {}]
  ]
  for (const [headers, state] of table) t.strictSame(rateState(headers, now), state, JSON.stringify(headers))
})

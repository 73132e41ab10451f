import t from 'tap'
import type { RateLimit } from '../../src/contract/connector.ts'
import { budget, budgets, type Budget } from '../../src/crm/budget.ts'

const clock = (): number => performance.now()
const signal = new AbortController().signal
const tenPerSecond: RateLimit = { requests: 10, perMilliseconds: 1000, scope: 'account' }
const now = { background: false, longest: 0, signal }
const soon = { background: false, longest: 1000, signal }

async function goes (one: Budget, times: number): Promise<number> {
  let gone = 0
  for (let i = 0; i < times; i++) if (await one.turn(now) === 0) gone++
  return gone
}

await t.test('a budget is what the connector declares, and fills up again with time', async t => {
  const time = { now: 5000 }
  const one = budget(tenPerSecond, () => time.now)
  t.equal(await goes(one, 15), 10)
  t.equal(await one.turn(now), 100, 'the next one comes in a tenth of a second')
  time.now += 250
  t.equal(await goes(one, 5), 2)
  time.now += 60_000
  t.equal(await goes(one, 15), 10, 'never more than declared')
})

await t.test('without a declaration only delays that the CRM asks for hold requests back', async t => {
  const time = { now: 5000 }
  const one = budget(undefined, () => time.now)
  t.equal(await goes(one, 1000), 1000)
  one.learn({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' })
  t.equal(await goes(one, 1), 1)
  one.pause(4000)
  one.pause(1000)
  t.equal(await one.turn(now), 4000, 'the longest delay counts')
  time.now += 4000
  t.equal(await goes(one, 1), 1)
})

await t.test("the CRM's headers correct it downwards", async t => {
  const time = { now: 5000 }
  const one = budget(tenPerSecond, () => time.now)
  one.learn({ 'x-ratelimit-remaining': '3' })
  t.equal(await goes(one, 10), 3)
  time.now += 10_000
  one.learn({ 'ratelimit-limit': '2', 'ratelimit-remaining': '500' })
  t.equal(await goes(one, 10), 2)
  time.now += 10_000
  one.learn({ 'ratelimit-remaining': '0', 'ratelimit-reset': '7' })
  t.equal(await one.turn(now), 7000)
  one.learn({ 'ratelimit-remaining': '0', 'ratelimit-reset': '86400' })
  t.equal(await one.turn(now), 60_000, 'what only informs is believed for a minute')
})

await t.test('a connector can read the headers of its CRM itself', async t => {
  const one = budget({ ...tenPerSecond, read: headers => ({ remaining: Number(headers['x-left']) }) }, () => 5000)
  one.learn({ 'x-left': '4', 'x-ratelimit-remaining': '1' })
  t.equal(await goes(one, 10), 4)
})

await t.test('whoever waits goes in order, those for whom a person waits first', async t => {
  const one = budget({ requests: 1, perMilliseconds: 20, scope: 'account' }, clock)
  t.equal(await one.turn(now), 0)
  const order: string[] = []
  const began = performance.now()
  await Promise.all([['b1', true], ['i1', false], ['b2', true], ['i2', false]].map(async ([name, background]) => {
    t.equal(await one.turn({ background: background === true, longest: 5000, signal }), 0)
    order.push(String(name))
  }))
  t.strictSame(order, ['i1', 'i2', 'b1', 'b2'])
  t.ok(performance.now() - began >= 78, 'each after its time')
})

await t.test('whoever would wait in vain is told at once', async t => {
  const one = budget({ requests: 1, perMilliseconds: 100, scope: 'account' }, () => 5000)
  await one.turn(now)
  const waiting = one.turn({ ...soon, longest: 150 })
  t.equal(await one.turn({ ...soon, longest: 150 }), 200)
  one.pause(5000)
  t.equal(await waiting, 5000, 'also when a delay comes while it waits')
})

await t.test('an abort leaves the line, and the others move up', async t => {
  const time = { now: 5000 }
  const one = budget({ requests: 1, perMilliseconds: 20, scope: 'account' }, () => time.now)
  await one.turn(now)
  const gone = new AbortController()
  const first = one.turn({ ...soon, signal: gone.signal })
  const second = one.turn(soon)
  gone.abort()
  t.equal(await first, 40, 'it would be the second one now')
  time.now += 20
  t.equal(await second, 0)
  t.equal(await one.turn({ ...soon, signal: gone.signal }), 20, 'whoever is gone before does not wait')
})

await t.test('a look that ends after a later one leaves what that one has learned', async t => {
  const time = { now: 0 }
  const one = budget(undefined, () => time.now)
  one.backOff()
  time.now = 2_000
  t.equal(await one.turn(now), 0)
  one.backOff()
  time.now = 6_000
  t.equal(await one.turn(now), 0, 'it looks, and hangs')
  const hanging = one.look()
  time.now = 14_000
  t.equal(await one.turn(now), 0, 'so the next one looks')
  time.now = 14_100
  t.equal(one.backOff(), 15_900)
  time.now = 16_000
  one.lookAgain(hanging)
  t.equal(await one.turn(now), 14_000)
})

await t.test('accounts do not share, requests of one account do, and a nameless one is alone', async t => {
  const budgetOf = budgets(() => 5000)
  t.equal(await goes(budgetOf('a', tenPerSecond), 7), 7)
  t.equal(await goes(budgetOf('a', tenPerSecond), 7), 3)
  t.equal(await goes(budgetOf('b', tenPerSecond), 7), 7)
  t.equal(await goes(budgetOf(undefined, tenPerSecond), 7), 7)
  t.equal(await goes(budgetOf(undefined, tenPerSecond), 7), 7)
})

await t.test('accounts that are not used are forgotten when there are too many', async t => {
  const time = { now: 5000 }
  const budgetOf = budgets(() => time.now)
  const first = budgetOf('0', tenPerSecond)
  const paused = budgetOf('paused', tenPerSecond)
  paused.pause(60_000)
  for (let i = 1; i < 10_000; i++) budgetOf(String(i), tenPerSecond)
  t.not(budgetOf('0', tenPerSecond), first)
  t.equal(budgetOf('paused', tenPerSecond), paused)
})

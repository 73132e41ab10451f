import t from 'tap'
import { breaker } from '../../src/crm/breaker.ts'

function started () {
  const time = { now: 1_000_000 }
  const { rest, enter, failed, succeeded } = breaker(() => time.now)
  return { time, rest, enter, succeeded, fail: (times: number, host = 'a') => { for (let i = 0; i < times; i++) failed(host) } }
}

await t.test('five failures close a host for thirty seconds, and no other host', async t => {
  const { time, rest, enter, fail } = started()
  fail(4)
  t.equal(enter('a'), 0)
  fail(1)
  t.equal(rest('a'), 30_000)
  t.equal(enter('a'), 30_000)
  t.equal(enter('b'), 0)
  time.now += 29_999
  t.equal(enter('a'), 1)
})

await t.test('one request in thirty seconds looks whether it is back', async t => {
  const { time, rest, enter, succeeded, fail } = started()
  fail(5)
  time.now += 30_000
  t.equal(rest('a'), 0, 'looking at it takes nothing')
  t.strictSame([enter('a'), enter('a')], [0, 30_000])
  fail(1)
  time.now += 30_000
  t.strictSame([enter('a'), enter('a')], [0, 30_000])
  succeeded('a')
  t.strictSame([enter('a'), enter('a')], [0, 0])
  fail(4)
  t.equal(enter('a'), 0, 'it starts from nothing')
})

await t.test('failures count together for thirty seconds, and until a success', async t => {
  const { time, enter, succeeded, fail } = started()
  for (let i = 0; i < 20; i++) {
    fail(1)
    time.now += 7_500
  }
  t.equal(enter('a'), 0, 'four within any thirty seconds')
  fail(4)
  succeeded('a')
  fail(4)
  t.equal(enter('a'), 0)
})

await t.test('the memory for hosts is bounded', async t => {
  const { rest, fail } = started()
  for (let i = 0; i < 10_001; i++) fail(5, `host-${i}`)
  t.equal(rest('host-0'), 0)
  t.equal(rest('host-1'), 30_000)
})

import fc from 'fast-check'
import t from 'tap'
import { defaultLimits } from '../../src/crm/limits.ts'
import { decide, type Attempt } from '../../src/crm/retry.ts'

const unsent = { kind: 'unavailable', outcome: 'not-received', transient: true } as const
const lost = { kind: 'unavailable', outcome: 'unknown', transient: true } as const
const limited = (retryAfter?: number) => ({ kind: 'rate-limited', outcome: 'not-received', transient: true, ...(retryAfter !== undefined && { retryAfter }) } as const)
const refused = { kind: 'invalid', outcome: 'refused', transient: false } as const

const attempt = (more: Partial<Attempt>): Attempt =>
  ({ verdict: unsent, method: 'GET', number: 1, talked: 0, patience: defaultLimits.wait, isBackingOff: false, limits: defaultLimits, random: () => 0.5, ...more })

await t.test('whether, after how long, and why', async t => {
  const table: Array<[title: string, attempt: Partial<Attempt>, wait: number | undefined]> = [
    ['a refusal', { verdict: refused }, undefined],
    ['a connection that did not stand, read', {}, 250],
    ['a connection that did not stand, write', { method: 'POST' }, 250],
    ['the second time the pause doubles', { number: 2 }, 500],
    ['the third attempt is the last', { number: 3 }, undefined],
    ['chance may make it short', { random: () => 0 }, 0],
    ['a lost answer, GET', { verdict: lost, method: 'GET' }, 250],
    ['a lost answer, HEAD', { verdict: lost, method: 'HEAD' }, 250],
    ['a lost answer, PUT', { verdict: lost, method: 'PUT' }, 250],
    ['a lost answer, DELETE', { verdict: lost, method: 'DELETE' }, 250],
    ['a lost answer, POST', { verdict: lost, method: 'POST' }, undefined],
    ['a lost answer, PATCH', { verdict: lost, method: 'PATCH' }, undefined],
    ['a delay that was asked for', { verdict: limited(7), method: 'POST' }, 7000],
    ['the longest delay', { verdict: limited(10) }, 10_000],
    ['a longer one', { verdict: limited(11) }, undefined],
    ['a delay of nothing still backs off', { verdict: limited(0) }, 250],
    ['a rate limit without a delay', { verdict: limited() }, 250],
    ['a rate limit without a delay, the third time', { verdict: limited(), number: 3 }, undefined],
    ['a rate limit without a delay, where earlier calls met one', { verdict: limited(), isBackingOff: true }, undefined],
    ['a delay that was asked for, where earlier calls met a limit without one', { verdict: limited(7), isBackingOff: true }, 7000],
    ['a delay that was asked for the third time', { verdict: limited(2), number: 3, patience: 6500 }, 2000],
    ['a delay when most of the wait is used', { verdict: limited(7), number: 2, patience: 3500 }, undefined],
    ['a delay for the twentieth time', { verdict: limited(0), number: 20 }, undefined],
    ['a moment without time for another', { patience: 0 }, undefined],
    ['no time left to talk', { verdict: lost, talked: 9500 }, undefined]
  ]
  for (const [title, given, wait] of table) {
    const decision = decide(attempt(given))
    t.equal(decision.wait, wait, title)
    t.match(decision.why, /./, title)
  }
})

await t.test('every history ends within the bounds', async () => {
  const verdicts = fc.oneof(fc.constant(unsent), fc.constant(lost), fc.double({ min: 0, max: 20, noNaN: true }).map(limited))
  fc.assert(fc.property(fc.infiniteStream(verdicts), fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), fc.constantFrom('GET', 'POST'), (coming, chances, method) => {
    let waited = 0
    for (let number = 1; number <= 20; number++) {
      const { value: verdict } = coming.next()
      const { wait } = decide(attempt({ verdict, method, number, patience: defaultLimits.wait - waited, random: () => chances.next().value }))
      if (wait === undefined) return waited <= defaultLimits.wait
      if (wait < (('retryAfter' in verdict ? verdict.retryAfter : 0) ?? 0) * 1000) return false
      if (method === 'POST' && verdict.outcome === 'unknown') return false
      waited += wait
    }
    return false
  }))
})

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { lookups, type LookupsOptions, type Resolve } from '../../src/crm/lookups.ts'

/** Names whose answers a test gives, when it likes. */
function setUp (options: Partial<LookupsOptions> = {}) {
  let now = 0
  const open: Array<{ name: string, callback: Parameters<Resolve>[2] }> = []
  const asked: string[] = []
  const look = lookups({
    resolve: (name, _options, callback) => {
      asked.push(name)
      open.push({ name, callback })
    },
    lineOf: name => name.slice(name.indexOf('.') + 1),
    lively: 1_000,
    longest: 3_000,
    clock: () => now,
    ...options
  })
  return {
    look,
    /** What the system was asked for since the last time. */
    asked: async () => {
      await turn()
      return asked.splice(0)
    },
    pass: (milliseconds: number) => { now += milliseconds },
    answer: async (name: string, error: Error | null = null) => {
      const index = open.findIndex(one => one.name === name)
      open.splice(index, 1)[0]?.callback(error, error === null ? [{ address: '8.8.8.8', family: 4 }] : [])
      await turn()
    }
  }
}

const none = new Error('none')

await t.test('all who ask for a name at the same time get one answer, whoever asks later another one', async t => {
  const { look, asked, answer } = setUp()
  const all = Promise.all([look('a.dead'), look('a.dead'), look('a.dead')])
  t.strictSame(await asked(), ['a.dead'])
  await answer('a.dead')
  t.strictSame(new Set((await all).flat().map(({ address }) => address)), new Set(['8.8.8.8']))
  const later = Promise.allSettled([look('a.dead'), look('a.dead')])
  t.strictSame(await asked(), ['a.dead'], 'nothing is remembered')
  await answer('a.dead', none)
  t.strictSame((await later).map(({ status }) => status), ['rejected', 'rejected'])
})

await t.test('as long as a line is silent, it has one place, and other lines have theirs', async t => {
  const { look, asked, answer, pass } = setUp()
  const dead = Promise.allSettled([look('a.dead'), look('b.dead'), look('c.dead')])
  const healthy = look('a.healthy')
  t.strictSame(await asked(), ['a.dead', 'a.healthy'])
  await answer('a.healthy')
  t.equal((await healthy).length, 1)
  pass(2_000)
  await answer('a.dead', none)
  t.strictSame(await asked(), ['b.dead'], 'a name without an answer makes room for the next one')
  await answer('b.dead', none)
  await answer('c.dead', none)
  await dead
})

await t.test('a line that answers is open for all its names, until it falls silent', async t => {
  const { look, asked, answer, pass } = setUp()
  const first = Promise.allSettled([look('a.crm'), look('b.crm'), look('c.crm')])
  t.strictSame(await asked(), ['a.crm'])
  pass(20)
  await answer('a.crm', none)
  t.strictSame(await asked(), ['b.crm', 'c.crm'], 'also where it answers that there is no such name')
  pass(1_000)
  const second = Promise.allSettled([look('d.crm')])
  t.strictSame(await asked(), [])
  for (const name of ['b.crm', 'c.crm']) await answer(name)
  t.strictSame(await asked(), ['d.crm'])
  await answer('d.crm')
  await Promise.all([first, second])
})

await t.test('a name is not looked up when its turn comes after everybody has given up', async t => {
  const { look, asked, answer, pass } = setUp()
  const dead = Promise.allSettled([look('a.dead')])
  const left = Promise.allSettled([look('b.dead')])
  const early = Promise.allSettled([look('c.dead')])
  t.strictSame(await asked(), ['a.dead'])
  pass(3_001)
  const late = Promise.allSettled([look('c.dead')])
  await answer('a.dead', none)
  t.strictSame(await asked(), ['c.dead'], 'but where somebody has asked again')
  t.match(await left, [{ status: 'rejected', reason: { message: /not looked up/ } }])
  await answer('c.dead')
  t.match(await Promise.all([dead, early, late]), [[{ status: 'rejected' }], [{ status: 'fulfilled' }], [{ status: 'fulfilled' }]])
})

await t.test('a line that is never open looks names up one after the other', async t => {
  const { look, asked, answer } = setUp({ lively: 0 })
  const all = Promise.all([look('a.crm'), look('b.crm'), look('c.crm')])
  for (const name of ['a.crm', 'b.crm', 'c.crm']) {
    t.strictSame(await asked(), [name])
    await answer(name)
  }
  await all
})

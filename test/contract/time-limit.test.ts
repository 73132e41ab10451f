import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { mock } from 'node:test'
import t from 'tap'
import { timeLimit } from '../../src/contract/time-limit.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

await t.test('a limit comes after its time, whatever the garbage collector does meanwhile, or with the other signal', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const [staying, leaving] = [new AbortController(), new AbortController()]
  const [first, second] = [timeLimit(25_000, staying.signal), timeLimit(25_000, leaving.signal)]
  for (let i = 0; i < 3; i++) {
    await new Promise(resolve => { setImmediate(resolve) })
    collectGarbage()
  }
  mock.timers.tick(24_999)
  leaving.abort()
  t.strictSame([first.aborted, second.aborted], [false, true])
  mock.timers.tick(1)
  t.ok(first.aborted)
  t.match(first.reason, { code: 'timed-out' })
})

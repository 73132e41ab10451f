import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openGround, runHistory } from './history.ts'
import { history } from './history-ops.ts'
import { long, seed } from './long.ts'

const ground = openGround()
t.teardown(ground.crm.close)

// One that fails is printed as short as it can be made, and belongs in found-histories.test.ts.
for (const dedupe of ['native', 'search', 'none'] as const) {
  const numRuns = long ? 1_000 : 30
  await t.test(`${numRuns} random histories with dedupe ${dedupe}, SEED=${seed}`, { timeout: 1_800_000 }, async t => {
    const folder = t.testdir()
    let count = 0
    await fc.assert(fc.asyncProperty(history, async ops => {
      await runHistory(ground, dedupe, join(folder, `${++count}.db`), ops)
    }), { numRuns, seed })
    t.equal(count, numRuns, 'every promise is kept')
  })
}

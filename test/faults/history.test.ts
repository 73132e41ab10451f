import { join } from 'node:path'
import t from 'tap'
import type { Dedupe } from './connectors.ts'
import { openGround, runHistory } from './history.ts'
import type { Op } from './history-ops.ts'

/** Histories that once broke a promise. */
const found: Array<[title: string, dedupe: Dedupe, ops: Op[]]> = [
  ['what a second request brings is written when the record of the first, whose answer was lost, is found', 'native', [
    { do: 'fail', method: 'POST', how: 'after' },
    { do: 'create', what: 'call-0' },
    { do: 'create', what: 'call-0' }
  ]],
  ['messages that came after the lost answer are written, not only remembered', 'native', [
    { do: 'fail', method: 'POST', how: 'after' },
    { do: 'messages', what: 'conversation-0', fresh: 1, all: false },
    { do: 'messages', what: 'conversation-0', fresh: 1, all: true }
  ]],
  ['messages that wait are not replaced by those that come next', 'native', [
    { do: 'outage', how: 503 },
    { do: 'messages', what: 'conversation-0', fresh: 1, all: false },
    { do: 'messages', what: 'conversation-0', fresh: 1, all: false }
  ]],
  ['a disposition that nobody keeps is not said to be kept', 'native', [
    { do: 'outage', how: 503 },
    { do: 'create', what: 'call-0' },
    { do: 'disposition', what: 'call-0' }
  ]]
]

const ground = openGround()
t.teardown(ground.crm.close)

for (const [title, dedupe, ops] of found) {
  await t.test(title, async t => {
    await runHistory(ground, dedupe, join(t.testdir(), 'patchbay.db'), ops)
    t.pass('every promise is kept')
  })
}

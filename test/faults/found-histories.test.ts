import { join } from 'node:path'
import t from 'tap'
import type { Dedupe } from './connectors.ts'
import { openGround, runHistory } from './history.ts'
import type { Op } from './history-ops.ts'

/** Histories that broke a promise, or would if one step were left out. history.test.ts finds further ones. */
const found: Array<[title: string, dedupe: Dedupe, ops: Op[]]> = [
  ['of requests that find no log at the same moment, one writes it', 'search', [
    { do: 'at once', requests: [{ do: 'create', what: 'call-0' }, { do: 'create', what: 'call-0' }, { do: 'create', what: 'call-0' }] }
  ]],
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
  ]],
  ['where the CRM cannot be asked, an update is not promised for a log whose answer was lost', 'none', [
    { do: 'fail', method: 'POST', how: 'after' },
    { do: 'create', what: 'call-0' },
    { do: 'update', what: 'call-0', fields: ['result'] }
  ]],
  ['an update that the CRM does not take keeps none from it that waits', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'outage', how: 503 },
    { do: 'update', what: 'call-0', fields: ['aiNote'] },
    { do: 'calm' },
    { do: 'refuse', method: 'PATCH' },
    { do: 'update', what: 'call-0', fields: ['note'] }
  ]],
  ['a log that waits survives the end of the connection to the CRM', 'native', [
    { do: 'outage', how: 503 },
    { do: 'create', what: 'call-0' },
    { do: 'calm' },
    { do: 'pass', seconds: 31 },
    { do: 'fail', method: 'POST', how: 401 },
    { do: 'recover' }
  ]],
  ['an update that is asked for while the connection is ended is written after it', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'outage', how: 503 },
    { do: 'update', what: 'call-0', fields: ['aiNote'] },
    { do: 'calm' },
    { do: 'fail', method: 'PATCH', how: 401 },
    { do: 'update', what: 'call-0', fields: ['note'] }
  ]],
  ['a note that a person edits in the CRM stays edited, although the answer that it was written was lost', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'fail', method: 'PATCH', how: 'after' },
    { do: 'update', what: 'call-0', fields: ['note'] },
    { do: 'edit note', what: 'call-0' }
  ]],
  ['and one that a person deletes stays deleted', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'fail', method: 'PATCH', how: 'garbage' },
    { do: 'update', what: 'call-0', fields: ['note'] },
    { do: 'delete note', what: 'call-0' }
  ]],
  ['and so does one that a person edits after the server died when it had written the note', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'spoil', at: 'PATCH', mode: 'crash', moment: 'after' },
    { do: 'update', what: 'call-0', fields: ['note'] },
    { do: 'edit note', what: 'call-0' }
  ]],
  ['a search that lags behind is waited for after a crash, too', 'search', [
    { do: 'spoil', at: 'POST /api/activities', mode: 'crash', moment: 'after' },
    { do: 'create', what: 'call-0' },
    { do: 'pass', seconds: 31 },
    { do: 'create', what: 'call-0' }
  ]],
  ['a log in doubt that is given up is looked for before it is sent again', 'search', [
    { do: 'fail', method: 'POST', how: 'after' },
    { do: 'create', what: 'call-0' },
    { do: 'outage', how: 503 },
    { do: 'pass', seconds: 73 * 3600 },
    { do: 'recover' },
    { do: 'pass', seconds: 3600 },
    { do: 'recover' },
    { do: 'calm' },
    { do: 'create', what: 'call-0' }
  ]],
  ['a disposition is not replaced by an older update that waited', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'fail', method: 'PATCH', how: 503 },
    { do: 'update', what: 'call-0', fields: ['deal'] },
    { do: 'disposition', what: 'call-0' }
  ]],
  ['a client that sends no note takes none away', 'native', [
    { do: 'fail', method: 'POST', how: 503 },
    { do: 'create', what: 'call-0' },
    { do: 'create', what: 'call-0', blank: true }
  ]],
  ['what a refused request brought is not written later over what came after it', 'native', [
    { do: 'fail', method: 'POST', how: 'before' },
    { do: 'create', what: 'call-0' },
    { do: 'refuse', method: 'POST' },
    { do: 'at once', requests: [{ do: 'create', what: 'call-0' }, { do: 'create', what: 'call-0' }] }
  ]],
  ['what a person made of the last of several updates, whose answer was lost, is not replaced by an earlier one of them', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'fail', method: 'GET', how: 'before' },
    { do: 'update', what: 'call-0', fields: ['note', 'result'] },
    { do: 'fail', method: 'PATCH', how: 'after' },
    { do: 'update', what: 'call-0', fields: ['note'] },
    { do: 'edit note', what: 'call-0' },
    { do: 'outage', how: 'before' },
    { do: 'update', what: 'call-0', fields: ['result'] }
  ]],
  ['what a person made of a note whose answer was lost stays, although the answer of the next attempt is lost, too', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'fail', method: 'PATCH', how: 'after' },
    { do: 'update', what: 'call-0', fields: ['note'] },
    { do: 'edit note', what: 'call-0' },
    { do: 'fail', method: 'PATCH', how: 'after' },
    { do: 'update', what: 'call-0', fields: ['result'] }
  ]],
  ['and although the next attempt is refused', 'native', [
    { do: 'create', what: 'call-0' },
    { do: 'fail', method: 'PATCH', how: 'after' },
    { do: 'update', what: 'call-0', fields: ['note'] },
    { do: 'edit note', what: 'call-0' },
    { do: 'refuse', method: 'PATCH' },
    { do: 'update', what: 'call-0', fields: ['result'] }
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

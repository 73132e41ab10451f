import t from 'tap'
import { isRefusal, judge } from '../../src/calls/outcome.ts'
import { CrmError } from '../../src/contract/crm.ts'
import { PatchbayError } from '../../src/contract/errors.ts'

await t.test('what a failed attempt means for the log', async t => {
  const table: Array<[title: string, error: unknown, state: string, code: string, refusal: boolean]> = [
    ['refused', new CrmError('invalid'), 'failed', 'invalid', true],
    ['refused, as a record is missing', new CrmError('not-found'), 'failed', 'not-found', true],
    ['never sent', new CrmError('unavailable', { outcome: 'not-received' }), 'waiting', 'unavailable', false],
    ['put off by the CRM', new CrmError('rate-limited', { outcome: 'not-received' }), 'waiting', 'rate-limited', false],
    ['cut in the middle', new CrmError('unavailable', { outcome: 'unknown' }), 'unknown', 'unavailable', false],
    ['answered with something else', new CrmError('bad-response', { outcome: 'unknown' }), 'unknown', 'bad-response', false],
    ['nobody is connected', new CrmError('auth-expired'), 'waiting', 'auth-expired', false],
    ['nobody is connected any more, after something may have been written', new CrmError('auth-expired', { outcome: 'unknown' }), 'unknown', 'auth-expired', false],
    ['the connection was ended', new PatchbayError('session-revoked'), 'waiting', 'session-revoked', false],
    ['credentials cannot be read', new PatchbayError('unreadable'), 'waiting', 'unreadable', false],
    ['refused by our own check', new PatchbayError('invalid-request'), 'failed', 'invalid-request', true],
    ['a field refused by our own check', new PatchbayError('invalid'), 'failed', 'invalid', true],
    ['the log itself is gone', new PatchbayError('gone'), 'failed', 'gone', false],
    ['ended in the middle by our own deadline', new PatchbayError('timed-out'), 'unknown', 'timed-out', false],
    ['a defect', new TypeError('x'), 'unknown', 'internal', false],
    ['no error at all', 'a string', 'unknown', 'internal', false]
  ]
  for (const [title, error, state, code, refusal] of table) {
    t.strictSame(judge(error), { state, code }, title)
    t.equal(isRefusal(error), refusal, title)
  }
})

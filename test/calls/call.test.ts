import t from 'tap'
import { callChangesOf, callOf, completed, differences, instantOf, joined, withoutSuperseded } from '../../src/calls/call.ts'

await t.test('an instant is the same wherever the server is', async t => {
  const before = process.env['TZ']
  process.env['TZ'] = 'America/Denver'
  t.teardown(() => { process.env['TZ'] = before ?? 'UTC' })
  const half = Date.UTC(2026, 0, 15, 10, 30, 5)
  const table: Array<[value: string | number, epoch: number | undefined]> = [
    [half, half],
    [String(half), half],
    ['2026-01-15T10:30:05Z', half],
    ['2026-01-15T10:30:05', half],
    ['2026-01-15 10:30:05.000', half],
    ['2026-01-15T12:30:05+02:00', half],
    ['2026-01-15', Date.UTC(2026, 0, 15)],
    ['Thu, 15 Jan 2026 10:30:05 GMT', half],
    ['Thu Jan 15 2026 03:30:05 GMT-0700 (Mountain Standard Time)', half],
    ['Thu, 15 Jan 2026 10:30:05', undefined],
    ['1/15/2026 10:30', undefined],
    ['soon', undefined],
    ['', undefined],
    [8.64e15 + 1, undefined]
  ]
  for (const [value, epoch] of table) {
    if (epoch === undefined) t.throws(() => instantOf(value, 'startTime'), { code: 'invalid-request', field: 'startTime' }, String(value))
    else t.equal(instantOf(value, 'startTime'), epoch, String(value))
  }
})

await t.test('what is not known yet is absent from the fields of a call', async t => {
  for (const [result, known] of [['', {}], [' ', {}], ['pending', {}], ['(pending)', {}], ['(pending...)', {}], ['Voicemail', { result: 'Voicemail' }]] as const) {
    const parts = { duration: 'pending', result }
    t.strictSame(callChangesOf({ sessionId: '1', recordingLink: '(pending...)', ...parts }), known)
    t.match(callOf({ logInfo: { sessionId: '1', recording: { link: '(pending...)' }, ...parts } }, 0), { result: known.result, duration: undefined, recordingLink: undefined })
  }
})

await t.test('what a form says and whose a log is take each the place only of their like', async t => {
  const [byAnn, byBob, byNobody] = [{ isAssignedToUser: true, adminAssignedUserToken: 'anns' }, { isAssignedToUser: true, adminAssignedUserToken: 'bobs' }, { isAssignedToUser: false }]
  type Submission = Record<string, unknown>
  const table: Array<[earlier: Submission | undefined, later: Submission | undefined, together: Submission | undefined, left: Submission | undefined, brought: Submission | undefined]> = [
    [undefined, undefined, undefined, undefined, undefined],
    [{ deals: 1 }, undefined, { deals: 1 }, { deals: 1 }, undefined],
    [undefined, byBob, byBob, undefined, byBob],
    [{ deals: 1 }, { leads: 2 }, { leads: 2 }, undefined, { leads: 2 }],
    [{ deals: 1 }, {}, {}, undefined, {}],
    [{ deals: 1 }, byNobody, { deals: 1, ...byNobody }, { deals: 1 }, byNobody],
    [{ deals: 1, ...byBob }, byNobody, { deals: 1, ...byNobody }, { deals: 1 }, byNobody],
    [{ deals: 1, ...byBob }, { deals: 2 }, { deals: 2, ...byBob }, byBob, { deals: 2 }],
    [{ deals: 1, ...byBob }, { deals: 1, ...byAnn }, { deals: 1, ...byAnn }, undefined, byAnn],
    [byBob, { deals: 1, ...byBob }, { deals: 1, ...byBob }, undefined, { deals: 1 }],
    [byBob, {}, byBob, byBob, {}]
  ]
  const logInfo = { sessionId: '1' }
  const said = (additionalSubmission: Submission | undefined): { additionalSubmission?: Submission } => additionalSubmission === undefined ? {} : { additionalSubmission }
  for (const [earlier, later, together, left, brought] of table) {
    const title = JSON.stringify([earlier, later])
    const updates = [earlier, later].map(submission => ({ sessionId: '1', ...said(submission) }))
    t.strictSame(joined(updates), said(together), title)
    t.strictSame(withoutSuperseded(updates), [{ sessionId: '1', ...said(left) }, { sessionId: '1', ...said(later) }], title)
    const [first, second] = [{ logInfo, contactId: 1, ...said(earlier) }, { logInfo, contactId: 1, ...said(later) }]
    t.strictSame(completed(first, second).additionalSubmission, together, title)
    t.strictSame(differences(first, second), brought === undefined ? [] : [{ sessionId: '1', ...said(brought) }], title)
  }
  t.strictSame(completed({ logInfo, contactId: 1, additionalSubmission: { deals: 1, ...byBob } }, { logInfo, contactId: 2 }).additionalSubmission, byBob, 'a form is for one contact')
})

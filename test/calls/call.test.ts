import t from 'tap'
import { callChangesOf, callOf, instantOf } from '../../src/calls/call.ts'

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

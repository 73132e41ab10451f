import t from 'tap'
import type { ConnectorInfo } from '../../src/contract/connector.ts'
import { errorCodes } from '../../src/contract/errors.ts'
import type { Answered, Broken, Why } from '../../src/crm/exchange.ts'
import { judge, noAnswer, parse, refusal } from '../../src/crm/failure.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const answered = (status: number, headers = {}, body?: string): Answered => ({ status, headers, body: body === undefined ? undefined : Buffer.from(body) })

await t.test('what every status means', async t => {
  const table: Array<[status: number, kind: string, outcome: string, transient: boolean]> = [
    [301, 'bad-response', 'unknown', false],
    [303, 'bad-response', 'unknown', false],
    [400, 'invalid', 'refused', false],
    [401, 'auth-expired', 'refused', false],
    [402, 'prerequisite', 'refused', false],
    [403, 'permission', 'refused', false],
    [404, 'not-found', 'refused', false],
    [405, 'bad-response', 'refused', false],
    [408, 'unavailable', 'refused', false],
    [409, 'conflict', 'refused', false],
    [410, 'not-found', 'refused', false],
    [412, 'conflict', 'refused', false],
    [413, 'invalid', 'refused', false],
    [415, 'bad-response', 'refused', false],
    [422, 'invalid', 'refused', false],
    [423, 'conflict', 'refused', false],
    [429, 'rate-limited', 'not-received', true],
    [500, 'unavailable', 'unknown', false],
    [501, 'unavailable', 'unknown', false],
    [502, 'unavailable', 'unknown', true],
    [503, 'unavailable', 'not-received', true],
    [504, 'unavailable', 'unknown', true],
    [520, 'unavailable', 'unknown', false]
  ]
  for (const [status, kind, outcome, transient] of table) t.strictSame(judge(answered(status), now), { kind, outcome, transient }, String(status))
  for (const status of [200, 201, 202, 204, 206]) t.equal(judge(answered(status), now), undefined, String(status))
})

await t.test('what every way to get no answer means, before and after something was sent', async t => {
  const table: Array<[why: Why, kind: string, transient: boolean]> = [
    ['host-refused', 'prerequisite', false],
    ['address-refused', 'prerequisite', false],
    ['resting', 'unavailable', false],
    ['over-budget', 'rate-limited', false],
    ['aborted', 'unavailable', false],
    ['timed-out', 'unavailable', true],
    ['failed', 'unavailable', true],
    ['too-large', 'bad-response', false],
    ['unreadable', 'bad-response', false]
  ]
  for (const [why, kind, transient] of table) {
    t.strictSame(judge({ why, sent: false }, now), { kind, outcome: 'not-received', transient }, why)
    t.strictSame(judge({ why, sent: true }, now), { kind, outcome: 'unknown', transient }, why)
  }
  t.match(judge({ why: 'resting', sent: false, retryAfter: 12 }, now), { retryAfter: 12 })
})

await t.test('a delay is told with the refusal that asks for it', async t => {
  t.match(judge(answered(429, { 'retry-after': '12' }), now), { retryAfter: 12 })
  t.match(judge(answered(503, { 'retry-after': 'Sun, 01 Mar 2026 12:00:05 GMT' }), now), { retryAfter: 5 })
  t.equal(refusal(answered(429), { title: 'X' }, { kind: 'rate-limited', outcome: 'not-received', transient: true, retryAfter: 1.2 }).retryAfter, 2, 'in whole seconds')
})

await t.test('a page that forbids is what guards the CRM, not a missing permission', async t => {
  const page = { 'content-type': 'text/html; charset=utf-8' }
  t.strictSame(judge(answered(403, page), now), { kind: 'rate-limited', outcome: 'not-received', transient: false, retryAfter: 60 })
  t.match(judge(answered(403, { ...page, 'retry-after': '600' }), now), { retryAfter: 600 })
  t.match(judge(answered(403, { 'content-type': 'application/json' }), now), { kind: 'permission' })
  t.match(judge(answered(404, page), now), { kind: 'not-found' })
})

await t.test('a body is parsed as JSON', async t => {
  const table: Array<[body: string | undefined, json: unknown]> = [[undefined, null], ['', null], ['{"a":1}', { a: 1 }], ['\u{feff}[1]', [1]], ['null', null], ['<html>', undefined]]
  for (const [body, json] of table) t.strictSame(parse(answered(200, {}, body)), json, String(body))
})

await t.test('a body is read in the charset that the answer names, and not at all where it does not fit', async t => {
  const [german, japanese] = ['{"note":"Müller 5 £"}', '{"note":"電話"}']
  const windows = Buffer.from('{"note":"\x80 5 \x96 \x93M\xfcller\x94"}', 'latin1')
  const sjis = Buffer.concat([Buffer.from('{"note":"'), Buffer.of(0x93, 0x64, 0x98, 0x62), Buffer.from('"}')])
  const table: Array<[type: string | undefined, body: Buffer, json: unknown]> = [
    [undefined, Buffer.from(german), JSON.parse(german)],
    ['application/json', Buffer.from(german), JSON.parse(german)],
    ['application/json; charset=', Buffer.from(german), JSON.parse(german)],
    ['application/json; charset=utf8', Buffer.from(german), JSON.parse(german)],
    ['application/json;charset=UTF-8, application/json', Buffer.from(german), JSON.parse(german)],
    ['application/json; charset=ISO-8859-1', Buffer.from(german, 'latin1'), JSON.parse(german)],
    ['application/json; odata=x; Charset = "iso-8859-1"', Buffer.from(german, 'latin1'), JSON.parse(german)],
    ['application/json; charset=windows-1252', windows, { note: '€ 5 – “Müller”' }],
    ['application/json; charset=Shift_JIS', sjis, JSON.parse(japanese)],
    ['application/json; charset=utf-16le', Buffer.from(`\ufeff${german}`, 'utf16le'), JSON.parse(german)],
    ['application/json', Buffer.from(german, 'latin1'), undefined],
    ['application/json; charset=utf-8', Buffer.from(german, 'latin1'), undefined],
    ['application/json; charset=Shift_JIS', sjis.subarray(0, -3), undefined],
    ['application/json; charset=us-ascii', Buffer.from(german), JSON.parse(german)],
    ['application/json; charset=ISO-8859-1', Buffer.from(japanese), JSON.parse(japanese)],
    ['application/json; charset=utf8mb4', Buffer.from(german), JSON.parse(german)],
    ['application/json; charset=klingon', Buffer.from(german, 'latin1'), undefined]
  ]
  for (const [type, body, json] of table) t.strictSame(parse({ headers: type === undefined ? {} : { 'content-type': type }, body }), json, String(type))
})

const info: Pick<ConnectorInfo, 'title' | 'readError'> = {
  title: 'Test CRM',
  readError: (answer: any) => ({ message: answer.error, ...(answer.field !== undefined && { field: answer.field }) })
}
const told = (status: number, body: unknown, headers = {}) => {
  const exchange = answered(status, headers, typeof body === 'string' ? body : JSON.stringify(body))
  return refusal(exchange, info, judge(exchange, now) ?? t.fail('it is no refusal') as never)
}

await t.test("the person is told the CRM's own reason and one thing to do", async t => {
  const table: Array<[status: number, body: unknown, message: string]> = [
    [400, { error: 'Too long.' }, 'Test CRM refused: Too long. Correct it and try again.'],
    [422, { error: 'Too long', field: 'subject' }, 'Test CRM refused the field subject: Too long. Correct it and try again.'],
    [409, { error: 'It exists' }, 'Test CRM refused: It exists. Look at the record in the CRM and try again.'],
    [403, { error: 'Scope missing' }, 'Test CRM refused: Scope missing. Ask your CRM administrator for the permission.'],
    [402, { error: 'Trial ended' }, 'Test CRM refused: Trial ended. Ask your CRM administrator.'],
    [401, { error: 'Nope' }, 'The CRM no longer accepts this connection. Connect again in Settings.'],
    [404, { error: 'Nope' }, 'The record no longer exists in the CRM. There is nothing to do.'],
    [429, { error: 'Nope' }, 'The CRM limits how much may be asked of it. Try again later.'],
    [500, { error: 'Nope' }, 'The CRM cannot be reached. Try again later.'],
    [400, 'not JSON', 'The CRM refused a value. Correct it and try again.'],
    [400, { error: ' . ', field: '' }, 'The CRM refused a value. Correct it and try again.'],
    [400, { error: 7 }, 'The CRM refused a value. Correct it and try again.'],
    [400, '', 'The CRM refused a value. Correct it and try again.']
  ]
  for (const [status, body, message] of table) t.equal(told(status, body).message, message, JSON.stringify(body))
  t.match(told(422, { error: 'Too long', field: 'subject' }), { code: 'invalid', outcome: 'refused', field: 'subject' })
})

await t.test('a reason is read as far as it can be', async t => {
  const reasonOf = (type: string, body: Buffer): string => refusal({ status: 400, headers: { 'content-type': type }, body }, info, { kind: 'invalid', outcome: 'refused', transient: false }).message
  t.match(reasonOf('application/json; charset=ISO-8859-1', Buffer.from('{"error":"Größe"}', 'latin1')), /refused: Größe\./)
  t.match(reasonOf('application/json', Buffer.from('{"error":"Größe zu klein"}', 'latin1')), /refused: Gr.{1,2}e zu klein\./)
  t.match(reasonOf('application/json; charset=klingon', Buffer.from('{"error":"Größe"}')), /refused: Größe\./)
})

await t.test('a reason is one line of at most 300 characters, whatever the CRM sends', async t => {
  const reason = (error: string): string => told(400, { error }).message.replace('Test CRM refused: ', '').replace('. Correct it and try again.', '')
  t.equal(reason('one\r\n\ttwo\u0000\u2028three\u202e '), 'one two three')
  t.equal(reason('x'.repeat(300)), 'x'.repeat(300))
  t.equal(reason('x'.repeat(301)), `${'x'.repeat(299)}…`)
  t.ok(reason('😀'.repeat(100_000)).isWellFormed())
})

await t.test('a connector can tell refusals apart by status and reason, which say no more to the person than before', async t => {
  const repeated = told(500, { error: 'Call s-1 already\nlogged.' })
  t.match(repeated, { code: 'unavailable', outcome: 'unknown', status: 500, reason: 'Call s-1 already logged', message: 'The CRM cannot be reached. Try again later.' })
  t.match(told(422, { error: 'x'.repeat(301) }), { status: 422, reason: `${'x'.repeat(299)}…` })
  t.match(told(404, 'not JSON'), { status: 404, reason: undefined })
  t.match(noAnswer({ why: 'failed', sent: true }, info), { status: undefined, reason: undefined })
})

await t.test('every kind of failure names one thing to do', async t => {
  const kinds = ['auth-expired', 'permission', 'not-found', 'invalid', 'conflict', 'rate-limited', 'unavailable', 'bad-response', 'prerequisite'] as const
  for (const kind of kinds) t.match(errorCodes[kind].action, /^[A-Z].*\.$/, kind)
})

await t.test('an address that is none of the CRM is told as such', async t => {
  const refused: Broken = { why: 'host-refused', sent: false }
  t.match(noAnswer(refused, info), { code: 'prerequisite', outcome: 'not-received', message: 'Test CRM is not at the address that was given. Check the host name and connect again.' })
  const cause = new Error('reset')
  t.match(noAnswer({ why: 'failed', sent: true, cause }, info), { code: 'unavailable', outcome: 'unknown', cause })
})

import t from 'tap'
import { composeCallLog, merge, readNote, readSection } from '../../../src/calls/body/merge.ts'
import { sections } from '../../../src/calls/body/sections.ts'
import type { BodyFormat, BodyOptions, CallLogValues } from '../../../src/calls/body/values.ts'
import { everythingOn, formats, fullCall, goldenBodies } from './golden.ts'

const zone = { timeZoneOffset: '-07:00' }

for (const format of formats) {
  const everything: BodyOptions = { format, settings: everythingOn, ...zone }

  await t.test(`${format}: a call with everything reads like the sample, and stays so when it comes again`, async t => {
    const created = composeCallLog(fullCall, everything)
    t.equal(created.body, goldenBodies[format])
    const updated = merge(created.body, created.fingerprints, fullCall, everything)
    t.equal(updated.body, created.body)
    t.same(updated.fingerprints, created.fingerprints)
    t.ok(updated.decisions.every(({ action, reason }) => action === 'kept' && reason === 'same'))
  })

  await t.test(`${format}: a log in parts ends as the same sample`, async t => {
    const created = composeCallLog({ sessionId: 'S1', contactNumber: '+14155550100', direction: 'Inbound', duration: 'pending' }, everything)
    const { body } = Object.entries({ ...fullCall, direction: undefined }).reduceRight((log, [name, value]) =>
      merge(log.body, log.fingerprints, { direction: 'Inbound', [name]: value ?? 'Inbound', ...name === 'to' ? { to: fullCall.to } : {} }, everything), created)
    t.equal(body, goldenBodies[format])
  })

  await t.test(`${format}: note and subject are read back`, async t => {
    t.equal(readNote(goldenBodies[format], format), 'line1\nline2')
    t.equal(readSection(goldenBodies[format], format, 'subject'), 'Inbound Call from Ann')
    t.equal(readSection(goldenBodies[format], format, 'recordingLink'), 'https://rec/1')
    t.equal(readNote('', format), '')
    t.equal(readSection('', format, 'subject'), undefined)
  })
}

/** One section by itself: the value of the first log, how it is written, another value, how that is written. */
type Row = [name: string, first: CallLogValues, written: Record<BodyFormat, string>, second: CallLogValues, rewritten: Record<BodyFormat, string>]
const texts = (plain: string, html: string, markdown: string): Record<BodyFormat, string> =>
  ({ 'text/plain': plain, 'text/html': html, 'text/markdown': markdown })

const line = (label: string, one: string, other: string, htmlLabel = label) => [
  texts(`- ${label}: ${one}\n`, `<li><b>${htmlLabel}</b>: ${one}</li>`, `**${label}**: ${one}\n`),
  texts(`- ${label}: ${other}\n`, `<li><b>${htmlLabel}</b>: ${other}</li>`, `**${label}**: ${other}\n`)
] as const

const link = (label: string, one: string, other: string) => {
  const html = (url: string) => url.startsWith('http') ? `<a target="_blank" href="${url}">open</a>` : url
  return [
    texts(`- ${label}: ${one}\n`, `<li><b>${label}</b>: ${html(one)}</li>`, `**${label}**: ${one}\n`),
    texts(`- ${label}: ${other}\n`, `<li><b>${label}</b>: ${html(other)}</li>`, `**${label}**: ${other}\n`)
  ] as const
}

const block = (label: string, one: string, other: string, { blank = '\n', br = '', end = '--- END' } = {}) => {
  const all = (text: string) => texts(`${blank}- ${label}:\n${text}\n${end}\n`,
    `<div><b>${label}</b><br>${text.replaceAll('\n', '<br>')}</div>${br}`, `### ${label}\n${text}\n`)
  return [all(one), all(other)] as const
}

function row (name: string, first: CallLogValues, second: CallLogValues, [written, rewritten]: ReturnType<typeof line>): Row {
  return [name, first, written, second, rewritten]
}

const inbound = (name: string, phoneNumber: string, extensionNumber?: string): CallLogValues =>
  ({ direction: 'Inbound', from: { name: 'X', phoneNumber: '+1', extensionNumber: '9' }, to: { name, phoneNumber, ...extensionNumber ? { extensionNumber } : {} } })

const rows: Row[] = [
  row('note', { note: 'one' }, { note: 'two\nlines' }, [
    texts('- Note: one\n', '<b>Agent notes</b><br>one<br><br><b>Call details</b><br>', '## Agent notes\none\n\n## Call details\n'),
    texts('- Note: two\nlines\n', '<b>Agent notes</b><br>two<br>lines<br><br><b>Call details</b><br>', '## Agent notes\ntwo\nlines\n\n## Call details\n')
  ]),
  row('sessionId', { sessionId: 'S1' }, { sessionId: 'S2' }, line('Session Id', 'S1', 'S2')),
  row('agentName', inbound('(pending...)', ''), inbound('Bob', ''), line('RingCentral user name', '(pending...)', 'Bob')),
  row('agentNumber', inbound('', '+1415', '77'), inbound('', '+1416'), line('RingCentral number and extension', '+1415 77', '+1416 ')),
  row('subject', { subject: 'Call from Ann' }, { subject: 'Call from Ann-Sue' }, line('Summary', 'Call from Ann', 'Call from Ann-Sue')),
  row('contactNumber', { contactNumber: '+1' }, { contactNumber: '+1-2' }, line('Contact Number', '+1', '+1-2', 'Caller phone number')),
  row('dateTime', { startTime: 1768473005000 }, { startTime: 1768473006000 },
    line('Date/Time', '2026-01-15 03:30:05 AM', '2026-01-15 03:30:06 AM', 'Date/time')),
  row('duration', { duration: 'pending' }, { duration: 61 }, line('Duration', 'pending', '1 minute, 1 second')),
  row('result', { result: 'Hang-Up' }, { result: 'No-Answer' }, line('Result', 'Hang-Up', 'No-Answer')),
  row('recordingLink', { recordingLink: '(pending...)' }, { recordingLink: 'https://r/1' }, link('Call recording link', '(pending...)', 'https://r/1')),
  row('voicemailLink', { voicemailLink: 'https://v/1' }, { voicemailLink: 'https://v/2' }, link('Voicemail recording link', 'https://v/1', 'https://v/2')),
  row('aiNote', { aiNote: 'a\n\n' }, { aiNote: 'b\nc' }, block('AI Note', 'a', 'b\nc', { br: '<br>' })),
  row('transcript', { transcript: 'a' }, { transcript: 'b\nc' }, block('Transcript', 'a', 'b\nc', { br: '<br>' })),
  row('ringSenseTranscript', { ringSenseTranscript: 'a\n' }, { ringSenseTranscript: 'b' }, block('ACE transcript', 'a', 'b')),
  row('ringSenseSummary', { ringSenseSummary: 'a' }, { ringSenseSummary: 'b' }, block('ACE summary', 'a', 'b')),
  row('ringSenseAIScore', { ringSenseAIScore: 92 }, { ringSenseAIScore: '93' }, line('Call score', '92', '93')),
  row('ringSenseBulletedSummary', { ringSenseBulletedSummary: '- a\n- b' }, { ringSenseBulletedSummary: '- c\n- d' },
    block('ACE bulleted summary', '- a\n- b', '- c\n- d')),
  row('ringSenseLink', { ringSenseLink: 'https://a/1' }, { ringSenseLink: 'https://a/2' }, link('ACE recording link', 'https://a/1', 'https://a/2')),
  row('legs', { legs: [{ to: { phoneNumber: '+1' } }] }, { legs: [{ direction: 'Outbound', from: { phoneNumber: '+2' } }] },
    block('Call journey', 'Received call at +1', 'Made call from +2', { blank: '', end: '--- JOURNEY END' }))
]

t.same(rows.map(([name]) => name), sections.map(({ id }) => id), 'the table of cases has every section')

for (const [name, first, written, second, rewritten] of rows) {
  const section = sections.find(({ id }) => id === name)
  const only = (on: boolean) => Object.fromEntries(sections.map(({ setting }) => [setting, { value: on && setting === section?.setting }]))

  for (const format of formats) {
    await t.test(`${name} in ${format}: created, updated, updated again`, async t => {
      const options: BodyOptions = { format, settings: only(true), ...zone }
      const created = composeCallLog(first, options)
      t.equal(created.body, written[format])
      const updated = merge(created.body, created.fingerprints, second, options)
      t.equal(updated.body, rewritten[format])
      const again = merge(updated.body, updated.fingerprints, second, options)
      t.equal(again.body, rewritten[format])
      t.same(again.fingerprints, updated.fingerprints)
    })

    await t.test(`${name} in ${format}: neither written nor changed when the setting is off`, async t => {
      t.equal(composeCallLog(first, { format, settings: only(false), ...zone }).body, '')
      const merged = merge(written[format], undefined, second, { format, settings: only(false), ...zone })
      t.equal(merged.body, written[format])
      t.match(merged.decisions.find(decision => decision.section === name), { action: 'kept', reason: 'switched-off' })
    })
  }
}

const nothingFromMachines: CallLogValues = {
  voicemailLink: '',
  aiNote: '',
  transcript: null,
  ringSenseTranscript: '',
  ringSenseSummary: undefined,
  ringSenseAIScore: 0,
  ringSenseBulletedSummary: '\n',
  ringSenseLink: '',
  legs: []
}

await t.test('with default settings the typical log reads as it always did', async t => {
  const typical = { ...fullCall, ...nothingFromMachines, note: 'hello', duration: 61, recordingLink: '(pending...)' }
  t.equal(composeCallLog(typical, { format: 'text/plain', settings: {}, ...zone }).body, '- Note: hello\n- Summary: Inbound Call from Ann\n' +
    '- Date/Time: 2026-01-15 03:30:05 AM\n- Duration: 1 minute, 1 second\n- Result: Accepted\n- Call recording link: (pending...)\n')
})

await t.test('the user chooses how dates are written', async t => {
  const settings = { logDateFormat: { value: 'DD/MM/YYYY HH:mm:ss' } }
  t.match(composeCallLog(fullCall, { format: 'text/plain', settings, timeZone: 'Asia/Kolkata' }).body, '- Date/Time: 15/01/2026 16:00:05\n')
})

await t.test('the number of an outgoing call is that of its recipient', async t => {
  const { body } = composeCallLog({ ...fullCall, direction: 'Outbound' }, { format: 'text/html', settings: everythingOn })
  t.match(body, '<li><b>Recipient phone number</b>: +14155550100</li>')
})

await t.test('defect D-26: number and extension are those of the same party', async t => {
  for (const format of formats) {
    const read = (direction: 'Inbound' | 'Outbound') =>
      readSection(composeCallLog({ ...fullCall, direction }, { format, settings: everythingOn }).body, format, 'agentNumber')
    t.equal(read('Inbound'), '+14155550199 77')
    t.equal(read('Outbound'), '+14155550100 55')
  }
})

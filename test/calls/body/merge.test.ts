import t from 'tap'
import { composeCallLog, merge, readNote, readSection, type Merged } from '../../../src/calls/body/merge.ts'
import { sections, type SectionId } from '../../../src/calls/body/sections.ts'
import type { BodyFormat, BodyOptions, CallLogValues } from '../../../src/calls/body/values.ts'
import { everythingOn, formats, fullCall, goldenBodies } from './golden.ts'

const optionsOf = (format: BodyFormat): BodyOptions => ({ format, settings: everythingOn, timeZoneOffset: '-07:00' })

/** One more update of a log. */
const update = (log: Pick<Merged, 'body' | 'fingerprints'>, format: BodyFormat, values: CallLogValues) =>
  merge(log.body, log.fingerprints, values, optionsOf(format))

const edited = (log: Merged, from: string, to: string): Merged => {
  t.ok(log.body.includes(from), `the log holds ${from}`)
  return { ...log, body: log.body.split(from).join(to) }
}

const decisionOn = (section: SectionId, { decisions }: Merged) => {
  const { action, reason } = decisions.find(decision => decision.section === section) ?? {}
  return `${action} ${reason}`
}

const confusing = ['$&', '$1,000', '$`', '$$', "$'", '$<name>', 'cost $100', '<script>alert(1)</script>', '- Todo: x', 'Call details</b>', '- Note: x',
  'a\n- Duration: 5\n- Result: no', '## Call details', '### AI Note\nx', '**Result**: x', '<b>Call details</b><br>', '--- END', '--- JOURNEY END', ' - Note: x', '\\## x',
  '(pending...)', 'שלום עולם', '\u202eabc', '😀👩‍👩‍👧', 'a\u00a0b', 'Hang-Up', '\n\nx', 'x\n\n', ' x ', 'ö'.repeat(32 * 1024), 'line\n'.repeat(6500), '<br>', '&amp;lt;', '\\\\<a>']

for (const format of formats) {
  await t.test(`${format}: defect D-05: signs that patterns know are only text, at creation and in updates`, async t => {
    for (const text of confusing) {
      const created = composeCallLog({ ...fullCall, note: text, aiNote: text }, optionsOf(format))
      t.equal(readNote(created.body, format), text)
      const updated = update(composeCallLog({ ...fullCall, note: 'old' }, optionsOf(format)), format, { note: text, aiNote: text })
      t.equal(readNote(updated.body, format), text)
      t.equal(updated.body, created.body, 'an update writes what creation would have written')
      const away = update(updated, format, { note: 'line1\nline2', aiNote: fullCall.aiNote })
      t.equal(away.body, goldenBodies[format], 'and leaves nothing behind')
    }
  })

  await t.test(`${format}: defect D-06: an update of one block leaves its neighbours alone`, async t => {
    const created = composeCallLog(fullCall, optionsOf(format))
    let log = update(created, format, { ringSenseSummary: 'new', ringSenseBulletedSummary: '- new' })
    log = update(log, format, { ringSenseSummary: 'rs1\nrs2\n', ringSenseBulletedSummary: '- a\n- b\n' })
    t.equal(log.body, goldenBodies[format])
    const { body } = merge(goldenBodies[format], undefined, { ringSenseSummary: 'x', ringSenseBulletedSummary: 'y' }, optionsOf(format))
    t.equal(readSection(body, format, 'ringSenseAIScore'), '92')
    t.equal(readSection(body, format, 'ringSenseLink'), 'https://ace/1')
  })

  await t.test(`${format}: defect D-07: a block that gets shorter leaves no old lines behind`, async t => {
    const long = composeCallLog({ ringSenseBulletedSummary: '- a\n- b\n- c\n- d' }, optionsOf(format))
    const short = composeCallLog({ ringSenseBulletedSummary: '- e' }, optionsOf(format))
    t.equal(update(long, format, { ringSenseBulletedSummary: '- e' }).body, short.body)
  })

  await t.test(`${format}: defect D-08: a value with hyphens is found again`, async t => {
    let log = composeCallLog({ result: 'Hang-Up', contactNumber: '555-01-99', duration: 'pending - soon' }, optionsOf(format))
    log = update(log, format, { result: 'No-Answer - twice', contactNumber: '555-01-88', duration: 60 })
    t.equal(log.body, composeCallLog({ result: 'No-Answer - twice', contactNumber: '555-01-88', duration: 60 }, optionsOf(format)).body)
  })

  await t.test(`${format}: defect D-09: a note with labels and markers in it stays in one piece`, async t => {
    for (const note of ['x\n- Todo: y', 'Call details</b>', 'x\n- Duration: 5\ny', '## Call details\ny', '<b>Call details</b><br>z', 'x\n\n## Call details\n**Result**: y']) {
      const created = composeCallLog({ ...fullCall, note }, optionsOf(format))
      const updated = update(created, format, { ...fullCall, note: `${note}!` })
      t.equal(readNote(updated.body, format), `${note}!`)
      t.equal(update(updated, format, { note: 'line1\nline2' }).body, goldenBodies[format])
    }
  })

  await t.test(`${format}: defect D-11: an update of the note alone reverts nothing else`, async t => {
    const created = composeCallLog({ ...fullCall, subject: 'Old', result: 'Old', note: 'old' }, optionsOf(format))
    const newer = update(created, format, { subject: 'Inbound Call from Ann', result: 'Accepted' })
    t.equal(update(newer, format, { note: 'line1\nline2' }).body, goldenBodies[format])
  })

  await t.test(`${format}: defect C-13: an empty note clears the note that the client sent before`, async t => {
    const created = composeCallLog(fullCall, optionsOf(format))
    const cleared = update(created, format, { note: '' })
    t.equal(cleared.body, composeCallLog({ ...fullCall, note: '' }, optionsOf(format)).body)
    t.equal(decisionOn('note', cleared), 'cleared edited')
    t.equal(decisionOn('note', update(cleared, format, { note: ' \n' })), 'kept nothing-to-clear')
    t.equal(update(cleared, format, { note: 'line1\nline2' }).body, goldenBodies[format], 'and a new note comes back to its place')
    t.equal(update(created, format, { subject: '', result: '', duration: undefined }).body, created.body, 'nothing else is cleared')
    const deleted = { ...created, body: cleared.body }
    t.equal(decisionOn('note', update(deleted, format, { note: '' })), 'kept deleted-by-person')
  })

  await t.test(`${format}: a placeholder waits for what is not known yet`, async t => {
    const early = { ...fullCall, duration: undefined, result: undefined, recordingLink: '(pending...)' }
    const created = composeCallLog(early, optionsOf(format))
    t.equal(readSection(created.body, format, 'duration'), '(pending)')
    t.equal(readSection(created.body, format, 'result'), '(pending)')
    t.equal(readSection(created.body, format, 'recordingLink'), '(pending...)')
    const ended = update(created, format, { duration: 3661, result: 'Accepted' })
    t.equal(decisionOn('duration', ended), 'replaced pending')
    const final = update(ended, format, { recordingLink: 'https://rec/1' })
    t.equal(final.body, goldenBodies[format])
    const late = update(final, format, { duration: 'pending', recordingLink: '(pending...)' })
    t.equal(late.body, goldenBodies[format], 'one that comes late changes nothing')
    t.equal(decisionOn('recordingLink', late), 'kept not-known-yet')
    t.equal(decisionOn('duration', update(edited(created, '(pending)', '(pending...)'), format, { duration: 3 })), 'replaced pending')
  })

  await t.test(`${format}: what a person changed stays, what a person deleted stays deleted`, async t => {
    const created = composeCallLog(fullCall, optionsOf(format))
    const changed = edited(created, '1 hour, 1 minute, 1 second', 'about an hour')
    const updated = update(changed, format, { duration: 60, recordingLink: 'https://rec/2' })
    t.equal(updated.body, changed.body.replace('https://rec/1', 'https://rec/2'))
    t.equal(decisionOn('duration', updated), 'kept changed-by-person')
    t.equal(decisionOn('recordingLink', updated), 'replaced ours')

    const result = composeCallLog({ result: 'Accepted' }, { ...optionsOf(format), settings: { addCallLogDuration: { value: false } } }).body
    const without = edited(created, result, '')
    const missed = update(without, format, { result: 'Missed' })
    t.equal(missed.body, without.body)
    t.equal(decisionOn('result', missed), 'kept deleted-by-person')
    const gone = update({ ...created, body: '' }, format, fullCall)
    t.equal(gone.body, '', 'also when everything was deleted')
    t.equal(decisionOn('result', gone), 'kept deleted-by-person')
  })

  await t.test(`${format}: an edit in the extension wins, an echo of what was written does not`, async t => {
    const created = composeCallLog(fullCall, optionsOf(format))
    const changed = edited(edited(created, 'line2', 'line2 by hand'), 'Inbound Call from Ann', 'Ann, by hand')
    const echo = update(changed, format, { note: fullCall.note, subject: fullCall.subject, recordingLink: 'https://rec/2' })
    t.equal(echo.body, changed.body.replace('https://rec/1', 'https://rec/2'))
    t.equal(decisionOn('note', echo), 'kept changed-by-person')

    const edit = update(echo, format, { note: 'from the extension', subject: 'Ann' })
    t.equal(readNote(edit.body, format), 'from the extension')
    t.equal(readSection(edit.body, format, 'subject'), 'Ann')
    t.equal(decisionOn('note', edit), 'replaced edited')

    const adopted = update(changed, format, { note: readNote(changed.body, format) })
    t.equal(adopted.body, changed.body)
    t.equal(decisionOn('note', adopted), 'kept same')
    t.equal(decisionOn('note', update(adopted, format, { note: 'next' })), 'replaced edited')

    const deleted = { ...created, body: update(created, format, { note: '' }).body }
    t.equal(update(deleted, format, { note: fullCall.note }).body, deleted.body, 'an echo does not bring back what was deleted')
    const written = update(deleted, format, { note: 'again' })
    t.equal(readNote(written.body, format), 'again')
    t.equal(decisionOn('note', written), 'added edited')
  })

  await t.test(`${format}: a heading of ours that a person pasted is not ours`, async t => {
    const created = composeCallLog({ subject: 'Inbound Call from Ann' }, optionsOf(format))
    const pasted = composeCallLog({ recordingLink: 'https://mine', result: 'mine', duration: 1 }, { ...optionsOf(format), settings: {} }).body
    const updated = update({ ...created, body: pasted + created.body }, format, { recordingLink: 'https://rec/1', result: 'Accepted' })
    t.ok(updated.body.startsWith(pasted), 'the pasted text is as it was')
    t.equal(readSection(updated.body, format, 'recordingLink'), 'https://mine')
    t.equal(readSection(updated.body, format, 'recordingLink', updated.fingerprints), 'https://rec/1')
    t.equal(decisionOn('recordingLink', updated), 'added new')
    t.equal(decisionOn('recordingLink', update({ ...created, body: pasted + created.body }, format, { recordingLink: 'https://mine' })), 'kept same')
  })

  await t.test(`${format}: defect S-18: no value becomes markup, and only links to the web become links`, async t => {
    const attack = '<img src=x onerror=alert(1)>"\'<a href="javascript:alert(1)">x</a><!-- --><?x?></li></div>[x](javascript:alert(1)) ![](https://track.example/x.gif) <https://evil.example>'
    const values = Object.fromEntries(Object.keys(fullCall).map(name => [name, attack]))
    const party = { name: attack, phoneNumber: attack, extensionNumber: attack }
    const { body } = composeCallLog({ ...values, direction: 'Inbound', startTime: 0, from: party, to: party, legs: [{ to: party }, { from: party }] }, optionsOf(format))
    if (format === 'text/html') {
      t.strictSame([...new Set(body.match(/<[^>]*>/g))].sort(), ['</b>', '</div>', '</li>', '<b>', '<br>', '<div>', '<li>'])
      t.notMatch(body, /[^&]"/)
      t.match(composeCallLog({ recordingLink: 'https://r/?"><script>' }, optionsOf(format)).body, 'href="https://r/?&quot;&gt;&lt;script&gt;"')
    }
    if (format === 'text/markdown') t.notMatch(body, /(?<!\\)(?:<[a-z/!?]|\[)/i)
    t.equal(readSection(body, format, 'subject'), attack)
    t.equal(readSection(body, format, 'voicemailLink'), attack)
  })

  await t.test(`${format}: a log that the CRM trimmed and rewrote is still ours`, async t => {
    const created = composeCallLog(fullCall, optionsOf(format))
    const rewritten = format === 'text/html'
      ? created.body.replaceAll('<br>', '<br />\n').replaceAll('target="_blank" ', '').replaceAll('<li>', '<ul><li>').replaceAll('</li>', '</li></ul>').replaceAll('<b>', '<strong>').replaceAll('</b>', '</strong>')
      : created.body.trim().replaceAll('\n', '\r\n')
    const updated = update({ ...created, body: rewritten }, format, { ...fullCall, note: 'new', aiNote: 'new', transcript: 'new', duration: 5, recordingLink: 'https://rec/2', legs: [] })
    t.strictSame(updated.decisions.filter(({ action }) => action === 'replaced').map(({ section }) => section), ['note', 'duration', 'recordingLink', 'aiNote', 'transcript'])
    t.strictSame([...new Set(updated.decisions.filter(({ action }) => action === 'kept').map(({ reason }) => reason))], ['same'])
  })

  await t.test(`${format}: decisions and fingerprints hold no personal text`, async t => {
    const { fingerprints, decisions } = composeCallLog(fullCall, optionsOf(format))
    const told = JSON.stringify([fingerprints, decisions])
    for (const value of ['line1', 'Ann', '+1415', 'Bob', 'https', 'ai1']) t.notOk(told.includes(value))
    t.strictSame(Object.keys(fingerprints), sections.map(({ id }) => id))
    t.ok(JSON.stringify(fingerprints).length < 1000)
  })
}

await t.test('the name of the agent is not known without a direction', async t => {
  t.equal(composeCallLog({ from: fullCall.from, to: fullCall.to }, optionsOf('text/plain')).body, '- Duration: (pending)\n- Result: (pending)\n')
})

await t.test('of the same line pasted twice, the first one is replaced', async t => {
  const created = composeCallLog({ result: 'a', duration: 1 }, optionsOf('text/plain'))
  t.equal(update({ ...created, body: created.body + created.body }, 'text/plain', { result: 'b' }).body,
    '- Duration: 1 second\n- Result: b\n- Duration: 1 second\n- Result: a\n')
})

await t.test('a log whose signs the CRM saved by their names is still ours', async t => {
  const created = composeCallLog({ note: 'café – 5 €', result: 'Élan' }, optionsOf('text/html'))
  const named = { ...created, body: created.body.replaceAll('é', '&eacute;').replaceAll('–', '&ndash;').replaceAll('€', '&euro;').replaceAll('É', '&Eacute;') }
  t.equal(readNote(named.body, 'text/html'), 'café – 5 €')
  const updated = update(named, 'text/html', { note: `${readNote(named.body, 'text/html')}, more`, result: 'Missed' })
  t.equal(updated.body, composeCallLog({ note: 'café – 5 €, more', result: 'Missed' }, optionsOf('text/html')).body)
})

/** A log as we write it, out of one whose list was laid out in another way. */
const canonical = (body: string) => body.replace(/\s*<(li)(?: class="x")?>\s*(?:<(?:p|div style="y")>)?(.*?)(?:<\/(?:p|div)>)?\s*<\/li>\s*/g, '<li>$2</li>').replace(/<\/?ul>/g, '')

/** What editors of CRMs make of the items of a list when they save it. */
const items: Array<[what: string, save: (body: string) => string]> = [
  ['paragraphs', body => body.replace(/<li>(.*?)<\/li>/g, '<li><p>$1</p></li>')],
  ['blocks', body => body.replace(/<li>(.*?)<\/li>/g, '<li class="x"><div style="y">$1</div></li>')],
  ['paragraphs, in a list, on lines of their own', body => body.replace(/((?:<li>.*?<\/li>)+)/g, '<ul>$1</ul>').replace(/<li>(.*?)<\/li>/g, '\n<li>\n<p>$1</p>\n</li>\n')]
]

for (const [what, save] of items) {
  await t.test(`a log whose lines an editor saved as ${what} is still ours, and whole after each update`, async t => {
    const early = { ...fullCall, duration: 'pending', result: 'pending', recordingLink: '(pending...)' }
    const created = composeCallLog(early, optionsOf('text/html'))
    const saved = { ...created, body: save(created.body) }
    for (const { id } of sections) t.equal(readSection(saved.body, 'text/html', id), readSection(created.body, 'text/html', id), id)
    t.equal(update(saved, 'text/html', early).body, saved.body)
    t.equal(canonical(update(saved, 'text/html', fullCall).body), goldenBodies['text/html'])
    const again = update(saved, 'text/html', { ...fullCall, duration: 1 })
    t.equal(canonical(update({ ...again, body: save(canonical(again.body)) }, 'text/html', fullCall).body), goldenBodies['text/html'])
    t.equal(canonical(update(saved, 'text/html', { ...fullCall, note: '' }).body), update(created, 'text/html', { ...fullCall, note: '' }).body)

    const mine = edited(saved, 'pending</', 'pending</p><p>see <img src="x"> below</')
    t.equal(update(mine, 'text/html', { result: 'Missed', duration: 5 }).body, mine.body, 'what a person added to a line stays')
  })
}

await t.test('a note that comes back as it was read takes no formatting that a person gave it', async t => {
  const created = composeCallLog({ note: 'hello', subject: 'Ann' }, optionsOf('text/html'))
  const rich = 'hello, see <a href="https://example.com/contract/77">the <b>contract</b></a><table><tr><td>Price</td></tr></table>'
  const changed = { ...created, body: created.body.replace('hello', rich) }
  const echo = update(changed, 'text/html', { note: readNote(changed.body, 'text/html'), subject: 'Bob' })
  t.ok(echo.body.includes(rich))
  t.equal(decisionOn('note', echo), 'kept same')
  t.equal(decisionOn('subject', echo), 'replaced edited')
  const again = update(echo, 'text/html', { note: readNote(echo.body, 'text/html') })
  t.equal(again.body, echo.body)
  t.equal(readNote(update(again, 'text/html', { note: 'another' }).body, 'text/html'), 'another', 'an edit still wins')
})

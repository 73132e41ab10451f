import t from 'tap'
import { merge, readNote, readSection } from '../../../src/calls/body/merge.ts'
import type { SectionId } from '../../../src/calls/body/sections.ts'
import type { BodyFormat, CallLogValues } from '../../../src/calls/body/values.ts'
import { everythingOn } from './golden.ts'

/** Bodies as other servers and CRMs left them: what is read from them. */
const readings: Array<[form: string, format: BodyFormat, body: string, section: SectionId, value: string | undefined]> = [
  ['the old label of a note', 'text/plain', '- Agent notes: hi\nthere\n- Summary: s\n', 'note', 'hi\nthere'],
  ['a note at the end', 'text/plain', '- Summary: s\n- Note: hi\nthere', 'note', 'hi\nthere'],
  ['a note without text', 'text/plain', '- Note:\n- Summary: s\n', 'note', ''],
  ['a note before a block', 'text/plain', '- Note: hi\n\n- AI Note:\nx\n--- END\n', 'note', 'hi'],
  ['a list of the user in a note', 'text/plain', '- Note: buy\n- Todo: milk\n- Also: eggs\n- Summary: s\n', 'note', 'buy\n- Todo: milk\n- Also: eggs'],
  ['line feeds of Windows', 'text/plain', '- Note: a\r\nb\r\n- Result: ok\r\n\r\n- AI Note:\r\nx\r\ny\r\n--- END\r\n', 'note', 'a\nb'],
  ['line feeds of Windows in a line', 'text/plain', '- Note: a\r\nb\r\n- Result: ok\r\n', 'result', 'ok'],
  ['line feeds of Windows in a block', 'text/plain', '- Result: ok\r\n\r\n- AI Note:\r\nx\r\ny\r\n--- END\r\n', 'aiNote', 'x\ny'],
  ['a value with a hyphen', 'text/plain', '- Result: Hang-Up - late\n\n\n- Duration: 5 seconds', 'result', 'Hang-Up - late'],
  ['a block whose end was lost', 'text/plain', '\n- AI Note:\nx\ny\n- Call score: 92\n', 'aiNote', 'x\ny'],
  ['a block whose end was lost before another', 'text/plain', '- AI Note:\nx\n\n- Transcript:\ny\n--- END\n', 'aiNote', 'x'],
  ['the block after one whose end was lost', 'text/plain', '- AI Note:\nx\n\n- Transcript:\ny\n--- END\n', 'transcript', 'y'],
  ['a block with a marker that was never escaped', 'text/plain', '\n- AI Note:\n- Result: fine\nx\n--- END\n', 'aiNote', '- Result: fine\nx'],
  ['a block with blanks behind its markers', 'text/plain', '- AI Note: \nx\n--- END \n', 'aiNote', 'x'],
  ['a line of a person that only begins alike', 'text/plain', '- Transcript: see mail\n', 'transcript', undefined],
  ['a label in the middle of a line', 'text/plain', 'see - Result: below', 'result', undefined],

  ['lines in a list', 'text/html', '<b>Agent notes</b><br>hi<br><br><b>Call details</b><br><ul><li><b>Result</b>: ok</li></ul>', 'result', 'ok'],
  ['raw line feeds in a note', 'text/html', '<b>Agent notes</b><br>line1\nline2<br><br><b>Call details</b><br>', 'note', 'line1\nline2'],
  ['markup in a note that was never escaped', 'text/html', '<b>Agent notes</b><br>a & <script>alert(1)</script><br><br><b>Call details</b><br>', 'note',
    'a & <script>alert(1)</script>'],
  ['a note formatted with the editor of the CRM', 'text/html',
    '<b>Agent notes</b><br><p><b>Big</b> <i>deal</i></p>\n<p>soon<br />\nor&nbsp;later</p><ul><li>x</li></ul><div>y</div><br><br><b>Call details</b><br>', 'note',
    'Big deal\nsoon\nor\u00a0later\n- x\ny'],
  ['a note whose closing was lost', 'text/html', '<b>Agent notes</b><br>hi<br><br><li><b>Result</b>: ok</li>', 'note', 'hi'],
  ['a note whose closing was lost, at the end', 'text/html', '<b>Agent notes</b><br>hi', 'note', 'hi'],
  ['a note whose closing a person moved down', 'text/html', '<b>Agent notes</b><br>hi<br><br><li><b>Result</b>: ok</li><b>Call details</b><br>', 'note', 'hi'],
  ['only the closing of a note', 'text/html', '<b>Call details</b><br><li><b>Result</b>: ok</li>', 'note', ''],
  ['bold by another tag, with attributes and white space', 'text/html', '<p><strong class="x">Agent notes</strong> <br/>hi<br/><br/> <b> call details </b></p>', 'note', 'hi'],
  ['entities of a CRM', 'text/html', '<li><b>Summary</b>: A &amp; B &lt;c&gt; &#39;d&#x27; &apos;e&quot; &#38;amp; &#x110000;</li>', 'subject', 'A & B <c> \'d\' \'e" &amp; &#x110000;'],
  ['names that a CRM writes for signs', 'text/html', '<li><b>Summary</b>: caf&eacute; &ndash; 5&nbsp;&euro; &Eacute; &Omega; &amp;eacute; &hearts; &rang; &nothing; &eacute &#0;</li>', 'subject',
    'café – 5\u00a0€ É Ω &eacute; ♥ ⟩ &nothing; &eacute &#0;'],
  ['a value with markup that was never escaped', 'text/html', '<li><b>Summary</b>: a <i>b</i> c</li>', 'subject', 'a b c'],
  ['a label in other letters', 'text/html', '<li><b>DATE/TIME</b>: now</li>', 'dateTime', 'now'],
  ['a line outside of a list item', 'text/html', 'x <b>Result</b>: ok<br>y', 'result', 'ok'],
  ['a line that lost its opening tag', 'text/html', '<b>Result</b>: ok</li>', 'result', 'ok'],
  ['a line that lost its closing tag', 'text/html', '<li><b>Result</b>: ok<li>mine</li>', 'result', 'ok'],
  ['white space around tags', 'text/html', '<ul>\n  <li>\n    <b>Result</b>:\n    ok\n  </li>\n</ul>', 'result', 'ok'],
  ['a line that an editor put into a paragraph of its item', 'text/html', '<ul><li>\n<p class="x"><b>Result</b>: ok</p>\n</li></ul>', 'result', 'ok'],
  ['a line that an editor put into a block of its item', 'text/html', '<li><div><b>Result</b>: ok</div></li>', 'result', 'ok'],
  ['a link that an editor put into a paragraph of its item', 'text/html', '<li><p><b>Call recording link</b>: <a href="https://r/1">open</a></p></li>', 'recordingLink',
    'https://r/1'],
  ['a line with the list of a person in it', 'text/html', '<li><b>Result</b>: ok<ul><li>mine</li></ul></li>', 'result', 'ok'],
  ['a link in another dress', 'text/html', "<li><b>Call recording link</b>: <a rel='x' href='https://r/1?a=1&amp;b=2' target=_blank> open </a></li>", 'recordingLink', 'https://r/1?a=1&b=2'],
  ['a link outside of a list item', 'text/html', '<b>Call recording link</b>: <a href="https://r/1">open</a> see there', 'recordingLink', 'https://r/1'],
  ['the recipient of an outgoing call', 'text/html', '<li><b>Recipient phone number</b>: +1</li>', 'contactNumber', '+1'],
  ['a block in another dress', 'text/html', '<DIV class="n">\n<b>AI Note</b>\n<br />a<br />\nb</DIV>\n<br/>', 'aiNote', 'a\nb'],
  ['a block that became a paragraph', 'text/html', '<p><b>AI Note</b><br>a</p>', 'aiNote', 'a'],
  ['a block that was never closed', 'text/html', '<div><b>AI Note</b><br>a<div><b>Transcript</b><br>b</div>', 'aiNote', 'a'],
  ['a block that was never closed, at the end', 'text/html', '<div><b>AI Note</b><br>a', 'aiNote', 'a'],
  ['bold text of a person with our word', 'text/html', 'the <b>Transcript</b> is late, the <b>Result</b> too', 'transcript', undefined],

  ['a note with a heading of the user', 'text/markdown', '## Agent notes\n### Plan\nx\n\n## Call details\n', 'note', '### Plan\nx'],
  ['a note whose closing was lost', 'text/markdown', '## Agent notes\nx\n**Result**: ok\n', 'note', 'x'],
  ['a note whose closing a person moved down', 'text/markdown', '## Agent notes\nhi\n\n**Result**: ok\n## Call details\n', 'note', 'hi'],
  ['only the closing of a note', 'text/markdown', '## Call details\n**Result**: ok\n', 'note', ''],
  ['a line without value', 'text/markdown', '**Result**:\n', 'result', ''],
  ['a line of Windows', 'text/markdown', '**Result**: ok\r\n\r\n', 'result', 'ok'],
  ['a block before the score', 'text/markdown', '### ACE summary\nx\n\n**Call score**: 92\n', 'ringSenseSummary', 'x\n'],
  ['a block before a heading of a person', 'text/markdown', '### AI Note\nx\n### Mine\ny\n', 'aiNote', 'x'],
  ['a link that was never escaped', 'text/markdown', '**Summary**: see [x](https://x.example) \\[y]\n', 'subject', 'see [x](https://x.example) [y]'],
  ['bold text of a person', 'text/markdown', '**Result** is good\n', 'result', undefined]
]

for (const [form, format, body, section, value] of readings) {
  await t.test(`${format}: ${form} is read`, async t => {
    t.equal(readSection(body, format, section), value)
  })
}

/** Logs without fingerprints, one value that arrives, and the log afterwards. */
const updates: Array<[what: string, format: BodyFormat, body: string, values: CallLogValues, updated: string]> = [
  ['the old label gives way to the new one', 'text/plain', '- Agent notes: a\n- Summary: s\n', { note: 'b' }, '- Note: b\n- Summary: s\n'],
  ['the wait for a recording ends', 'text/plain', '- Summary: s\n- Call recording link: (pending...)\n\n- AI Note:\nx\n--- END', { recordingLink: 'https://r' },
    '- Summary: s\n- Call recording link: https://r\n\n- AI Note:\nx\n--- END'],
  ['a text that lost its last line feed', 'text/plain', '- Summary: s', { result: 'ok' }, '- Summary: s\n- Result: ok\n'],
  ['of two lines the one that waits is filled', 'text/plain', '- Result: Hang-Up\n- Result: (pending)\n', { result: 'ok' }, '- Result: Hang-Up\n- Result: ok\n'],
  ['a text of a person only', 'text/plain', 'my words', { note: 'n' }, 'my words\n- Note: n\n'],
  ['the note that the service left', 'text/html', '<b>Agent notes</b><br>From auto logging (Pending)<br><br><b>Call details</b><br>mine', { note: 'n' },
    '<b>Agent notes</b><br>n<br><br><b>Call details</b><br>mine'],
  ['lines go into the list', 'text/html', '<b>Call details</b><br><ul><li><b>Result</b>: ok</li></ul><p>mine</p>', { recordingLink: 'https://r' },
    '<b>Call details</b><br><ul><li><b>Result</b>: ok</li><li><b>Call recording link</b>: <a target="_blank" href="https://r">open</a></li></ul><p>mine</p>'],
  ['blocks stay out of the list', 'text/html', '<ul><li><b>Result</b>: ok</li></ul><p>mine</p>', { aiNote: 'x' },
    '<ul><li><b>Result</b>: ok</li></ul><p>mine</p><div><b>AI Note</b><br>x</div><br>'],
  ['a block before lines in a list', 'text/html', '<ul><li><b>Call score</b>: 1</li></ul>', { aiNote: 'x' },
    '<div><b>AI Note</b><br>x</div><br><ul><li><b>Call score</b>: 1</li></ul>'],
  ['the note goes before the list', 'text/html', '<ul>\n<li><b>Result</b>: ok</li></ul>', { note: 'n' },
    '<b>Agent notes</b><br>n<br><br><b>Call details</b><br><ul>\n<li><b>Result</b>: ok</li></ul>'],
  ['the note goes before its closing', 'text/html', '<b>Call details</b><br><li><b>Result</b>: ok</li>', { note: 'n' },
    '<b>Agent notes</b><br>n<br><br><b>Call details</b><br><li><b>Result</b>: ok</li>'],
  ['a line in any dress is written as we write it', 'text/html', '<p><b>duration</b>: 5 seconds<br></p>', { duration: 6 },
    '<p><li><b>Duration</b>: 6 seconds</li><br></p>'],
  ['a line in a paragraph of its item gives way with the whole item', 'text/html', '<ul><li><p><b>Result</b>: ok</p></li>\n<li><p>mine</p></li></ul>', { result: 'no' },
    '<ul><li><b>Result</b>: no</li>\n<li><p>mine</p></li></ul>'],
  ['a line in a paragraph of an item that lost its closing tag', 'text/html', '<ul><li><p><b>Result</b>: ok</p><li><p>mine</p></ul>', { result: 'no' },
    '<ul><li><b>Result</b>: no</li><li><p>mine</p></ul>'],
  ['an empty line behind a block is not doubled', 'text/html', '<div><b>AI Note</b><br>x</div><br />mine', { aiNote: 'y' }, '<div><b>AI Note</b><br>y</div><br>mine'],
  ['the note goes before its closing', 'text/markdown', '## Call details\n**Result**: ok\n', { note: 'n' }, '## Agent notes\nn\n\n## Call details\n**Result**: ok\n'],
  ['empty lines do not pile up', 'text/markdown', '### AI Note\nx\n\n\n\n### Transcript\ny\n', { aiNote: 'z' }, '### AI Note\nz\n### Transcript\ny\n'],
  ['the name of the user is written once', 'text/plain', '- RingCentral user name: Bob\n', { direction: 'Inbound', to: { name: 'Cat' } }, '- RingCentral user name: Bob\n'],
  ['the name of the user is filled in', 'text/plain', '- RingCentral user name: (pending...)\n', { direction: 'Inbound', to: { name: 'Cat' } }, '- RingCentral user name: Cat\n'],
  ['an empty note is no wish where nobody knows who wrote it', 'text/plain', '- Note: a\n', { note: '' }, '- Note: a\n'],
  ['a placeholder does not replace what is known', 'text/plain', '- Call recording link: https://r\n', { recordingLink: '(pending...)' }, '- Call recording link: https://r\n']
]

for (const [what, format, body, values, updated] of updates) {
  await t.test(`${format}: an update of a log without fingerprints: ${what}`, async t => {
    const options = { format, settings: everythingOn }
    const merged = merge(body, null, values, options)
    t.equal(merged.body, updated)
    t.equal(merge(merged.body, merged.fingerprints, values, options).body, updated, 'and once more')
  })
}

await t.test('after the first update a person may change and delete what was there before', async t => {
  const options = { format: 'text/plain', settings: {} } as const
  const first = merge('- Note: a\n- Summary: s\n- Result: ok\n', undefined, { duration: 5 }, options)
  t.equal(first.body, '- Note: a\n- Summary: s\n- Duration: 5 seconds\n- Result: ok\n')
  const edited = first.body.replace('- Result: ok\n', '').replace('Summary: s', 'Summary: mine')
  const second = merge(edited, first.fingerprints, { result: 'late', duration: 6, note: '' }, options)
  t.equal(second.body, '- Note: a\n- Summary: mine\n- Duration: 6 seconds\n')
  t.equal(readNote(merge(second.body, second.fingerprints, { note: 'b' }, options).body, 'text/plain'), 'b')
})

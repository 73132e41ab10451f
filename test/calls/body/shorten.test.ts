import t from 'tap'
import { composeCallLog, merge, readNote, readSection } from '../../../src/calls/body/merge.ts'
import type { BodyOptions } from '../../../src/calls/body/values.ts'
import { everythingOn, formats, fullCall, goldenBodies } from './golden.ts'

const notice = '(Shortened: this CRM takes no longer text.)'
const sentence = 'She said "it\'s <fine> & done".'
const story = Array.from({ length: 100 }, (_, index) => `${index}) ${sentence}`).join(' ')

for (const format of formats) {
  const options: BodyOptions = { format, settings: everythingOn, timeZoneOffset: '-07:00' }
  const call = { ...fullCall, transcript: story, ringSenseTranscript: story, aiNote: story }
  const whole = composeCallLog(call, options)

  await t.test(`${format}: a body that fits is not shortened`, async t => {
    t.strictSame(composeCallLog(call, { ...options, maxLength: whole.body.length }), whole)
  })

  await t.test(`${format}: the transcript is cut first, at a sentence, and says so`, async t => {
    const { body, decisions } = composeCallLog(call, { ...options, maxLength: whole.body.length - 1000 })
    t.ok(body.length <= whole.body.length - 1000)
    t.ok(body.length > whole.body.length - 1100, 'and no more than needed')
    const transcript = readSection(body, format, 'transcript') ?? ''
    t.ok(transcript.endsWith(`done".\n${notice}`))
    t.ok(story.startsWith(transcript.slice(0, -notice.length - 1)))
    t.equal(readSection(body, format, 'aiNote'), story)
    t.strictSame(decisions.filter(({ action }) => action === 'shortened'), [{ section: 'transcript', action: 'shortened', reason: 'too-long' }])
  })

  await t.test(`${format}: then the others, the note never`, async t => {
    const note = 'n'.repeat(3000)
    const { body, decisions } = composeCallLog({ ...call, note }, { ...options, maxLength: 10 })
    t.equal(readNote(body, format), note)
    t.equal(readSection(body, format, 'result'), 'Accepted')
    for (const section of ['transcript', 'ringSenseTranscript', 'aiNote'] as const) t.equal(readSection(body, format, section), notice)
    t.strictSame(decisions.filter(({ action }) => action === 'shortened').map(({ section }) => section), ['transcript', 'ringSenseTranscript', 'aiNote'])
  })

  await t.test(`${format}: a repeated update of a shortened log changes nothing, and a new text may use the room`, async t => {
    const tight = { ...options, maxLength: whole.body.length - 5000 }
    const created = composeCallLog(call, tight)
    const again = merge(created.body, created.fingerprints, call, tight)
    t.equal(again.body, created.body)
    t.match(again.decisions.find(({ section }) => section === 'transcript'), { action: 'kept', reason: 'shortened' })
    t.equal(merge(again.body, again.fingerprints, { transcript: 't1\nt2\n', ringSenseTranscript: 'rt1\nrt2\n', aiNote: 'ai1\nai2\n\n' }, tight).body, goldenBodies[format])
    const smaller = merge(created.body, created.fingerprints, {}, { ...options, maxLength: created.body.length - 300 })
    t.ok(smaller.body.length <= created.body.length - 300)
    t.equal(smaller.body.split(notice).length, created.body.split(notice).length, 'the notice stands there once')
  })

  await t.test(`${format}: what a person changed is not cut`, async t => {
    const changed = whole.body.replace('0) She', '0) They')
    const { body } = merge(changed, whole.fingerprints, {}, { ...options, maxLength: 3000 })
    t.match(readSection(body, format, 'aiNote'), /^0\) They[^]*99\) She said "it's <fine> & done"\.$/)
  })
}

await t.test('a text without sentences is cut at a word', async t => {
  const words = 'word '.repeat(500)
  const { body } = composeCallLog({ transcript: words }, { format: 'text/plain', settings: {}, maxLength: 1000 })
  t.ok(body.length <= 1000 && body.length > 990)
  t.match(body, `word\n${notice}\n--- END`)
})

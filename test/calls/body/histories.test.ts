import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isWritten, joined, type Codec } from '../../../src/calls/body/codec.ts'
import { html } from '../../../src/calls/body/html.ts'
import { markdown } from '../../../src/calls/body/markdown.ts'
import { composeCallLog, merge, readSection } from '../../../src/calls/body/merge.ts'
import { sections, type SectionId } from '../../../src/calls/body/sections.ts'
import { text } from '../../../src/calls/body/text.ts'
import type { BodyOptions, CallLogValues } from '../../../src/calls/body/values.ts'
import { addition, anyBody, asTyped, fewRuns, fragment, holds, typedText } from './arbitraries.ts'
import { everythingOn, fullCall } from './golden.ts'

t.setTimeout(30 * 60_000) // ten thousand runs take their time

const codecs: Codec[] = [text, html, markdown]
const zone = { settings: everythingOn, timeZone: 'America/Denver' }
const waiting = (value: unknown) => ['pending', '(pending)', '(pending...)'].includes(String(value).trim())
const blank = (value: unknown) => typeof value === 'string' && value.trim() === ''

/** Every value a call can bring, confusing ones included. */
const anyCall: fc.Arbitrary<CallLogValues> = fc.record({
  note: typedText,
  subject: typedText,
  result: typedText,
  duration: fc.oneof(fc.nat(20_000), fc.constant('pending')),
  recordingLink: fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.constant('(pending...)'), typedText),
  voicemailLink: typedText,
  aiNote: typedText,
  transcript: typedText,
  ringSenseTranscript: typedText,
  ringSenseSummary: typedText,
  ringSenseAIScore: typedText,
  ringSenseBulletedSummary: typedText,
  ringSenseLink: typedText,
  startTime: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map(date => date.toISOString())
}, { requiredKeys: [] })

/** What the table makes of a value, for comparison. */
function expected (id: SectionId, values: CallLogValues, options: BodyOptions): string | undefined {
  const section = sections.find(section => section.id === id)
  const value = section?.value(values, options) ?? undefined
  if (section === undefined || value === undefined || blank(value)) return undefined
  const typed = asTyped(value)
  if (section.kind === 'line' || section.kind === 'link') return typed.replace(/\n+/g, ' ')
  return section.kind === 'block' && !section.keepsEnd?.includes(options.format) ? typed.replace(/\n+$/, '') : typed
}

for (const codec of codecs) {
  const options: BodyOptions = { format: codec.format, ...zone }
  const fixed: CallLogValues = { sessionId: 'S1', contactNumber: '+14155550100', direction: 'Inbound', from: fullCall.from, to: fullCall.to }

  await t.test(`${codec.format}: a new log holds every value, each as it was typed`, async t => {
    holds(t, fc.property(anyCall, values => {
      const { body } = composeCallLog(values, options)
      for (const { id, awaited, placeholders } of sections) {
        assert.equal(readSection(body, codec.format, id), expected(id, values, options) ?? (awaited ? placeholders?.[0] : undefined), id)
      }
    }), fewRuns)
  })

  await t.test(`${codec.format}: a repeated update changes nothing, whatever the body holds`, async t => {
    holds(t, fc.property(anyBody(codec.format), anyCall, fc.boolean(), (body, values, unmarked) => {
      const once = merge(body, unmarked ? undefined : {}, values, options)
      const twice = merge(once.body, once.fingerprints, values, options)
      assert.equal(twice.body, once.body)
      assert.deepEqual(twice.fingerprints, once.fingerprints)
    }))
  })

  await t.test(`${codec.format}: nothing outside of the sections changes, also in the logs of other servers`, async t => {
    holds(t, fc.property(anyBody(codec.format), anyCall, (body, values) => {
      const verbatim = (text: string) => joined(codec.parse(text).filter(part => !isWritten(part))).replace(/\n$/, '')
      assert.equal(verbatim(merge(body, undefined, values, options).body), verbatim(body))
    }), fewRuns)
  })

  await t.test(`${codec.format}: values that arrive in any order, and repeatedly, make the same body`, async t => {
    const pieces = fc.record({ call: anyCall, later: fc.array(fc.nat(20), { maxLength: 20 }), order: fc.infiniteStream(fc.nat()) })
    holds(t, fc.property(pieces, ({ call, later, order }) => {
      const all = Object.entries({ ...call }).filter(([, value]) => !blank(value) && !waiting(value))
      const updates = all.filter((_, index) => later.includes(index))
      const first = all.filter((_, index) => !later.includes(index))
      let log = composeCallLog({ ...fixed, ...Object.fromEntries(first) }, options)
      const shuffled = [...updates, ...updates].map(update => ({ update, key: order.next().value })).sort((one, other) => one.key - other.key)
      for (const { update } of shuffled) log = merge(log.body, log.fingerprints, Object.fromEntries([update]), options)
      const whole = composeCallLog({ ...fixed, ...Object.fromEntries(all) }, options)
      assert.equal(log.body, whole.body)
      assert.deepEqual(log.fingerprints, whole.fingerprints)
    }))
  })

  await t.test(`${codec.format}: what a person did to a body survives every later update`, async t => {
    const edit = fc.oneof(
      addition,
      fc.record({ insert: fragment, at: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ insert: fc.nat(999).map(number => `⟦${number}⟧`), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ from: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(40) }),
      fc.record({ from: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(200), at: fc.double({ min: 0, max: 1, noNaN: true }) })
    )
    const history = fc.array(fc.record({ edits: fc.array(edit, { maxLength: 3 }), update: anyCall }), { minLength: 1, maxLength: 4 })
    holds(t, fc.property(anyCall, history, (call, steps) => {
      let log = composeCallLog({ ...fixed, ...call }, options)
      const last = new Map<string, string>(sections.flatMap(({ id }) => {
        const value = readSection(log.body, codec.format, id)
        return value === undefined ? [] : [[id, value] as const]
      }))
      for (const { edits, update } of steps) {
        const edited = edits.reduce((body, edit) => {
          const place = (share: number) => Math.floor(share * body.length)
          if ('into' in edit) return edit.into(body)
          if ('insert' in edit) return body.slice(0, place(edit.at)) + edit.insert + body.slice(place(edit.at))
          const cut = body.slice(0, place(edit.from)) + body.slice(place(edit.from) + edit.length)
          if (!('at' in edit)) return cut
          const moved = body.slice(place(edit.from), place(edit.from) + edit.length)
          const at = Math.floor(edit.at * cut.length)
          return cut.slice(0, at) + moved + cut.slice(at)
        }, log.body)
        // The note and the subject only come as echoes here: an edit of theirs is meant to win.
        const values = { ...update, note: call.note, subject: call.subject }
        const merged = merge(edited, log.fingerprints, values, options)
        assert.equal(foreign(codec, merged.body, values, last, options), foreign(codec, edited, values, last, options))
        assert.deepEqual(merged.body.match(/⟦\d+⟧/g), edited.match(/⟦\d+⟧/g), 'nothing that a person marked is lost, doubled or moved')
        for (const { section, action } of merged.decisions) {
          if (action === 'added' || action === 'replaced') last.set(section, expected(section, values, options) ?? '')
        }
        log = merged
      }
    }))
  })
}

/** A body without the sections that an update may change: those that hold what was last written, a placeholder, or the new value. */
function foreign (codec: Codec, body: string, values: CallLogValues, last: Map<string, string>, options: BodyOptions): string {
  const parts = codec.parse(body).filter(part => {
    if (!isWritten(part)) return true
    const { id, placeholders = [] } = part.section
    const incoming = expected(id as SectionId, values, options)
    if (incoming === undefined) return true
    const ours = [last.get(id), incoming, ...placeholders].map(value => value?.trim())
    return !ours.includes(codec.value(part).trim())
  })
  return joined(parts).replace(/\n$/, '')
}

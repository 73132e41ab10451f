/**
 * Puts the values of a call into the body of its log. What is ours in the body is replaced where it stands, what is new goes
 * to its place in the order of the table, everything else is not touched. Who decides what is ours: decide.ts.
 * Pure: the answer depends on the arguments alone.
 */
import { settingValue } from '../../contract/settings.ts'
import { isWritten, joined, type Codec, type Part, type Written } from './codec.ts'
import { decide, type Held, type Reason, type Verdict } from './decide.ts'
import { fingerprintOf, found, isSame, type Fingerprints } from './fingerprint.ts'
import { html } from './html.ts'
import { oneLine, withLineFeeds, withoutTrailingFeeds } from './lines.ts'
import { markdown } from './markdown.ts'
import { sections, type Section, type SectionId } from './sections.ts'
import { shortenedToFit } from './shorten.ts'
import { text } from './text.ts'
import type { BodyFormat, BodyOptions, CallLogValues } from './values.ts'

export interface Merged {
  body: string
  /** To be kept with the log, and given to the next merge. */
  fingerprints: Fingerprints
  decisions: Decision[]
}

/** What was done with a section that the call had a value for, and why. It holds nothing of the value. */
export interface Decision {
  section: SectionId
  action: Verdict['action'] | 'shortened'
  reason: Reason | 'switched-off' | 'too-long'
}

const codecs: Record<BodyFormat, Codec> = { 'text/plain': text, 'text/html': html, 'text/markdown': markdown }

/** The body of a new log. What every call has in the end, but is not known yet, gets a placeholder. */
export function composeCallLog (values: CallLogValues, options: BodyOptions): Merged {
  return mergeBy('', {}, values, options, section =>
    valueOf(section, values, options) ?? (section.awaited ? section.placeholders?.[0] : undefined))
}

/**
 * The body of an existing log, brought up to date.
 * @param current the body as the CRM holds it now
 * @param fingerprints what the last merge gave back; nothing for a log that another server made
 * @param values what the update brings; a value that is absent leaves its section as it is
 */
export function merge (
  current: string, fingerprints: Fingerprints | null | undefined, values: CallLogValues, options: BodyOptions
): Merged {
  return mergeBy(current, fingerprints ?? undefined, values, options, section => valueOf(section, values, options))
}

/**
 * The texts of sections of a body, as they were typed.
 * @param fingerprints tell our sections from those that a person pasted
 * @returns nothing for a section that the body does not have
 */
export function readSections (
  body: string, format: BodyFormat, ids: readonly SectionId[], fingerprints: Fingerprints = {}
): Array<string | undefined> {
  const codec = codecs[format]
  const written = codec.parse(body).filter(isWritten)
  return ids.map(id => {
    const held = written.filter(part => part.section.id === id)
    const ours = held.find(part => isSame(heldBy(part, codec).fingerprint, fingerprints[id])) ?? held[0]
    return ours && codec.reading(ours)
  })
}

export function readSection (body: string, format: BodyFormat, section: SectionId, fingerprints?: Fingerprints): string | undefined {
  return readSections(body, format, [section], fingerprints)[0]
}

/** The note of a body, as its author typed it; empty when there is none. */
export function readNote (body: string, format: BodyFormat, fingerprints?: Fingerprints): string {
  return readSection(body, format, 'note', fingerprints) ?? ''
}

function mergeBy (
  current: string, known: Fingerprints | undefined, values: CallLogValues, options: BodyOptions,
  incomingOf: (section: Section) => string | undefined
): Merged {
  const { format, settings, maxLength = Infinity } = options
  const codec = codecs[format]
  const parts = codec.parse(current)
  const written = parts.filter(isWritten)
  const fingerprints = { ...known ?? foundFingerprints(written, codec) }
  const decisions: Decision[] = []

  for (const section of sections) {
    const value = incomingOf(section)
    if (value === undefined) continue
    if (!settingValue(settings, section.setting, section.on)) {
      decisions.push({ section: section.id, action: 'kept', reason: 'switched-off' })
      continue
    }
    const incoming = { value, fingerprint: fingerprintOf(value) }
    const held = written.filter(part => part.section === section).map(part => heldBy(part, codec))
    const { action, reason, target } = decide(section, incoming, held, known?.[section.id], known === undefined)
    if (action === 'cleared' && target) parts.splice(parts.indexOf(target), 1)
    if (action === 'replaced' && target) parts.splice(parts.indexOf(target), 1, writtenBy(codec, section, value, values))
    if (action === 'added') insert(parts, writtenBy(codec, section, value, values), codec)
    if (action !== 'kept' || reason === 'same') fingerprints[section.id] = incoming.fingerprint
    decisions.push({ section: section.id, action, reason })
  }

  const { shortened, ...fitted } = shortenedToFit(joined(parts), codec, maxLength, fingerprints)
  return { ...fitted, decisions: [...decisions, ...shortened.map(tooLong)] }
}

function heldBy (part: Written, codec: Codec): Held {
  const value = codec.value(part)
  const fingerprint = fingerprintOf(value)
  const readingFingerprint = (): string => {
    const reading = codec.reading(part)
    return reading === value ? fingerprint : fingerprintOf(reading)
  }
  return { part, value, fingerprint, readingFingerprint }
}

function writtenBy (codec: Codec, section: Section, value: string, values: CallLogValues): Written {
  const label = section.labels[codec.format][section.labelOf?.(values) ?? 0] ?? ''
  return { section, text: codec.render(section, value, label), inner: value }
}

/** What a log without fingerprints holds counts as ours. */
function foundFingerprints (written: readonly Written[], codec: Codec): Fingerprints {
  return Object.fromEntries(sections.flatMap(section => {
    const first = written.find(part => part.section === section)
    return first === undefined ? [] : [[section.id, found(heldBy(first, codec).fingerprint)]]
  }))
}

const tooLong = (section: SectionId): Decision => ({ section, action: 'shortened', reason: 'too-long' })

/** The value of a section as its kind takes it: a line is one line, a block ends with its last line. */
function valueOf (section: Section, values: CallLogValues, options: BodyOptions): string | undefined {
  const value = section.value(values, options) ?? undefined
  if (value === undefined) return undefined
  if (value.trim() === '') return section.clearable ? '' : undefined
  if (section.kind === 'line' || section.kind === 'link') return oneLine(value)
  const lines = withLineFeeds(value)
  return section.kind === 'opening' || section.keepsEnd?.includes(options.format) ? lines : withoutTrailingFeeds(lines)
}

const order = new Map<Section, number>(sections.map((section, index) => [section, index]))

/**
 * A new section goes before the first one that follows it in the table, else to the end: there it never stands between a
 * section and the text that a person put behind it, and the order in which sections arrive makes no difference.
 */
function insert (parts: Part[], written: Written, codec: Codec): void {
  const rank = order.get(written.section) ?? 0
  const next = parts.findIndex(part => isWritten(part) && (order.get(part.section) ?? 0) > rank)
  const place = besideList(parts, next === -1 ? parts.length : next, written.section)
  const before = parts[place - 1]?.text ?? ''
  const feed = codec.linewise && place > 0 && !before.endsWith('\n') ? '\n' : ''
  parts.splice(place, 0, { ...written, text: feed + written.text })
}

/** Lines go into the list that ends before their place; what is no line does not go into a list that begins there. */
function besideList (parts: readonly Part[], place: number, { kind }: Section): number {
  const isLine = kind === 'line' || kind === 'link'
  const listOf = (index: number) => {
    const part = parts[index]
    return part === undefined || isWritten(part) ? undefined : part
  }
  if (!isLine) return listOf(place - 1)?.list === 'opens' ? place - 1 : place
  for (let index = place - 1; listOf(index) !== undefined; index--) {
    if (listOf(index)?.list === 'closes') return index
  }
  return place
}

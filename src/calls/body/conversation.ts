/**
 * A conversation within a body: a heading, then entries in the order of their time. Entries are merged by the rules of the
 * sections: each is written once, one that still reads as we wrote it may be replaced, one that a person changed, commented
 * on or deleted stays so.
 */
import type { Verdict } from './decide.ts'
import { fingerprintOf, isOfWhole, partOf, type Fingerprints } from './fingerprint.ts'
import { isShortened } from './shorten.ts'

/** How a format shows entries. All patterns are global; they find, they never edit. */
export interface EntryLayout {
  /** Begins an entry. */
  entry: RegExp
  /** The text of an entry as a person reads it. */
  reading: (text: string) => string
  /** Whether a text holds markup of a person that its reading leaves out: it counts as changed. */
  isMarked?: (text: string) => boolean
  /** Entries start on a line of their own. */
  linewise: boolean
  /** What keeps an entry apart from the next. */
  gap: (index: number) => string
}

export interface ConversationLayout extends EntryLayout {
  /** Begins the heading; the last one before `begins` counts, because names may imitate it. */
  heading: RegExp
  /** Ends the heading: the entries begin. */
  begins: RegExp
  /** The entries are over. */
  ends: RegExp
}

/** The stretches of a body with a conversation; joined they are that body. */
export interface Conversation {
  before: string
  heading: string
  /** What a person put between the heading and the first entry. */
  lead: string
  entries: string[]
  after: string
}

/** @returns nothing when the body holds no conversation of that layout */
export function conversationIn (body: string, layout: ConversationLayout): Conversation | undefined {
  const begins = firstMatch(layout.begins, body, 0)
  const heading = begins && Array.from(body.slice(0, begins.index).matchAll(layout.heading)).at(-1)
  const ends = begins && firstMatch(layout.ends, body, begins.index + begins[0].length)
  if (begins === null || heading === undefined || heading === null || ends === null) return undefined
  const start = begins.index + begins[0].length
  return {
    before: body.slice(0, heading.index),
    heading: body.slice(heading.index, start),
    ...entriesIn(body.slice(start, ends.index), layout.entry),
    after: body.slice(ends.index)
  }
}

/** Cuts a text at the beginnings of its entries. */
export function entriesIn (text: string, entry: RegExp): Pick<Conversation, 'lead' | 'entries'> {
  const starts = Array.from(text.matchAll(entry), match => match.index)
  return { lead: text.slice(0, starts[0]), entries: starts.map((start, index) => text.slice(start, starts[index + 1])) }
}

function firstMatch (pattern: RegExp, text: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from
  return pattern.exec(text)
}

/** The first name that there is. Without one an entry could not be told from a text. */
export const nameOf = (...names: ReadonlyArray<string | null | undefined>): string =>
  names.map(name => name?.trim()).find(name => name !== undefined && name !== '') ?? 'Unknown'

/** An entry to be there. */
export interface Entry {
  id: string
  /** Epoch milliseconds. */
  at: number
  /** What it says. */
  said: string
  /** The entry in its format, saying that. */
  written: (said: string) => string
  /** What it says where the CRM takes no longer text; null where it is left out. */
  shortened?: string | null
}

export interface EntryDecision {
  /** The id of the message, or `heading`. */
  entry: string
  action: Verdict['action']
  reason: Verdict['reason'] | 'too-long'
}

export interface MergedEntries {
  entries: string[]
  added: number
  fingerprints: Fingerprints
  decisions: EntryDecision[]
}

export type Order = 'oldest-first' | 'newest-first'

/** An entry in the body; `id` and `at` are known where it reads as we wrote it. */
interface Row {
  text: string
  reading: string
  fingerprint: string
  id: string | undefined
  at: number | undefined
}

/**
 * @param remembered which entries were written, and how they read
 * @param order whether the oldest or the newest entry stands first
 */
export function mergeEntries (
  conversation: Conversation, remembered: Fingerprints, incoming: readonly Entry[], layout: EntryLayout, order: Order
): MergedEntries {
  const fingerprints = { ...remembered }
  const rows = rowsOf(conversation.entries, remembered, layout)
  const decisions = incoming.toSorted((one, other) => one.at - other.at).map((entry): EntryDecision => {
    const { id, at, said, written, shortened = said } = entry
    const key = PREFIX + id
    const wholeReading = layout.reading(written(said))
    const whole = fingerprintOf(wholeReading)
    const known = fingerprints[key]
    if (isOfWhole(whole, known)) return { entry: id, action: 'kept', reason: 'shortened' }
    const remember = (fingerprint: string): void => {
      fingerprints[key] = `${at.toString(36)}.${fingerprint === whole ? whole : partOf(whole, fingerprint)}`
    }
    const row = rows.find(row => known === undefined ? row.id === undefined && (row.fingerprint === whole || isShortened(row.reading, wholeReading)) : row.id === id)
    if (row === undefined && known !== undefined) return { entry: id, action: 'kept', reason: 'changed-by-person' }
    if (row !== undefined && known === undefined) {
      remember(row.fingerprint)
      Object.assign(row, { id, at })
      return { entry: id, action: 'kept', reason: row.fingerprint === whole ? 'same' : 'shortened' }
    }
    if (shortened === null) {
      if (row === undefined) remember(whole)
      return { entry: id, action: 'kept', reason: 'too-long' }
    }

    const text = written(shortened)
    const reading = layout.reading(text)
    const fingerprint = fingerprintOf(reading)
    const same = row?.fingerprint === fingerprint
    if (!same && row !== undefined && layout.isMarked?.(row.text)) return { entry: id, action: 'kept', reason: 'changed-by-person' }
    remember(fingerprint)
    if (row === undefined) {
      insert(rows, { text, reading, fingerprint, id, at }, conversation, layout, order)
      return { entry: id, action: 'added', reason: 'new' }
    }
    Object.assign(row, same ? { id, at } : { id, at, reading, fingerprint, text: text + layout.gap(rows.indexOf(row)) })
    return same ? { entry: id, action: 'kept', reason: 'same' } : { entry: id, action: 'replaced', reason: 'ours' }
  })
  return { entries: rows.map(row => row.text), added: rows.length - conversation.entries.length, fingerprints, decisions }
}

/** Puts an entry to its time. An entry of unknown time stays with the one before it. */
function insert (rows: Row[], row: Row & { at: number }, { before, heading, lead }: Conversation, layout: EntryLayout, order: Order): void {
  const later = ({ at }: Row) => at !== undefined && at > row.at
  const next = rows.findIndex(later)
  const place = order === 'newest-first' ? rows.findLastIndex(later) + 1 : next === -1 ? rows.length : next
  const preceding = rows[place - 1]?.text || lead || heading || before
  const feed = layout.linewise && preceding !== '' && !preceding.endsWith('\n') ? '\n' : ''
  const [first] = rows
  if (place === 0 && first?.id !== undefined && layout.gap(0) !== layout.gap(1)) first.text = first.text.trimEnd() + layout.gap(1)
  rows.splice(place, 0, { ...row, text: feed + row.text + layout.gap(place) })
}

const PREFIX = 'message:'

/** The entries of a body, told apart by how they read; two that read the same are taken in the order of their time. */
function rowsOf (current: readonly string[], remembered: Fingerprints, layout: EntryLayout): Row[] {
  const known = Object.entries(remembered).filter(([key]) => key.startsWith(PREFIX)).map(([key, value]) => {
    const [at = '', fingerprint = ''] = value.split(/[./]/)
    return { id: key.slice(PREFIX.length), at: parseInt(at, 36), fingerprint }
  }).sort((one, other) => one.at - other.at)
  const byFingerprint = new Map<string, typeof known>()
  for (const entry of known) {
    const alike = byFingerprint.get(entry.fingerprint)
    if (alike === undefined) byFingerprint.set(entry.fingerprint, [entry])
    else alike.push(entry)
  }
  return current.map(text => {
    const reading = layout.reading(text)
    const fingerprint = fingerprintOf(reading)
    const { id, at } = byFingerprint.get(fingerprint)?.shift() ?? {}
    return { text, reading, fingerprint, id, at }
  })
}

/**
 * A conversation within a body: a heading, then entries in the order of their time. Entries are merged by the rules of the
 * sections: each is written once, one that still reads as we wrote it may be replaced, one that a person changed, commented
 * on or deleted stays so.
 */
import type { Verdict } from './decide.ts'
import { fingerprintOf, type Fingerprints } from './fingerprint.ts'

/** How a format shows entries. All patterns are global; they find, they never edit. */
export interface EntryLayout {
  /** Begins an entry. */
  entry: RegExp
  /** The text of an entry as a person reads it. */
  reading: (text: string) => string
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

/** An entry to be there. */
export interface Entry {
  id: string
  /** Epoch milliseconds. */
  at: number
  text: string
}

export interface EntryDecision {
  /** The id of the message, or `heading`. */
  entry: string
  action: Verdict['action']
  reason: Verdict['reason']
}

export interface MergedEntries {
  entries: string[]
  added: number
  fingerprints: Fingerprints
  decisions: EntryDecision[]
}

/** An entry in the body; `id` and `at` are known where it reads as we wrote it. */
interface Row {
  text: string
  fingerprint: string
  id?: string
  at?: number
}

/**
 * @param remembered which entries were written, and how they read
 * @param order whether the oldest or the newest entry stands first
 */
export function mergeEntries (
  conversation: Conversation, remembered: Fingerprints, incoming: readonly Entry[], layout: EntryLayout,
  order: 'oldest-first' | 'newest-first'
): MergedEntries {
  const fingerprints = { ...remembered }
  const rows = rowsOf(conversation.entries, remembered, layout)
  const decisions: EntryDecision[] = []
  let added = 0
  const take = (row: Row, { id, at }: Entry) => {
    Object.assign(row, { id, at })
    fingerprints[keyOf(id)] = `${at.toString(36)}.${row.fingerprint}`
  }

  for (const entry of incoming.toSorted((one, other) => one.at - other.at)) {
    const decided = (action: EntryDecision['action'], reason: EntryDecision['reason']) => decisions.push({ entry: entry.id, action, reason })
    const fingerprint = fingerprintOf(layout.reading(entry.text))
    const written = fingerprints[keyOf(entry.id)] !== undefined
    const row = rows.find(row => written ? row.id === entry.id : row.id === undefined && row.fingerprint === fingerprint)
    if (row === undefined && written) {
      decided('kept', 'changed-by-person')
    } else if (row === undefined) {
      const place = placeOf(entry.at, rows, order)
      const preceding = rows[place - 1]?.text || conversation.lead || conversation.heading || conversation.before
      const feed = layout.linewise && preceding !== '' && !preceding.endsWith('\n') ? '\n' : ''
      const fresh: Row = { text: feed + entry.text + layout.gap(place), fingerprint }
      rows.splice(place, 0, fresh)
      take(fresh, entry)
      const pushed = place === 0 ? rows[1] : undefined
      if (pushed?.id !== undefined && layout.gap(0) !== layout.gap(1)) pushed.text = pushed.text.trimEnd() + layout.gap(1)
      added++
      decided('added', 'new')
    } else if (row.fingerprint === fingerprint) {
      take(row, entry)
      decided('kept', 'same')
    } else {
      Object.assign(row, { text: entry.text + layout.gap(rows.indexOf(row)), fingerprint })
      take(row, entry)
      decided('replaced', 'ours')
    }
  }
  return { entries: rows.map(row => row.text), added, fingerprints, decisions }
}

const PREFIX = 'message:'
const keyOf = (id: string) => PREFIX + id

/** The entries of a body, told apart by how they read; two that read the same are taken in the order of their time. */
function rowsOf (current: readonly string[], remembered: Fingerprints, layout: EntryLayout): Row[] {
  const known = Object.entries(remembered).filter(([key]) => key.startsWith(PREFIX)).map(([key, value]) => {
    const [at = '', fingerprint = ''] = value.split('.')
    return { id: key.slice(PREFIX.length), at: parseInt(at, 36), fingerprint }
  }).sort((one, other) => one.at - other.at)
  const byFingerprint = new Map<string, typeof known>()
  for (const entry of known) {
    const alike = byFingerprint.get(entry.fingerprint)
    if (alike === undefined) byFingerprint.set(entry.fingerprint, [entry])
    else alike.push(entry)
  }
  return current.map(text => {
    const fingerprint = fingerprintOf(layout.reading(text))
    const { id, at } = byFingerprint.get(fingerprint)?.shift() ?? {}
    return id === undefined || at === undefined ? { text, fingerprint } : { text, fingerprint, id, at }
  })
}

/** An entry of unknown time stays with the one before it. */
function placeOf (at: number, rows: readonly Row[], order: 'oldest-first' | 'newest-first'): number {
  const later = (row: Row) => row.at !== undefined && row.at > at
  if (order === 'newest-first') return rows.findLastIndex(later) + 1
  const next = rows.findIndex(later)
  return next === -1 ? rows.length : next
}

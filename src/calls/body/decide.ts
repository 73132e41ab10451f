/**
 * Who wins, for one section: the value that arrives, or what stands in the CRM. A section is ours while it carries our
 * fingerprint, or while it only keeps a place; what a person changed or deleted stays so; but the user of the extension has
 * the last word on a note or subject, when it is another than the one we last wrote.
 */
import type { Written } from './codec.ts'
import { fingerprintOf, isFound, isOfWhole, isSame } from './fingerprint.ts'
import { isPlaceholder, type Section } from './sections.ts'

/** A section as the CRM holds it. */
export interface Held {
  part: Written
  value: string
  fingerprint: string
  /** Of what people read there, without formatting. */
  readingFingerprint: () => string
}

/** The value that arrives; an empty one is the wish to clear the section. */
export interface Incoming {
  value: string
  fingerprint: string
}

export interface Verdict {
  action: 'added' | 'replaced' | 'cleared' | 'kept'
  reason: Reason
  /** What is replaced or cleared. */
  target?: Written
}

export type Reason =
  | 'new' // never written before
  | 'ours' // the body holds what we wrote
  | 'unmarked' // a log without fingerprints: what the server before us wrote counts as ours
  | 'pending' // the body holds a placeholder
  | 'edited' // the user of the extension wrote another note or subject
  | 'same' // the body holds the value already
  | 'shortened' // the body holds as much of the value as the CRM takes
  | 'not-known-yet' // the value is a placeholder, the body knows more
  | 'written-once'
  | 'nothing-to-clear'
  | 'changed-by-person'
  | 'deleted-by-person'

const kept = (reason: Reason): Verdict => ({ action: 'kept', reason })

/**
 * @param held the sections of that kind in the body; people may have pasted some
 * @param remembered the fingerprint of what we last wrote there; nothing when we never wrote
 * @param unmarked the log has no fingerprints at all
 */
export function decide (
  section: Section, incoming: Incoming, held: readonly Held[], remembered: string | undefined, unmarked: boolean
): Verdict {
  const keepsPlace = ({ value }: Held) => isPlaceholder(section, value)
  const ours = held.find(({ fingerprint }) => isSame(fingerprint, remembered)) ?? held.find(keepsPlace) ?? (unmarked ? held[0] : undefined)

  if (incoming.value === '') return decideClearing(ours ?? held[0], remembered)
  // The extension's form shows what people read. Sent back as it is, it is no edit, and must not take what formatting a person gave it.
  if (section.editable && held.some(({ readingFingerprint }) => readingFingerprint() === incoming.fingerprint)) return kept('same')
  if (ours === undefined) return decideForeign(section, incoming, held, remembered)
  if (ours.fingerprint === incoming.fingerprint) return kept('same')
  if (isPlaceholder(section, incoming.value)) return kept('not-known-yet')
  const replaced = (reason: Reason): Verdict => ({ action: 'replaced', reason, target: ours.part })
  if (keepsPlace(ours)) return replaced('pending')
  if (section.writtenOnce) return kept('written-once')
  if (isOfWhole(incoming.fingerprint, remembered)) return kept('shortened')
  return replaced(unmarked ? 'unmarked' : section.editable ? 'edited' : 'ours')
}

/** Nothing in the body is ours. */
function decideForeign (section: Section, incoming: Incoming, held: readonly Held[], remembered: string | undefined): Verdict {
  const [first] = held
  if (held.some(({ fingerprint }) => fingerprint === incoming.fingerprint)) return kept('same')
  if (remembered === undefined) return writing('new', held.find(({ part }) => part.bare))
  if (section.editable && !isSame(incoming.fingerprint, remembered)) {
    return isPlaceholder(section, incoming.value) ? kept('not-known-yet') : writing('edited', first)
  }
  return kept(first ? 'changed-by-person' : 'deleted-by-person')
}

function writing (reason: Reason, target: Held | undefined): Verdict {
  return target ? { action: 'replaced', reason, target: target.part } : { action: 'added', reason }
}

/** An empty text clears what a client once sent. It may not know of one that we only found. */
function decideClearing (target: Held | undefined, remembered: string | undefined): Verdict {
  if (remembered === undefined || isFound(remembered) || remembered === fingerprintOf('')) return kept('nothing-to-clear')
  return target ? { action: 'cleared', reason: 'edited', target: target.part } : kept('deleted-by-person')
}

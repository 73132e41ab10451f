/** Bodies that are longer than a CRM takes: the sections that people miss least are cut at a sentence, and say so. */
import { isWritten, joined, type Codec } from './codec.ts'
import { fingerprintOf, isSame, partOf, type Fingerprints } from './fingerprint.ts'
import { sections, type SectionId } from './sections.ts'

const NOTICE = '(Shortened: this CRM takes no longer text.)'

const byRank = sections
  .filter(section => section.shortenRank !== undefined)
  .sort((one, other) => (one.shortenRank ?? 0) - (other.shortenRank ?? 0))

/** @param maxLength UTF-16 units; a body whose note and lines alone are longer stays longer */
export function shortenedToFit (
  body: string, codec: Codec, maxLength: number, fingerprints: Fingerprints
): { body: string, fingerprints: Fingerprints, shortened: SectionId[] } {
  if (body.length <= maxLength) return { body, fingerprints, shortened: [] }
  const parts = codec.parse(body)
  const prints = { ...fingerprints }
  const shortened: SectionId[] = []
  let excess = body.length - maxLength
  for (const section of byRank) {
    if (excess <= 0) break
    const label = section.labels[codec.format][0] ?? ''
    const part = parts.filter(isWritten).find(part => part.section === section && isSame(fingerprintOf(codec.value(part)), prints[section.id]))
    if (part === undefined) continue
    const value = shortenedBy(excess, codec.value(part), part.text.length, short => codec.render(section, short, label))
    if (value === undefined) continue
    const text = codec.render(section, value, label)
    parts[parts.indexOf(part)] = { text }
    prints[section.id] = partOf(prints[section.id] ?? '', fingerprintOf(value))
    shortened.push(section.id)
    excess -= part.text.length - text.length
  }
  return { body: joined(parts), fingerprints: prints, shortened }
}

/**
 * A text, shorter by the excess as it is written, or by as much as possible.
 * @param length of the text as it is written now
 * @returns nothing when the notice would make it no shorter
 */
export function shortenedBy (excess: number, text: string, length: number, written: (text: string) => string): string | undefined {
  const short = shortText(text, short => written(short).length <= length - excess)
  return written(short).length < length ? short : undefined
}

/** Whether a text is another one with the notice in place of what was cut. */
export function isShortened (text: string, whole: string): boolean {
  const cut = text.lastIndexOf(NOTICE)
  return cut !== -1 && whole.startsWith(text.slice(0, cut).trimEnd()) && whole.trimEnd().endsWith(text.slice(cut + NOTICE.length).trim())
}

/** The longest beginning that fits, up to a sentence; up to a word where not one sentence fits; the notice where no word does. */
function shortText (text: string, fits: (text: string) => boolean): string {
  const whole = withoutNotice(text)
  const upTo = (end: number) => `${whole.slice(0, end).trimEnd()}\n${NOTICE}`
  const end = longest(endsOf(whole, sentenceEnd), end => fits(upTo(end))) ?? longest(endsOf(whole, wordEnd), end => fits(upTo(end)))
  return end === undefined ? NOTICE : upTo(end)
}

function withoutNotice (text: string): string {
  const shown = text.trimEnd()
  return shown.endsWith(NOTICE) ? shown.slice(0, -NOTICE.length).trimEnd() : text
}

const sentenceEnd = /[.!?…]["'”’)\]]?\s|[。！？]|\n/g
const wordEnd = /\s/g

function endsOf (text: string, end: RegExp): number[] {
  return Array.from(text.matchAll(end), ({ index, 0: { length } }) => index + length)
}

/** The last of the rising ends that fits. */
export function longest (ends: readonly number[], fits: (end: number) => boolean): number | undefined {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (fits(ends[middle] ?? 0)) low = middle + 1
    else high = middle
  }
  return ends[low - 1]
}

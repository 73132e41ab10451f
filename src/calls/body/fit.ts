/** Conversations that are longer than a CRM takes: what is new is cut, the longest text first; what is there already never. */
import type { Entry, EntryDecision } from './conversation.ts'
import { longest, shortenedBy } from './shorten.ts'

const MORE = '(There are more messages: this CRM takes no longer text.)'
/** Characters that are kept free for it, with a sender and a time, where texts are cut: the next message may not fit at all. */
const ROOM = 200

/**
 * @param maxLength UTF-16 units
 * @param merge the body with these entries. With none it is the body as it is now; where that is too long, it stays so
 */
export function mergedToFit<Merged extends { body: string, decisions: readonly EntryDecision[] }> (
  incoming: readonly Entry[], maxLength: number, merge: (incoming: readonly Entry[]) => Merged
): Merged {
  const fits = ({ body }: Merged): boolean => body.length <= maxLength
  const whole = merge(incoming)
  if (fits(whole)) return whole

  const written = new Set(whole.decisions.filter(({ action }) => action !== 'kept').map(({ entry }) => entry))
  const others = incoming.filter(({ id }) => !written.has(id))
  const fresh = incoming.filter(({ id }) => written.has(id)).toSorted((one, other) => one.at - other.at)
  const told = merge([]).body.includes(MORE)
  // Once it says so, only what fits as it is is added: an attempt that is made again would fill the rest with what it has left out.
  const excess = whole.body.length + ROOM - maxLength
  const { short, left } = told ? { short: fresh, left: excess } : shortened(fresh, excess)
  if (left <= 0) return merge([...others, ...short])

  const upTo = (count: number): Entry[] =>
    [...others, ...short.slice(0, count), ...short.slice(count, count + 1).map(entry => ({ ...entry, shortened: told ? null : MORE }))]
  const count = longest(short.map((_, index) => index), count => fits(merge(upTo(count))))
  const shown = count === undefined ? others : upTo(count)
  // Those that are left out count as logged, too: sent again, they would only be left out again.
  return merge([...shown, ...short.slice(shown.length - others.length).map(entry => ({ ...entry, shortened: null }))])
}

/** @returns `left`: by how much they are still too long */
function shortened (entries: readonly Entry[], excess: number): { short: readonly Entry[], left: number } {
  const texts = new Map<Entry, string>()
  let left = excess
  for (const entry of entries.toSorted((one, other) => other.said.length - one.said.length)) {
    if (left <= 0) break
    const { said, written } = entry
    const { length } = written(said)
    const text = shortenedBy(left, said, length, written)
    if (text === undefined) continue
    texts.set(entry, text)
    left -= length - written(text).length
  }
  return { short: entries.map(entry => ({ ...entry, shortened: texts.get(entry) ?? entry.said })), left }
}

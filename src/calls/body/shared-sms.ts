/**
 * The digest of a shared SMS conversation: who took part, who owns it, and all that was said and noted, newest first. Entries
 * are merged one by one; the heading is one section, replaced while it reads as we wrote it.
 */
import type { Direction, Instant } from '../../contract/call-record.ts'
import { conversationIn, entriesIn, mergeEntries, nameOf, type Conversation, type Entry, type EntryDecision, type Order } from './conversation.ts'
import { fingerprintOf, type Fingerprints } from './fingerprint.ts'
import { mergedToFit } from './fit.ts'
import { withLineFeeds } from './lines.ts'
import type { MergedMessages } from './message-log.ts'
import { digestStyles } from './shared-sms-styles.ts'
import { epochOf, formatInstant, type Zone } from './time.ts'
import type { BodyFormat } from './values.ts'

interface Named {
  name?: string | null | undefined
}

export interface SharedEntity {
  id?: string | number | undefined
  /** `AliveMessage`, `AliveNote` or `ThreadAssignedHint`; others are not shown. */
  recordType: string
  direction?: Direction | undefined
  creationTime: Instant
  author?: Named | null | undefined
  from?: Named | null | undefined
  initiator?: Named | null | undefined
  assignee?: Named | null | undefined
  text?: string | null | undefined
  subject?: string | null | undefined
  body?: string | null | undefined
}

export interface SharedConversation {
  contactName: string
  creationTime?: Instant | null | undefined
  owner?: Named & { extensionType?: string | null | undefined } | null | undefined
  messages?: ReadonlyArray<{ lastModifiedTime?: Instant | null | undefined }> | undefined
  entities: readonly SharedEntity[]
}

export interface DigestContext extends Zone {
  format: BodyFormat
  /** The longest body that the CRM takes, in UTF-16 units. */
  maxLength?: number | undefined
}

/** The subject and body of a new digest. The subject is not escaped, because CRMs take it as text. */
export function composeSharedSms (conversation: SharedConversation, context: DigestContext): MergedMessages & { subject: string } {
  const subject = `SMS conversation with ${conversation.contactName}`
  return { subject: context.format === 'text/markdown' ? `**${subject}**` : subject, ...digest(nothing, {}, conversation, context) }
}

/**
 * The body of an existing digest, brought up to date.
 * @param current the body as the CRM holds it now
 * @param fingerprints what the last merge gave back; none for a digest that another server made: it is written anew, in its place
 */
export function mergeSharedSms (
  current: string, fingerprints: Fingerprints, conversation: SharedConversation, context: DigestContext
): MergedMessages {
  const { layout } = digestStyles[context.format]
  const held = conversationIn(current, layout)
  if (Object.keys(fingerprints).length > 0) return held ? digest(held, fingerprints, conversation, context) : withoutFrame(current, fingerprints, conversation, context)
  const feed = layout.linewise && current !== '' && !current.endsWith('\n') ? '\n' : ''
  const { before, after } = held ?? { before: current + feed, after: '' }
  return digest({ ...nothing, before, after }, {}, conversation, context)
}

const HEADING = 'heading'
const nothing: Conversation = { before: '', heading: '', lead: '', entries: [], after: '' }

function digest (
  current: Conversation, remembered: Fingerprints, conversation: SharedConversation, context: DigestContext
): MergedMessages {
  const { layout, ending } = digestStyles[context.format]
  const { maxLength = Infinity } = context
  const bodyOf = (heading: string, entries: readonly string[]): string =>
    current.before + heading + current.lead + entries.join('') + (current.after || ending)
  const written = headingOf(conversation, context)
  const next = fingerprintOf(layout.reading(written))
  const held = fingerprintOf(layout.reading(current.heading))
  const verdict: Omit<EntryDecision, 'entry'> = current.heading === ''
    ? { action: 'added', reason: 'new' }
    : held === next
      ? { action: 'kept', reason: 'same' }
      : held !== remembered[HEADING] || layout.isMarked?.(current.heading)
        ? { action: 'kept', reason: 'changed-by-person' }
        : written.length > current.heading.length && bodyOf(written, current.entries).length > maxLength
          ? { action: 'kept', reason: 'too-long' }
          : { action: 'replaced', reason: 'ours' }
  const heading = verdict.action === 'kept' ? current.heading : written
  const isNext = verdict.action !== 'kept' || verdict.reason === 'same'

  const known = isNext ? { ...remembered, [HEADING]: next } : remembered
  return withEntries(current, known, conversation, context, 'newest-first', verdict, entries => bodyOf(heading, entries))
}

/** A digest whose frame a person took away stays without it. What is new goes to the end, as in any other log. */
function withoutFrame (
  current: string, remembered: Fingerprints, conversation: SharedConversation, context: DigestContext
): MergedMessages {
  const body = { ...nothing, ...entriesIn(current, digestStyles[context.format].layout.entry) }
  const verdict = { action: 'kept', reason: 'deleted-by-person' } as const
  return withEntries(body, remembered, conversation, context, 'oldest-first', verdict, entries => body.lead + entries.join(''))
}

/** @param verdict of the heading */
function withEntries (
  current: Conversation, remembered: Fingerprints, conversation: SharedConversation, context: DigestContext,
  order: Order, verdict: Omit<EntryDecision, 'entry'>, bodyOf: (entries: readonly string[]) => string
): MergedMessages {
  const { layout } = digestStyles[context.format]
  return mergedToFit(entriesOf(conversation, context), context.maxLength ?? Infinity, incoming => {
    const { entries, fingerprints, decisions } = mergeEntries(current, remembered, incoming, layout, order)
    return { body: bodyOf(entries), fingerprints, decisions: [{ entry: HEADING, ...verdict }, ...decisions] }
  })
}

function headingOf ({ contactName, creationTime, owner, messages = [], entities }: SharedConversation, context: DigestContext): string {
  const times = entities.flatMap(entity => epochOf(entity.creationTime) ?? []).sort((one, other) => one - other)
  const changes = messages.flatMap(message => epochOf(message.lastModifiedTime ?? '') ?? []).sort((one, other) => one - other)
  const started = epochOf(creationTime ?? '') ?? times[0] ?? 0
  const ended = changes.at(-1) ?? times.at(-1) ?? started
  const hours = Math.max(0, Math.floor((ended - started) / 3_600_000))
  const longTime = (time: number) => formatInstant(time, 'dddd, MMMM DD, YYYY [at] hh:mm A', context) ?? ''
  const agents = entities.flatMap(({ author, from, initiator, assignee }) => [author, from, initiator, assignee])
  return digestStyles[context.format].heading({
    started: longTime(started),
    ended: longTime(ended),
    duration: `${Math.floor(hours / 24)} d ${hours % 24} h`,
    participants: [`${contactName} (customer)`, ...new Set(agents.flatMap(agent => agent?.name || []))],
    owner: owner?.name ? { role: isQueue(owner.name, owner.extensionType) ? 'Receiving call queue' : 'Owner', name: owner.name } : undefined,
    counts: countsOf(entities)
  })
}

function isQueue (name: string, extensionType: string | null | undefined): boolean {
  return extensionType === 'Department' || name.toLowerCase().includes('queue')
}

function countsOf (entities: readonly SharedEntity[]): string {
  const counts = ([['AliveMessage', 'message'], ['AliveNote', 'note']] as const).flatMap(([type, word]) => {
    const count = entities.filter(entity => entity.recordType === type).length
    return count === 0 ? [] : `${count} ${word}${count === 1 ? '' : 's'}`
  })
  return counts.join(', ') || '0 messages'
}

function entriesOf ({ contactName, entities }: SharedConversation, context: DigestContext): Entry[] {
  return entities.flatMap(entity => {
    const entry = entryOf(entity, contactName, context)
    const id = String(entity.id ?? `${entity.recordType}@${entity.creationTime}`)
    return entry === undefined ? [] : { id, at: epochOf(entity.creationTime) ?? 0, ...entry }
  })
}

function entryOf (entity: SharedEntity, contactName: string, context: DigestContext): Pick<Entry, 'said' | 'written'> | undefined {
  const { recordType, direction, creationTime, author, from, initiator, assignee } = entity
  const style = digestStyles[context.format]
  const time = formatInstant(creationTime, 'YYYY-MM-DD hh:mm A', context) ?? ''
  const typed = (text: string | null | undefined) => withLineFeeds(text ?? '').trimEnd()
  switch (recordType) {
    case 'AliveMessage': {
      const sender = direction === 'Inbound' ? nameOf(contactName) : nameOf(author?.name, from?.name)
      return { said: typed(entity.text || entity.subject), written: said => style.entry(sender, 'said', time, said) }
    }
    case 'AliveNote': {
      const writer = nameOf(author?.name, initiator?.name)
      return { said: typed(entity.text || entity.body), written: said => style.entry(writer, 'left a note', time, said) }
    }
    case 'ThreadAssignedHint':
      return { said: '', written: () => style.assignment(nameOf(assignee?.name)) }
    default:
      return undefined
  }
}

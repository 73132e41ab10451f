/** The log of messages, one per conversation and day: SMS and MMS as a conversation, voicemail and fax as links. */
import type { Direction, Instant } from '../../contract/call-record.ts'
import { conversationIn, entriesIn, mergeEntries, nameOf, type Conversation, type Entry, type EntryDecision } from './conversation.ts'
import type { Fingerprints } from './fingerprint.ts'
import { mergedToFit } from './fit.ts'
import { withLineFeeds } from './lines.ts'
import { FOOTER, messageStyles, type MessageStyle } from './message-styles.ts'
import { epochOf, formatInstant, type Zone } from './time.ts'
import type { BodyFormat } from './values.ts'

interface Correspondent {
  name: string
  phoneNumber?: string | null | undefined
}

export interface Message {
  id: string | number
  direction?: Direction | undefined
  creationTime: Instant
  text?: string | null | undefined
  /** Who has sent it, where that need not be the contact. */
  sender?: Correspondent | undefined
  /** A voicemail. */
  recordingLink?: string | null | undefined
  /** A fax. */
  faxDocLink?: string | null | undefined
  imageLink?: string | null | undefined
  videoLink?: string | null | undefined
}

export interface MessageContext extends Zone {
  format: BodyFormat
  contact: Correspondent
  /** Name of the CRM user. */
  userName: string
  /** Who else takes part; nothing stands for somebody without a name. */
  participants?: ReadonlyArray<string | null | undefined> | undefined
  /** The longest body that the CRM takes, in UTF-16 units. */
  maxLength?: number | undefined
}

export interface MergedMessages {
  body: string
  /** To be kept with the log, and given to the next merge. */
  fingerprints: Fingerprints
  decisions: EntryDecision[]
}

/**
 * The subject and body of a new log. Its oldest message decides what kind of log it is.
 * @throws RangeError without any message
 */
export function composeMessageLog (messages: readonly Message[], context: MessageContext): MergedMessages & { subject: string } {
  const [oldest] = messages.toSorted((one, other) => timeOf(one) - timeOf(other))
  if (oldest === undefined) throw new RangeError('A message log needs a message')
  const style = messageStyles[context.format]
  const { userName, contact, participants = [] } = context
  const subject = subjectOf(oldest, context)
  const names = [userName, contact.name, ...participants.map(name => nameOf(name))]
  const date = formatInstant(oldest.creationTime, 'dddd, MMMM DD, YYYY', context) ?? ''
  const frame = isMedia(oldest)
    ? style.linksFrame(style.inline(subject))
    : style.conversationFrame(style.inline(subject), date, names.map(style.inline))
  return { subject, ...mergeMessages(frame, {}, messages, context) }
}

/**
 * The body of an existing log with further messages, each at its time and once, however often it comes.
 * @param current the body as the CRM holds it now
 * @param fingerprints what the last merge gave back. None for a log that another server made: then `messages` are only those that are
 *   not in it yet
 */
export function mergeMessages (
  current: string, fingerprints: Fingerprints, messages: readonly Message[], context: MessageContext
): MergedMessages {
  const style = messageStyles[context.format]
  const conversation = conversationIn(current, style.conversation)
  const incoming = messages.map((message): Entry => ({
    id: String(message.id),
    at: timeOf(message),
    said: withLineFeeds(isMedia(message) ? mediaText(message) : message.text ?? '').trimEnd(),
    written: said => conversation === undefined && isMedia(message) ? style.linkEntry(style.block(said)) : conversationEntry(message, said, context)
  }))
  const body = conversation ?? linksIn(current, style)
  const layout = conversation === undefined ? style.links : style.conversation
  return mergedToFit(incoming, context.maxLength ?? Infinity, incoming => {
    const { entries, added, ...merged } = mergeEntries(body, fingerprints, incoming, layout, 'oldest-first')
    return { body: body.before + counted(body.heading, added) + body.lead + entries.join('') + body.after, ...merged }
  })
}

/** A body without a conversation: links one after the other, up to the footer. */
function linksIn (body: string, { links, beforeFooter }: MessageStyle): Conversation {
  const footer = body.lastIndexOf(FOOTER)
  const upToFooter = body.slice(0, footer)
  const end = footer === -1 ? body.length : beforeFooter.exec(upToFooter)?.index ?? footer
  return { before: '', heading: '', ...entriesIn(body.slice(0, end), links.entry), after: body.slice(end) }
}

/** The heading, with the messages counted that were added. Its word stays plural, as it always was. */
function counted (heading: string, added: number): string {
  const [counter, count] = /^Conversation\((\d+)/.exec(heading) ?? []
  return counter === undefined ? heading : `Conversation(${Number(count) + added}${heading.slice(counter.length)}`
}

const timeOf = (message: Message) => epochOf(message.creationTime) ?? 0
const isMedia = (message: Message) => Boolean(message.recordingLink || message.faxDocLink)

function subjectOf ({ creationTime, recordingLink, faxDocLink }: Message, context: MessageContext): string {
  const date = formatInstant(creationTime, messageStyles[context.format].subjectDate, context) ?? ''
  const { name } = context.contact
  if (recordingLink) return `Voicemail left by ${name} - ${date}`
  return faxDocLink ? `Fax document sent from ${name} - ${date}` : `SMS conversation with ${name} - ${date}`
}

const mediaText = ({ recordingLink, faxDocLink }: Message): string =>
  recordingLink ? `Voicemail recording link: ${recordingLink}` : `Fax document link: ${faxDocLink}`

/** One message of a conversation: who, when, what. */
function conversationEntry (message: Message, said: string, context: MessageContext): string {
  const style = messageStyles[context.format]
  const sender = message.direction === 'Outbound' ? nameOf(context.userName) : correspondentName(message.sender ?? context.contact)
  return style.entry(style.inline(sender), formatInstant(message.creationTime, 'hh:mm A', context) ?? '', messageText(message, said, style))
}

const correspondentName = ({ name, phoneNumber }: Correspondent): string =>
  name.trim() !== '' && phoneNumber ? `${nameOf(name)} (${phoneNumber})` : nameOf(name, phoneNumber)

function messageText ({ imageLink, videoLink }: Message, said: string, style: MessageStyle): string {
  const link = imageLink || videoLink
  if (!link) return style.block(said)
  return style.block(`[Message]: ${said || 'N/A'}\n[Link]: `) + style.link(link)
}

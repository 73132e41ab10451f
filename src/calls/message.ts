/** The messages of a conversation, out of what clients send: checked, in the order of their time, with the media they carry. */
import { isDeepStrictEqual } from 'node:util'
import type { Direction, Party } from '../contract/call-record.ts'
import { PatchbayError } from '../contract/errors.ts'
import type { Conversation, CreateMessageLogBody, Message as SentMessage } from '../contract/message-log.ts'
import type { LogContact, LoggedMessage, MessageMedia } from '../contract/operations.ts'
import { isSameNumber } from '../contract/phone.ts'
import { contactOf, instantOf } from './call.ts'

/** How the messages of a conversation are logged. */
export type ConversationKind =
  | 'shared' // an inbox of several people: one digest of everything that happened
  | 'group' // several correspondents: one record for each of them who is a contact
  | 'single'

type Correspondents = NonNullable<Conversation['correspondents']>

export interface Message extends LoggedMessage {
  readonly media: readonly MessageMedia[]
}

/** What one request wants to be logged. */
export interface MessageRequest {
  readonly kind: ConversationKind
  readonly conversationId: string
  /** Conversation and day: the record in the CRM. */
  readonly conversationLogId: string
  readonly contact: LogContact
  /** When it began, in epoch milliseconds: a shared conversation before its first message of the day. */
  readonly startTime: number
  /** Who else takes part. */
  readonly participants: readonly string[]
  /** The oldest first; never empty. */
  readonly messages: readonly Message[]
}

/** Shows media to people who may see them. */
const mediaReader = 'https://ringcentral.github.io/ringcentral-media-reader/?media='

/**
 * @param now epoch milliseconds, for messages that say no time
 * @throws {PatchbayError} `no-message`, `no-contact`, `invalid-request`
 */
export function messageRequestOf (body: CreateMessageLogBody, now: number): MessageRequest {
  const { logInfo } = body
  const { messages: sentMessages = [] } = logInfo
  const [first] = sentMessages
  if (first === undefined) throw new PatchbayError('no-message')
  const correspondents = logInfo.correspondents ?? []
  const kind = kindOf(logInfo)
  const group = kind === 'group' ? correspondents : undefined
  const isContact = (name: string | undefined): boolean => isSaid(name) && name === body.contactName
  // Clients need not name correspondents. What they have written may name them, too.
  const itsNumber = numberOf(sentMessages.find(({ direction, from }) => directionOf(direction) === 'Inbound' && isContact(from?.name))?.from)
  const named = correspondents.find(({ name }) => isContact(name)) ??
    correspondents.find(({ name, phoneNumber = '' }) => !isSaid(name) && phoneNumber !== '' && isSameNumber(phoneNumber, itsNumber))
  // In a group, somebody of another name is not the contact, nor need it be who has written.
  const own = group === undefined ? named ?? correspondents[0] : named
  const writer = group === undefined ? sentMessages.find(({ direction }) => directionOf(direction) === 'Inbound') : undefined
  const contact = contactOf(body, own?.phoneNumber ?? numberOf(writer?.from))
  const messages = sentMessages
    .map(message => messageOf(message, idIn(body, message.id), logInfo, group, now))
    .sort((one, other) => one.creationTime - other.creationTime)
  const began = kind === 'shared' && logInfo.creationTime !== undefined ? instantOf(logInfo.creationTime, 'logInfo.creationTime') : undefined
  return {
    kind,
    conversationId: idIn(body, logInfo.conversationId ?? logInfo.conversationLogId ?? first.id),
    conversationLogId: idIn(body, logInfo.conversationLogId ?? logInfo.conversationId ?? first.id),
    contact,
    startTime: began ?? messages[0]?.creationTime ?? now,
    participants: correspondents.filter(other => other !== own).map(({ name, phoneNumber = '' }) => isSaid(name) ? name : phoneNumber),
    messages
  }
}

const isSaid = (name: string | undefined): name is string => name !== undefined && name.trim() !== ''

const kindOf = ({ owner, correspondents = [] }: Conversation): ConversationKind =>
  owner?.name ? 'shared' : correspondents.length > 1 ? 'group' : 'single'

/** In a group each contact has a record of its own, so that the ids that clients send are not enough. */
const idIn = ({ logInfo, contactId }: CreateMessageLogBody, id: string | number): string =>
  kindOf(logInfo) === 'group' ? `${id}-${contactId ?? ''}` : String(id)

/** What is left of a request without the messages that are in a record already. */
export function withoutKnown (body: CreateMessageLogBody, known: ReadonlySet<string>): CreateMessageLogBody {
  const { logInfo } = body
  const { messages = [] } = logInfo
  const [first] = messages
  if (first === undefined || known.size === 0) return body
  // Without an id of its own, the conversation has that of its first message, also when that one is left out.
  const conversationLogId = logInfo.conversationLogId ?? logInfo.conversationId ?? first.id
  return { ...body, logInfo: { ...logInfo, conversationLogId, messages: messages.filter(({ id }) => !known.has(idIn(body, id))) } }
}

/**
 * Requests that are written together, and may be written again: each message with the last one that brings it, because by then earlier
 * words of it would pass for a new message. A digest is made of all that it shows.
 */
export function eachMessageOnce (requests: readonly CreateMessageLogBody[]): readonly CreateMessageLogBody[] {
  const later = new Set<string>()
  const once = requests.toReversed().map(body => {
    if (kindOf(body.logInfo) === 'shared') return body
    const rest = withoutKnown(body, later)
    for (const { id } of rest.logInfo.messages ?? []) later.add(idIn(body, id))
    return rest
  })
  return once.reverse().filter(({ logInfo }) => logInfo.messages?.length !== 0)
}

/** What may be kept: the token that opens the media is never stored. */
export function withoutMediaToken (body: CreateMessageLogBody): CreateMessageLogBody {
  const { rcAccessToken, ...logInfo } = body.logInfo
  return { ...body, logInfo }
}

/**
 * Requests that wait, with a further one behind them: as much of it as they do not bring, because clients send all messages of the day
 * with each new one. A digest is made of all that it shows, and takes the place of those that it shows.
 */
export function following (waiting: readonly CreateMessageLogBody[], further: CreateMessageLogBody): readonly CreateMessageLogBody[] {
  const body = withoutMediaToken(further)
  if (kindOf(body.logInfo) === 'shared') return [...waiting.filter(earlier => !isShownBy(earlier, body)), body]
  // Those for another contact, or with another choice, may be refused for that.
  const alike = waiting.filter(earlier => kindOf(earlier.logInfo) !== 'shared' && isDeepStrictEqual({ ...earlier, logInfo: body.logInfo }, body))
  const rest = withoutKnown(body, new Set(alike.flatMap(({ logInfo: { messages = [] } }) => messages.map(({ id }) => idIn(body, id)))))
  if (rest.logInfo.messages?.length !== 0) return [...waiting, rest]
  const chosen = waiting.findLast(choosesSomething)
  return !choosesSomething(body) || (chosen !== undefined && alike.includes(chosen)) ? waiting : [...waiting, body]
}

const choosesSomething = ({ additionalSubmission }: CreateMessageLogBody): boolean => additionalSubmission !== undefined

function isShownBy (earlier: CreateMessageLogBody, later: CreateMessageLogBody): boolean {
  const [{ logInfo: shown }, { logInfo: shows }] = [earlier, later]
  return kindOf(shown) === 'shared' && (choosesSomething(later) || !choosesSomething(earlier)) &&
    isWithin(shown.messages, shows.messages) && isWithin(shown.entities, shows.entities)
}

/** Whether all of some things are among others, by their ids. */
function isWithin (some: ReadonlyArray<{ id?: string | number }> = [], others: ReadonlyArray<{ id?: string | number }> = []): boolean {
  const ids = new Set(others.map(({ id }) => id))
  return some.every(({ id }) => id !== undefined && ids.has(id))
}

/** @param group its correspondents, any of whom may have sent the message */
function messageOf (sent: SentMessage, id: string, { rcAccessToken }: Conversation, group: Correspondents | undefined, now: number): Message {
  const direction = directionOf(sent.direction)
  return {
    id,
    direction,
    creationTime: sent.creationTime === undefined ? now : instantOf(sent.creationTime, 'logInfo.messages.creationTime'),
    text: sent.subject ?? '',
    media: mediaOf(sent, rcAccessToken),
    ...(group !== undefined && direction === 'Inbound' && { sender: senderOf(sent.from, group) })
  }
}

function senderOf (from: Party | undefined, group: Correspondents): NonNullable<Message['sender']> {
  const number = numberOf(from)
  const known = group.find(({ phoneNumber = '' }) => phoneNumber !== '' && isSameNumber(phoneNumber, number)) ??
    group.find(({ name = '' }) => name !== '' && name === from?.name)
  return { name: known?.name || from?.name || '', phoneNumber: number || known?.phoneNumber || '' }
}

export const directionOf = (direction: string | undefined): Direction => direction === 'Outbound' ? 'Outbound' : 'Inbound'

const numberOf = (party: Party | undefined): string => party?.phoneNumber ?? String(party?.extensionNumber ?? '')

function mediaOf ({ attachments = [] }: SentMessage, token: string | undefined): MessageMedia[] {
  const download = (uri: string | undefined): { downloadLink?: string } => token === undefined || uri === undefined ? {} : { downloadLink: `${uri}?access_token=${token}` }
  const media: MessageMedia[] = []
  const recording = attachments.find(({ type }) => type === 'AudioRecording')
  if (recording?.link !== undefined) media.push({ kind: 'recording', link: recording.link })
  const fax = attachments.find(({ type }) => type === 'RenderedDocument')
  if (fax?.link !== undefined) media.push({ kind: 'fax', link: fax.link, ...download(fax.uri) })
  for (const kind of ['image', 'video'] as const) {
    const found = attachments.find(({ type, contentType = '' }) => type === 'MmsAttachment' && contentType.startsWith(`${kind}/`))
    if (found?.uri === undefined) continue
    media.push({
      kind,
      link: `${mediaReader}${encodeURIComponent(found.uri)}`,
      ...download(found.uri),
      ...(found.contentType !== undefined && { contentType: found.contentType })
    })
  }
  return media
}

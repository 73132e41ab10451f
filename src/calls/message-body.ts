/** The text of a message log in the format of its CRM. For the format `none` there is no text. */
import type { CreateMessageLogBody } from '../contract/message-log.ts'
import type { Fingerprints } from './body/fingerprint.ts'
import { composeMessageLog, mergeMessages, type MergedMessages, type Message as BodyMessage, type MessageContext } from './body/message-log.ts'
import { composeSharedSms, mergeSharedSms, type DigestContext, type SharedConversation } from './body/shared-sms.ts'
import type { Caller } from './caller.ts'
import { directionOf, type Message, type MessageRequest } from './message.ts'

export function composeMessageBody (caller: Caller, request: MessageRequest, body: CreateMessageLogBody): { subject: string, body: string, fingerprints: Fingerprints } {
  const context = contextOf(caller, request)
  if (context === undefined) return { subject: `Conversation with ${request.contact.name}`.trim(), body: '', fingerprints: {} }
  return request.kind === 'shared'
    ? composeSharedSms(sharedConversation(request, body), context)
    : composeMessageLog(request.messages.map(bodyMessage), context)
}

/**
 * @param current the text as the CRM holds it now
 * @param fingerprints none for a log that another server made
 * @param messages those that are not in it yet
 */
export function mergeMessageBody (
  caller: Caller, request: MessageRequest, body: CreateMessageLogBody, messages: readonly Message[], current: string, fingerprints: Fingerprints
): MergedMessages {
  const context = contextOf(caller, request)
  if (context === undefined) return { body: current, fingerprints, decisions: [] }
  return request.kind === 'shared'
    ? mergeSharedSms(current, fingerprints, sharedConversation(request, body), context)
    : mergeMessages(current, fingerprints, messages.map(bodyMessage), context)
}

function contextOf ({ connector: { info }, context: { user } }: Caller, { contact, participants }: MessageRequest): (MessageContext & DigestContext) | undefined {
  if (info.logFormat === 'none') return undefined
  return {
    format: info.logFormat,
    timeZone: user.timeZone,
    timeZoneOffset: user.timeZoneOffset,
    contact: { name: contact.name, phoneNumber: contact.phoneNumber },
    userName: user.name,
    participants,
    maxLength: info.maxBodyLength
  }
}

function bodyMessage ({ id, direction, creationTime, text, sender, media }: Message): BodyMessage {
  const linkOf = (kind: Message['media'][number]['kind']): string | undefined => media.find(medium => medium.kind === kind)?.link
  return {
    id,
    direction,
    creationTime,
    text,
    sender,
    recordingLink: linkOf('recording'),
    faxDocLink: linkOf('fax'),
    imageLink: linkOf('image'),
    videoLink: linkOf('video')
  }
}

function sharedConversation ({ contact, messages }: MessageRequest, { logInfo }: CreateMessageLogBody): SharedConversation {
  return {
    contactName: contact.name,
    creationTime: logInfo.creationTime,
    owner: logInfo.owner,
    messages: (logInfo.messages ?? []).map(({ lastModifiedTime }) => ({ lastModifiedTime })),
    entities: (logInfo.entities ?? []).map(({ recordType = '', creationTime = messages[0]?.creationTime ?? 0, direction, ...entity }) => ({
      ...entity,
      recordType,
      creationTime,
      direction: directionOf(direction)
    }))
  }
}

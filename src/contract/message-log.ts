/** Message logs: SMS, MMS, voicemail and fax, one record per conversation and day. */
import { envelope, sessionFailures } from './answer.ts'
import { Id, Instant, Party } from './call-record.ts'
import { AdditionalSubmission, CrmId } from './contact.ts'
import { type RouteContract, signedIn } from './route.ts'
import { Type, ref, type Static, type TSchema } from './type.ts'

const Person = Type.Object({ name: Type.Optional(Type.String()) }, { additionalProperties: true })

export const Attachment = Type.Object({
  type: Type.Optional(Type.String()),
  contentType: Type.Optional(Type.String()),
  uri: Type.Optional(Type.String()),
  link: Type.Optional(Type.String())
}, { $id: 'Attachment', additionalProperties: true })
export type Attachment = Static<typeof Attachment>

export const Message = Type.Object({
  id: Id,
  type: Type.Optional(Type.String()),
  direction: Type.Optional(Type.String()),
  creationTime: Type.Optional(ref(Instant)),
  lastModifiedTime: Type.Optional(ref(Instant)),
  subject: Type.Optional(Type.String({ description: 'The text.' })),
  from: Type.Optional(ref(Party)),
  to: Type.Optional(Type.Unknown({ description: 'One party or several.' })),
  attachments: Type.Optional(Type.Array(ref(Attachment)))
}, { $id: 'Message', additionalProperties: true })
export type Message = Static<typeof Message>

/** An event of a shared conversation: a message, a note, an assignment. */
export const ConversationEntity = Type.Object({
  id: Type.Optional(Id),
  recordType: Type.Optional(Type.String()),
  direction: Type.Optional(Type.String()),
  creationTime: Type.Optional(ref(Instant)),
  text: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String()),
  body: Type.Optional(Type.String()),
  author: Type.Optional(Person),
  from: Type.Optional(Person),
  initiator: Type.Optional(Person),
  assignee: Type.Optional(Person)
}, { $id: 'ConversationEntity', additionalProperties: true })
export type ConversationEntity = Static<typeof ConversationEntity>

export const Conversation = Type.Object({
  conversationId: Type.Optional(Id),
  conversationLogId: Type.Optional(Id),
  type: Type.Optional(Type.String({ description: '`SMS`, `VoiceMail` or `Fax`.' })),
  messages: Type.Optional(Type.Array(ref(Message))),
  correspondents: Type.Optional(Type.Array(Type.Object({
    phoneNumber: Type.Optional(Type.String()),
    name: Type.Optional(Type.String())
  }, { additionalProperties: true }))),
  owner: Type.Optional(Type.Object({
    name: Type.Optional(Type.String()),
    extensionType: Type.Optional(Type.String()),
    extensionId: Type.Optional(Id)
  }, { additionalProperties: true })),
  assignee: Type.Optional(Person),
  creationTime: Type.Optional(ref(Instant)),
  entities: Type.Optional(Type.Array(ref(ConversationEntity))),
  rcAccessToken: Type.Optional(Type.String({ description: 'Opens the media: used at once, never stored or logged.' }))
}, { $id: 'Conversation', additionalProperties: true, description: 'What a conversation brought on one day.' })
export type Conversation = Static<typeof Conversation>

export const MessageLogAnswer = Type.Object({
  ...envelope,
  logIds: Type.Optional(Type.Array(Type.String(), { description: 'The messages that were new.' }))
}, { $id: 'MessageLogAnswer' })
export type MessageLogAnswer = Static<typeof MessageLogAnswer>

/** @param additionalSubmission the additional fields: any, or a connector's own */
export const createMessageLogRoute = <Submission extends TSchema>(additionalSubmission: Submission) => ({
  method: 'POST',
  url: '/messageLog',
  bodyLimit: 8 * 1024 * 1024,
  schema: {
    operationId: 'createMessageLog',
    tags: ['message logs'],
    summary: 'Log the messages of a conversation',
    description: 'One record in the CRM per conversation and day; a message that is logged already is passed over.',
    security: signedIn,
    body: Type.Object({
      logInfo: ref(Conversation),
      contactId: Type.Optional(ref(CrmId)),
      contactType: Type.Optional(Type.String()),
      contactName: Type.Optional(Type.String()),
      additionalSubmission: Type.Optional(additionalSubmission),
      overridingFormat: Type.Optional(Type.Unknown())
    }),
    response: { 200: ref(MessageLogAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract)

export type CreateMessageLogBody = Static<ReturnType<typeof createMessageLogRoute<typeof AdditionalSubmission>>['schema']['body']>

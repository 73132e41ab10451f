/** RingCentral's call-log record (its `Detailed` view), as far as the product reads it. Everything else passes through. */
import { OneOf, Type, ref, type Static } from './type.ts'

/** An id of the telephony side. It is part of database keys, which are not endless. */
export const Id = Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Number()])

/** An id that a client may not know: then it is empty, or absent. */
export const OptionalId = Type.Union([Type.String({ maxLength: 255 }), Type.Number()])

/** An instant: epoch milliseconds or ISO 8601. Clients send both. */
export const Instant = Type.Union([Type.Number(), Type.String()], { $id: 'Instant', description: 'Epoch milliseconds, or ISO 8601 text.' })
export type Instant = Static<typeof Instant>

export const Direction = OneOf(['Inbound', 'Outbound'])
export type Direction = Static<typeof Direction>

export const Party = Type.Object({
  phoneNumber: Type.Optional(Type.String()),
  extensionNumber: Type.Optional(Type.Union([Type.String(), Type.Number()])),
  name: Type.Optional(Type.String())
}, { $id: 'Party', additionalProperties: true })
export type Party = Static<typeof Party>

export const CallLeg = Type.Object({
  direction: Type.Optional(Type.String()),
  legType: Type.Optional(Type.String()),
  duration: Type.Optional(Type.Number()),
  from: Type.Optional(ref(Party)),
  to: Type.Optional(ref(Party))
}, { $id: 'CallLeg', additionalProperties: true })
export type CallLeg = Static<typeof CallLeg>

export const Recording = Type.Object({
  link: Type.Optional(Type.String({ description: 'Where a person listens to it, or `(pending...)` until it is ready.' })),
  downloadUrl: Type.Optional(Type.String({ description: 'Holds a token: used once, never stored or logged.' }))
}, { $id: 'Recording', additionalProperties: true })
export type Recording = Static<typeof Recording>

/** Seconds, or a word such as `pending` while the call goes on. */
export const Duration = Type.Union([Type.Number(), Type.String()], { $id: 'Duration', description: 'Seconds, or a word such as `pending` while the call goes on.' })
export type Duration = Static<typeof Duration>

/** Who logs a session, where the client says so: two extensions can each log the same session. */
export const extensionIdentity = {
  extensionNumber: Type.Optional(OptionalId),
  hashedExtensionId: Type.Optional(Type.String({ maxLength: 255 })),
  rcExtensionId: Type.Optional(OptionalId)
}

export const CallRecord = Type.Object({
  sessionId: Id,
  telephonySessionId: Type.Optional(Type.String({ maxLength: 255 })),
  id: Type.Optional(Id),
  direction: Type.Optional(Direction),
  from: Type.Optional(ref(Party)),
  to: Type.Optional(ref(Party)),
  startTime: Type.Optional(ref(Instant)),
  duration: Type.Optional(ref(Duration)),
  result: Type.Optional(Type.String()),
  recording: Type.Optional(ref(Recording)),
  legs: Type.Optional(Type.Array(ref(CallLeg))),
  customSubject: Type.Optional(Type.String({ description: 'The subject line that the user sees and can edit.' })),
  voicemail: Type.Optional(Type.Object({ link: Type.Optional(Type.String()), messageId: Type.Optional(Id) })),
  ...extensionIdentity
}, { $id: 'CallRecord', additionalProperties: true, description: 'RingCentral\'s call-log record.' })
export type CallRecord = Static<typeof CallRecord>

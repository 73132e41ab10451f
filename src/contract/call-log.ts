/** Call logs: the routes that create, read and update them, keep a note for later and set the disposition. */
import { Answer, envelope, sessionFailures } from './answer.ts'
import { CallLeg, CallRecord, Direction, Duration, Id, Instant, OptionalId, Party, extensionIdentity } from './call-record.ts'
import { AdditionalSubmission, CrmId } from './contact.ts'
import { type RouteContract, signedIn } from './route.ts'
import { Type, ref, type Static, type TSchema } from './type.ts'

/** Text, or a structure that is rendered for people: what the telephony side's AI made of the call. */
const Artifact = Type.Unknown({ description: 'Text, or the structured form (utterances; summary, action items, decisions).' })

/** Parts of a log that both creating and updating may bring. Absent means unchanged. */
const lateParts = {
  note: Type.Optional(Type.String({ description: 'What the user typed. An empty note in an update clears the one that was sent before.' })),
  aiNote: Type.Optional(Artifact),
  transcript: Type.Optional(Artifact),
  voicemailLink: Type.Optional(Type.String()),
  voicemailMessageId: Type.Optional(OptionalId),
  ringSenseTranscript: Type.Optional(Artifact),
  ringSenseSummary: Type.Optional(Artifact),
  ringSenseAIScore: Type.Optional(Type.Unknown({ description: 'A text or a number, or a structure with one of them.' })),
  ringSenseBulletedSummary: Type.Optional(Artifact),
  ringSenseLink: Type.Optional(Type.String()),
  ...extensionIdentity
}

export const CallLogAnswer = Type.Object({
  ...envelope,
  logId: Type.Optional(Type.String({ description: 'The record in the CRM.' })),
  updatedNote: Type.Optional(Type.String())
}, { $id: 'CallLogAnswer' })
export type CallLogAnswer = Static<typeof CallLogAnswer>

export const CallLogData = Type.Object({
  subject: Type.Optional(Type.String()),
  note: Type.Optional(Type.String()),
  fullBody: Type.Optional(Type.String()),
  contactName: Type.Optional(Type.String()),
  dispositions: Type.Optional(Type.Record(Type.String(), Type.Unknown()))
}, { $id: 'CallLogData', description: 'What the CRM holds now.' })
export type CallLogData = Static<typeof CallLogData>

export const MatchedCallLog = Type.Object({
  sessionId: Type.String(),
  matched: Type.Boolean(),
  logId: Type.Optional(Type.String()),
  logData: Type.Optional(ref(CallLogData))
}, { $id: 'MatchedCallLog' })
export type MatchedCallLog = Static<typeof MatchedCallLog>

export const CallLogsAnswer = Type.Object({ ...envelope, logs: Type.Optional(Type.Array(ref(MatchedCallLog))) }, { $id: 'CallLogsAnswer' })
export type CallLogsAnswer = Static<typeof CallLogsAnswer>

export const getCallLogRoute = {
  method: 'GET',
  url: '/callLog',
  schema: {
    operationId: 'getCallLog',
    tags: ['call logs'],
    summary: 'Tell which sessions are logged, and with details what the CRM holds',
    security: signedIn,
    querystring: Type.Object({
      sessionIds: Type.Optional(Type.String({ description: 'Session ids joined by commas. Each one is answered, in this order.' })),
      requireDetails: Type.Optional(Type.String({ description: 'The word `true` to read the records in the CRM.' })),
      extensionNumber: Type.Optional(Type.String()),
      hashedExtensionId: Type.Optional(Type.String())
    }),
    response: { 200: ref(CallLogsAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract

/** @param additionalSubmission the additional fields: any, or a connector's own */
export const createCallLogRoute = <Submission extends TSchema>(additionalSubmission: Submission) => ({
  method: 'POST',
  url: '/callLog',
  bodyLimit: 8 * 1024 * 1024,
  schema: {
    operationId: 'createCallLog',
    tags: ['call logs'],
    summary: 'Log a call',
    description: 'A call is logged once: a repeat is answered with the first answer, and nothing is written to the CRM again.',
    security: signedIn,
    body: Type.Object({
      logInfo: ref(CallRecord),
      contactId: Type.Optional(ref(CrmId)),
      contactType: Type.Optional(Type.String()),
      contactName: Type.Optional(Type.String()),
      additionalSubmission: Type.Optional(additionalSubmission),
      overridingFormat: Type.Optional(Type.Unknown()),
      ...lateParts
    }),
    response: { 200: ref(CallLogAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract)

/** @param additionalSubmission the additional fields: any, or a connector's own */
export const updateCallLogRoute = <Submission extends TSchema>(additionalSubmission: Submission) => ({
  method: 'PATCH',
  url: '/callLog',
  bodyLimit: 8 * 1024 * 1024,
  schema: {
    operationId: 'updateCallLog',
    tags: ['call logs'],
    summary: 'Update the log of a call with what came later',
    description: 'Only what is ours in the record is replaced. What a person wrote in the CRM stays.',
    security: signedIn,
    body: Type.Object({
      sessionId: Id,
      recordingLink: Type.Optional(Type.String()),
      recordingDownloadLink: Type.Optional(Type.String({ description: 'Holds a token: used once, never stored or logged.' })),
      subject: Type.Optional(Type.String()),
      startTime: Type.Optional(ref(Instant)),
      duration: Type.Optional(ref(Duration)),
      result: Type.Optional(Type.String()),
      direction: Type.Optional(Direction),
      from: Type.Optional(ref(Party)),
      to: Type.Optional(ref(Party)),
      legs: Type.Optional(Type.Array(ref(CallLeg))),
      telephonySessionId: Type.Optional(Type.String()),
      additionalSubmission: Type.Optional(additionalSubmission),
      ...lateParts
    }),
    response: { 200: ref(CallLogAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract)

export const CacheCallNoteAnswer = Type.Object({
  successful: Type.Boolean(),
  returnMessage: Type.String({ description: 'A plain string here, unlike everywhere else.' })
}, { $id: 'CacheCallNoteAnswer' })

export const cacheCallNoteRoute = {
  method: 'POST',
  url: '/callLog/cacheNote',
  schema: {
    operationId: 'cacheCallNote',
    tags: ['call logs'],
    summary: 'Keep a note for an hour, for the log that is created without the browser',
    security: signedIn,
    body: Type.Object({ sessionId: Id, note: Type.Optional(Type.String()) }),
    response: { 200: ref(CacheCallNoteAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract

export const upsertCallDispositionRoute = {
  method: 'PUT',
  url: '/callDisposition',
  schema: {
    operationId: 'upsertCallDisposition',
    tags: ['call logs'],
    summary: 'Set outcome, deal, matter ... of a logged call',
    description: 'Without anything to set it is not successful, and nothing failed: then there is no `error` and no message.',
    security: signedIn,
    body: Type.Object({
      sessionId: Id,
      dispositions: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Additional field values, and `note`.' })),
      additionalSubmission: Type.Optional(ref(AdditionalSubmission)),
      ...extensionIdentity
    }),
    response: { 200: ref(Answer), ...sessionFailures }
  }
} as const satisfies RouteContract

export type CreateCallLogBody = Static<ReturnType<typeof createCallLogRoute<typeof AdditionalSubmission>>['schema']['body']>
export type UpdateCallLogBody = Static<ReturnType<typeof updateCallLogRoute<typeof AdditionalSubmission>>['schema']['body']>
export type UpsertCallDispositionBody = Static<typeof upsertCallDispositionRoute['schema']['body']>

/** The envelope that every answer shares, and what a route may answer when it fails. */
import { errorCodes, type ErrorCode } from './errors.ts'
import { Nullable, OneOf, Type, ref, type Static, type TSchema } from './type.ts'

export const ReturnMessage = Type.Object({
  message: Type.Optional(Type.String()),
  messageType: Type.Optional(OneOf(['success', 'warning', 'error', 'danger', 'info'], {
    description: 'The extension shows `success`, `warning` and `error`; it never shows the others.'
  })),
  ttl: Type.Optional(Type.Number({ description: 'How long to show it, in milliseconds.' })),
  details: Type.Optional(Type.Array(Type.Object({
    title: Type.String(),
    items: Type.Array(Type.Object({
      id: Type.Union([Type.String(), Type.Number()]),
      type: Type.Literal('text'),
      text: Type.String()
    }))
  })))
}, { $id: 'ReturnMessage', description: 'What the person is told.' })
export type ReturnMessage = Static<typeof ReturnMessage>

/** A message for the person, shown for five seconds unless said otherwise. */
export function returnMessage (messageType: 'success' | 'warning' | 'error', message: string, ttl = 5000): ReturnMessage {
  return { message, messageType, ttl }
}

export const ErrorAnswerDetail = Type.Object({
  code: OneOf(Object.keys(errorCodes) as ErrorCode[]),
  message: Type.String(),
  retryable: Type.Boolean({ description: 'Whether the same request may succeed later.' }),
  retryAfter: Type.Optional(Type.Number({ description: 'Seconds until a retry makes sense.' })),
  field: Type.Optional(Type.String({ description: 'The field that was refused.' })),
  requestId: Type.Optional(Type.String({ description: 'Names the request in the log of the server.' }))
}, { $id: 'Error', description: 'A failure, for programs.' })
export type ErrorAnswerDetail = Static<typeof ErrorAnswerDetail>

export const ErrorAnswer = Type.Object({
  successful: Type.Literal(false),
  returnMessage: ref(ReturnMessage),
  error: ref(ErrorAnswerDetail),
  errorCode: Type.Optional(Type.Literal('CRM_SESSION_REVOKED', { description: 'With status 401: the extension signs the user out.' }))
}, { $id: 'ErrorAnswer' })
export type ErrorAnswer = Static<typeof ErrorAnswer>

/** The members of every answer to an operation; `error` comes with `successful: false`. */
export const envelope = {
  successful: Type.Boolean(),
  returnMessage: Type.Optional(Nullable(ref(ReturnMessage))),
  error: Type.Optional(ref(ErrorAnswerDetail))
}

export const Answer = Type.Object(envelope, { $id: 'Answer' })
export type Answer = Static<typeof Answer>

const json = (schema: TSchema): { 'application/json': { schema: TSchema } } => ({ 'application/json': { schema } })
const text = { 'text/plain': { schema: Type.String() } }

export const plainText = (description: string): { description: string, content: typeof text } => ({ description, content: text })

/** Failures that any route may answer. */
export const failures = {
  400: {
    description: 'The request is not valid (JSON), or the caller is not signed in or not known (the plain text that the extension shows).',
    content: { ...text, ...json(ref(ErrorAnswer)) }
  },
  413: { description: 'The request is too large.', content: json(ref(ErrorAnswer)) },
  415: { description: 'The body is not JSON.', content: json(ref(ErrorAnswer)) },
  431: { description: 'Address and headers are too large.', content: json(ref(ErrorAnswer)) },
  500: { description: 'The server failed; its log names the request id.', content: json(ref(ErrorAnswer)) },
  503: { description: 'The server is not ready, or the request took too long.', content: json(ref(ErrorAnswer)) }
}

/** Failures of routes that need a session. */
export const sessionFailures = {
  ...failures,
  401: { description: 'The CRM ended the connection; the user has to connect again.', content: json(ref(ErrorAnswer)) },
  403: { description: 'The session belongs to another CRM.', content: json(ref(ErrorAnswer)) }
}

/** Failures of routes whose rate is limited. */
export const limitedFailures = {
  ...failures,
  429: { description: 'Too many attempts.', content: json(ref(ErrorAnswer)) }
}

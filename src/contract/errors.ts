/**
 * The table of error codes: every failure that the server answers has one. `status` is the HTTP status, `retryable` says whether
 * the same request may succeed later, `message` is what the person is told unless the place that fails knows better, `action` what
 * they can do, and `as` how the answer is written:
 *
 * - `text`: the bare message. The extension shows a failing answer's body only when it is a plain string.
 * - `answer`: the envelope `{ successful: false, returnMessage, error }`, which generated clients read by its `error.code`.
 *
 * In place of 200 the status is 503 (or 400, where a retry does not help) on routes whose answer of success has no place for an error.
 */
interface ErrorKind {
  readonly status: number
  readonly retryable: boolean
  readonly as: 'text' | 'answer'
  readonly message: string
  /** A sentence that follows the message, whoever wrote that. */
  readonly action?: string
}

export const errorCodes = {
  // The request
  'not-signed-in': { status: 400, retryable: false, as: 'text', message: 'Please go to Settings and authorize CRM platform' },
  'user-not-found': { status: 400, retryable: false, as: 'text', message: 'User not found' },
  'missing-platform': { status: 400, retryable: false, as: 'text', message: 'Missing platform name' },
  'missing-callback-uri': { status: 400, retryable: false, as: 'text', message: 'Missing callbackUri' },
  'manifest-not-found': { status: 400, retryable: false, as: 'text', message: 'Platform not found' },
  'missing-keys': { status: 400, retryable: false, as: 'text', message: 'Missing keys' },
  'unknown-keys': { status: 400, retryable: false, as: 'answer', message: 'The CRM has no such account data.' },
  'client-refused': { status: 401, retryable: false, as: 'text', message: 'Unauthorized' },
  'unknown-platform': { status: 400, retryable: false, as: 'answer', message: 'This server has no connector for that CRM.' },
  'wrong-platform': { status: 403, retryable: false, as: 'answer', message: 'This session belongs to another CRM.' },
  'login-refused': { status: 400, retryable: false, as: 'answer', message: 'The CRM did not accept these credentials. Check them and try again.' },
  'login-failed': { status: 400, retryable: true, as: 'answer', message: 'The CRM could not be asked. Try again later.' },
  'not-configured': { status: 200, retryable: false, as: 'answer', message: 'The operator of this server has not set up the connection to this CRM.' },
  'invalid-request': { status: 400, retryable: false, as: 'answer', message: 'The request is not valid.' },
  'no-such-route': { status: 404, retryable: false, as: 'answer', message: 'There is nothing at this address.' },
  'request-too-large': { status: 413, retryable: false, as: 'answer', message: 'The request is too large.' },
  'headers-too-large': { status: 431, retryable: false, as: 'answer', message: 'The address and the headers of the request are too large.' },
  'unsupported-media-type': { status: 415, retryable: false, as: 'answer', message: 'Send the body as application/json.' },
  'too-many-requests': { status: 429, retryable: true, as: 'answer', message: 'Too many attempts. Wait a moment and try again.' },
  internal: { status: 500, retryable: true, as: 'answer', message: 'Something went wrong in the server. Its log names the request id.' },
  unreadable: { status: 500, retryable: false, as: 'answer', message: 'What this server keeps for you cannot be read. Connect again in Settings; the operator finds the reason in the log.' },
  'not-ready': { status: 503, retryable: true, as: 'answer', message: 'The server is not ready yet. Try again in a moment.' },
  'timed-out': { status: 503, retryable: true, as: 'answer', message: 'The request took too long. Try again.' },

  // The life of a log. The extension reads these as answers, so they are sent with 200.
  'unknown-user': { status: 200, retryable: false, as: 'answer', message: 'You are not connected to the CRM. Connect again in Settings.' },
  'not-supported': { status: 200, retryable: false, as: 'answer', message: 'This CRM does not support that.' },
  'no-contact': { status: 200, retryable: false, as: 'answer', message: 'Contact not found. Choose or create a contact, then log again.' },
  'no-session': { status: 200, retryable: false, as: 'answer', message: 'No call was named.' },
  'no-message': { status: 200, retryable: false, as: 'answer', message: 'No message to log.' },
  'no-log': { status: 200, retryable: false, as: 'answer', message: 'Cannot find the log of this call. Log the call first.' },
  'in-progress': { status: 200, retryable: true, as: 'answer', message: 'This log is being written right now. Try again in a moment.' },
  waiting: { status: 200, retryable: true, as: 'answer', message: 'The CRM cannot be reached. The log is kept and will be written when it is back.' },
  'outcome-unknown': { status: 200, retryable: true, as: 'answer', message: 'The CRM did not confirm the log. It is kept, and looked for in the CRM before anything is written again.' },
  'needs-user': { status: 200, retryable: false, as: 'answer', message: 'The CRM did not confirm the log, and cannot be asked. Look in the CRM whether the record is there, and add it by hand if it is not.' },
  gone: { status: 200, retryable: false, as: 'answer', message: 'Somebody deleted this record in the CRM. Log it again if it is still wanted.' },

  // What the CRM answered (CrmError)
  'session-revoked': { status: 401, retryable: false, as: 'answer', message: 'The CRM ended this connection. Connect again in Settings.' },
  'auth-expired': { status: 200, retryable: false, as: 'answer', message: 'The CRM no longer accepts this connection.', action: 'Connect again in Settings.' },
  permission: { status: 200, retryable: false, as: 'answer', message: 'The CRM does not permit this.', action: 'Ask your CRM administrator for the permission.' },
  'not-found': { status: 200, retryable: false, as: 'answer', message: 'The record no longer exists in the CRM.', action: 'There is nothing to do.' },
  invalid: { status: 200, retryable: false, as: 'answer', message: 'The CRM refused a value.', action: 'Correct it and try again.' },
  conflict: { status: 200, retryable: false, as: 'answer', message: 'The CRM says that this conflicts with what it already has.', action: 'Look at the record in the CRM and try again.' },
  'rate-limited': { status: 200, retryable: true, as: 'answer', message: 'The CRM limits how much may be asked of it.', action: 'Try again later.' },
  unavailable: { status: 200, retryable: true, as: 'answer', message: 'The CRM cannot be reached.', action: 'Try again later.' },
  'bad-response': { status: 200, retryable: true, as: 'answer', message: 'The CRM answered something that cannot be understood.', action: 'Try again later.' },
  'connector-failed': { status: 200, retryable: true, as: 'answer', message: 'The connector of this CRM failed.', action: 'Tell the operator of this server.' },
  prerequisite: { status: 200, retryable: false, as: 'answer', message: 'Something has to be set up in the CRM first.', action: 'Ask your CRM administrator.' }
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorCodes
export const errorKind = (code: ErrorCode): ErrorKind => errorCodes[code]

export interface ErrorDetails {
  /** What the person is told; the table's message when absent. */
  message?: string
  /** Seconds until a retry makes sense. */
  retryAfter?: number
  /** The field that was refused. */
  field?: string
  cause?: unknown
}

function usualMessage (code: ErrorCode): string {
  const { message, action } = errorKind(code)
  return action === undefined ? message : `${message} ${action}`
}

/** A failure with a code from the table. Thrown anywhere, answered by plugins/errors.ts. */
export class PatchbayError extends Error {
  override readonly name: string = 'PatchbayError'
  readonly code: ErrorCode
  readonly retryAfter: number | undefined
  readonly field: string | undefined

  constructor (code: ErrorCode, details: ErrorDetails = {}) {
    super(details.message ?? usualMessage(code), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retryAfter = details.retryAfter
    this.field = details.field
  }
}

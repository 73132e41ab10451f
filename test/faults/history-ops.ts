/** What can happen in a history. Plain data, so that a history that failed can be written down as a test. */
import fc from 'fast-check'
import type { Failing } from './crm.ts'
import type { Spoiling } from './effects.ts'

/** What a request about one call or conversation wants; several can be sent at once. */
export type Request =
  /** @property blank by a client without the form: its note is empty */
  | { do: 'create', what: CallName, blank?: boolean }
  | { do: 'update', what: CallName, fields: readonly Field[] }
  | { do: 'disposition', what: CallName }
  /** @property fresh how many messages nobody has sent yet. @property all whether those of before come along */
  | { do: 'messages', what: ConversationName, fresh: number, all: boolean }

export type Op =
  | Request
  | { do: 'at once', requests: readonly Request[] }
  /** The last request that was not confirmed, once more. */
  | { do: 'again', what: Name }
  | { do: 'find', what: CallName }
  // A person in the CRM
  | { do: 'paragraph', what: Name, at: 'top' | 'end' }
  | { do: 'edit note', what: CallName }
  | { do: 'delete note', what: CallName }
  | { do: 'delete message', what: ConversationName }
  | { do: 'delete record', what: Name }
  // The world
  | { do: 'fail', method: 'GET' | 'POST' | 'PATCH', how: Failing }
  /** What the next request writes is not taken. */
  | { do: 'refuse', method: 'POST' | 'PATCH' }
  | { do: 'outage', how: 'before' | 429 | 503 }
  | { do: 'calm' }
  | ({ do: 'spoil' } & Spoiling)
  | { do: 'pass', seconds: number }
  | { do: 'recover' }
  | { do: 'restart' }

export const callNames = ['call-0', 'call-1'] as const
export const conversationNames = ['conversation-0', 'conversation-1'] as const
export type CallName = typeof callNames[number]
export type ConversationName = typeof conversationNames[number]
export type Name = CallName | ConversationName
export const fieldNames = ['note', 'recordingLink', 'aiNote', 'duration', 'result', 'deal'] as const
/** What a record of a call holds of ours. */
export type Field = typeof fieldNames[number]

const call = fc.constantFrom(...callNames)
const conversation = fc.constantFrom(...conversationNames)
const name = fc.constantFrom<Name>(...callNames, ...conversationNames)

const request = fc.oneof<fc.Arbitrary<Request>[]>(
  fc.record({ do: fc.constant('create'), what: call, blank: fc.boolean() }),
  fc.record({ do: fc.constant('update'), what: call, fields: fc.subarray<Field>(['note', 'recordingLink', 'aiNote', 'duration', 'result', 'deal'], { minLength: 1, maxLength: 2 }) }),
  fc.record({ do: fc.constant('disposition'), what: call }),
  fc.record({ do: fc.constant('messages'), what: conversation, fresh: fc.integer({ min: 0, max: 2 }), all: fc.boolean() })
)

const op = fc.oneof<Array<fc.WeightedArbitrary<Op>>>(
  { weight: 12, arbitrary: request },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('again'), what: name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('at once'), requests: fc.array(request, { minLength: 2, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('find'), what: call }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('paragraph'), what: name, at: fc.constantFrom('top', 'end') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('edit note'), what: call }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete note'), what: call }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete message'), what: conversation }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete record'), what: name }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('fail'),
      method: fc.constantFrom('GET', 'POST', 'POST', 'PATCH'),
      how: fc.constantFrom<Failing[]>('before', 'after', 'after', 'garbage', 401, 429, 500, 503)
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse'), method: fc.constantFrom<Array<'POST' | 'PATCH'>>('POST', 'PATCH') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outage'), how: fc.constantFrom<Array<'before' | 429 | 503>>('before', 429, 503) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('calm') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('spoil'),
      at: fc.integer({ min: 1, max: 9 }),
      mode: fc.constantFrom('throw', 'crash'),
      moment: fc.constantFrom('before', 'after')
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass'), seconds: fc.constantFrom(1, 7, 31, 90, 700) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('recover') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) }
)

export const history: fc.Arbitrary<Op[]> = fc.array(op, { minLength: 4, maxLength: 40, size: 'max' })

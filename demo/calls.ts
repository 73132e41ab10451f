/** What happens on the telephone: RingCentral's published example of a call, happening now, and a conversation of text messages. */
import { randomBytes, randomInt } from 'node:crypto'
import published from './ringcentral-call-log.json' with { type: 'json' }

interface Caller { readonly phoneNumber: string, readonly name?: string }

export type DemoCall = ReturnType<typeof newCall>

const digits = (length: number): string => Array.from({ length }, () => randomInt(10)).join('')

/** The published call under ids of its own, so that each one is a call that nobody has logged yet; with the subject that the user sees. */
export function newCall (from: Caller = published.from) {
  const id = randomBytes(10).toString('base64url')
  return {
    ...published,
    id,
    uri: published.uri.replace(published.id, id),
    sessionId: `4${digits(11)}`,
    telephonySessionId: `s-${randomBytes(16).toString('hex')}`,
    // Whole seconds: that is how exact CRMs are.
    startTime: Math.floor(Date.now() / 1000) * 1000,
    from,
    legs: published.legs.map(leg => ({ ...leg, from })),
    customSubject: `Inbound call from ${from.name ?? from.phoneNumber}`
  }
}

/** What is known of a call while it goes on. */
export function connected ({ duration, result, legs, billing, lastModifiedTime, ...known }: DemoCall) {
  return known
}

/** A number out of those that Ofcom keeps for films and plays: it belongs to nobody. */
export const fictitiousNumber = (): string => `+447700900${digits(3)}`

export interface DemoMessage {
  readonly id: string
  readonly type: 'SMS'
  readonly direction: 'Inbound' | 'Outbound'
  readonly creationTime: string
  readonly subject: string
}

export interface DemoConversation {
  readonly conversationId: string
  readonly conversationLogId: string
  readonly type: 'SMS'
  readonly correspondents: readonly Caller[]
  /** The newest first. */
  readonly messages: readonly DemoMessage[]
}

/** A conversation as the extension sends it: after the first message, and again after the second with both. */
export function newConversation (customer: Caller): [DemoConversation, DemoConversation] {
  const conversationId = digits(12)
  const now = Date.now()
  const message = (direction: DemoMessage['direction'], minute: number, subject: string): DemoMessage => ({
    id: digits(12),
    type: 'SMS',
    direction,
    creationTime: new Date(now + minute * 60_000).toISOString(),
    subject
  })
  const question = message('Inbound', -2, 'Is there a discount for 12 people?')
  const answer = message('Outbound', -1, 'Yes, 15 %, and the training is free.')
  const conversation = {
    conversationId,
    conversationLogId: `${conversationId}-${new Date(now).toISOString().slice(0, 10)}`,
    type: 'SMS' as const,
    correspondents: [customer]
  }
  return [{ ...conversation, messages: [question] }, { ...conversation, messages: [answer, question] }]
}

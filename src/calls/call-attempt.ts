/** What an attempt to log a call writes: out of what clients have sent until then, and of what an earlier attempt has done. */
import { isDeepStrictEqual } from 'node:util'
import type { CreateCallLogBody, UpdateCallLogBody } from '../contract/call-log.ts'
import type { Call, LogParts, NewCallLog } from '../contract/operations.ts'
import { readSubmission } from '../contract/submission.ts'
import type { LifecycleChanges } from '../db/lifecycle.ts'
import type { LogState } from '../db/schema.ts'
import { composeCallBody } from './call-body.ts'
import { callOf, completed, contactOf, differences, otherNumber } from './call.ts'
import { ownerOf, type Caller } from './caller.ts'
import { isInDoubt, type Next, type Pending } from './pending.ts'

interface Composed {
  readonly log: Omit<NewCallLog<Record<string, unknown>>, 'externalId'>
  /** What the row remembers of it. */
  readonly changes: LifecycleChanges
}

/**
 * The record of a call.
 * @param now epoch milliseconds, for a call that says no time
 * @throws {PatchbayError} `no-contact`, `invalid-request`, `invalid`
 */
export async function compose (caller: Caller, body: CreateCallLogBody, now: number): Promise<Composed> {
  const { connector: { info } } = caller
  const call = callOf(body, now)
  const contact = contactOf(body, otherNumber(call))
  const subject = body.logInfo.customSubject || subjectOf(call, contact.name)
  const composed = composeCallBody(caller, body, call, contact, subject)
  return {
    log: {
      call,
      contact,
      subject,
      body: composed.body ?? '',
      ...partsOf(body),
      additionalSubmission: readSubmission(info.additionalSubmission, body.additionalSubmission),
      ownerId: await ownerOf(caller, body)
    },
    changes: { fingerprints: composed.fingerprints, contactId: contact.id, contactType: contact.type }
  }
}

export type CallPending = Pending<CreateCallLogBody, UpdateCallLogBody>

/**
 * What the next attempt writes, and what follows it. An attempt that may have reached the CRM is repeated as it was, so that what
 * is in the record is always what the row says; what a later request brings follows as an update. So it does where older updates
 * wait, which would be written over it.
 * @param state undefined for the first attempt
 * @param since when it is promised
 */
export function nextAttempt (state: LogState | undefined, { create, updates }: CallPending, body: CreateCallLogBody, since: number): Next<CreateCallLogBody, UpdateCallLogBody> {
  // A repeat brings nothing, whatever came after the request that it repeats.
  const followed = (): readonly UpdateCallLogBody[] =>
    [...updates, ...differences(create, body).filter(brought => !updates.some(update => isDeepStrictEqual(update, brought)))]
  if (create !== undefined && isInDoubt(state)) return { since, create, updates: followed() }
  return {
    since,
    create: completed(create, body),
    updates: updates.length === 0 ? updates : followed()
  }
}

/** The raw parts, for connectors that lay them out themselves. */
export const partsOf = ({ note, aiNote, transcript }: LogParts): LogParts => ({
  ...(note !== undefined && { note }),
  ...(aiNote !== undefined && { aiNote }),
  ...(transcript !== undefined && { transcript })
})

const subjectOf = ({ direction }: Call, name: string): string => `${direction} Call ${direction === 'Inbound' ? 'from' : 'to'} ${name}`.trim()

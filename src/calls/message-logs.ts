/** The life of a message log: one record per conversation and day, written once; each message is in it once. */
import { isDeepStrictEqual } from 'node:util'
import { returnMessage, type ReturnMessage } from '../contract/answer.ts'
import type { CreateMessageLogBody, MessageLogAnswer } from '../contract/message-log.ts'
import type { NewMessageLog } from '../contract/operations.ts'
import { readSubmission, submissionOf } from '../contract/submission.ts'
import type { Clock } from '../db/database.ts'
import type { LifecycleChanges } from '../db/lifecycle.ts'
import type { MessageLog, MessageLogs as MessageLogRows } from '../db/message-logs.ts'
import type { LogState } from '../db/schema.ts'
import { fingerprintOf, type Fingerprints } from './body/fingerprint.ts'
import { withEarlier, type Choices } from './call.ts'
import { operationOf, ownerOf, type Caller } from './caller.ts'
import { change, type ChangeStore } from './change.ts'
import { externalIdOf } from './identity.ts'
import { composeMessageBody, mergeMessageBody } from './message-body.ts'
import { eachMessageOnce, following, messageRequestOf, withoutKnown, withoutMediaToken, type Message, type MessageRequest } from './message.ts'
import {
  isInDoubt, pendingReader, pendingText, sameAttempt, sentEarlier, sentOf, updateStep, withoutRepeat, writeWaiting, type Next, type Pending, type Taken
} from './pending.ts'
import { writeOnce, type Patience } from './write-once.ts'

export interface MessageLogs {
  /** Brings the messages of a conversation into its record, and makes the record first where there is none. */
  log: (caller: Caller, body: CreateMessageLogBody) => Promise<MessageLogAnswer>
  /** Goes on with a log that a crash or an outage left: writes what waits with its row. */
  resume: (caller: Caller, row: MessageLog) => Promise<void>
}

export interface MessageLogsParts {
  readonly messageLogs: MessageLogRows
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
  readonly log: { readonly debug: (facts: object, message: string) => void }
}

/** A log's row, with the messages that the next step brings into the record. */
interface MessageStore extends Omit<ChangeStore<MessageLog>, 'remove'> {
  /** Sent, and to be noted together with the step that confirms it. */
  brought: readonly string[]
}

export function messageLogs ({ messageLogs: rows, clock, random, log }: MessageLogsParts): MessageLogs {
  const pendingOf = pendingReader<MessageLog, CreateMessageLogBody, CreateMessageLogBody>(rows.pendingOf, clock)
  const patienceOf = ({ context: { signal } }: Caller): Patience => ({ clock, random, signal })

  const storeOf = ({ tenant }: Caller, conversationLogId: string): MessageStore => {
    const store: MessageStore = {
      brought: [],
      find: async () => await rows.find(tenant, conversationLogId),
      advance: async (row, changes) => store.brought.length === 0
        ? await rows.advance(row, changes)
        : await rows.recordMessages(tenant, row, changes, store.brought)
    }
    return store
  }

  const knownOf = async ({ tenant }: Caller, messages: readonly Message[]): Promise<Set<string>> =>
    await rows.knownMessages(tenant, messages.map(({ id }) => id))

  /**
   * @param resumed what waits is written as it waits; the body only says of which conversation
   * @returns what was written now; nothing when the record was there already
   */
  async function create (caller: Caller, body: CreateMessageLogBody, request: MessageRequest, resumed = false): Promise<{ row: MessageLog, ids: readonly string[] } | undefined> {
    const { tenant, connector: { info, operations }, context } = caller
    const createMessageLog = operationOf(caller, 'createMessageLog')
    const store = storeOf(caller, request.conversationLogId)
    const { findMessageLog } = operations
    const externalId = externalIdOf(tenant.userId, request.conversationLogId)
    let ids: readonly string[] | undefined
    /** What waited before this request said otherwise whose record it is, or what is chosen with it. */
    let otherwise: Pending<CreateMessageLogBody, CreateMessageLogBody> | undefined
    const written = (messages: readonly Message[]): void => {
      ids = messages.map(({ id }) => id)
      store.brought = ids
    }
    const row = await writeOnce({
      ...store,
      reserve: async first => await rows.reserve(tenant, {
        ...first,
        conversationLogId: request.conversationLogId,
        conversationId: request.conversationId
      })
    }, {
      prepare: async row => {
        const waiting = row === undefined ? { since: clock(), updates: [] } : pendingOf(row)
        const sent = sentEarlier(waiting, row?.state)
        const { since, create, updates, replaced = [] } = resumed ? { ...waiting, ...sameAttempt(waiting) } : nextAttempt(row?.state, waiting, body, clock())
        otherwise = waiting.create !== undefined && !isDeepStrictEqual(waiting.create, withoutMediaToken(create)) ? waiting : undefined
        const { log, changes } = await compose(caller, create, clock())
        const attempt = { ...log, ...sent }
        return {
          holds: sent === undefined ? changes : {},
          noted: {
            pending: pendingText({
              since,
              updates,
              create: withoutMediaToken(create),
              ...(replaced.length > 0 && { replaced }),
              ...(info.dedupe === 'search' && { sent: sentOf(attempt) })
            })
          },
          send: async () => {
            const logged = await createMessageLog(context, { ...attempt, externalId })
            written(attempt.messages)
            return logged
          }
        }
      },
      ...(findMessageLog !== undefined && info.dedupe !== 'none' && {
        lookUp: async row => {
          const { create = body, sent } = pendingOf(row)
          const { log } = await compose(caller, create, clock())
          const logged = await findMessageLog(context, { ...log, ...sent, externalId, since: row.createdAt, others: [] })
          if (logged !== undefined) written(log.messages)
          return logged
        }
      }),
      restIsRecord: true,
      rest: (row, ended) => {
        const { since, create, updates, replaced = [] } = pendingOf(row)
        if (ended !== 'refused') return pendingText({ since, updates })
        // Who is refused is promised nothing, and what they would have changed stays as others were promised it.
        if (otherwise !== undefined) return pendingText(otherwise)
        const before = replaced.at(-1)
        if (create !== undefined && before !== undefined) {
          // It may be the last choice that is refused. Those who made it were promised their messages, like those before them.
          return pendingText({ since, create: choosing(create, before), updates: updates.map(update => choosing(update, before)), replaced: replaced.slice(0, -1) })
        }
        // What others were promised is a record without the refused one, too.
        return asRecord(since, resumed ? updates : withoutRepeat(updates, body, following))
      },
      findDelay: info.findDelay ?? 0
    }, patienceOf(caller))
    return ids && { row, ids }
  }

  /** @param body a new request; without one, those that wait are written. @returns the messages that it brought */
  async function update (caller: Caller, store: MessageStore, body: CreateMessageLogBody | undefined, taken: Taken): Promise<{ ids: readonly string[], answer: ReturnMessage | undefined }> {
    const { connector: { info }, context } = caller
    const [getMessageLog, updateMessageLog] = [operationOf(caller, 'getMessageLog'), operationOf(caller, 'updateMessageLog')]
    const { keep, othersOf, updatesOf, left } = updateStep(pendingOf, clock, body, taken, following)
    const remove = async (row: MessageLog): Promise<void> => {
      // What was promised does not go with a record that never had it. Who is told that it is gone is promised nothing.
      const pending = asRecord(pendingOf(row).since, othersOf(row))
      if (pending === '') return await rows.remove(row)
      await rows.startAnew(row, { pending, state: 'waiting', crmLogId: '', leaseUntil: null, attempts: 0, nextAttemptAt: clock(), lastErrorCode: '' })
    }
    return await change({ ...store, remove }, {
      keep,
      left,
      read: async row => info.logFormat === 'none' ? undefined : await getMessageLog(context, refOf(row)),
      lookAt: async row => await getMessageLog(context, refOf(row)),
      prepare: async (row, current) => {
        const updates = updatesOf(row)
        let merged = { body: current?.body ?? '', fingerprints: row.fingerprints }
        const messages: Message[] = []
        for (const each of eachMessageOnce(updates)) {
          const request = messageRequestOf(each, clock())
          const known = await knownOf(caller, request.messages)
          const unknown = request.messages.filter(({ id }) => !known.has(id))
          const { decisions, ...next } = mergeMessageBody(caller, request, each, unknown, merged.body, merged.fingerprints)
          log.debug({ messageLog: row.id, platform: info.platform, decisions: decisions.map(({ action, reason }) => ({ action, reason })) }, 'message log merged')
          merged = next
          messages.push(...unknown.filter(({ id }) => messages.every(message => message.id !== id)))
        }
        // Who sends a form sends all of it, with each message again. What a person has changed in the CRM since then stays.
        const chosen = chosenIn(caller, updates.findLast(({ additionalSubmission }) => additionalSubmission !== undefined))
        const choice = choiceIn(chosen)
        const isChosen = choice[choiceField] !== undefined && choice[choiceField] !== row.fingerprints[choiceField]
        return {
          write: async () => {
            const changed = merged.body !== current?.body
            const told = changed || isChosen || info.logFormat === 'none'
              ? await updateMessageLog(context, {
                logId: row.crmLogId,
                ...(changed && { body: merged.body }),
                messages,
                media: messages.flatMap(({ media }) => media),
                ...(isChosen && { additionalSubmission: chosen })
              })
              : {}
            store.brought = messages.map(({ id }) => id)
            return { changes: { fingerprints: { ...merged.fingerprints, ...choice } }, result: { ids: store.brought, answer: told.returnMessage } }
          }
        }
      }
    }, patienceOf(caller))
  }

  return {
    async log (caller, sent) {
      const { kind, messages } = messageRequestOf(sent, clock())
      // A bad choice is refused before it is kept.
      chosenIn(caller, sent)
      const logged = returnMessage('success', 'Message logged.', 2000)
      const shared = kind === 'shared'
      // Before anything is kept, so that an attempt stays as it is whatever becomes known meanwhile. A digest is made of all that it shows.
      const body = shared ? sent : withoutKnown(sent, await knownOf(caller, messages))
      if (body.logInfo.messages?.length === 0) return { successful: true, logIds: [], returnMessage: null }

      const request = messageRequestOf(body, clock())
      const created = await create(caller, body, request)
      if (created !== undefined && pendingOf(created.row).updates.length === 0) {
        const logIds = shared ? [request.conversationLogId] : [...created.ids]
        return { successful: true, logIds, returnMessage: (created.row.answer as ReturnMessage | null) ?? logged }
      }
      // What others brought while the record waited comes along; so does this request, when the record holds an earlier one.
      const { ids, answer } = await update(caller, storeOf(caller, request.conversationLogId), created === undefined ? body : undefined, created === undefined ? 'new' : 'all')
      const noted = [...created?.ids ?? [], ...ids]
      return { successful: true, logIds: shared ? [] : noted, returnMessage: noted.length === 0 && !shared ? null : answer ?? logged }
    },

    async resume (caller, row) {
      const store = storeOf(caller, row.conversationLogId)
      // The row as it is now: since it was found due, its user may have gone on with it.
      const current = await store.find()
      const first = current && pendingOf(current).create
      if (current?.state !== 'logged' && first !== undefined) await create(caller, first, messageRequestOf(first, clock()), true)
      await writeWaiting(store.find, pendingOf, clock, async taken => await update(caller, store, undefined, taken))
    }
  }
}

interface Composed {
  readonly log: Omit<NewMessageLog<Record<string, unknown>>, 'externalId' | 'messages'> & { readonly messages: readonly Message[] }
  /** What the row remembers of it. */
  readonly changes: LifecycleChanges
}

/**
 * The record of a conversation.
 * @throws {PatchbayError} `no-message`, `no-contact`, `invalid-request`, `invalid`
 */
async function compose (caller: Caller, body: CreateMessageLogBody, now: number): Promise<Composed> {
  const request = messageRequestOf(body, now)
  const { messages, contact, startTime } = request
  const composed = composeMessageBody(caller, request, body)
  const chosen = chosenIn(caller, body)
  return {
    log: {
      contact,
      subject: composed.subject,
      body: composed.body,
      startTime,
      direction: messages[0]?.direction ?? 'Inbound',
      messages,
      media: messages.flatMap(({ media }) => media),
      additionalSubmission: chosen,
      ownerId: await ownerOf(caller, body)
    },
    changes: { fingerprints: { ...composed.fingerprints, ...choiceIn(chosen) }, contactId: contact.id, contactType: contact.type }
  }
}

/** @throws {PatchbayError} `invalid` naming the field */
const chosenIn = ({ connector: { info } }: Caller, body: CreateMessageLogBody | undefined): Record<string, unknown> =>
  readSubmission(submissionOf(info, 'messageLog'), body?.additionalSubmission)

const choiceField = 'choice'

/** What is remembered of what was chosen. */
const choiceIn = (chosen: Readonly<Record<string, unknown>>): Fingerprints =>
  Object.keys(chosen).length === 0 ? {} : { [choiceField]: fingerprintOf(JSON.stringify(chosen)) }

/**
 * What the next attempt writes, and what follows it. An attempt that may have reached the CRM is repeated as it was. Until then the
 * contact and the choices of the last request are those of all that wait, and its messages follow.
 * @param state undefined for the first attempt
 * @param since when it is promised
 */
function nextAttempt (
  state: LogState | undefined, waiting: Pending<CreateMessageLogBody, CreateMessageLogBody>, body: CreateMessageLogBody, since: number
): Next<CreateMessageLogBody, CreateMessageLogBody> & Pick<Pending<CreateMessageLogBody, CreateMessageLogBody>, 'replaced'> {
  const { create, updates, replaced = [] } = waiting
  if (create === undefined) return { since, updates, create: body }
  // With its tokens, which are not kept.
  if (isDeepStrictEqual(create, withoutMediaToken(body))) return { since, updates, replaced, create: body }
  if (isInDoubt(state)) return { since, updates: following(updates, body), replaced, create }
  const corrected = (kept: CreateMessageLogBody): CreateMessageLogBody => choosing(kept, choicesOf(withEarlier(kept, body)))
  const next = corrected(create)
  const isOther = !isDeepStrictEqual(choicesOf(next), choicesOf(create))
  return { since, updates: following(updates.map(corrected), body), create: next, replaced: isOther ? [...replaced, choicesOf(create)] : replaced }
}

const choicesOf = ({ contactId, contactType, contactName, additionalSubmission }: CreateMessageLogBody): Choices => ({
  ...(contactId !== undefined && { contactId }),
  ...(contactType !== undefined && { contactType }),
  ...(contactName !== undefined && { contactName }),
  ...(additionalSubmission !== undefined && { additionalSubmission })
})

function choosing ({ contactId, contactType, contactName, additionalSubmission, ...body }: CreateMessageLogBody, choices: Choices): CreateMessageLogBody {
  return { ...body, ...choices }
}

/** What waits when the record that it would follow is not there: the oldest of it is a record, which the others follow. */
function asRecord (since: number, [create, ...updates]: readonly CreateMessageLogBody[]): string {
  return pendingText({ since, updates, ...(create !== undefined && { create }) })
}

const refOf = (row: MessageLog): { logId: string, contactId: string } => ({ logId: row.crmLogId, contactId: row.contactId })

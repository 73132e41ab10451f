/** The life of a call log: written once, updated without losing what a person wrote, read back as the CRM holds it. */
import { isDeepStrictEqual } from 'node:util'
import { returnMessage, type Answer, type ReturnMessage } from '../contract/answer.ts'
import type {
  CallLogAnswer, CallLogsAnswer, CreateCallLogBody, MatchedCallLog, UpdateCallLogBody, UpsertCallDispositionBody
} from '../contract/call-log.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, type ErrorCode } from '../contract/errors.ts'
import type { CallLogRecord } from '../contract/operations.ts'
import { partsOfSubmission, readSubmission } from '../contract/submission.ts'
import type { CallLog, CallLogs as CallLogRows, LoggedCall } from '../db/call-logs.ts'
import type { Clock } from '../db/database.ts'
import type { LifecycleChanges } from '../db/lifecycle.ts'
import type { CachedNote, NoteCache } from '../db/note-cache.ts'
import type { Tenant } from '../db/tenant.ts'
import { compose, nextAttempt, partsOf, type CallPending } from './call-attempt.ts'
import { doubtOf, hasNote, mergeCallBody, noteOf, settled, writesEdited, type MergedCallBody } from './call-body.ts'
import { callChangesOf, callOf, changesNothing, joined, withoutContact, withoutSuperseded, withoutTokens } from './call.ts'
import { operationOf, type Caller } from './caller.ts'
import { change, isNotFound, type ChangeStore } from './change.ts'
import { externalIdOf, identityOf, type ExtensionIdentity, type HashId } from './identity.ts'
import {
  pendingReader, pendingText, sameAttempt, sentEarlier, sentOf, updateStep, writeWaiting, type Doubt, type Taken
} from './pending.ts'
import { isRefusal } from './outcome.ts'
import { writeOnce, type Patience } from './write-once.ts'

/** Whether the note that is kept for the call comes along: in a request of the service that logs without a browser. */
interface WithNote { readonly withCachedNote: boolean }

interface Attempted {
  /** The row of which what waits is written as it waits; the body only says of which call. */
  readonly resumed?: CallLog | undefined
  /** Whether a contact that was chosen for what waits stays. */
  readonly keepsContact?: boolean
}

/** A note that is kept for a call, and whose it is. */
interface KeptNote {
  readonly tenant: Tenant
  readonly cached: CachedNote
}

export interface CallLogs {
  /** Logs a call, once. A repeat gets the first answer. */
  create: (caller: Caller, body: CreateCallLogBody, options: WithNote) => Promise<CallLogAnswer>
  /** Brings what came later into the record. */
  update: (caller: Caller, body: UpdateCallLogBody, options?: WithNote) => Promise<CallLogAnswer>
  /** Which sessions are logged, in the order that was asked; for a reader also what the CRM holds of them. */
  find: (tenant: Tenant, sessionIds: readonly string[], identity: Partial<ExtensionIdentity>, reader?: Caller) => Promise<CallLogsAnswer>
  /** Goes on with a log that a crash or an outage left: writes what waits with its row. */
  resume: (caller: Caller, row: CallLog) => Promise<void>
  setDisposition: (caller: Caller, body: UpsertCallDispositionBody) => Promise<Answer>
  /** Keeps a note for the log that is created without the browser. */
  cacheNote: (tenant: Tenant, sessionId: string, note: string) => Promise<void>
}

export interface CallLogsParts {
  readonly callLogs: CallLogRows
  readonly noteCache: NoteCache
  readonly hash: HashId
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
  readonly log: { readonly debug: (facts: object, message: string) => void, readonly warn: (facts: object, message: string) => void }
}

const noteLives = 60 * 60_000
/** How many records of one request are read at the same time. */
const parallelReads = 5

export function callLogs ({ callLogs: rows, noteCache, hash, clock, random, log }: CallLogsParts): CallLogs {
  const storeOf = ({ tenant }: Caller, sessionId: string, identity: ExtensionIdentity): ChangeStore<CallLog> => ({
    find: async () => await rows.find(tenant, sessionId, identity),
    advance: async (row, changes) => await rows.advance(row, changes),
    remove: async row => await rows.remove(row)
  })
  const pendingOf = pendingReader<CallLog, CreateCallLogBody, UpdateCallLogBody>(rows.pendingOf, clock)

  const patienceOf = ({ context: { signal } }: Caller): Patience => ({ clock, random, signal })
  const lookAt = ({ connector: { operations: { getCallLog } }, context }: Caller) => getCallLog && (async (row: CallLog) => await getCallLog(context, refOf(row)))

  async function create (caller: Caller, body: CreateCallLogBody, { resumed, keepsContact = false }: Attempted): Promise<CallLogAnswer> {
    const { tenant, connector: { info, operations }, context } = caller
    const now = clock()
    const call = callOf(body, now)
    const { extensionNumber, hashedExtensionId } = resumed ?? identityOf(hash, body, body.logInfo)
    const identity = { extensionNumber, hashedExtensionId }
    const store = storeOf(caller, call.sessionId, identity)
    const externalId = (row: CallLog): string => externalIdOf(tenant.userId, row.sessionId, row.extensionNumber, row.hashedExtensionId)
    const { findCallLog } = operations
    const isSearchedFor = info.dedupe === 'search'
    /** The update that waits because of this request. */
    let brought: UpdateCallLogBody | undefined
    const written = await writeOnce({
      ...store,
      reserve: async first => await rows.reserve(tenant, {
        ...first,
        ...identity,
        sessionId: call.sessionId,
        telephonySessionId: call.telephonySessionId,
        startTime: call.startTime
      })
    }, {
      prepare: async row => {
        const waiting = row === undefined ? { since: now, updates: [] } : pendingOf(row)
        const sent = sentEarlier(waiting, row?.state)
        const brings = keepsContact && waiting.create !== undefined ? withoutContact(body) : body
        const { since, create, updates } = resumed === undefined ? nextAttempt(row?.state, waiting, brings, now) : sameAttempt(waiting)
        if (updates.length > waiting.updates.length) brought = updates.at(-1)
        const { log, changes } = await compose(caller, create, row?.startTime ?? now)
        const attempt = { ...log, ...sent }
        return {
          noted: { pending: pendingText({ since, updates, create: withoutTokens(create), ...(isSearchedFor && { sent: sentOf(attempt) }) }) },
          holds: sent === undefined ? changes : {},
          send: async row => await operations.createCallLog(context, { ...attempt, externalId: externalId(row) })
        }
      },
      ...(findCallLog !== undefined && info.dedupe !== 'none' && {
        lookUp: async row => {
          const { create = body, sent } = pendingOf(row)
          const { log } = await compose(caller, create, row.startTime ?? now)
          const others = await rows.recordsOf(tenant, row.sessionId)
          return await findCallLog(context, { ...log, ...sent, externalId: externalId(row), since: row.createdAt, others })
        }
      }),
      rest: (row, ended) => {
        const { updates, since } = pendingOf(row)
        // Who is refused is promised nothing; what others were promised goes on waiting.
        const isRefused = ended === 'refused' && brought !== undefined && isDeepStrictEqual(updates.at(-1), brought)
        return pendingText({ since, updates: isRefused ? updates.slice(0, -1) : updates })
      },
      findDelay: info.findDelay ?? 0
    }, patienceOf(caller))
    return firstAnswer(written)
  }

  /** @param body a new update; without one, those that wait are written */
  async function update (caller: Caller, store: ChangeStore<CallLog>, body: UpdateCallLogBody | undefined, taken: Taken): Promise<CallLogAnswer> {
    const { connector: { info, operations }, context } = caller
    const { keep, updatesOf, left } = updateStep(pendingOf, clock, body, taken, (updates, update) => [...updates, withoutTokens(update)])
    let learned: LifecycleChanges = {}
    let doubt: (() => Doubt) | undefined
    const inDoubt = (row: CallLog, doubt: Doubt): string => {
      const { since, updates } = pendingOf(row)
      return pendingText({ since, updates: taken === 'oldest' ? updates : withoutSuperseded(updates), doubt })
    }
    return await change(store, {
      keep: row => {
        // Without a record that waits to be written there is nothing that it could follow.
        if (row.state !== 'logged' && pendingOf(row).create === undefined) throw new PatchbayError('no-log')
        return keep(row)
      },
      left,
      learned: () => learned,
      stillWaits: (row, isUnknown) => {
        if (doubt === undefined) return pendingText(pendingOf(row))
        if (isUnknown) return inDoubt(row, doubt())
        // A doubt about an earlier attempt is settled by now.
        const { since, updates } = pendingOf(row)
        return pendingText({ since, updates })
      },
      read: async row => info.logFormat !== 'none' && changesText(pendingOf(row)) ? await operationOf(caller, 'getCallLog')(context, refOf(row)) : undefined,
      lookAt: lookAt(caller),
      prepare: async (row, current) => {
        const { doubt: earlier } = pendingOf(row)
        const updates = updatesOf(row)
        const fingerprints = settled(caller, row.fingerprints, earlier, current)
        const merged: MergedCallBody = changesText(pendingOf(row)) ? mergeCallBody(caller, updates, { ...row, fingerprints }, current?.body) : { fingerprints, decisions: [] }
        learned = { fingerprints }
        doubt = () => doubtOf(caller, fingerprints, current, merged)
        log.debug({ callLog: row.id, platform: info.platform, sections: merged.decisions }, 'call log merged')
        const all = joined(updates)
        const { form } = partsOfSubmission(all.additionalSubmission)
        const assigned = await caller.assignedTo(all.additionalSubmission)
        const note = noteOf(caller, merged.body, merged.fingerprints) ?? all.note
        return {
          // What a person makes of it before this process knows that it is written is told from what it is now.
          noted: current !== undefined && writesEdited(fingerprints, merged) ? { ...learned, pending: inDoubt(row, doubt()) } : undefined,
          write: async () => {
            const told = await operations.updateCallLog(context, {
              logId: row.crmLogId,
              ...callChangesOf(all),
              ...(merged.subject !== undefined && { subject: merged.subject }),
              ...(merged.body !== undefined && merged.body !== current?.body && { body: merged.body }),
              ...partsOf(all),
              ...(assigned !== undefined && { ownerId: assigned.crmUserId }),
              ...(form !== undefined && { additionalSubmission: readSubmission(info.additionalSubmission, form) })
            })
            return {
              changes: { fingerprints: merged.fingerprints },
              result: {
                successful: true,
                logId: row.crmLogId,
                ...(note !== undefined && { updatedNote: note }),
                returnMessage: told.returnMessage ?? returnMessage('success', 'Call log updated.', 2000)
              }
            }
          }
        }
      }
    }, patienceOf(caller))
  }

  /** The note that was typed by whom the log is for: others who took part in the call have a log, and notes, of their own. */
  async function keptNoteOf (caller: Caller, sessionId: string, { additionalSubmission }: Pick<CreateCallLogBody, 'additionalSubmission'>): Promise<KeptNote | undefined> {
    const { tenant } = await caller.assignedTo(additionalSubmission) ?? caller
    const cached = await noteCache.find(tenant, sessionId)
    return cached && { tenant, cached }
  }

  /** A note that was kept for a call goes into its log, where that has none, and is kept until then. */
  async function bringNote (caller: Caller, sessionId: string, store: ChangeStore<CallLog>, { tenant, cached }: KeptNote): Promise<void> {
    const { note } = cached
    const row = await store.find()
    if (row?.state !== 'logged') return
    try {
      if (note !== '' && lacksNote(row, pendingOf(row).updates)) await update(caller, store, { sessionId, note }, 'new')
    } catch (error) {
      if (isRefusal(error)) {
        // It is not what the client asks, whose call is logged.
        log.warn({ err: error, platform: caller.connector.info.platform }, 'a note that was kept for a call is not in its log')
        return
      }
      // It waits with the log.
      if (!isWaiting(error)) throw error
    }
    await noteCache.remove(tenant, sessionId, cached)
  }

  const writeWhatWaits = async (caller: Caller, store: ChangeStore<CallLog>): Promise<void> => {
    await writeWaiting(store.find, pendingOf, clock, async taken => await update(caller, store, undefined, taken))
  }

  return {
    async create (caller, body, { withCachedNote }) {
      const sessionId = String(body.logInfo.sessionId)
      const kept = withCachedNote ? await keptNoteOf(caller, sessionId, body) : undefined
      const answer = await create(caller, kept === undefined || kept.cached.note === '' ? body : { ...body, note: kept.cached.note }, { keepsContact: withCachedNote })
      // Only now: a request that failed comes again, without the note. And somebody without it may have made the log.
      if (kept !== undefined) await bringNote(caller, sessionId, storeOf(caller, sessionId, identityOf(hash, body, body.logInfo)), kept)
      return answer
    },

    async update (caller, body, { withCachedNote } = { withCachedNote: false }) {
      checkUpdate(caller, body)
      const sessionId = String(body.sessionId)
      const store = storeOf(caller, sessionId, identityOf(hash, body))
      const kept = withCachedNote ? await keptNoteOf(caller, sessionId, body) : undefined
      if (kept !== undefined) await bringNote(caller, sessionId, store, kept)
      return await update(caller, store, withCachedNote && body.note === '' ? withoutNote(body) : body, 'new')
    },

    async resume (caller, row) {
      const store = storeOf(caller, row.sessionId, row)
      // The row as it is now: since it was found due, its user may have gone on with it.
      const current = await store.find()
      const created = current && pendingOf(current).create
      if (current?.state !== 'logged' && created !== undefined) await create(caller, created, { resumed: current })
      await writeWhatWaits(caller, store)
    },

    async find (tenant, sessionIds, identity, reader) {
      if (sessionIds.length === 0) throw new PatchbayError('no-session')
      const found = await rows.findMany(tenant, new Set(sessionIds), identityOf(hash, identity))
      const matches = sessionIds.map(sessionId => {
        const row = found.get(sessionId)
        return { sessionId, row: row?.state === 'logged' ? row : undefined }
      })
      if (reader === undefined) {
        const logs = matches.map(({ sessionId, row }) => row === undefined ? { sessionId, matched: false } : { sessionId, matched: true, logId: row.crmLogId })
        return { successful: true, logs, returnMessage: null }
      }
      const answers = await inParallel(matches, parallelReads, async ({ sessionId, row }) =>
        row === undefined ? { log: { sessionId, matched: false } } : await withDetails(reader, row))
      const problems = answers.flatMap(({ problem }) => problem ?? [])
      if (problems[0] !== undefined) log.warn({ err: problems[0], failed: problems.length, platform: tenant.platform }, 'reading call logs failed')
      return { successful: true, logs: answers.map(answer => answer.log), returnMessage: problems[0] === undefined ? null : returnMessage('warning', problems[0].message) }
    },

    async setDisposition (caller, body) {
      const { connector, context } = caller
      const upsertCallDisposition = operationOf(caller, 'upsertCallDisposition')
      const { note, ...fields } = body.dispositions ?? {}
      const dispositions = {
        ...readSubmission(connector.info.additionalSubmission, fields),
        ...(typeof note === 'string' && { note })
      }
      const store = storeOf(caller, String(body.sessionId), identityOf(hash, body))
      try {
        // Written later, it would replace what is set now.
        await writeWhatWaits(caller, store)
      } catch (error) {
        // What waits goes on waiting, but a disposition is not kept.
        if (!isRefusal(error)) throw isWaiting(error) ? error.cause ?? new PatchbayError('in-progress') : error
        const row = await store.find()
        // Fields that may not be written yet go on waiting, too, and would.
        if (row !== undefined && pendingOf(row).updates.some(update => partsOfSubmission(update.additionalSubmission).form !== undefined)) throw error
        log.warn({ err: error, platform: connector.info.platform }, 'an update that waited was refused')
      }
      return await change(store, {
        read: async () => undefined,
        lookAt: lookAt(caller),
        prepare: async row => ({
          async write (): Promise<{ result: Answer }> {
            const set = await upsertCallDisposition(context, { ...refOf(row), dispositions })
            return {
              // The extension asks after every call, mostly with nothing to set: then there is nothing to show either.
              result: { successful: set !== undefined, ...(set?.returnMessage !== undefined && { returnMessage: set.returnMessage }) }
            }
          }
        })
      }, patienceOf(caller))
    },

    async cacheNote (tenant, sessionId, note) {
      await noteCache.put(tenant, sessionId, note, noteLives)
    }
  }

  /** A record that cannot be read is told as one that is not there, so that the others still are. A dead session concerns them all. */
  async function withDetails (caller: Caller, row: LoggedCall): Promise<{ log: MatchedCallLog, problem?: PatchbayError }> {
    try {
      return { log: await readLog(caller, row) }
    } catch (error) {
      if (!isOfOneLog(error)) throw error
      return { log: { sessionId: row.sessionId, matched: false }, problem: error }
    }
  }

  async function readLog (caller: Caller, row: LoggedCall): Promise<MatchedCallLog> {
    const getCallLog = operationOf(caller, 'getCallLog')
    const read = async (row: LoggedCall): Promise<MatchedCallLog> => matchedLog(caller, row, await getCallLog(caller.context, refOf(row)))
    try {
      return await read(row)
    } catch (error) {
      if (!isNotFound(error)) throw error
      // Read again as an update would read it: what is still missing is forgotten, and can be logged again.
      return await change(storeOf(caller, row.sessionId, row), { read, prepare: async (_, log) => ({ write: async () => ({ result: log }) }) }, patienceOf(caller))
    }
  }
}

function matchedLog (
  caller: Caller, { sessionId, crmLogId, fingerprints }: LoggedCall,
  { subject, body, note = noteOf(caller, body, fingerprints), contactName, dispositions }: CallLogRecord
): MatchedCallLog {
  return {
    sessionId,
    matched: true,
    logId: crmLogId,
    logData: {
      subject: subject ?? '',
      note: note ?? '',
      ...(body !== undefined && { fullBody: body }),
      ...(contactName !== undefined && { contactName }),
      ...(dispositions !== undefined && { dispositions })
    }
  }
}

/** What {@link change} says of a log, rather than of its user. */
const ofOneLog: readonly ErrorCode[] = ['gone', 'no-log', 'in-progress', 'needs-user']

const isOfOneLog = (error: unknown): error is PatchbayError =>
  error instanceof CrmError ? error.code !== 'auth-expired' : error instanceof PatchbayError && ofOneLog.includes(error.code)

/** Members of an update that are not in the text of the record. */
const besideText = new Set(['sessionId', 'telephonySessionId', 'extensionNumber', 'hashedExtensionId', 'rcExtensionId', 'additionalSubmission'])

/** Whether what waits needs the text of the record: an update that sets other fields only can do without reading it. */
const changesText = ({ doubt, updates }: CallPending): boolean =>
  doubt !== undefined || updates.some(update => Object.keys(update).some(member => !besideText.has(member)))

/** A bad update is refused before it is kept. */
function checkUpdate ({ connector }: Caller, body: UpdateCallLogBody): void {
  callChangesOf(body)
  readSubmission(connector.info.additionalSubmission, body.additionalSubmission)
}

/** Who has no form in which somebody could clear a note knows of none. */
const withoutNote = ({ note, ...update }: UpdateCallLogBody): UpdateCallLogBody => update

const lacksNote = ({ fingerprints }: CallLog, waiting: readonly UpdateCallLogBody[]): boolean =>
  !hasNote(fingerprints) && waiting.every(({ note }) => changesNothing('note', note))

/** Said of what is kept, and will be written. */
const isWaiting = (error: unknown): error is PatchbayError => error instanceof PatchbayError && error.code === 'waiting'

const refOf = (row: LoggedCall): { logId: string, contactId: string } => ({ logId: row.crmLogId, contactId: row.contactId })

const firstAnswer = (row: CallLog): CallLogAnswer =>
  ({ successful: true, logId: row.crmLogId, returnMessage: (row.answer as ReturnMessage | null) ?? returnMessage('success', 'Call logged.', 2000) })

async function inParallel<Item, Result> (items: readonly Item[], limit: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += limit) {
    results.push(...await Promise.all(items.slice(start, start + limit).map(work)))
  }
  return results
}

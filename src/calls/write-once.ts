/**
 * Writing one record exactly once: reserve a row, send, confirm. Each step is one statement guarded by the row's version, so that
 * it does not matter how many processes try. Whoever loses a step waits for the one who won and gives the same answer.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, errorKind } from '../contract/errors.ts'
import type { Logged } from '../contract/operations.ts'
import type { CallLog } from '../db/call-logs.ts'
import type { Clock } from '../db/database.ts'
import type { LifecycleChanges } from '../db/lifecycle.ts'
import { judge } from './outcome.ts'
import { retryDelay } from './retry.ts'

/** What the rows of call logs and message logs have in common. */
export type LogRow = Pick<CallLog, 'id' | 'state' | 'version' | 'leaseUntil' | 'attempts' | 'nextAttemptAt' | 'crmLogId' | 'fingerprints' | 'answer'>

/** One log's row in the database. */
export interface LogStore<Row extends LogRow> {
  find: () => Promise<Row | undefined>
  /** Undefined when somebody else was faster. */
  reserve: (first: LifecycleChanges & { leaseUntil: number }) => Promise<Row | undefined>
  /** Undefined when the row has changed since it was read. */
  advance: (row: Row, changes: LifecycleChanges) => Promise<Row | undefined>
}

export interface Attempt<Row extends LogRow> {
  /** What waits from now on, also while an earlier attempt is looked for. */
  readonly noted: { readonly pending: string }
  /** What the row says of the record that is sent. */
  readonly holds: LifecycleChanges
  /** Writes the record. */
  readonly send: (row: Row) => Promise<Logged>
}

/**
 * How one record is written. What an attempt writes is noted before it is sent, so that its record is known for what it is when
 * the answer is lost, whoever comes next and whatever they bring.
 */
export interface Writing<Row extends LogRow> {
  /** @param row undefined for the first attempt */
  readonly prepare: (row: Row | undefined) => Promise<Attempt<Row>>
  /** Looks for the record of an attempt whose answer was lost; absent where the CRM gives no way to tell. */
  readonly lookUp?: (row: Row) => Promise<Logged | undefined>
  /** What is still to be done when an attempt has written the record, a look has found that of an earlier one, or the CRM refused it. */
  readonly rest: (row: Row, ended: 'written' | 'found' | 'refused') => string
  /** What waits when an attempt was refused is a record of its own, and is written next. */
  readonly restIsRecord?: true
  /** Milliseconds after an attempt before not finding its record proves anything. */
  readonly findDelay: number
}

export interface Patience {
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Longer than a request can take, so that a lease that ran out belongs to nobody who still works. */
export const leaseTime = 30_000
const longestWait = 20_000
/** A look at the CRM that is due this soon is worth waiting for. */
const shortWait = 3_000

/**
 * @returns the row of the written record, whoever wrote it
 * @throws what refused the writing, or {@link PatchbayError} `waiting`, `outcome-unknown`, `needs-user`, `in-progress`
 */
export async function writeOnce<Row extends LogRow> (store: LogStore<Row>, writing: Writing<Row>, patience: Patience): Promise<Row> {
  const { clock } = patience
  const wait = waiting(patience)
  for (;;) {
    const row = await store.find()
    if (row === undefined) {
      const { noted, holds, send } = await writing.prepare(undefined)
      const reserved = await store.reserve({ ...noted, ...holds, leaseUntil: clock() + leaseTime })
      if (reserved !== undefined) return await attempt(store, reserved, send, writing, patience)
    } else if (row.state === 'logged') {
      return row
    } else if (row.state === 'needs-user' && writing.lookUp === undefined) {
      throw new PatchbayError('needs-user')
    } else if ((row.leaseUntil ?? 0) > clock()) {
      await wait()
    } else if (row.state === 'failed' || row.state === 'waiting') {
      const written = await sendAgain(store, row, writing, patience)
      if (written !== undefined) return written
    } else {
      // Sent without an answer, or by somebody who did not come back and may have sent it at the end of the lease.
      const lookAt = row.state === 'sending' ? (row.leaseUntil ?? 0) + writing.findDelay : row.nextAttemptAt ?? 0
      if (lookAt > clock() + shortWait) {
        const { noted } = await writing.prepare(row)
        if (await store.advance(row, { ...noted, state: 'unknown', leaseUntil: null, nextAttemptAt: lookAt }) === undefined) continue
        throw new PatchbayError('outcome-unknown', { retryAfter: Math.ceil((lookAt - clock()) / 1000) })
      }
      if (lookAt > clock()) await wait()
      else {
        // What this request brings is kept from now on, because a look that fails is answered as if it were.
        const { noted } = await writing.prepare(row)
        const mine = await store.advance(row, { ...noted, state: 'unknown', leaseUntil: clock() + leaseTime })
        const found = mine && await resolve(store, mine, writing, patience)
        if (found !== undefined) return found
      }
    }
  }
}

/** Undefined when the row is somebody else's by now. */
async function sendAgain<Row extends LogRow> (store: LogStore<Row>, row: Row, writing: Writing<Row>, patience: Patience): Promise<Row | undefined> {
  const { noted, holds, send } = await writing.prepare(row)
  const leaseUntil = patience.clock() + leaseTime
  const mine = await store.advance(row, { ...noted, ...holds, state: 'sending', leaseUntil, nextAttemptAt: null, attempts: row.attempts + 1 })
  return mine && await attempt(store, mine, send, writing, patience)
}

async function attempt<Row extends LogRow> (
  store: LogStore<Row>, row: Row, send: Attempt<Row>['send'], writing: Writing<Row>, patience: Patience
): Promise<Row> {
  const { clock, random } = patience
  let sent: Logged
  try {
    sent = await send(row)
  } catch (error) {
    let problem = error
    if (error instanceof CrmError && error.code === 'conflict' && writing.lookUp !== undefined) {
      // The CRM has a record with our external id: of an attempt that a look did not find, or that this database knows nothing of.
      try {
        const found = await writing.lookUp(row)
        if (found !== undefined) return await confirm(store, row, writing, found, false, patience)
      } catch (cause) {
        problem = cause
      }
    }
    const { state, code } = judge(problem)
    if (state === 'unknown' && writing.lookUp === undefined) return await askUser(store, row, problem)
    if (state === 'failed') {
      const pending = writing.rest(row, 'refused')
      const goesOn = writing.restIsRecord === true && pending !== ''
      await store.advance(row, { state: goesOn ? 'waiting' : state, leaseUntil: null, lastErrorCode: code, nextAttemptAt: goesOn ? clock() : null, pending })
      throw problem
    }
    const delay = state === 'unknown' ? writing.findDelay : delayOf(problem, row, random)
    await store.advance(row, { state, leaseUntil: null, lastErrorCode: code, nextAttemptAt: clock() + delay })
    if (state === 'unknown') throw new PatchbayError('outcome-unknown', { retryAfter: Math.ceil(delay / 1000), cause: problem })
    throw errorKind(code).retryable ? new PatchbayError('waiting', { retryAfter: Math.ceil(delay / 1000), cause: problem }) : problem
  }
  return await confirm(store, row, writing, sent, false, patience)
}

/** The CRM's own delay where it names a longer one. */
export function delayOf (error: unknown, row: LogRow, random: () => number): number {
  const asked = error instanceof PatchbayError ? (error.retryAfter ?? 0) * 1000 : 0
  return Math.max(asked, retryDelay(row.attempts + 1, random()))
}

/** Undefined when the row is somebody else's by now. */
async function resolve<Row extends LogRow> (store: LogStore<Row>, row: Row, writing: Writing<Row>, patience: Patience): Promise<Row | undefined> {
  const { clock, random } = patience
  if (writing.lookUp === undefined) return await askUser(store, row)
  let found: Awaited<ReturnType<typeof writing.lookUp>>
  try {
    found = await writing.lookUp(row)
  } catch (error) {
    const delay = delayOf(error, row, random)
    await store.advance(row, { leaseUntil: null, lastErrorCode: judge(error).code, attempts: row.attempts + 1, nextAttemptAt: clock() + delay })
    throw new PatchbayError('outcome-unknown', { retryAfter: Math.ceil(delay / 1000), cause: error })
  }
  if (found !== undefined) return await confirm(store, row, writing, found, true, patience)
  return await sendAgain(store, row, writing, patience)
}

/** The CRM may have the record, and cannot be asked: nobody will look for it by what was sent. */
async function askUser<Row extends LogRow> (store: LogStore<Row>, row: Row, cause?: unknown): Promise<never> {
  await store.advance(row, { state: 'needs-user', pending: '', leaseUntil: null, nextAttemptAt: null, ...(cause !== undefined && { lastErrorCode: judge(cause).code }) })
  throw new PatchbayError('needs-user', { cause })
}

async function confirm<Row extends LogRow> (
  store: LogStore<Row>, row: Row, { rest }: Writing<Row>, logged: Logged, found: boolean, { clock }: Patience
): Promise<Row> {
  const pending = rest(row, found ? 'found' : 'written')
  const confirmed = await store.advance(row, {
    state: 'logged',
    crmLogId: logged.logId,
    answer: logged.returnMessage ?? null,
    leaseUntil: null,
    attempts: 0,
    nextAttemptAt: pending === '' ? null : clock(),
    lastErrorCode: '',
    pending
  })
  if (confirmed !== undefined) return confirmed
  // The lease ran out and somebody else went on with the row; what they found is what counts.
  const current = await store.find()
  if (current?.state === 'logged') return current
  throw new PatchbayError('outcome-unknown')
}

/** Each call pauses a little longer; after a while, or when nobody waits any more, it gives up. */
export function waiting ({ signal }: Pick<Patience, 'signal'>): () => Promise<void> {
  let spent = 0
  let next = 10
  return async () => {
    if (spent >= longestWait) throw new PatchbayError('in-progress', { retryAfter: 5 })
    try {
      await pause(next, undefined, { signal })
    } catch (cause) {
      throw new PatchbayError('in-progress', { cause })
    }
    spent += next
    next = Math.min(next * 2, 250)
  }
}

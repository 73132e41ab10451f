/**
 * Changing a record that is written: one at a time per log, over all processes, by a lease on the row. A change is kept with the
 * row before the CRM is asked and forgotten when it is done, so that it survives a crash, an outage and a record that cannot be read.
 */
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, errorKind } from '../contract/errors.ts'
import type { LifecycleChanges } from '../db/lifecycle.ts'
import { judge } from './outcome.ts'
import { delayOf, leaseTime, waiting, type LogRow, type LogStore, type Patience } from './write-once.ts'

export interface ChangeStore<Row extends LogRow> extends Pick<LogStore<Row>, 'find' | 'advance'> {
  /** Forgets a log whose record is gone. */
  remove: (row: Row) => Promise<void>
}

export interface Changing<Row extends LogRow, Current, Result> {
  /** What is kept while the change is not written, together with what is kept already. Absent: a change that is not kept. */
  keep?: (row: Row) => string
  /** What goes on waiting when the change is written, or refused. Nothing when absent. */
  left?: (row: Row, refused: boolean) => string
  /** What the record, as it was read, has told of earlier attempts: kept whatever becomes of this one. */
  learned?: () => LifecycleChanges
  /** What waits when the record was read and the change is not written, or nobody knows whether it is. The same as before when absent. */
  stillWaits?: (row: Row, inDoubt: boolean) => string
  /** Reads the record. When it cannot be read, nothing is written. */
  read: (row: Row) => Promise<Current>
  /** Reads the record of a change that does without, when something turns out to be missing. Absent: what is missing is the record. */
  lookAt?: ((row: Row) => Promise<unknown>) | undefined
  /** Works out what is to be written. */
  prepare: (row: Row, current: Current) => Promise<Prepared<Result>>
}

export interface Prepared<Result> {
  /** To be kept before it is written, for whoever goes on with it when this process dies. */
  noted?: LifecycleChanges | undefined
  /** Does the work in the CRM. The changes are kept with the row. */
  write: () => Promise<{ result: Result, changes?: LifecycleChanges }>
}

/**
 * @throws {PatchbayError} `no-log` when there is none, `gone` when a person deleted the record, `waiting` when the change is kept
 *   and will be written, `in-progress` when it cannot be kept and the log is not written yet, or what refused it
 */
export async function change<Row extends LogRow, Current, Result> (
  store: ChangeStore<Row>, changing: Changing<Row, Current, Result>, patience: Patience
): Promise<Result> {
  const { keep } = changing
  const { clock } = patience
  const wait = waiting(patience)
  for (;;) {
    const row = await store.find()
    if (row === undefined || row.state === 'failed') throw new PatchbayError('no-log')
    if (row.state === 'needs-user') throw new PatchbayError('needs-user')
    if ((row.leaseUntil ?? 0) > clock()) {
      await wait()
    } else if (row.state !== 'logged') {
      if (keep === undefined) throw new PatchbayError('in-progress')
      // Not written yet: the change follows when it is.
      if (await store.advance(row, { pending: keep(row) }) !== undefined) throw new PatchbayError('waiting')
    } else {
      const leaseUntil = clock() + leaseTime
      const mine = await store.advance(row, { leaseUntil, ...(keep !== undefined && { pending: keep(row), nextAttemptAt: leaseUntil }) })
      if (mine !== undefined) return await perform(store, mine, changing, patience)
    }
  }
}

async function perform<Row extends LogRow, Current, Result> (
  store: ChangeStore<Row>, row: Row, { keep, left = () => '', learned, stillWaits, read, lookAt, prepare }: Changing<Row, Current, Result>, { clock, random }: Patience
): Promise<Result> {
  const done = (refused: boolean): LifecycleChanges => {
    if (keep === undefined) return { leaseUntil: null }
    const pending = left(row, refused)
    return { leaseUntil: null, pending, attempts: 0, nextAttemptAt: pending === '' ? null : clock() }
  }
  let latest = row
  const advance = async (changes: LifecycleChanges): Promise<boolean> => {
    const next = await store.advance(latest, changes)
    latest = next ?? latest
    return next !== undefined
  }
  let wasRead = false
  let current: Current | undefined
  try {
    current = await read(row)
    wasRead = true
    const { noted, write } = await prepare(row, current)
    // Somebody else has the row when the lease has run out.
    if (noted !== undefined && !await advance(noted)) throw new PatchbayError('in-progress')
    const { result, changes } = await write()
    await advance({ ...changes, ...done(false), lastErrorCode: '' })
    return result
  } catch (error) {
    // What is missing is the record, unless the record is there: then it is something that the change refers to.
    if (isNotFound(error) && current === undefined && !(wasRead && await isThere(lookAt, row))) {
      await store.remove(latest)
      throw new PatchbayError('gone', { cause: error })
    }
    const { state, code } = judge(error)
    if (keep === undefined || (wasRead && state === 'failed')) {
      await advance({ ...learned?.(), ...done(true), lastErrorCode: code })
      throw error
    }
    const delay = delayOf(error, row, random)
    await advance({
      leaseUntil: null,
      lastErrorCode: code,
      attempts: row.attempts + 1,
      nextAttemptAt: clock() + delay,
      ...(wasRead && stillWaits !== undefined && { ...learned?.(), pending: stillWaits(row, state === 'unknown') })
    })
    throw errorKind(code).retryable ? new PatchbayError('waiting', { retryAfter: Math.ceil(delay / 1000), cause: error }) : error
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof CrmError && error.code === 'not-found'

/** A record counts as missing when the CRM says so. When it says nothing, the log is not forgotten. */
async function isThere<Row> (lookAt: ((row: Row) => Promise<unknown>) | undefined, row: Row): Promise<boolean> {
  if (lookAt === undefined) return false
  try {
    await lookAt(row)
    return true
  } catch (error) {
    return !isNotFound(error)
  }
}

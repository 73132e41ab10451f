/**
 * Goes on with what a crash or an outage left: rows whose sender did not come back, rows whose next attempt is due. It does what
 * the client's own request would do, by the same guarded steps, so that it does not matter who comes first.
 */
import { PatchbayError } from '../contract/errors.ts'
import type { CallLog } from '../db/call-logs.ts'
import type { Clock } from '../db/database.ts'
import type { Tenant } from '../db/tenant.ts'
import type { LifecycleChanges } from '../db/lifecycle.ts'
import type { LogState } from '../db/schema.ts'
import type { Caller } from './caller.ts'
import { judge } from './outcome.ts'
import { attemptOnly, isUnreadable, pendingText, readPending, type Pending } from './pending.ts'
import { mostAttempts, retryDelay, triedFor } from './retry.ts'
import type { LogRow } from './write-once.ts'

type DueRow = LogRow & Tenant & Pick<CallLog, 'updatedAt' | 'lastErrorCode'>

/** One kind of log. */
export interface Recoverable<Row extends DueRow> {
  readonly kind: string
  readonly rows: {
    due: (now: number, limit: number, exceptPlatforms: readonly string[]) => Promise<Row[]>
    advance: (row: Row, changes: LifecycleChanges) => Promise<Row | undefined>
    pendingOf: (row: Row) => string
  }
  readonly resume: (caller: Caller, row: Row) => Promise<void>
}

export interface RecoveryParts {
  /** Undefined when the user is gone or has signed out. */
  readonly callerOf: (tenant: Tenant) => Promise<Caller | undefined>
  /** No further row is begun when it aborts; those that are begun are brought to their end. */
  readonly stopping?: AbortSignal
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
  readonly log: { readonly info: (facts: object, message: string) => void, readonly warn: (facts: object, message: string) => void }
}

/** What becomes of a log that has waited too long. One that may be in the CRM is not sent again without a look. */
const givenUp: Readonly<Record<LogState, LogState>> = {
  sending: 'needs-user',
  unknown: 'needs-user',
  'needs-user': 'needs-user',
  waiting: 'failed',
  failed: 'failed',
  logged: 'logged'
}

const batch = 50
/** Rows of one CRM that are worked on at a time. */
const parallel = 4

export interface Recovery {
  /**
   * Begins with what is due; of a CRM that an earlier look is still at work for, nothing: one that is slow holds up its own logs only.
   * @returns how many rows it has begun with
   */
  look: () => Promise<number>
  /** Resolves when all that was begun has ended. */
  settled: () => Promise<void>
}

export function recovery<Row extends DueRow> (logs: Recoverable<Row>, parts: RecoveryParts): Recovery {
  const busy = new Map<string, Promise<void>>()

  async function work (platform: string, rows: readonly Row[]): Promise<void> {
    const queue = rows.values()
    try {
      await Promise.all(Array.from({ length: parallel }, async () => {
        for (const row of queue) {
          if (parts.stopping?.aborted === true) return
          await recoverRow(logs, row, parts)
        }
      }))
    } finally {
      busy.delete(platform)
    }
  }

  return {
    async look () {
      const due = await logs.rows.due(parts.clock(), batch, [...busy.keys()])
      // Another look may have begun with one of them meanwhile.
      const free = due.filter(({ platform }) => !busy.has(platform))
      for (const platform of new Set(free.map(row => row.platform))) busy.set(platform, work(platform, free.filter(row => row.platform === platform)))
      return free.length
    },
    async settled () {
      await Promise.all(busy.values())
    }
  }
}

async function recoverRow<Row extends DueRow> ({ kind, rows, resume }: Recoverable<Row>, row: Row, { callerOf, clock, random, log }: RecoveryParts): Promise<void> {
  const facts = { kind, log: row.id, platform: row.platform }
  try {
    const pending = pendingOf(rows, row, clock())
    if (pending === undefined || isOver(row, pending)) {
      const state = givenUp[row.state]
      // What tells a record that may be in the CRM stays, also when it does not open: its key may come back.
      const kept = state !== 'needs-user' ? { pending: '' } : pending && { pending: pendingText(attemptOnly(pending)) }
      await rows.advance(row, { ...kept, nextAttemptAt: null, leaseUntil: null, state, lastErrorCode: 'waiting' })
      log.warn(facts, 'a log has waited too long and is given up')
      return
    }
    const caller = await callerOf(row)
    if (caller === undefined) throw new PatchbayError('unknown-user')
    await resume(caller, row)
    log.info(facts, 'what waited is written')
  } catch (error) {
    log.warn({ ...facts, err: error }, 'what waits could not be written yet')
    try {
      // Steps that got as far as the row have said when to come back. This is for those that did not.
      const attempts = (isUnreadable(error) ? unreadableAttempts(row) : row.attempts) + 1
      await rows.advance(row, { nextAttemptAt: clock() + retryDelay(attempts, random()), attempts, lastErrorCode: judge(error).code })
    } catch (err) {
      // The other rows of this look go on, and it ends when they have ended.
      log.warn({ ...facts, err }, 'when to come back could not be noted')
    }
  }
}

/**
 * @returns undefined when what waits does not open, and has been tried for as long as anything is: since when it waits cannot be read
 * @throws {PatchbayError} `unreadable` until then, because the operator may bring its key back
 */
function pendingOf<Row extends DueRow> ({ pendingOf: textOf }: Recoverable<Row>['rows'], row: Row, now: number): Pending<unknown, unknown> | undefined {
  try {
    return readPending(textOf(row), now)
  } catch (error) {
    if (isUnreadable(error) && unreadableAttempts(row) >= mostAttempts) return undefined
    throw error
  }
}

/** Those since what waits does not open: it may have waited for long before, and its key is missing only now. */
const unreadableAttempts = ({ attempts, lastErrorCode }: DueRow): number => lastErrorCode === 'unreadable' ? attempts : 0

function isOver ({ state, updatedAt }: DueRow, { create, since }: Pending<unknown, unknown>): boolean {
  // Without a record to write, nobody could go on with it.
  if (state !== 'logged' && create === undefined) return true
  // By the last look: what nobody looked at, because the server was off, has another one.
  return updatedAt - since > triedFor
}

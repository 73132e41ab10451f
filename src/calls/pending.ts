/**
 * What has been asked for and is not written yet, kept with the row of its log (encrypted there) until it is: so that neither a
 * crash nor an outage loses it, and the next one who gets through brings it along.
 */
import { isDeepStrictEqual } from 'node:util'
import { PatchbayError } from '../contract/errors.ts'
import { Type, TypeCompiler } from '../contract/type.ts'
import type { Clock } from '../db/database.ts'
import type { LogState } from '../db/schema.ts'
import type { Fingerprints } from './body/fingerprint.ts'
import { isRefusal } from './outcome.ts'

export interface Pending<Create, Update> {
  /** When the last of it was promised, in epoch milliseconds. */
  readonly since: number
  readonly create?: Create
  /** What an attempt has sent of it, by which its record is found again: composed anew it may differ, as settings change. */
  readonly sent?: Sent
  /** The oldest first. */
  readonly updates: readonly Update[]
  /** When nobody knows whether the last attempt to write them got through. */
  readonly doubt?: Doubt
  /** Members of `create` as they were before a later request said otherwise, the oldest first: they count again when the CRM refuses those. */
  readonly replaced?: ReadonlyArray<Partial<Create>>
}

export interface Sent {
  readonly subject: string
  readonly body: string
  readonly ownerId: string
}

/** Whether a log in that state may be in the CRM. @param state undefined before the first attempt */
export const isInDoubt = (state: LogState | undefined): boolean => state === 'sending' || state === 'unknown' || state === 'needs-user'

export const sentOf = ({ subject, body, ownerId }: Sent): Sent => ({ subject, body, ownerId })

/** What an attempt to write a record sets out with. */
export type Next<Create, Update> = Required<Pick<Pending<Create, Update>, 'since' | 'create' | 'updates'>>

/** What an earlier attempt has sent, where it may have reached the CRM. */
export const sentEarlier = ({ sent }: Pick<Pending<unknown, unknown>, 'sent'>, state: LogState | undefined): Sent | undefined => isInDoubt(state) ? sent : undefined

/** For a log that is resumed: what waits, as it waits. @throws {PatchbayError} `no-log` when its user has gone on with it meanwhile */
export function sameAttempt<Create, Update> ({ since, create, updates }: Pending<Create, Update>): Next<Create, Update> {
  if (create === undefined) throw new PatchbayError('no-log')
  return { since, create, updates }
}

/** What a record held before an attempt to change it, and what it holds when the attempt got through: fingerprints by part. */
export interface Doubt {
  readonly before: Fingerprints
  readonly after: Fingerprints
  /** What is to be remembered when it got through. */
  readonly remember: Fingerprints
}

const FingerprintMap = Type.Record(Type.String(), Type.String())
const Shape = TypeCompiler.Compile(Type.Object({
  since: Type.Number(),
  doubt: Type.Optional(Type.Object({ before: FingerprintMap, after: FingerprintMap, remember: FingerprintMap })),
  create: Type.Optional(Type.Object({}, { additionalProperties: true })),
  replaced: Type.Optional(Type.Array(Type.Object({}, { additionalProperties: true }))),
  sent: Type.Optional(Type.Object({ subject: Type.String(), body: Type.String(), ownerId: Type.String() })),
  updates: Type.Array(Type.Object({}, { additionalProperties: true }))
}))

/** @throws an error when the text is not what {@link pendingText} made */
export function readPending<Create, Update> (text: string, now: number): Pending<Create, Update> {
  if (text === '') return { since: now, updates: [] }
  const pending: unknown = JSON.parse(text)
  if (!Shape.Check(pending)) throw new TypeError('What waits with this log cannot be read')
  return pending as unknown as Pending<Create, Update>
}

/** @returns reads what waits with a row once: a step looks at it several times */
export function pendingReader<Row extends { readonly state: LogState }, Create, Update> (textOf: (row: Row) => string, clock: Clock): (row: Row) => Pending<Create, Update> {
  const known = new WeakMap<Row, Pending<Create, Update>>()
  return row => {
    const pending = known.get(row) ?? readPending<Create, Update>(openedText(textOf, row), clock())
    known.set(row, pending)
    return pending
  }
}

/**
 * What does not open, because its key is missing, counts as nothing where the CRM has received nothing: who logs the call brings
 * everything anew.
 * @throws {PatchbayError} `needs-user` when nobody can tell any more what may be in the CRM, `unreadable` when an update of a record does not open
 */
function openedText<Row extends { readonly state: LogState }> (textOf: (row: Row) => string, row: Row): string {
  try {
    return textOf(row)
  } catch (error) {
    if (!isUnreadable(error) || row.state === 'logged') throw error
    if (isInDoubt(row.state)) throw new PatchbayError('needs-user', { cause: error })
    return ''
  }
}

/** Whether what waits does not open. */
export const isUnreadable = (error: unknown): boolean => error instanceof PatchbayError && error.code === 'unreadable'

/** Empty when nothing waits. */
export function pendingText<Create, Update> (pending: Pending<Create, Update>): string {
  return pending.create === undefined && pending.updates.length === 0 ? '' : JSON.stringify(pending)
}

/** Only what tells the record of an attempt from others: for a log that is given up, and may be in the CRM. */
export const attemptOnly = <Create, Update>({ since, create, sent }: Pending<Create, Update>): Pending<Create, Update> =>
  ({ since, updates: [], ...(create !== undefined && { create }), ...(sent !== undefined && { sent }) })

/** Which updates a step writes: a new one together with those that wait, all that wait, or the oldest of them. */
export type Taken = 'new' | 'all' | 'oldest'

/**
 * What waits before and after a step that writes updates.
 * @param body a new update; without one, those that wait are written
 * @param following those that wait with a new one behind them, as far as it may be kept
 */
export function updateStep<Row, Create, Update> (
  pendingOf: (row: Row) => Pending<Create, Update>, clock: Clock, body: Update | undefined, taken: Taken, following: Following<Update>
) {
  /** What waited before the new one came. */
  let others: readonly Update[] | undefined
  const othersOf = (row: Row): readonly Update[] => others ?? pendingOf(row).updates
  return {
    /** While it is not written. */
    keep (row: Row): string {
      const pending = pendingOf(row)
      if (body === undefined) return pendingText(pending)
      others = withoutRepeat(pending.updates, body, following)
      return pendingText({ ...pending, since: clock(), updates: following(others, body) })
    },
    /** What waits without the new one. */
    othersOf,
    /** What it writes, the oldest first. */
    updatesOf (row: Row): readonly Update[] {
      if (body !== undefined) return [...othersOf(row), body]
      return othersOf(row).slice(0, taken === 'oldest' ? 1 : undefined)
    },
    /** When it is written, or refused. */
    left (row: Row, refused: boolean): string {
      return pendingText({ since: pendingOf(row).since, updates: leftOf(othersOf(row), taken, refused) })
    }
  }
}

/** Those that wait, with a new one behind them. */
export type Following<Update> = (updates: readonly Update[], update: Update) => readonly Update[]

/** What waited before a new update, which may be there already, because the client sends it again. */
export function withoutRepeat<Update> (updates: readonly Update[], update: Update, following: Following<Update>): readonly Update[] {
  const before = updates.slice(0, -1)
  return isDeepStrictEqual(following(before, update), updates) ? before : updates
}

/** Of several that were refused together, nobody knows which one the CRM does not take. @param others without a new one */
function leftOf<Update> (others: readonly Update[], taken: Taken, refused: boolean): readonly Update[] {
  if (taken === 'oldest') return others.slice(1)
  if (!refused) return []
  return taken === 'new' || others.length > 1 ? others : []
}

/**
 * Writes what waits, all of it at once. When that is refused, one update after the other, so that one that the CRM does not take
 * keeps no other from it.
 * @param find the log, as it is now
 * @throws what kept them from being written, or the first refusal when all others are written or put off
 */
export async function writeWaiting<Row extends { readonly state: LogState, readonly nextAttemptAt: number | null }> (
  find: () => Promise<Row | undefined>, pendingOf: (row: Row) => Pick<Pending<unknown, unknown>, 'updates'>, clock: Clock, write: (taken: Taken) => Promise<unknown>
): Promise<void> {
  let taken: Taken = 'all'
  let refusal: unknown
  const waits = async (): Promise<boolean> => {
    const row = await find()
    if (row?.state !== 'logged' || pendingOf(row).updates.length === 0) return false
    // Where it is the record that the CRM does not let us read, nothing was taken off, and the row says when to come back.
    return refusal === undefined || (row.nextAttemptAt ?? 0) <= clock()
  }
  while (await waits()) {
    try {
      await write(taken)
    } catch (error) {
      if (!isRefusal(error)) throw error
      refusal ??= error
      taken = 'oldest'
    }
  }
  if (refusal !== undefined) throw refusal
}

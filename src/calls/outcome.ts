/** What a failed attempt to write into the CRM means for the log. */
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, errorKind, type ErrorCode } from '../contract/errors.ts'
import type { LogState } from '../db/schema.ts'

export interface Verdict {
  readonly state: Extract<LogState, 'failed' | 'waiting' | 'unknown'>
  readonly code: ErrorCode
}

/** Refusals that end when the user connects again: what is asked for stays as it is until then. */
const untilConnected: readonly ErrorCode[] = ['auth-expired', 'session-revoked', 'unreadable']

/** Why a log may wait for its user to connect again: it need not wait any longer then. */
export const waitsForUser: readonly ErrorCode[] = [...untilConnected, 'unknown-user']

/** What our own checks of a request say. */
const refusedByUs: readonly ErrorCode[] = ['invalid-request', 'invalid']

/**
 * - refused: the CRM did nothing and said why; a new attempt starts from the beginning
 * - surely not received, or nobody is connected: the CRM did nothing; the same attempt may be made again
 * - anything else: the CRM may have written the record, so it is looked for before anything is sent again
 */
export function judge (error: unknown): Verdict {
  if (error instanceof CrmError && error.outcome === 'unknown') return { state: 'unknown', code: error.code }
  if (error instanceof PatchbayError && untilConnected.includes(error.code)) return { state: 'waiting', code: error.code }
  if (error instanceof CrmError) {
    return { state: error.outcome === 'refused' ? 'failed' : 'waiting', code: error.code }
  }
  // Refused by our own checks, before anything was sent; all but those that say that something ended in the middle.
  if (error instanceof PatchbayError && errorKind(error.code).status < 500) return { state: 'failed', code: error.code }
  return { state: 'unknown', code: error instanceof PatchbayError ? error.code : 'internal' }
}

/** Whether the CRM, or our own check of what it would be asked, said no to the request itself. */
export const isRefusal = (error: unknown): boolean =>
  judge(error).state === 'failed' && (error instanceof CrmError || (error instanceof PatchbayError && refusedByUs.includes(error.code)))

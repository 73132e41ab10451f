/** What a failed attempt to write into the CRM means for the log. */
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, type ErrorCode } from '../contract/errors.ts'
import type { LogState } from '../db/schema.ts'

export interface Verdict {
  readonly state: Extract<LogState, 'failed' | 'waiting' | 'unknown'>
  readonly code: ErrorCode
}

/**
 * - refused: the CRM did nothing and said why; a new attempt starts from the beginning
 * - surely not received: the CRM did nothing; the same attempt may be made again
 * - anything else: the CRM may have written the record, so it is looked for before anything is sent again
 */
export function judge (error: unknown): Verdict {
  if (error instanceof CrmError) {
    const state = ({ refused: 'failed', 'not-received': 'waiting', unknown: 'unknown' } as const)[error.outcome]
    return { state, code: error.code }
  }
  // Refused by our own checks, before anything was sent.
  if (error instanceof PatchbayError) return { state: 'failed', code: error.code }
  return { state: 'unknown', code: 'internal' }
}

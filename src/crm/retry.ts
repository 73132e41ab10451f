/** The one decision about another attempt: whether, after how long, and why. */
import { isUntimedLimit, type Verdict } from './failure.ts'
import type { Limits } from './limits.ts'

export interface Attempt {
  /** How it ended. */
  readonly verdict: Verdict
  readonly method: string
  /** From 1. */
  readonly number: number
  /** Milliseconds that the call has talked so far. */
  readonly talked: number
  /** Milliseconds that it may still wait. */
  readonly patience: number
  /** Whether the CRM has limited earlier calls of the account for an unknown time, and is only looked at. */
  readonly isBackingOff: boolean
  readonly limits: Pick<Limits, 'talk'>
  /** At least 0, below 1. */
  readonly random: () => number
}

export interface Decision {
  /** Milliseconds to wait before the next attempt; undefined when there is none. */
  readonly wait: number | undefined
  readonly why: string
}

const mostAttempts = 3
/** Attempts that the CRM itself put off to a time it named: only the time to wait for them runs out. */
const mostPutOff = 20
const firstBackoff = 250
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * Only what may be over in a moment is tried again, and only where it cannot be done twice: the CRM surely did not receive it, or
 * doing it twice is the same as once. The wait is a random part of a doubling time ("full jitter"), and never shorter than the CRM
 * asked for.
 */
export function decide ({ verdict, method, number, talked, patience, isBackingOff, limits, random }: Attempt): Decision {
  const { transient, outcome, retryAfter } = verdict
  if (!transient) return { wait: undefined, why: 'another attempt would end the same way' }
  if (outcome !== 'not-received' && !idempotent.has(method)) return { wait: undefined, why: 'the CRM may have done it' }
  if (isBackingOff && isUntimedLimit(verdict)) return { wait: undefined, why: 'the CRM still limits' }
  if (number >= (retryAfter === undefined ? mostAttempts : mostPutOff)) return { wait: undefined, why: 'too many attempts' }
  if (talked > limits.talk * 0.9) return { wait: undefined, why: 'no time is left' }
  const backoff = firstBackoff * 2 ** number * random()
  const wait = Math.max(backoff, (retryAfter ?? 0) * 1000)
  if (wait > patience) return { wait: undefined, why: 'the wait would be too long' }
  return { wait, why: retryAfter === undefined ? 'it may be over in a moment' : 'the CRM asked for a delay' }
}

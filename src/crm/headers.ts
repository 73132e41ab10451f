/** What a CRM's headers say about when to ask again. */
export type Headers = Readonly<Record<string, string>>

/** What is left of a CRM's budget; members are absent where the CRM does not say. */
export interface RateState {
  readonly limit?: number
  readonly remaining?: number
  /** Until there is a new budget. */
  readonly resetSeconds?: number
}

/** Longer delays are not believed. In seconds. */
const longestDelay = 24 * 60 * 60

/**
 * Seconds out of a `Retry-After` header: whole or fractional seconds, or a date (RFC 9110, 10.2.3 and 5.6.7). What is negative or
 * past is 0, what is absurd a day.
 *
 * @param now epoch milliseconds, for a CRM that does not say its own time in `Date`
 * @returns undefined when there is no such header, or nothing can be read in it
 */
export function retryAfter (headers: Headers, now: number): number | undefined {
  const value = headers['retry-after']?.trim() ?? ''
  const seconds = /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : (readDate(value) - (readDate(headers['date'] ?? '') || now)) / 1000
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), longestDelay)
}

/** Epoch milliseconds; NaN for what is no HTTP date. The oldest of its three forms names no zone and means GMT. */
function readDate (value: string): number {
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(value)) return NaN
  return Date.parse(/(gmt|utc|[+-]\d{4})$/i.test(value) ? value : `${value} GMT`)
}

/**
 * Reads `RateLimit-Limit`, `-Remaining` and `-Reset`, and the same with `X-`. A reset is told in seconds or as an instant, which
 * CRMs write in seconds or milliseconds.
 */
export function rateState (headers: Headers, now: number): RateState {
  const number = (name: string): number => Number.parseFloat(headers[`ratelimit-${name}`] ?? headers[`x-ratelimit-${name}`] ?? '')
  const [limit, remaining, reset] = [number('limit'), number('remaining'), number('reset')]
  const resetSeconds = reset > 1e11 ? (reset - now) / 1000 : reset > 1e9 ? reset - now / 1000 : reset
  return {
    ...(limit >= 0 && { limit }),
    ...(remaining >= 0 && { remaining }),
    ...(!Number.isNaN(resetSeconds) && { resetSeconds: Math.max(0, resetSeconds) })
  }
}

/** When what waits is tried again. */

/** Seconds after each failed attempt; then the last delay goes on. */
const lastDelay = 600
const schedule = [5, 15, 30, 60, 120, 300, lastDelay]
const jitter = 0.2

/** How long something is tried, in milliseconds. */
export const triedFor = 72 * 60 * 60_000
/** How many attempts that makes, about. */
export const mostAttempts = triedFor / (lastDelay * 1_000)

/**
 * @param attempts how many have failed, from 1
 * @param random from 0 to 1: spreads the attempts, so that an outage is not followed by a stampede
 * @returns milliseconds
 */
export function retryDelay (attempts: number, random: number): number {
  const seconds = schedule[Math.min(Math.max(attempts, 1), schedule.length) - 1] ?? 0
  return Math.round(seconds * 1000 * (1 + jitter * (2 * random - 1)))
}

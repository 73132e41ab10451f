/**
 * The budget of a CRM account: a token bucket that the connector declares and the CRM's headers correct, and the delays that the CRM
 * asks for. Whoever finds it empty waits in line, requests that a person waits for before the others. An account that the CRM limits
 * without saying for how long is left alone, longer each time, and then looked at with one request.
 */
import type { RateLimit } from '../contract/connector.ts'
import { rateState, type Headers } from './headers.ts'

export interface Turn {
  readonly background: boolean
  /** Milliseconds that are worth waiting. */
  readonly longest: number
  readonly signal: AbortSignal
}

export interface Budget {
  /** Waits for a turn. 0: go. Otherwise nothing was taken, and the number says in how many milliseconds there might be one. */
  turn: (turn: Turn) => Promise<number>
  /** Nobody goes for so many milliseconds. */
  pause: (delay: number) => void
  /** Takes in what the headers of an answer say. */
  learn: (headers: Headers) => void
  /** The CRM goes on limiting and names no delay. @returns the milliseconds for which it is left alone */
  backOff: () => number
  /** Whether it is left alone, or one request looks whether it still limits. */
  isBackingOff: () => boolean
  /** The one that looks; undefined when nobody does. */
  look: () => number | undefined
  /** The CRM takes requests again, or has said from when on. */
  goOn: () => void
  /** Who looked has learned nothing of it: the next one looks, unless one has since. @param look that it began */
  lookAgain: (look: number | undefined) => void
  /** Whether forgetting it would change nothing. */
  isIdle: () => boolean
}

interface Waiting {
  readonly background: boolean
  readonly until: number
  readonly end: (delay: number) => void
}

/** Headers that only inform are not believed for longer. In milliseconds; a delay that the CRM demands comes by {@link Budget.pause}. */
const longestReset = 60_000
/** In milliseconds. Bursts are over soon; who goes on asking on a day whose budget is used up is shut out. */
const [firstBackOff, longestBackOff] = [2_000, 60_000]

/** @param rateLimit without one, only delays that the CRM asks for hold requests back */
export function budget (rateLimit: RateLimit | undefined, clock: () => number): Budget {
  const { requests = Infinity, perMilliseconds = 1, read } = rateLimit ?? {}
  let capacity = requests
  let tokens = requests
  let caughtUpAt = clock()
  let pausedUntil = 0
  let leftAloneUntil = 0
  /** How often in a row it was found limited. */
  let backOffs = 0
  let line: Waiting[] = []
  let timer: NodeJS.Timeout | undefined

  /** What time alone changes: tokens come back, and a limit that nobody has met for long is forgotten. */
  const catchUp = (now: number): void => {
    if (tokens < capacity) tokens = Math.min(capacity, tokens + (now - caughtUpAt) * requests / perMilliseconds)
    caughtUpAt = now
    if (now >= Math.max(leftAloneUntil, pausedUntil) + longestBackOff) backOffs = 0
  }
  /** Milliseconds until whoever has `ahead` others in front of them may go. */
  const due = (ahead: number, now: number): number => {
    const missing = ahead + 1 - tokens
    // What is missing by less than a thousandth is the error of floating point.
    return Math.max(0, pausedUntil - now, missing > 0.001 ? missing * perMilliseconds / requests : 0)
  }
  const serve = (): void => {
    const now = clock()
    catchUp(now)
    while (line.length > 0 && due(0, now) === 0) {
      tokens--
      line.shift()?.end(0)
    }
    const staying: Waiting[] = []
    for (const one of line) {
      const delay = due(staying.length, now)
      // Whoever would wait in vain is told at once.
      if (now + delay > one.until) one.end(delay)
      else staying.push(one)
    }
    line = staying
    clearTimeout(timer)
    if (line.length > 0) timer = setTimeout(serve, Math.ceil(due(0, now)))
  }
  const pause = (delay: number): void => {
    pausedUntil = Math.max(pausedUntil, clock() + delay)
    serve()
  }

  /** Milliseconds for which nobody asks. */
  const rest = (now: number): number => Math.max(0, leftAloneUntil - now, pausedUntil - now)
  const leaveAlone = (now: number): void => {
    leftAloneUntil = now + Math.min(firstBackOff * 2 ** backOffs, longestBackOff)
    backOffs++
  }

  return {
    async turn ({ background, longest, signal }) {
      const now = clock()
      catchUp(now)
      if (backOffs > 0) {
        // One looks, and the others leave it alone until that one is answered.
        const left = rest(now)
        if (left > 0) return left
        leaveAlone(now)
        tokens--
        return 0
      }
      const ahead = background ? line.length : line.filter(one => !one.background).length
      const delay = due(ahead, now)
      if (delay > longest || signal.aborted) return delay
      if (delay === 0 && ahead === 0) {
        tokens--
        return 0
      }
      return await new Promise<number>(resolve => {
        const leave = (): void => {
          line = line.filter(one => one !== waiting)
          waiting.end(Math.max(1, due(line.length, clock())))
          serve()
        }
        const waiting: Waiting = {
          background,
          until: now + longest,
          end (left) {
            signal.removeEventListener('abort', leave)
            resolve(left)
          }
        }
        signal.addEventListener('abort', leave)
        line.splice(ahead, 0, waiting)
        serve()
      })
    },
    pause,
    learn (headers) {
      if (rateLimit === undefined) return
      const now = clock()
      const { limit = Infinity, remaining = Infinity, resetSeconds } = read?.(headers) ?? rateState(headers, now)
      catchUp(now)
      capacity = Math.min(requests, Math.max(1, limit))
      tokens = Math.min(tokens, remaining, capacity)
      if (remaining === 0 && resetSeconds !== undefined) pause(Math.min(resetSeconds * 1000, longestReset))
    },
    backOff () {
      const now = clock()
      if (rest(now) === 0) {
        leaveAlone(now)
        for (const one of line.splice(0)) one.end(rest(now))
      }
      return rest(now)
    },
    isBackingOff: () => backOffs > 0,
    // The first one that is limited was no look. The end of the rest tells those after it apart.
    look: () => backOffs > 1 ? leftAloneUntil : undefined,
    goOn () {
      backOffs = 0
      leftAloneUntil = 0
    },
    lookAgain (look) {
      if (look === undefined || backOffs < 2 || look !== leftAloneUntil) return
      backOffs--
      leftAloneUntil = clock()
    },
    isIdle () {
      const now = clock()
      catchUp(now)
      return line.length === 0 && pausedUntil <= now && backOffs === 0 && tokens >= capacity
    }
  }
}

const mostAccounts = 10_000

/** The budgets of all accounts, by the name of the account; one without a name shares with nobody. */
export function budgets (clock: () => number): (account: string | undefined, rateLimit: RateLimit | undefined) => Budget {
  const known = new Map<string, Budget>()
  return (account, rateLimit) => {
    if (account === undefined) return budget(rateLimit, clock)
    const found = known.get(account)
    if (found !== undefined) return found
    if (known.size >= mostAccounts) for (const [name, one] of known) if (one.isIdle()) known.delete(name)
    const made = budget(rateLimit, clock)
    known.set(account, made)
    return made
  }
}

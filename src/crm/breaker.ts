/** Leaves a host alone that fails again and again, so that nobody waits for it in vain, and looks now and then whether it is back. */
export interface Breaker {
  /** Milliseconds until the host may be asked, 0 for now. */
  rest: (host: string) => number
  /** The same, and whoever gets 0 does ask: when the host has failed, nobody else does for the next while. */
  enter: (host: string) => number
  failed: (host: string) => void
  succeeded: (host: string) => void
}

const mostFailures = 5
/** Milliseconds: failures within this time count together; a host rests for as long. */
const period = 30_000
const mostHosts = 10_000

interface Trouble {
  /** When it failed without a success between, the newest last. */
  failures: number[]
  restsUntil: number
}

export function breaker (clock: () => number): Breaker {
  const troubles = new Map<string, Trouble>()
  const recent = ({ failures }: Trouble, now: number): number[] => failures.filter(at => now - at < period)

  const rest = (host: string): number => Math.max(0, (troubles.get(host)?.restsUntil ?? 0) - clock())
  return {
    rest,
    enter (host) {
      const left = rest(host)
      const trouble = troubles.get(host)
      if (left === 0 && trouble !== undefined && trouble.restsUntil > 0) trouble.restsUntil = clock() + period
      return left
    },
    failed (host) {
      const now = clock()
      const trouble = troubles.get(host) ?? { failures: [], restsUntil: 0 }
      trouble.failures = [...recent(trouble, now), now].slice(-mostFailures)
      if (trouble.restsUntil === 0 && trouble.failures.length === mostFailures) trouble.restsUntil = now + period
      troubles.delete(host)
      troubles.set(host, trouble)
      // Hosts come from what clients sent: the one whose trouble is the oldest is forgotten.
      const [oldest] = troubles.keys()
      if (troubles.size > mostHosts && oldest !== undefined) troubles.delete(oldest)
    },
    succeeded (host) {
      troubles.delete(host)
    }
  }
}

/**
 * Looking up names so that one without an answer holds up no other. The system looks up few names at a time (two, on the four threads
 * that Node.js has by default), and keeps at a dead one for many seconds, whoever has given up. So each name is looked up once for all
 * who ask meanwhile, and while a line of names is silent, one of it at a time.
 */
import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { LRUCache } from 'lru-cache'

/** Gives every address of a name, as `dns.lookup` does with `all`. */
export type Resolve = (hostname: string, options: LookupAllOptions, callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void

/** Rejects with the system's error. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>

export interface LookupsOptions {
  readonly resolve: Resolve
  /** Names that the same servers answer for. */
  readonly lineOf: (hostname: string) => string
  /** Milliseconds after an answer during which a line is not silent, so that its names are looked up side by side. */
  readonly lively: number
  /** Milliseconds after which nobody waits for an answer any more. */
  readonly longest: number
  readonly clock?: () => number
}

interface Line {
  /** The lookup that was begun last, as long as it lasts. */
  busy: Promise<void> | undefined
  answeredAt: number
}

interface Asked {
  /** When somebody asked for the last time. */
  at: number
  readonly addresses: Promise<LookupAddress[]>
}

const mostLines = 1_000

export function lookups ({ resolve, lineOf, lively, longest, clock = () => performance.now() }: LookupsOptions): Lookup {
  const underWay = new Map<string, Asked>()
  const lines = new LRUCache<string, Line>({ max: mostLines })

  function lineFor (hostname: string): Line {
    const name = lineOf(hostname)
    const line = lines.get(name) ?? { busy: undefined, answeredAt: -Infinity }
    lines.set(name, line)
    return line
  }

  async function inTurn (hostname: string): Promise<LookupAddress[]> {
    const line = lineFor(hostname)
    while (line.busy !== undefined && clock() - line.answeredAt >= lively) await line.busy
    const began = clock()
    if (began - (underWay.get(hostname)?.at ?? began) > longest) throw new Error('The name was not looked up: others of its line are not answered')
    const addresses = ask(resolve, hostname)
    const end = (): void => {
      // That there is no such name is an answer, too; one that comes late is none that others could hope for.
      if (clock() - began < lively) line.answeredAt = clock()
      if (line.busy === busy) line.busy = undefined
    }
    const busy = addresses.then(end, end)
    line.busy = busy
    return await addresses
  }

  return async hostname => {
    const asked = underWay.get(hostname) ?? { at: 0, addresses: inTurn(hostname).finally(() => underWay.delete(hostname)) }
    asked.at = clock()
    underWay.set(hostname, asked)
    return await asked.addresses
  }
}

const ask = async (system: Resolve, hostname: string): Promise<LookupAddress[]> => await new Promise((resolve, reject) => {
  system(hostname, { all: true }, (error, addresses) => {
    if (error === null) resolve(addresses)
    else reject(error)
  })
})

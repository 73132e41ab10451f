/** The only place that opens connections: a pool for each host, kept alive, dialled under the rules for addresses and proxies. */
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { AddressRefused, addressGuard, unguarded, type AddressGuard } from './addresses.ts'
import type { Limits } from './limits.ts'
import { lookups, type Lookup, type Resolve } from './lookups.ts'
import { proxyFor, tunnel, type Proxies } from './proxies.ts'

export interface ConnectionsOptions {
  readonly limits: Pick<Limits, 'connect' | 'idle' | 'headers'>
  /** CIDRs that may be dialled although they are not public. */
  readonly allowPrivateNetworks: readonly string[]
  readonly proxies: Proxies
  /** The system's when absent. */
  readonly resolve?: Resolve | undefined
}

export interface Connections {
  /** For addresses that a connector or a user named: public ones only. */
  readonly guarded: Dispatcher
  /** For addresses that the operator chose: wherever they are. */
  readonly chosen: Dispatcher
  /** Lets what is under way end. */
  close: () => Promise<void>
}

/** Per host, so that one that hangs cannot use up the file descriptors. */
const mostConnections = 100

export function connections ({ limits, allowPrivateNetworks, proxies, resolve = systemLookup }: ConnectionsOptions): Connections {
  const look = lookups({ resolve, lineOf: domainOf, lively: 1_000, longest: limits.connect })
  const lookOutside = outside(look, lookups({ resolve, lineOf: () => '', lively: 0, longest: longestLookup }))
  const agent = (rules: Pick<Rules, 'dialled' | 'outside'>): Agent => new Agent({
    connect: connector(limits.connect, proxies, { ...rules, proxyLookup: unguarded(look).lookup }),
    connections: mostConnections,
    keepAliveTimeout: limits.idle,
    // Servers may say how long they keep one; a shorter time is heeded, a longer one is not.
    keepAliveMaxTimeout: limits.idle,
    maxHeaderSize: limits.headers
  })
  const guarded = agent({ dialled: addressGuard(allowPrivateNetworks, look), outside: addressGuard(allowPrivateNetworks, lookOutside) })
  const chosen = agent({ dialled: unguarded(look), outside: undefined })
  return { guarded, chosen, close: async () => { await Promise.all([guarded.close(), chosen.close()]) } }
}

/**
 * Behind a proxy the local resolver may know no name outside. Until it has answered, one name at a time is looked up, so that the
 * proxy's own finds a place; from then on one that is silent keeps no other from being checked.
 */
function outside (look: Lookup, inTurn: Lookup): Lookup {
  let answers = false
  return async hostname => {
    if (answers) return await look(hostname)
    try {
      const addresses = await inTurn(hostname)
      answers = true
      return addresses
    } catch (error) {
      answers ||= isNoSuchName(error)
      throw error
    }
  }
}

const isNoSuchName = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOTFOUND'

/** The last two labels. Where those are no domain (`co.uk`), strangers share a line, which costs them little. */
const domainOf = (hostname: string): string => hostname.split('.').slice(-2).join('.')

interface Rules {
  /** For what is dialled from here. */
  readonly dialled: AddressGuard
  /** For what a proxy dials; nothing is checked when absent. */
  readonly outside: AddressGuard | undefined
  readonly proxyLookup: LookupFunction
}

function connector (timeout: number, proxies: Proxies, { dialled, outside, proxyLookup }: Rules): buildConnector.connector {
  const dial = buildConnector({ timeout, lookup: dialled.lookup } as buildConnector.BuildOptions)
  return (options, callback) => {
    const fail = (error: Error): void => { callback(error, null) }
    if (!dialled.mayDialLiteral(options.hostname)) return fail(new AddressRefused('The address is not public'))
    const proxy = proxyFor(options, proxies)
    if (proxy === undefined) return dial(options, callback)
    checkName(options.hostname, outside).then(async () => await tunnel(proxy, options, timeout, proxyLookup)).then(socket => {
      if (options.protocol === 'https:') dial({ ...options, httpSocket: socket }, callback)
      else callback(null, socket)
    }, fail)
  }
}

/** Where only a proxy resolves outside names, the local resolver may never answer. Milliseconds. */
const longestLookup = 1_000

/** Behind a proxy it is the proxy that resolves names. What we can resolve is judged by our answer, the rest is its business. */
async function checkName (hostname: string, guard: AddressGuard | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (guard === undefined || isIP(hostname) !== 0) return resolve()
    const timer = setTimeout(resolve, longestLookup)
    guard.lookup(hostname, { all: true }, error => {
      clearTimeout(timer)
      if (error instanceof AddressRefused) reject(error)
      else resolve()
    })
  })
}

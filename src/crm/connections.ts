/** The only place that opens connections: a pool for each host, kept alive, dialled under the rules for addresses and proxies. */
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { AddressRefused, addressGuard, type AddressGuard, type Resolve } from './addresses.ts'
import type { Limits } from './limits.ts'
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

export function connections ({ limits, allowPrivateNetworks, proxies, resolve }: ConnectionsOptions): Connections {
  const agent = (guard: AddressGuard | undefined): Agent => new Agent({
    connect: connector(limits.connect, proxies, guard),
    connections: mostConnections,
    keepAliveTimeout: limits.idle,
    // Servers may say how long they keep one; a shorter time is heeded, a longer one is not.
    keepAliveMaxTimeout: limits.idle,
    maxHeaderSize: limits.headers
  })
  const [guarded, chosen] = [agent(addressGuard(allowPrivateNetworks, resolve)), agent(undefined)]
  return { guarded, chosen, close: async () => { await Promise.all([guarded.close(), chosen.close()]) } }
}

function connector (timeout: number, proxies: Proxies, guard: AddressGuard | undefined): buildConnector.connector {
  const dial = buildConnector({ timeout, ...(guard !== undefined && { lookup: guard.lookup }) } as buildConnector.BuildOptions)
  return (options, callback) => {
    const fail = (error: Error): void => { callback(error, null) }
    if (guard !== undefined && !guard.mayDialLiteral(options.hostname)) return fail(new AddressRefused('The address is not public'))
    const proxy = proxyFor(options, proxies)
    if (proxy === undefined) return dial(options, callback)
    checkName(options.hostname, guard).then(async () => await tunnel(proxy, options, timeout)).then(socket => {
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
    if (guard === undefined) return resolve()
    const timer = setTimeout(resolve, longestLookup)
    guard.lookup(hostname, { all: true }, error => {
      clearTimeout(timer)
      if (error instanceof AddressRefused) reject(error)
      else resolve()
    })
  })
}

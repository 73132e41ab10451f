/**
 * The operator's proxies: which requests go through one, and the tunnel. (The proxy agents of undici connect anew for ever when a
 * proxy closes the connection instead of answering, and send https through HTTP_PROXY.)
 */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'

/** As in the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. */
export interface Proxies {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  /** Host names (with the names below them), IP addresses, CIDRs, each with or without a port; or `*`. */
  readonly noProxy?: string
}

export interface Target {
  readonly protocol: string
  /** Without brackets. */
  readonly hostname: string
  /** Empty for the protocol's own. */
  readonly port: string
}

/** @returns the proxy for a target; undefined when it is dialled itself, as everything on this machine is */
export function proxyFor ({ protocol, hostname, port }: Target, { httpProxy, httpsProxy, noProxy = '' }: Proxies): URL | undefined {
  const proxy = protocol === 'https:' ? httpsProxy : httpProxy
  if (proxy === undefined || isLoopback(hostname)) return undefined
  const exceptions = noProxy.split(/[\s,]+/).filter(entry => entry !== '')
  return exceptions.some(entry => isException(entry, hostname, port || portOf(protocol))) ? undefined : new URL(proxy)
}

const portOf = (protocol: string): string => protocol === 'https:' ? '443' : '80'

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || (ipaddr.isValid(hostname) && ipaddr.process(hostname).range() === 'loopback')

function isException (entry: string, hostname: string, port: string): boolean {
  if (entry === '*') return true
  if (ipaddr.isValid(hostname)) {
    const address = ipaddr.process(hostname)
    if (ipaddr.isValidCIDR(entry)) {
      const [range, bits] = ipaddr.parseCIDR(entry)
      return range.kind() === address.kind() && address.match(range, bits)
    }
    if (ipaddr.isValid(entry)) return ipaddr.process(entry).toString() === address.toString()
  }
  const [, name = entry, entryPort] = /^(.+):(\d+)$/.exec(entry) ?? []
  const host = name.toLowerCase().replace(/^\*?\.|^\[|\]$/g, '')
  return (entryPort === undefined || entryPort === port) && (hostname === host || hostname.endsWith(`.${host}`))
}

/**
 * A connection to the target through a proxy (HTTP CONNECT).
 * @param timeout milliseconds
 * @param lookup of the proxy's name
 * @throws when the proxy cannot be reached, does not answer in time, or refuses
 */
export function tunnel (proxy: URL, { protocol, hostname, port }: Target, timeout: number, lookup: LookupFunction): Promise<Socket> {
  const target = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port || portOf(protocol)}`
  const host = proxy.hostname.replace(/^\[|\]$/g, '')
  const credentials = [proxy.username, proxy.password].map(decodeURIComponent).join(':')
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      host,
      lookup,
      // Otherwise the proxy would have to prove that it is the target, which the header names. An address has no such name.
      servername: isIP(host) === 0 ? host : '',
      port: proxy.port || portOf(proxy.protocol),
      method: 'CONNECT',
      path: target,
      agent: false,
      headers: { host: target, ...(credentials !== ':' && { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }) }
    })
    const timer = setTimeout(() => { request.destroy(new Error('The proxy does not answer')) }, timeout)
    request.once('connect', ({ statusCode }, socket) => {
      clearTimeout(timer)
      if (statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(new Error(`The proxy answers ${statusCode}`))
    })
    request.once('error', error => {
      clearTimeout(timer)
      reject(error)
    })
    request.end()
  })
}

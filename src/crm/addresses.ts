/** Which IP addresses may be dialled. The address that was checked is the one that is dialled, so no name can be rebound between. */
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Lookup } from './lookups.ts'

/** An address that is not on the public internet. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

export interface AddressGuard {
  /** For sockets: resolves a name, unless one of its addresses is refused. */
  readonly lookup: LookupFunction
  /** Sockets look no IP literal up, so literals are judged before. A name is none, so it passes. */
  readonly mayDialLiteral: (hostname: string) => boolean
}

/** @param allowed CIDRs that may be dialled although they are not public */
export const addressGuard = (allowed: readonly string[], look: Lookup): AddressGuard => guard(dialPolicy(allowed), look)

/** For what the operator chose, wherever it is. */
export const unguarded = (look: Lookup): AddressGuard => guard(() => true, look)

const guard = (mayDial: (address: string) => boolean, look: Lookup): AddressGuard => ({
  mayDialLiteral: hostname => isIP(hostname) === 0 || mayDial(hostname),
  lookup (hostname, options, callback) {
    look(hostname).then(addresses => {
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => mayDial(address))) callback(new AddressRefused('The name has an address that is not public'), [])
      else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    }, error => { callback(error, []) })
  }
})

const globalIpv6 = ipaddr.parseCIDR('2000::/3')

/** What NAT64 makes of IPv4 addresses (RFC 6052, 2.1). Prefixes of a network's own do not tell where in them the address is. */
const nat64 = ipaddr.parseCIDR('64:ff9b::/96')

/** An IPv4 address within IPv6 is judged as what it is. */
function parse (text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const address = ipaddr.process(text)
  return address.kind() === 'ipv6' && address.match(nat64) ? new ipaddr.IPv4(address.toByteArray().slice(-4)) : address
}

/** @returns whether an IP address is public, or in one of the CIDRs */
export function dialPolicy (allowed: readonly string[]): (address: string) => boolean {
  const ranges = allowed.map(range => ipaddr.parseCIDR(range))
  return text => {
    if (!ipaddr.isValid(text)) return false
    const address = parse(text)
    if (ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))) return true
    return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(globalIpv6))
  }
}

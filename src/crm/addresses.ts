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

/** @returns whether an IP address is public, or in one of the CIDRs */
export function dialPolicy (allowed: readonly string[]): (address: string) => boolean {
  const ranges = allowed.map(range => ipaddr.parseCIDR(range))
  return text => {
    if (!ipaddr.isValid(text)) return false
    // An IPv4 address within IPv6 is judged as what it is.
    const address = ipaddr.process(text)
    if (ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))) return true
    return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(globalIpv6))
  }
}

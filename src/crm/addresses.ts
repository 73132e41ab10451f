/** Which IP addresses may be dialled. The address that was checked is the one that is dialled, so no name can be rebound between. */
import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An address that is not on the public internet. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

/** Gives every address of a name, as `dns.lookup` does with `all`. */
export type Resolve = (hostname: string, options: LookupAllOptions, callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void

export interface AddressGuard {
  /** For sockets: resolves a name, unless one of its addresses is refused. */
  readonly lookup: LookupFunction
  /** Sockets look no IP literal up, so literals are judged before. A name is none, so it passes. */
  readonly mayDialLiteral: (hostname: string) => boolean
}

/** @param allowed CIDRs that may be dialled although they are not public */
export function addressGuard (allowed: readonly string[], resolve: Resolve = systemLookup): AddressGuard {
  const mayDial = dialPolicy(allowed)
  return {
    mayDialLiteral: hostname => isIP(hostname) === 0 || mayDial(hostname),
    lookup (hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        const [first] = addresses ?? []
        if (error !== null) callback(error, [])
        else if (first === undefined || !addresses.every(({ address }) => mayDial(address))) callback(new AddressRefused('The name has an address that is not public'), [])
        else if (options.all === true) callback(null, addresses)
        else callback(null, first.address, first.family)
      })
    }
  }
}

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

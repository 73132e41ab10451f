/** What a request to a CRM says besides its address and its body. */
import { ImpossibleRequest, type CrmRequest } from '../contract/crm.ts'
import { version } from '../version.ts'
import { acceptedEncodings } from './decoding.ts'
import type { Headers } from './headers.ts'

/** Says who asks. */
export const productHeaders = {
  'accept-encoding': acceptedEncodings,
  'user-agent': `patchbay/${version}`,
  'unified-crm-extension-version': version
} as const

/** What says who asks, where, and how the message is carried. */
const ours: ReadonlySet<string> = new Set([
  ...Object.keys(productHeaders),
  'authorization', 'connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'
])

/**
 * The headers that a connector adds to a request, by their names in lower case.
 * @throws {ImpossibleRequest} for one that is not the connector's, and what cannot be a header
 */
export function addedHeaders (headers: CrmRequest['headers'] = {}): Headers {
  return Object.fromEntries(Object.entries(headers).flatMap(([given, value]) => {
    const name = given.toLowerCase()
    if (value === undefined) return []
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new ImpossibleRequest('headers', 'one has a name that no header can have')
    if (ours.has(name) || name.startsWith('proxy-')) throw new ImpossibleRequest(`headers.${name}`, 'is not a connector\'s to set')
    if (!isHeaderValue(value)) throw new ImpossibleRequest(`headers.${name}`, 'must be text of visible ASCII characters')
    return [[name, value]]
  }))
}

export const isHeaderValue = (value: unknown): boolean => typeof value === 'string' && /^[\t\x20-\x7e]+$/.test(value)

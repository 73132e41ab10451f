/** What a request to a CRM says besides its address and its body. */
import type { Authorization } from '../contract/auth.ts'
import { CrmError, ImpossibleRequest, type CrmRequest } from '../contract/crm.ts'
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
const ours = [
  ...Object.keys(productHeaders),
  'connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'
]

/**
 * The headers that a connector adds to a request.
 * @throws {ImpossibleRequest} for one that is not the connector's, and for what cannot be a header
 */
export function addedHeaders (headers: CrmRequest['headers'] = {}): Headers {
  const added = named(headers, 'headers', [...ours, 'authorization'])
  const wrong = Object.keys(added).find(name => !isValue(added[name]))
  if (wrong !== undefined) throw new ImpossibleRequest(`headers.${wrong}`, 'must be text of visible ASCII characters')
  return added
}

/**
 * The headers that authorize a request. What a person pasted as a key may be impossible as a header; then it is no key.
 * @throws {CrmError} `auth-expired`
 * @throws {ImpossibleRequest} for one that is not the connector's
 */
export function authorizingHeaders (authorization: Authorization): Headers {
  const headers = typeof authorization === 'string' ? { authorization } : named(authorization, 'auth.authorization', ours)
  if (!Object.values(headers).every(isValue)) throw new CrmError('auth-expired')
  return headers
}

/** Headers by their names in lower case; those that are undefined are absent. */
function named (headers: Readonly<Record<string, string | undefined>>, member: string, refused: readonly string[]): Headers {
  return Object.fromEntries(Object.entries(headers).flatMap(([given, value]) => {
    const name = given.toLowerCase()
    if (value === undefined) return []
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new ImpossibleRequest(member, 'one has a name that no header can have')
    if (refused.includes(name) || name.startsWith('proxy-')) throw new ImpossibleRequest(`${member}.${name}`, "is not a connector's to set")
    return [[name, value]]
  }))
}

const isValue = (value: unknown): boolean => typeof value === 'string' && /^[\t\x20-\x7e]+$/.test(value)

/**
 * What came back from the consent page of a CRM. The extension puts the address to which the CRM redirected into the query without
 * encoding it: everything behind its first `&` arrives as members of the outer query.
 */
import { PatchbayError } from '../contract/errors.ts'

export interface OAuthCallback {
  readonly platform: string
  readonly code: string | undefined
  /** What the CRM answered in place of a code, such as `access_denied`. */
  readonly error: string | undefined
  /** What `/oauth-authorize` put into the state; undefined for a sign-in that was begun elsewhere. */
  readonly begun: string | undefined
  /** Host of the CRM; empty when it is not known. */
  readonly hostname: string
  /** The path to which the CRM redirected; undefined when it redirected to this server itself. */
  readonly redirectPath: string | undefined
  /** All the rest, for the connector. */
  readonly parameters: Readonly<Record<string, string>>
}

/** Words that clients send in place of nothing. */
const nothing = new Set(['', 'undefined', 'null', 'temp'])

export const knownHost = (hostname: string | undefined): string => hostname === undefined || nothing.has(hostname) ? '' : hostname

/** Members with a meaning of their own; account and extension are what anybody can write, so they reach nobody. */
const ours = new Set(['callbackUri', 'code', 'state', 'begun', 'error', 'hostname', 'rcAccountId', 'rcExtensionId', 'jwtToken'])

/** The extension appends members to an address that may have them already: of a member that is there twice, the first one counts. */
export function firstOfEach (query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]))
}

/**
 * @throws {PatchbayError} `missing-callback-uri`, `missing-platform`, `invalid-request`
 */
export function readCallback (query: Readonly<Record<string, unknown>>): OAuthCallback {
  const outer = new Map(Object.entries(query).filter((member): member is [string, string] => typeof member[1] === 'string'))
  const redirect = redirectOf(outer.get('callbackUri'))
  // Without encoding, a plus that the CRM had encoded has become a plain one by now.
  const inner = new Map(new URLSearchParams(redirect?.search.replaceAll('+', '%2B')))
  const either = (name: string): string | undefined => inner.get(name) ?? outer.get(name)

  const error = either('error') || undefined
  const code = either('code') || undefined
  if (redirect === undefined && code === undefined && error === undefined) throw new PatchbayError('missing-callback-uri')

  const rawState = either('state') ?? ''
  const state = readState(rawState)
  // Of a state that stands first in an address without encoding, all but its first member stands beside it.
  const inState = (name: string): string | undefined => state.get(name) ?? inner.get(name)
  const platform = state.get('platform') ?? platformIn(outer.get('callbackUri')) ?? platformIn(rawState) ?? ''
  if (platform === '') throw new PatchbayError('missing-platform')
  return {
    platform,
    code,
    error,
    begun: inState('begun'),
    hostname: knownHost(outer.get('hostname')) || knownHost(inState('hostname')),
    redirectPath: redirect?.pathname,
    parameters: Object.fromEntries([...outer, ...inner].filter(([name]) => !ours.has(name)))
  }
}

/** The name of the connector in the state with which a sign-in begins. */
export const platformOfState = (state: string): string => readState(state).get('platform') ?? platformIn(state) ?? ''

function redirectOf (callbackUri: string | undefined): URL | undefined {
  if (callbackUri === undefined || callbackUri === 'undefined') return undefined
  if (!URL.canParse(callbackUri)) throw new PatchbayError('invalid-request', { message: 'callbackUri is not an address.', field: 'callbackUri' })
  return new URL(callbackUri)
}

/** A state is a query string, which some CRMs give back encoded once more. */
function readState (text: string): URLSearchParams {
  try {
    return new URLSearchParams(decodeURIComponent(text))
  } catch {
    return new URLSearchParams(text) // A lone % is not an encoding.
  }
}

const platformIn = (text = ''): string | undefined => /platform=([a-zA-Z0-9]+)/.exec(text)?.[1]

/** Which client this server is at a CRM, and where that CRM's authorization server is: as the connector declares and the operator sets. */
import { variablePrefix, type ConnectorConfig } from '../config.ts'
import type { Credentials, OAuthAuth, OAuthClient, Place } from '../contract/auth.ts'
import type { ConnectorInfo } from '../contract/connector.ts'
import { PatchbayError } from '../contract/errors.ts'

/** The operator's settings of a connector, in a region. */
export type Settings = (platform: string, region?: string) => ConnectorConfig

/** What is chosen at sign-in and kept with the credentials, because a token can only be renewed where it was issued. */
export interface Issuer {
  readonly server?: string
  readonly region?: string
}

export interface Addresses {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly revokeUrl: string | undefined
}

/**
 * @param region empty for the main one
 * @throws {PatchbayError} `not-configured`, naming the variable
 */
export function clientOf ({ platform, title }: ConnectorInfo, settings: Settings, region: string, fallback?: OAuthClient): OAuthClient {
  const { clientId, clientSecret } = settings(platform, region)
  if (clientId !== undefined) return { id: clientId, ...(clientSecret !== undefined && { secret: clientSecret }) }
  if (fallback !== undefined) return fallback
  const variable = `${variablePrefix(platform)}${region === '' ? '' : `_${region.toUpperCase()}`}_CLIENT_ID`
  throw new PatchbayError('not-configured', { message: `${title} cannot be connected yet: the operator of this server has to set ${variable}.` })
}

/** Undefined when the place does not say where the CRM is. */
export function issuerAt ({ baseUrl }: ConnectorInfo, { server, region }: OAuthAuth, place: Place): Issuer | undefined {
  const chosen = typeof server === 'function'
    ? server(place)
    : server === undefined && typeof baseUrl === 'function' ? baseUrl({ hostname: place.hostname, info: {} }) : ''
  if (chosen === undefined || (chosen !== '' && !URL.canParse(chosen))) return undefined
  const found = region(place)
  return { ...(chosen !== '' && { server: chosen }), ...(found !== '' && { region: found }) }
}

/** The part of stored credentials that says where they were issued. */
export function issuerOf ({ server, region }: Credentials): Issuer {
  return { ...(typeof server === 'string' && { server }), ...(typeof region === 'string' && { region }) }
}

/** What the operator sets goes before what was chosen at sign-in, and that before what the connector declares. */
export function addressesOf (info: ConnectorInfo, auth: OAuthAuth, settings: Settings, { server, region = '' }: Issuer): Addresses {
  const { tokenUrl, url } = settings(info.platform, region)
  const ofApi = auth.server === undefined ? url : undefined
  const declared = typeof auth.server === 'string' ? auth.server : typeof info.baseUrl === 'string' ? info.baseUrl : undefined
  const base = tokenUrl ?? ofApi ?? server ?? declared
  const at = (address: string): string => new URL(address, base).href
  return {
    authorizeUrl: at(auth.authorizeUrl),
    tokenUrl: tokenUrl ?? at(auth.tokenUrl),
    revokeUrl: auth.revokeUrl === undefined ? undefined : at(auth.revokeUrl)
  }
}

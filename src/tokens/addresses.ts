/** Which client this server is at a CRM, and where that CRM's authorization server is: as the connector declares and the operator sets. */
import { variablePrefix, type ConnectorConfig } from '../config.ts'
import type { Credentials, OAuthAuth, OAuthClient, Place } from '../contract/auth.ts'
import type { ConnectorInfo } from '../contract/connector.ts'
import { CrmError } from '../contract/crm.ts'
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

/**
 * Asks the connector only for what is not known without it: many can say where a user has the CRM only when they have signed in.
 * @throws {CrmError} `prerequisite` when the place does not say where the CRM is
 */
export function issuerAt (info: ConnectorInfo, auth: OAuthAuth, settings: Settings, place: Place): Issuer {
  const region = auth.region(place)
  const { authorizeUrl, tokenUrl, revokeUrl = tokenUrl } = auth
  const isKnown = operatorsBase(info, auth, settings, region) !== undefined || [authorizeUrl, tokenUrl, revokeUrl].every(address => URL.canParse(address))
  const server = isKnown ? undefined : chosenServer(info, auth, place)
  return { ...(server !== undefined && { server }), ...(region !== '' && { region }) }
}

/** Undefined where it is the same for everybody. */
function chosenServer (info: ConnectorInfo, { server }: OAuthAuth, place: Place): string | undefined {
  const { baseUrl } = info
  const ofApi = server === undefined && typeof baseUrl === 'function' ? () => baseUrl({ hostname: place.hostname, info: {} }) : undefined
  const choose = typeof server === 'function' ? server : ofApi
  if (choose === undefined) return undefined
  const chosen = choose(place)
  if (chosen === undefined || !URL.canParse('/', chosen)) throw withoutAddress(info)
  return chosen
}

const withoutAddress = ({ title }: ConnectorInfo): CrmError =>
  new CrmError('prerequisite', { message: `${title} cannot be connected without its address. Open it in the browser and connect again.` })

/** The part of stored credentials that says where they were issued. */
export function issuerOf ({ server, region }: Credentials): Issuer {
  return { ...(typeof server === 'string' && { server }), ...(typeof region === 'string' && { region }) }
}

/**
 * What the operator sets goes before what was chosen at sign-in, and that before what the connector declares.
 * @throws {CrmError} `prerequisite` when nothing says where the CRM is
 */
export function addressesOf (info: ConnectorInfo, auth: OAuthAuth, settings: Settings, { server, region = '' }: Issuer): Addresses {
  const { tokenUrl } = settings(info.platform, region)
  const declared = typeof auth.server === 'string' ? auth.server : typeof info.baseUrl === 'string' ? info.baseUrl : undefined
  const base = operatorsBase(info, auth, settings, region) ?? server ?? declared
  const at = (address: string): string => {
    if (!URL.canParse(address, base)) throw withoutAddress(info)
    return new URL(address, base).href
  }
  return {
    authorizeUrl: at(auth.authorizeUrl),
    tokenUrl: tokenUrl ?? at(auth.tokenUrl),
    revokeUrl: auth.revokeUrl === undefined ? undefined : at(auth.revokeUrl)
  }
}

/** The address of the API is one of the authorization server only where the connector tells none of its own. */
function operatorsBase ({ platform }: ConnectorInfo, { server }: OAuthAuth, settings: Settings, region: string): string | undefined {
  const { tokenUrl, url } = settings(platform, region)
  return tokenUrl ?? (server === undefined ? url : undefined)
}

/**
 * Where an address leads that a connector with credentials of its own making asks for. Once the operator says where the CRM is, the
 * connector's hosts are there, too, so that no password leaves for another place: what is below `baseUrl` is below the operator's address
 * of the API, anything else keeps its path.
 * @param isOwn whether an address is on one of the connector's hosts. What is not stays as it is, for the door to refuse.
 * @returns undefined for what is no address
 */
export function ownAddress (
  { platform, baseUrl }: Pick<ConnectorInfo, 'platform' | 'baseUrl'>, settings: Settings, isOwn: (url: URL) => boolean, address: string
): URL | undefined {
  const { url, tokenUrl } = settings(platform)
  const api = typeof baseUrl === 'string' ? new URL(baseUrl).href.replace(/\/$/, '') : undefined
  const chosen = tokenUrl ?? url
  const base = address.startsWith('/') ? api ?? chosen : undefined
  if (!URL.canParse(address, base)) return undefined
  const asked = new URL(address, base)
  const isChosen = [url, tokenUrl].some(place => place !== undefined && new URL(place).origin === asked.origin)
  if (chosen === undefined || isChosen) return asked
  const { href, pathname, search } = asked
  const belowApi = api !== undefined && href.startsWith(api) && /^([/?]|$)/.test(href.slice(api.length)) ? href.slice(api.length) : undefined
  if (url !== undefined && belowApi !== undefined) return new URL(`${url}${belowApi}`)
  return isOwn(asked) ? new URL(`${new URL(chosen).origin}${pathname}${search}`) : asked
}

/** OAuth 2 with a CRM: a code becomes credentials, credentials are renewed and taken back. */
import { calculatePKCECodeChallenge, type TokenEndpointResponse } from 'oauth4webapi'
import type { Credentials, OAuthAuth, OAuthClient, Place } from '../contract/auth.ts'
import type { ConnectorInfo } from '../contract/connector.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError } from '../contract/errors.ts'
import type { Clock } from '../db/database.ts'
import { addressesOf, clientOf, issuerAt, issuerOf, type Issuer, type Settings } from './addresses.ts'
import { TokensRefused, isOurFault, requestTokens, revokeToken, type Fetch, type TokenEndpoint } from './endpoint.ts'

export interface OAuthParts {
  readonly info: ConnectorInfo
  readonly auth: OAuthAuth
  readonly settings: Settings
  readonly clock: Clock
  /** To the token endpoints of a region. */
  readonly fetch: (region: string | undefined) => Fetch
}

export interface Code {
  readonly code: string
  readonly redirectUri: string
  /** PKCE, where the sign-in began with it. */
  readonly verifier?: string | undefined
  readonly place: Place
}

/** Credentials, and what else was in the answer. */
export interface Issued {
  readonly credentials: Credentials
  readonly answer: Readonly<Record<string, unknown>>
}

/**
 * @throws {PatchbayError} `not-configured` when the CRM does not accept the client, `login-refused` when it does not accept the code
 * @throws {CrmError} `unavailable`, `prerequisite`
 */
export async function exchangeCode (parts: OAuthParts, { code, redirectUri, verifier, place }: Code): Promise<Issued> {
  const issuer = issuerAt(parts.info, parts.auth, parts.settings, place)
  const parameters = { code, redirect_uri: redirectUri, ...(verifier !== undefined && { code_verifier: verifier }) }
  try {
    const tokens = await requestTokens(endpointOf(parts, issuer), 'authorization_code', parameters)
    const { access_token: _, refresh_token: __, ...answer } = tokens
    return { credentials: credentialsOf(tokens, parts, issuer), answer }
  } catch (error) {
    if (!(error instanceof TokensRefused)) throw error
    const { title } = parts.info
    const message = `${title} does not accept the client id and secret of this server.`
    if (isOurFault(error.reason)) throw new PatchbayError('not-configured', { message, cause: error })
    throw new PatchbayError('login-refused', { message: `${title} did not accept the sign-in. Connect again.`, cause: error })
  }
}

/**
 * @throws {CrmError} `auth-expired` when the refresh token is dead for good; `unavailable` for everything that may be different later
 */
export async function renewTokens (parts: OAuthParts, credentials: Credentials & { refreshToken: string }): Promise<Credentials> {
  const issuer = issuerOf(credentials)
  try {
    const tokens = await requestTokens(endpointOf(parts, issuer), 'refresh_token', { refresh_token: credentials.refreshToken })
    // What an answer leaves out stays as it was.
    const { expiresAt, ...kept } = credentials
    return { ...kept, ...credentialsOf(tokens, parts, issuer) }
  } catch (error) {
    if (!(error instanceof TokensRefused)) throw error
    if (error.reason === 'invalid_grant') throw new CrmError('auth-expired', { cause: error })
    throw new CrmError('unavailable', {
      outcome: 'not-received',
      cause: error,
      ...(isOurFault(error.reason) && { message: `${parts.info.title} does not accept the client id and secret of this server: its operator has to act.` })
    })
  }
}

/**
 * Takes the tokens back where the CRM can: the refresh token first, because it could make new ones.
 * @throws {CrmError} for the first one that the CRM did not take back; the other one has been tried, too
 */
export async function revokeTokens (parts: OAuthParts, { accessToken, refreshToken, ...rest }: Credentials): Promise<void> {
  const endpoint = endpointOf(parts, issuerOf({ accessToken, ...rest }))
  const { revokeUrl } = endpoint
  if (revokeUrl === undefined) return
  const problems: unknown[] = []
  for (const [token, kind] of [[refreshToken, 'refresh_token'], [accessToken, 'access_token']] as const) {
    if (token !== undefined) await revokeToken({ ...endpoint, revokeUrl }, token, kind).catch(problem => { problems.push(problem) })
  }
  if (problems.length > 0) throw problems[0]
}

/**
 * The address of the consent page.
 * @throws {PatchbayError} `not-configured`
 * @throws {CrmError} `prerequisite`
 */
export async function consentPage (
  { info, auth, settings }: Pick<OAuthParts, 'info' | 'auth' | 'settings'>,
  { place, redirectUri, state, verifier }: { place: Place, redirectUri: string, state: string, verifier: string | undefined }
): Promise<string> {
  const issuer = issuerAt(info, auth, settings, place)
  const page = new URL(addressesOf(info, auth, settings, issuer).authorizeUrl)
  const parameters = {
    response_type: 'code',
    client_id: clientFor(info, auth, settings, issuer).id,
    redirect_uri: redirectUri,
    ...(auth.scope !== undefined && { scope: auth.scope }),
    ...auth.authorizeParameters,
    ...(verifier !== undefined && { code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }),
    state
  }
  for (const [name, value] of Object.entries(parameters)) page.searchParams.set(name, value)
  return page.href
}

/** @throws {PatchbayError} `not-configured` */
const clientFor = (info: ConnectorInfo, auth: OAuthAuth, settings: Settings, { region = '' }: Issuer): OAuthClient =>
  clientOf(info, settings, region, auth.client)

function endpointOf ({ info, auth, settings, fetch }: OAuthParts, issuer: Issuer): TokenEndpoint {
  const { tokenUrl, revokeUrl } = addressesOf(info, auth, settings, issuer)
  return { auth, client: clientFor(info, auth, settings, issuer), tokenUrl, revokeUrl, fetch: fetch(issuer.region) }
}

function credentialsOf (tokens: TokenEndpointResponse, { auth, clock }: OAuthParts, issuer: Issuer): Credentials {
  const issuedAt = clock()
  const baseUrl = auth.baseUrl(tokens)
  return {
    kind: 'oauth',
    accessToken: tokens.access_token,
    ...(tokens.refresh_token !== undefined && { refreshToken: tokens.refresh_token }),
    issuedAt,
    ...(tokens.expires_in !== undefined && { expiresAt: issuedAt + tokens.expires_in * 1000 }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...issuer
  }
}

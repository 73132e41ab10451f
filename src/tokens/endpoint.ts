/** Requests to a CRM's token endpoint (RFC 6749) and revocation endpoint (RFC 7009), with the ways in which CRMs differ. */
import {
  ClientSecretPost, None, OperationProcessingError, ResponseBodyError, allowInsecureRequests, customFetch, genericTokenEndpointRequest,
  processGenericTokenEndpointResponse, revocationRequest, type AuthorizationServer, type Client, type ClientAuth, type TokenEndpointResponse
} from 'oauth4webapi'
import type { OAuthAuth, OAuthClient } from '../contract/auth.ts'
import { CrmError } from '../contract/crm.ts'
import { version } from '../version.ts'
import { tokenAnswer } from './token-answer.ts'

/** The door to the CRMs in the form of fetch, which tells a delay that the CRM asks for in seconds. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

export interface TokenEndpoint {
  readonly auth: OAuthAuth
  readonly client: OAuthClient
  readonly tokenUrl: string
  readonly revokeUrl: string | undefined
  readonly fetch: Fetch
}

/** The token endpoint said no. */
export class TokensRefused extends Error {
  override readonly name = 'TokensRefused'
  /** `invalid_grant`, `invalid_client` ... (RFC 6749, 5.2), or the status of a no in other words. */
  readonly reason: string
  constructor (reason: string) {
    super(`The token endpoint answered ${reason}`)
    this.reason = reason
  }
}

/** The CRM does not know this server: nothing that a person who connects could do about it. */
export const isOurFault = (reason: unknown): boolean => reason === 'invalid_client' || reason === 'unauthorized_client'

export const requestHeaders = { 'user-agent': `patchbay/${version}`, 'unified-crm-extension-version': version }

/**
 * @param parameters of the grant
 * @throws {TokensRefused}
 * @throws {CrmError} `unavailable` when there is no answer that can be understood, or a refusal for this moment only; `prerequisite` for a
 *   host that is not the connector's. Nothing was sent to the CRM's API, so the outcome of what the tokens are for is always known.
 */
export async function requestTokens (
  endpoint: TokenEndpoint, grant: 'authorization_code' | 'refresh_token', parameters: Readonly<Record<string, string>>
): Promise<TokenEndpointResponse> {
  const { auth, tokenUrl } = endpoint
  let answered: Response | undefined
  const send = asFetch(endpoint, async (url, init) => {
    answered = await endpoint.fetch(url, init)
    const { status, body } = tokenAnswer(await answered.text(), answered.status, auth.normalise)
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
  const [server, client] = [authorizationServer(endpoint), oauthClient(endpoint)]
  try {
    const all = { ...auth.tokenParameters, ...parameters }
    const response = await genericTokenEndpointRequest(server, client, clientAuthentication(endpoint), grant, all, {
      [customFetch]: send,
      [allowInsecureRequests]: new URL(tokenUrl).protocol === 'http:',
      headers: requestHeaders
    })
    return await processGenericTokenEndpointResponse(server, client, response)
  } catch (error) {
    const retryAfter = answered && delayIn(answered)
    const { status = 0 } = answered ?? {}
    const isForNow = retryAfter !== undefined || isMomentary(status)
    if (!(error instanceof ResponseBodyError)) {
      // A CRM that refuses a code in words of its own refuses it all the same, and nothing but another sign-in helps.
      const isNo = error instanceof OperationProcessingError && grant === 'authorization_code' && status >= 400 && !isForNow
      throw isNo ? new TokensRefused(String(status)) : withoutAnswer(error, retryAfter)
    }
    const refused = new TokensRefused(error.error)
    // What these say stays so, whatever status they come with.
    throw isForNow && refused.reason !== 'invalid_grant' && !isOurFault(refused.reason) ? withoutAnswer(refused, retryAfter) : refused
  }
}

/** Whether a status says nothing about what was asked, only about this moment. */
export const isMomentary = (status: number): boolean => status === 408 || status === 429 || status >= 500

/** Seconds that an answer of the door asks to wait. */
export function delayIn ({ headers }: Response): number | undefined {
  const wait = headers.get('retry-after')
  return wait === null ? undefined : Number(wait)
}

/**
 * Why there are no tokens, where nobody said no to them. An address that the door refuses is told as such: nothing but another
 * address helps.
 * @param retryAfter seconds that the endpoint asked for; those of the door when absent
 */
export function withoutAnswer (error: unknown, retryAfter?: number): CrmError {
  if (error instanceof CrmError && error.code === 'prerequisite') return error
  const wait = retryAfter ?? (error instanceof CrmError ? error.retryAfter : undefined)
  return new CrmError('unavailable', { outcome: 'not-received', cause: error, ...(wait !== undefined && { retryAfter: wait }) })
}

/**
 * Takes a token back.
 * @throws {CrmError} when the CRM did not confirm it
 */
export async function revokeToken (
  endpoint: TokenEndpoint & { readonly revokeUrl: string }, token: string, kind: 'refresh_token' | 'access_token'
): Promise<void> {
  const response = await revocationRequest(authorizationServer(endpoint), oauthClient(endpoint), clientAuthentication(endpoint), token, {
    [customFetch]: asFetch(endpoint, endpoint.fetch),
    [allowInsecureRequests]: new URL(endpoint.revokeUrl).protocol === 'http:',
    additionalParameters: { token_type_hint: kind },
    headers: requestHeaders
  })
  await response.body?.cancel()
  if (!response.ok) throw new CrmError('unavailable', { message: `The CRM answered ${response.status} when a token was taken back.` })
}

const authorizationServer = ({ tokenUrl, revokeUrl }: TokenEndpoint): AuthorizationServer =>
  ({ issuer: tokenUrl, token_endpoint: tokenUrl, ...(revokeUrl !== undefined && { revocation_endpoint: revokeUrl }) })

const oauthClient = ({ client }: TokenEndpoint): Client => ({ client_id: client.id })

function clientAuthentication ({ auth, client }: TokenEndpoint): ClientAuth {
  const { id, secret } = client
  if (secret === undefined) return None()
  if (auth.clientAuthentication !== 'header') return ClientSecretPost(secret)
  // RFC 6749, 2.3.1 wants id and secret encoded as in forms. CRMs take them as they are, and none of theirs holds a colon.
  return (_server, _client, _body, headers) => headers.set('authorization', `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`)
}

type CustomFetch = (url: string, init: { body: URLSearchParams, headers: Record<string, string>, method: string }) => Promise<Response>

/** Moves the parameters into the address, where the CRM wants them there. */
function asFetch ({ auth }: TokenEndpoint, fetch: Fetch): CustomFetch {
  return async (url, { body, headers, method }) => {
    if (auth.clientAuthentication !== 'query') return await fetch(url, { method, headers, body })
    const { 'content-type': _, ...rest } = headers
    const address = new URL(url)
    for (const [name, value] of body) address.searchParams.set(name, value)
    return await fetch(address, { method, headers: rest })
  }
}

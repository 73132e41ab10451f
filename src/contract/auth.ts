/**
 * How a connection to a CRM is made and kept. A connector declares one kind, or several: the first one is what the extension shows,
 * the others are for clients that know them. The platform keeps the credentials, encrypted, and renews them.
 */
import type { ConnectorInfo } from './connector.ts'
import { CrmError, type Query } from './crm.ts'
import { Code, OneOf, Type, type Static, type TSchema } from './type.ts'

/** What authorizes requests of one user to the CRM. */
export interface Credentials {
  /** With an API key, the key. */
  accessToken: string
  refreshToken?: string
  /** Epoch milliseconds. Absent when the CRM does not say: then they are renewed when it refuses them. */
  expiresAt?: number
  /** Epoch milliseconds. */
  issuedAt?: number
  /** Where the API of this user is, when the CRM said so with the tokens. Goes before the connector's `baseUrl`. */
  baseUrl?: string
  /** The kind that they were made by; the connector's first one when absent. */
  kind?: Auth['type']
  [more: string]: unknown
}

/** Where somebody signs in, as far as the client says. Anybody can write this: the connector's list of hosts bounds what it leads to. */
export interface Place {
  /** Host of the CRM; empty when there is none. */
  readonly hostname: string
  /** What came back with the redirect besides the code, and what the client added: `location`, `company`, `tokenUrl` ... */
  readonly callback: Readonly<Record<string, string>>
}

/** What authorizes a request: the value of the Authorization header, or all headers that do it, such as `{ api_key: key }`. */
export type Authorization = string | Readonly<Record<string, string>>

/** An API key or a login form. `authorization` makes the header out of the stored key. */
export interface ApiKeyAuth {
  readonly type: 'apiKey'
  readonly authorization: (apiKey: string) => Authorization
}

/** What the client is called at the CRM. */
export interface OAuthClient {
  readonly id: string
  /** Absent for a public client. */
  readonly secret?: string
}

/** OAuth 2, authorization code flow. */
export interface OAuthAuth {
  readonly type: 'oauth'
  /**
   * The authorization server, against which the three addresses below are resolved; the connector's `baseUrl` when absent. A function
   * chooses it at sign-in, where each region has its own; the choice is kept with the credentials. Neither is asked where all three
   * are absolute, or the operator says where the server is.
   */
  readonly server?: string | ((place: Place) => string | undefined)
  readonly authorizeUrl: string
  readonly tokenUrl: string
  /** Takes tokens back at sign-out (RFC 7009). */
  readonly revokeUrl?: string
  readonly scope?: string
  /** Further parameters of the authorize page, such as `access_type`. */
  readonly authorizeParameters: Readonly<Record<string, string>>
  /** Further parameters of both token requests. */
  readonly tokenParameters: Readonly<Record<string, string>>
  /** How the client proves itself at the token endpoint. With `query` all other parameters go there, too. */
  readonly clientAuthentication: 'header' | 'body' | 'query'
  readonly pkce: boolean
  /** The region whose client is used (`<PLATFORM>_<REGION>_CLIENT_ID`), where the CRM has one per region; empty for the main one. */
  readonly region: (place: Place) => string
  /** The client to use where the operator sets none. */
  readonly client?: OAuthClient
  /**
   * Makes the answer of a token endpoint that bends RFC 6749 one that does not. What most of them do is known already: a missing
   * or unusual `token_type`, `expires_in` as text, tokens one level deeper, errors with status 200 or as a form.
   * @param answer the parsed JSON or form; undefined when it is neither
   */
  readonly normalise: (answer: unknown, status: number) => unknown
  /** The address of the API out of a token answer, where the CRM says it there. */
  readonly baseUrl: (answer: Readonly<Record<string, unknown>>) => string | undefined
  readonly authorization: (accessToken: string) => Authorization
}

/**
 * Stores at once what a renewal knows so far, in place of the same members of the credentials: when it fails after that, the next one
 * begins with them. The access token and what belongs to it (`issuedAt`, `expiresAt`, `baseUrl`, `kind`) stay the old ones until the
 * renewal is done. A member that is undefined says nothing, such as the refresh token where the CRM has given no new one.
 */
export type Keep = (known: { readonly [Member in keyof Credentials]?: Credentials[Member] | undefined }) => Promise<void>

/** A connector that makes and renews credentials by itself: sessions on top of OAuth, client credentials, exchanged passwords. */
export interface OwnTokensAuth {
  readonly type: 'own'
  /** What the extension shows: the CRM's OAuth window, or the login form of the manifest. */
  readonly form: 'oauth' | 'apiKey'
  /** @throws {CrmError} `auth-expired` when the CRM does not accept what was submitted */
  readonly login: (door: TokenDoor, login: OwnLogin) => Promise<Credentials>
  /**
   * @param keep for a renewal of several requests, where the CRM takes a refresh token once: what it gave for it is kept before the next one
   * @throws {CrmError} `auth-expired` when they cannot be renewed: the person has to connect again
   */
  readonly renew: (door: TokenDoor, credentials: Credentials, keep: Keep) => Promise<Credentials>
  /** Tells the CRM that they are not used any more. */
  readonly revoke?: (door: TokenDoor, credentials: Credentials) => Promise<void>
  readonly authorization: (credentials: Credentials) => Authorization
}

export type Auth = ApiKeyAuth | OAuthAuth | OwnTokensAuth

const Text = Type.String()
const Parameters = Type.Record(Text, Text)

/** The members of each kind, for the check at the start. */
export const authMembers: { readonly [Kind in Auth as Kind['type']]: Record<Exclude<keyof Kind, 'type'>, TSchema> } = {
  apiKey: { authorization: Code },
  oauth: {
    server: Type.Optional(Type.Union([Text, Code])),
    authorizeUrl: Text,
    tokenUrl: Text,
    revokeUrl: Type.Optional(Text),
    scope: Type.Optional(Text),
    authorizeParameters: Parameters,
    tokenParameters: Parameters,
    clientAuthentication: OneOf(['header', 'body', 'query']),
    pkce: Type.Boolean(),
    region: Code,
    client: Type.Optional(Type.Object({ id: Text, secret: Type.Optional(Text) })),
    normalise: Code,
    baseUrl: Code,
    authorization: Code
  },
  own: { form: OneOf(['oauth', 'apiKey']), login: Code, renew: Code, revoke: Type.Optional(Code), authorization: Code }
}

/** What was submitted to a connector that makes its own credentials. */
export interface OwnLogin extends Place {
  /** With `form: 'oauth'`. */
  readonly code?: string
  readonly redirectUri?: string
  /** With `form: 'apiKey'`. */
  readonly apiKey?: string
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * The way to token endpoints. It leads to the connector's hosts only, which are where the operator says, once he says where the CRM is; and
 * what is sent and answered is not logged.
 */
export interface TokenDoor {
  /**
   * The operator's client.
   * @throws {PatchbayError} `not-configured`
   */
  readonly client: () => OAuthClient
  /** Epoch milliseconds. */
  readonly now: number
  /** @throws {CrmError} `auth-expired` for 401 or `invalid_grant`, `permission` for another refusal, `unavailable`, `bad-response` */
  readonly send: <Answer extends TSchema>(request: TokenRequest<Answer>) => Promise<Static<Answer>>
}

export interface TokenRequest<Answer extends TSchema> {
  readonly method: 'GET' | 'POST'
  /** An address, or a path on the host of `baseUrl`; both are where the operator says that the CRM is. */
  readonly url: string
  readonly query?: Query
  /** Sent as a form. */
  readonly form?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly answer: Answer
}

/** @param auth without one, the key is the user name of HTTP Basic and the password is empty */
export const apiKey = (auth: Partial<Omit<ApiKeyAuth, 'type'>> = {}): ApiKeyAuth => ({
  type: 'apiKey',
  authorization: key => `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
  ...auth
})

/** The client id and secret are the operator's: `<PLATFORM>_CLIENT_ID` and `<PLATFORM>_CLIENT_SECRET`. */
export const oauth = (auth: Pick<OAuthAuth, 'authorizeUrl' | 'tokenUrl'> & Partial<Omit<OAuthAuth, 'type'>>): OAuthAuth => ({
  type: 'oauth',
  authorizeParameters: {},
  tokenParameters: {},
  clientAuthentication: 'header',
  pkce: false,
  region: () => '',
  normalise: answer => answer,
  baseUrl: () => undefined,
  authorization: accessToken => `Bearer ${accessToken}`,
  ...auth
})

export const ownTokens = (auth: Pick<OwnTokensAuth, 'form' | 'login' | 'renew'> & Partial<Omit<OwnTokensAuth, 'type'>>): OwnTokensAuth => ({
  type: 'own',
  authorization: ({ accessToken }) => `Bearer ${accessToken}`,
  ...auth
})

export const authKinds = ({ auth }: Pick<ConnectorInfo, 'auth'>): readonly Auth[] => 'type' in auth ? [auth] : auth

/** How the extension signs in with a kind. */
export const formOf = (auth: Auth): 'oauth' | 'apiKey' => auth.type === 'own' ? auth.form : auth.type

/**
 * The kind that made these credentials.
 * @throws {CrmError} `auth-expired` when the connector does not offer it any more
 */
export function authOf (info: Pick<ConnectorInfo, 'auth'>, { kind }: Credentials): Auth {
  const found = authKinds(info).find(({ type }) => kind === undefined || type === kind)
  if (found === undefined) throw new CrmError('auth-expired')
  return found
}

export function authorizationOf (auth: Auth, credentials: Credentials): Authorization {
  return auth.type === 'own' ? auth.authorization(credentials) : auth.authorization(credentials.accessToken)
}

/** Credentials that a connector made itself, as the platform keeps them. */
export const ownCredentials = (credentials: Credentials, now: number): Credentials => ({ ...credentials, kind: 'own', issuedAt: now })

/** Connecting to a CRM: what a person submits, or brings back from the consent page, becomes credentials. */
import { generateRandomCodeVerifier } from 'oauth4webapi'
import {
  authKinds, formOf, ownCredentials, type Auth, type Credentials, type OAuthAuth, type OwnLogin, type OwnTokensAuth
} from '../contract/auth.ts'
import type { Connector } from '../contract/connector.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError } from '../contract/errors.ts'
import { extensionRedirectUri, type PlatformManifest } from '../contract/manifest.ts'
import type { Cipher } from '../db/cipher.ts'
import type { Clock } from '../db/database.ts'
import { addressesOf, issuerAt, type Settings } from './addresses.ts'
import { beginState, readBegun, type Begun } from './begun.ts'
import type { OAuthCallback } from './callback.ts'
import { consentPage, exchangeCode } from './oauth.ts'
import type { Reach } from './reach.ts'
import { unlessAborted } from './source.ts'

export interface LoginForm {
  readonly apiKey: string
  readonly hostname: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Credentials that were just made, and what the CRM said with them. */
export interface Connected {
  readonly credentials: Credentials
  readonly tokenAnswer: Readonly<Record<string, unknown>>
  /** As the sign-in began with it, where it began here; as the client says otherwise. */
  readonly hostname: string
}

export interface Connecting {
  /**
   * The address of the consent page, with all that the connector declares.
   * @param redirectUri the extension's or this server's; this server's when absent
   * @throws {PatchbayError} `not-configured`, `login-refused`
   * @throws {CrmError} `prerequisite`
   */
  begin: (connector: Connector, hostname: string, redirectUri?: string) => Promise<string>
  /**
   * @throws {PatchbayError} `login-refused`, `not-configured`
   * @throws {CrmError} when the CRM cannot be asked, or is not at the address given
   */
  fromCallback: (connector: Connector, callback: OAuthCallback, signal: AbortSignal) => Promise<Connected>
  /**
   * @throws {PatchbayError} `login-refused`
   * @throws {CrmError} when the CRM does not accept what was submitted, or cannot be asked
   */
  fromForm: (connector: Connector, form: LoginForm, signal: AbortSignal) => Promise<Connected>
  /** The manifest with what the configuration says: about OAuth, and where the CRM is. */
  manifestOf: (connector: Connector & { readonly manifest: PlatformManifest }) => PlatformManifest
}

export interface ConnectingParts {
  readonly settings: Settings
  readonly reach: Reach
  readonly cipher: Cipher
  readonly clock: Clock
  /** How the outside reaches this server. */
  readonly serverUrl: () => string
}

export function connecting ({ settings, reach, cipher, clock, serverUrl }: ConnectingParts): Connecting {
  /** The addresses to which a CRM may redirect: the extension's, and this server's. */
  const redirectUris = ({ info }: Connector): { extension: string, server: string } =>
    ({ extension: settings(info.platform).redirectUri ?? extensionRedirectUri, server: `${serverUrl()}/oauth-callback` })

  /** What is known of how a sign-in began. One that began elsewhere says nothing that is believed: it can only end at an address of ours. */
  function beginningOf (connector: Connector, { begun, platform, hostname, redirectPath }: OAuthCallback): Begun {
    if (begun !== undefined) return readBegun(platform, begun, cipher, clock)
    const { extension, server } = redirectUris(connector)
    const redirectUri = redirectPath === undefined ? server : [extension, server].find(uri => new URL(uri).pathname === redirectPath)
    if (redirectUri !== undefined) return { hostname, redirectUri }
    throw new PatchbayError('login-refused', { message: 'The sign-in did not end at an address of this server or of the extension.' })
  }

  async function ownLogin (auth: OwnTokensAuth, connector: Connector, login: OwnLogin, signal: AbortSignal): Promise<Credentials> {
    try {
      return ownCredentials(await unlessAborted(auth.login(reach.door(connector, { signal }), login), signal), clock())
    } catch (error) {
      if (error instanceof CrmError && error.code === 'auth-expired') throw new PatchbayError('login-refused', { cause: error })
      throw error
    }
  }

  /** The extension adds client id, redirect URI and state by itself. For more than that it has to come through us. */
  function authUrlOf ({ info }: Connector, auth: OAuthAuth): string {
    const { pkce, scope, authorizeParameters } = auth
    const throughUs = `${serverUrl()}/oauth-authorize`
    if (pkce || scope !== undefined || Object.keys(authorizeParameters).length > 0) return throughUs
    try {
      return addressesOf(info, auth, settings, issuerAt(info, auth, settings, { hostname: '', callback: {} })).authorizeUrl
    } catch {
      return throughUs // Where nobody signs in yet, a connector may not know its address. What fails then, too, is told there.
    }
  }

  return {
    async begin (connector, hostname, redirectUri) {
      const { info } = connector
      const auth = kindOf(connector, 'oauth')
      const { extension, server } = redirectUris(connector)
      const target = redirectUri ?? server
      if (auth.type !== 'oauth' || ![extension, server].includes(target)) {
        throw new PatchbayError('login-refused', { message: `A sign-in to ${info.title} cannot begin like this.` })
      }
      const verifier = auth.pkce ? generateRandomCodeVerifier() : undefined
      const state = beginState(info.platform, { hostname, redirectUri: target, ...(verifier !== undefined && { verifier }) }, cipher, clock)
      return await consentPage({ info, auth, settings }, { place: { hostname, callback: {} }, redirectUri: target, state, verifier })
    },

    async fromCallback (connector, callback, signal) {
      const auth = kindOf(connector, 'oauth')
      const { hostname, redirectUri, verifier } = beginningOf(connector, callback)
      const { code, error = '', parameters } = callback
      if (code === undefined || error !== '') {
        const reason = /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : ''
        throw new PatchbayError('login-refused', { message: `${connector.info.title} did not give access${reason}. Connect again and allow it.` })
      }
      const place = { hostname, callback: parameters }
      // The extension begins a sign-in without the host, and names it at the end.
      const knownOf = (begunAt: string): string => begunAt || callback.hostname
      if (auth.type === 'own') {
        const credentials = await ownLogin(auth, connector, { ...place, code, redirectUri, fields: {} }, signal)
        return { credentials, tokenAnswer: {}, hostname: knownOf(hostname) }
      }
      const { credentials, answer } = await exchangeCode(reach.oauth(connector, auth, { signal }), { code, redirectUri, verifier, place })
      return { credentials, tokenAnswer: answer, hostname: knownOf(hostname) }
    },

    async fromForm (connector, { apiKey, hostname, fields }, signal) {
      const auth = kindOf(connector, 'apiKey')
      const credentials = auth.type === 'own'
        ? await ownLogin(auth, connector, { apiKey, hostname, fields, callback: {} }, signal)
        : { kind: auth.type, accessToken: apiKey }
      return { credentials, tokenAnswer: {}, hostname }
    },

    manifestOf (connector) {
      const { info } = connector
      const { url, ...configured } = settings(info.platform)
      const manifest = url === undefined || typeof info.baseUrl !== 'string' ? connector.manifest : withPagesAt(url, info.baseUrl, connector.manifest)
      const auth = authKinds(info).find(kind => formOf(kind) === 'oauth')
      if (auth === undefined) return manifest
      const { clientId = auth.type === 'oauth' ? auth.client?.id : undefined, redirectUri } = configured
      return {
        ...manifest,
        auth: {
          ...manifest.auth,
          oauth: {
            ...(auth.type === 'oauth' && { authUrl: authUrlOf(connector, auth) }),
            ...manifest.auth.oauth,
            ...(clientId !== undefined && { clientId }),
            ...(redirectUri !== undefined && { redirectUri })
          }
        }
      }
    }
  }
}

/** Pages of a CRM that the operator has elsewhere are there, too, where they are below the same address as its API. */
function withPagesAt (url: string, baseUrl: string, manifest: PlatformManifest): PlatformManifest {
  const moved = Object.entries(manifest).flatMap(([name, value]) =>
    typeof value === 'string' && value.startsWith(`${baseUrl}/`) ? [[name, `${url}${value.slice(baseUrl.length)}`]] : [])
  return Object.assign({}, manifest, Object.fromEntries(moved))
}

type Form = { readonly oauth: OAuthAuth | OwnTokensAuth, readonly apiKey: Exclude<Auth, OAuthAuth> }

/** @throws {PatchbayError} `login-refused` when the connector offers no such way */
function kindOf<Name extends keyof Form> ({ info }: Connector, form: Name): Form[Name] {
  const found = authKinds(info).find((kind): kind is Form[Name] => formOf(kind) === form)
  if (found !== undefined) return found
  throw new PatchbayError('login-refused', { message: `${info.title} signs in ${form === 'oauth' ? 'with a key, not by OAuth' : 'by OAuth, not with a key'}.` })
}

/** Which addresses a connector may ask for, judged by their text. What names resolve to is judged when dialling (addresses.ts). */
import type { CrmScope } from './scope.ts'

/**
 * The parsed address, when it may be asked.
 *
 * @param operatorOrigins the origins that the operator chose; nothing else is allowed to a scope that he configured
 * @returns undefined for a foreign host, plain http, another port than 443, credentials in the address, or a host that is written
 *   in a way that parsers disagree about
 */
export function permittedUrl (address: string | URL, { info, configuredByOperator }: Pick<CrmScope, 'info' | 'configuredByOperator'>, operatorOrigins: readonly string[]): URL | undefined {
  const text = String(address)
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!isWrittenPlainly(text, url)) return undefined
  const permitted = configuredByOperator
    ? operatorOrigins.includes(url.origin)
    : url.protocol === 'https:' && url.port === '' && info.hosts.some(host => covers(host, url.hostname))
  return permitted ? url : undefined
}

/** The same for the address to which paths are added. An operator's is its own permission. */
export function permittedBase (baseUrl: string, scope: Pick<CrmScope, 'info' | 'configuredByOperator'>): URL | undefined {
  if (!URL.canParse(baseUrl) || /[?#]/.test(baseUrl)) return undefined
  return permittedUrl(baseUrl, scope, [new URL(baseUrl).origin])
}

/** Whether a host is covered by an entry of a connector's list: itself, or with `*.` one label more. */
export function covers (entry: string, hostname: string): boolean {
  if (!entry.startsWith('*.')) return hostname === entry
  const suffix = entry.slice(1)
  return hostname.endsWith(suffix) && /^[a-z0-9-]{1,63}$/.test(hostname.slice(0, -suffix.length))
}

/**
 * The parser repairs what it is given (backslashes, tabs, numbers, letters of other scripts) and skips credentials. Whoever needs
 * that is not naming a CRM.
 */
function isWrittenPlainly (text: string, { host, hostname, protocol }: URL): boolean {
  const [, authority = ''] = /^https?:\/\/([^/?#]*)/i.exec(text) ?? []
  const defaultPort = protocol === 'https:' ? '443' : '80'
  return authority.toLowerCase() === host || authority.toLowerCase() === `${hostname}:${defaultPort}`
}

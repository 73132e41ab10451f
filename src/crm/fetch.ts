/** The door in the form of fetch, for what is no JSON API: token endpoints, forms, media. Redirects are answers, not followed. */
import { nothingSpent, type Door } from './door.ts'
import type { Answered } from './exchange.ts'
import { hostRefused } from './failure.ts'
import { permittedUrl } from './hosts.ts'
import { productHeaders } from './request-headers.ts'
import { accountName, type CrmScope } from './scope.ts'

/**
 * Answers every status as a Response, whose body is received and decompressed, and whose `retry-after` is in whole seconds.
 * @throws {CrmError} when there is no answer
 */
export type CrmFetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/** @param operatorOrigins the origins that the operator chose for this connector */
export function crmFetch (scope: CrmScope, operatorOrigins: readonly string[], send: Door['send']): CrmFetch {
  return async (address, init) => {
    const url = permittedUrl(address, scope, operatorOrigins)
    if (url === undefined) throw hostRefused(address, scope.info)
    const request = new Request(url, init)
    const signal = init?.signal == null ? scope.signal : AbortSignal.any([scope.signal, init.signal])
    const { answered, verdict } = await send({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      headers: { ...productHeaders, ...Object.fromEntries(request.headers) },
      body: request.body === null ? null : new Uint8Array(await request.arrayBuffer())
    }, { ...scope, signal }, accountName(scope, url, undefined), nothingSpent())
    return response(answered, verdict?.retryAfter)
  }
}

const neverWithBody = new Set([204, 205, 304])

/** @param retryAfter seconds */
function response ({ status, headers, body = Buffer.of() }: Answered, retryAfter: number | undefined): Response {
  // The body is whole and decompressed, so what described it on the wire no longer holds; and a delay is told as it is believed.
  const { 'content-encoding': _, 'content-length': __, 'transfer-encoding': ___, 'retry-after': ____, ...kept } = headers
  return new Response(neverWithBody.has(status) ? null : new Uint8Array(body), {
    status,
    headers: { ...kept, ...(retryAfter !== undefined && { 'retry-after': String(Math.ceil(retryAfter)) }) }
  })
}

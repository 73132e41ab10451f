/** What the end of an exchange means: one pure function decides, and the error tells the person. */
import { isUtf8 } from 'node:buffer'
import type { ConnectorInfo } from '../contract/connector.ts'
import { CrmError, type CrmErrorDetails, type CrmErrorKind, type Outcome } from '../contract/crm.ts'
import { errorKind } from '../contract/errors.ts'
import type { Answered, Broken, Exchange, Why } from './exchange.ts'
import { retryAfter, type Headers } from './headers.ts'

export interface Verdict {
  readonly kind: CrmErrorKind
  readonly outcome: Outcome
  /** Whether it may be over in a moment, so that another attempt makes sense. */
  readonly transient: boolean
  /** Seconds until the CRM wants to be asked again. */
  readonly retryAfter?: number
}

const kindOfBreak: Readonly<Record<Why, CrmErrorKind>> = {
  'host-refused': 'prerequisite',
  'address-refused': 'prerequisite',
  resting: 'unavailable',
  'over-budget': 'rate-limited',
  aborted: 'unavailable',
  'timed-out': 'unavailable',
  failed: 'unavailable',
  'too-large': 'bad-response',
  unreadable: 'bad-response'
}

const kindOfStatus: Readonly<Record<number, CrmErrorKind>> = {
  400: 'invalid',
  401: 'auth-expired',
  402: 'prerequisite',
  403: 'permission',
  404: 'not-found',
  408: 'unavailable',
  409: 'conflict',
  410: 'not-found',
  412: 'conflict',
  413: 'invalid',
  422: 'invalid',
  423: 'conflict',
  429: 'rate-limited'
}

/** Seconds to leave a CRM alone that has shut us out and does not say for how long. */
const shutOut = 60

/**
 * A refusal (4xx) changed nothing in the CRM. What was never sent, and what the CRM put off (429, 503), was not received. Everything
 * else may have been carried out.
 *
 * @param now epoch milliseconds
 * @returns undefined for a success
 */
export function judge (exchange: Exchange, now: number): Verdict | undefined {
  if ('why' in exchange) return judgeBreak(exchange)
  const { status, headers } = exchange
  if (status < 300) return undefined
  const delay = retryAfter(headers, now)
  // A page in place of JSON comes from what guards the CRM: it shuts out who went on asking after a 429.
  if (status === 403 && isPage(headers)) return { kind: 'rate-limited', outcome: 'not-received', transient: false, retryAfter: delay ?? shutOut }
  return {
    kind: kindOfStatus[status] ?? (status >= 500 ? 'unavailable' : 'bad-response'),
    outcome: status === 429 || status === 503 ? 'not-received' : status >= 400 && status < 500 ? 'refused' : 'unknown',
    transient: [429, 502, 503, 504].includes(status),
    ...(delay !== undefined && { retryAfter: delay })
  }
}

/** Whether the CRM limits, and does not say for how long. */
export const isUntimedLimit = (verdict: Verdict | undefined): boolean => verdict?.kind === 'rate-limited' && verdict.retryAfter === undefined

/** Whether the CRM takes requests, or says from when on. Of a page that shuts us out nobody knows what comes after it. */
export const tellsWhen = (verdict: Verdict | undefined): boolean =>
  verdict?.kind !== 'rate-limited' || (verdict.transient && verdict.retryAfter !== undefined)

export const judgeBreak = ({ why, sent, retryAfter }: Broken): Verdict => ({
  kind: kindOfBreak[why],
  outcome: sent ? 'unknown' : 'not-received',
  transient: why === 'failed' || why === 'timed-out',
  ...(retryAfter !== undefined && { retryAfter })
})

const isPage = (headers: Headers): boolean => /^text\/html\b/i.test(headers['content-type'] ?? '')

/**
 * The parsed body; null when it is empty, undefined when it is not JSON.
 * @param lenient whether a character that cannot be read is replaced, not the end of it: in what is only shown, never written back
 */
export function parse ({ headers, body }: Pick<Answered, 'headers' | 'body'>, lenient = false): unknown {
  if (body === undefined || body.length === 0) return null
  try {
    return JSON.parse(textOf(body, headers, lenient))
  } catch {
    return undefined // Whoever needs the answer judges what it means that it is not JSON.
  }
}

/** @throws {Error} when the charset is not known, or the bytes are not in it */
function textOf (body: Buffer, headers: Headers, lenient: boolean): string {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*["']?([^\s"',;]+)/i.exec(headers['content-type'] ?? '') ?? []
  try {
    const decoder = decoderFor(charset, body)
    if (decoder.encoding === 'utf-8') return decoder.decode(body)
    // In two steps: in one, Node.js 20 takes windows-1252 for Latin-1, which has neither the euro nor quotation marks.
    return decoder.decode(body, { stream: true }) + decoder.decode()
  } catch (error) {
    if (lenient) return new TextDecoder().decode(body)
    throw error
  }
}

/** What servers call Latin or ASCII, or by a name of their own, is often UTF-8. Latin text is that by no chance, as others may be. */
function decoderFor (charset: string, body: Buffer) {
  const named = decoderOf(charset)
  if ((named === undefined || named.encoding === 'windows-1252') && isUtf8(body)) return new TextDecoder('utf-8', { fatal: true })
  if (named === undefined) throw new RangeError('The charset is not known')
  return named
}

function decoderOf (charset: string) {
  try {
    return new TextDecoder(charset, { fatal: true })
  } catch {
    return undefined // Its caller says so.
  }
}

/**
 * An address that was not asked because of its text. People type addresses, and may paste a key into the wrong field, so only what ends
 * like the name of a public host is kept of it.
 */
export class HostRefused extends Error {
  override readonly name = 'HostRefused'
  readonly host: string | undefined

  constructor (address: string | URL) {
    const { host } = URL.canParse(String(address)) ? new URL(address) : { host: '' }
    const named = /^([a-z\d-]{1,63}\.)+([a-z]{2,13}|xn--[a-z\d-]+)(:\d+)?$/.test(host) ? host : undefined
    super(`${named ?? 'The address'} is not one of \`hosts\`, or not asked by plain https`)
    this.host = named
  }
}

/** The error for an address that must not be asked. */
export const hostRefused = (address: string | URL, info: Pick<ConnectorInfo, 'title'>): CrmError =>
  noAnswer({ why: 'host-refused', sent: false, cause: new HostRefused(address) }, info)

/** The error for an exchange without an answer. */
export function noAnswer (broken: Broken, info: Pick<ConnectorInfo, 'title'>, { kind, outcome, retryAfter }: Verdict = judgeBreak(broken)): CrmError {
  const elsewhere = `${info.title} is not at the address that was given. Check the host name and connect again.`
  return new CrmError(kind, { ...facts(outcome, retryAfter), cause: broken.cause, ...(kind === 'prerequisite' && { message: elsewhere }) })
}

/** Where the CRM's own words say more than ours. */
const toldReasons: ReadonlySet<CrmErrorKind> = new Set(['invalid', 'conflict', 'permission', 'prerequisite'])

/** The error for an answer that is no success: what the CRM says, where that helps the person, and what they can do. */
export function refusal (answered: Answered, info: Pick<ConnectorInfo, 'title' | 'readError'>, { kind, outcome, retryAfter }: Verdict): CrmError {
  const { message: reason, field } = reasonOf(answered, info)
  const what = field === undefined ? '' : ` the field ${field}`
  return new CrmError(kind, {
    ...facts(outcome, retryAfter),
    status: answered.status,
    ...(field !== undefined && { field }),
    ...(reason !== undefined && { reason }),
    ...(reason !== undefined && toldReasons.has(kind) && { message: `${info.title} refused${what}: ${reason}. ${errorKind(kind).action}` })
  })
}

const facts = (outcome: Outcome, retryAfter: number | undefined): CrmErrorDetails =>
  ({ outcome, ...(retryAfter !== undefined && { retryAfter: Math.ceil(retryAfter) }) })

function reasonOf (answered: Answered, { readError }: Pick<ConnectorInfo, 'readError'>): { message?: string, field?: string } {
  try {
    const { message = '', field = '' } = readError?.(parse(answered, true)) ?? {}
    const told = { message: oneLine(message), field: oneLine(field) }
    return { ...(told.message !== '' && { message: told.message }), ...(told.field !== '' && { field: told.field }) }
  } catch {
    return {} // A body that the connector stumbles over explains nothing; that the CRM refused is known all the same.
  }
}

/** A CRM's own words, fit to be shown: one line without control characters, at most 300 characters, without the full stop. */
function oneLine (words: string): string {
  const line = [...words.slice(0, 2000).replace(/[\p{C}\p{Z}]+/gu, ' ').replace(/[ .]+$/, '').trim()]
  return line.length > 300 ? `${line.slice(0, 299).join('')}…` : line.join('')
}

/**
 * The door to the CRMs: every request to one passes here and nothing else opens a connection. It binds a client to one user's base
 * URL and authorization, keeps the limits, checks answers against the schema that the connector declares, and turns every failure
 * into a CrmError that says whether the CRM may have done something.
 */
import fp from 'fastify-plugin'
import { Agent, errors, type Dispatcher } from 'undici'
import { CrmError, type CrmClient, type CrmErrorKind, type CrmRequest, type Outcome, type Path } from '../contract/crm.ts'
import type { ConnectorInfo } from '../contract/connector.ts'
import { TypeCompiler, type Static, type TSchema, type TypeCheck } from '../contract/type.ts'
import { version } from '../version.ts'

const connectTimeout = 3_000
const requestTimeout = 10_000
const maxAnswerBytes = 10 * 1024 * 1024
const maxReasonLength = 300

/** Where requests of one connector may go. */
export interface CrmScope {
  readonly info: Pick<ConnectorInfo, 'platform' | 'title' | 'hosts' | 'readError'>
  /** The operator chose the address, so the connector's list of hosts does not bind it. */
  readonly configuredByOperator: boolean
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal
}

/** What the client of one user needs to know. */
export interface CrmAccount extends CrmScope {
  readonly baseUrl: string
  /** The value of the Authorization header. */
  readonly authorization: () => Promise<string>
  /** After a 401: another authorization, with which the request is made once more; undefined when there is none. */
  readonly renew?: (refused: string) => Promise<string | undefined>
}

declare module 'fastify' {
  interface FastifyInstance {
    crm: (account: CrmAccount) => CrmClient
  }
}

export default fp(async fastify => {
  const agent = new Agent({ connect: { timeout: connectTimeout }, keepAliveTimeout: 30_000, maxResponseSize: maxAnswerBytes })
  fastify.addHook('onClose', async () => await agent.close())
  fastify.decorate('crm', account => crmClient(account, agent))
}, { name: 'crm' })

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** @param dispatcher undici's connection pools */
export function crmClient (account: CrmAccount, dispatcher: Dispatcher): CrmClient {
  const base = new URL(account.baseUrl)
  if (!account.configuredByOperator) assertHost(base, account.info)

  const request = (method: Method) => async <Answer extends TSchema>(path: Path, { query, body, answer }: CrmRequest<Answer>): Promise<Static<Answer>> => {
    const search = Object.entries(query ?? {}).filter(([, value]) => value !== undefined).map(([name, value]): [string, string] => [name, String(value)])
    const target = `${base.pathname.replace(/\/$/, '')}${path}${search.length === 0 ? '' : `?${new URLSearchParams(search).toString()}`}`
    const authorization = await account.authorization()
    let exchanged = await exchange(target, method, body, authorization)
    const renewed = exchanged.status === 401 ? await account.renew?.(authorization) : undefined
    if (renewed !== undefined) exchanged = await exchange(target, method, body, renewed)
    if (exchanged.status >= 300) throw refusal(exchanged, account.info)
    return checked(answer, exchanged)
  }

  const exchange = async (path: string, method: Method, body: unknown, authorization: string): Promise<Exchange> => {
    try {
      const response = await dispatcher.request({
        origin: base.origin,
        path,
        method,
        headers: {
          authorization,
          accept: 'application/json',
          'user-agent': `patchbay/${version}`,
          'unified-crm-extension-version': version,
          ...(body !== undefined && { 'content-type': 'application/json' })
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.any([account.signal, AbortSignal.timeout(requestTimeout)])
      })
      return { status: response.statusCode, retryAfter: retryAfter(response.headers['retry-after']), json: parse(await response.body.text()) }
    } catch (error) {
      throw networkFailure(error)
    }
  }

  return { get: request('GET'), post: request('POST'), put: request('PUT'), patch: request('PATCH'), delete: request('DELETE') }
}

interface Exchange {
  readonly status: number
  /** Seconds. */
  readonly retryAfter: number | undefined
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown
}

function assertHost (url: URL, { title, hosts }: CrmAccount['info']): void {
  const allowed = hosts.some(host => host.startsWith('*.')
    ? url.hostname.endsWith(host.slice(1)) && /^[a-z0-9-]+$/.test(url.hostname.slice(0, -host.slice(1).length))
    : url.hostname === host)
  if (!allowed || url.protocol !== 'https:' || url.port !== '') {
    throw new CrmError('prerequisite', { message: `${title} is not at the address that was given. Check the host name and connect again.` })
  }
}

function parse (text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Not JSON: judged by whoever needs the answer, as a bad response.
  }
}

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>()

function checked<Answer extends TSchema> (schema: Answer, { json }: Exchange): Static<Answer> {
  let check = compiled.get(schema)
  if (check === undefined) {
    check = TypeCompiler.Compile(schema)
    compiled.set(schema, check)
  }
  if (check.Check(json)) return json as Static<Answer>
  const problem = check.Errors(json).First()
  // The CRM said yes, so it did something; only what it did cannot be read.
  throw new CrmError('bad-response', {
    outcome: 'unknown',
    message: `The CRM answered something that cannot be understood${problem === undefined ? '' : ` (${problem.path === '' ? 'the answer' : problem.path}: ${problem.message})`}.`
  })
}

const kinds: Readonly<Record<number, CrmErrorKind>> = {
  400: 'invalid',
  401: 'auth-expired',
  403: 'permission',
  404: 'not-found',
  409: 'conflict',
  410: 'not-found',
  413: 'invalid',
  422: 'invalid',
  429: 'rate-limited'
}

/** What a status means. Only a failure of the CRM itself, other than "unavailable", leaves open what it did. */
export function judgeStatus (status: number): { kind: CrmErrorKind, outcome: Outcome } {
  const outcome = status === 429 || status === 503 ? 'not-received' : status >= 500 ? 'unknown' : 'refused'
  return { kind: kinds[status] ?? (status >= 500 ? 'unavailable' : 'bad-response'), outcome }
}

function refusal ({ status, json, retryAfter }: Exchange, info: CrmAccount['info']): CrmError {
  const { kind, outcome } = judgeStatus(status)
  const { message: reason, field } = info.readError?.(json) ?? {}
  return new CrmError(kind, {
    outcome,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(field !== undefined && { field }),
    ...((kind === 'invalid' || kind === 'conflict' || kind === 'permission') && reason !== undefined && {
      message: `${info.title} refused${field === undefined ? '' : ` the field ${field}`}: ${bounded(reason)}`
    })
  })
}

/** A CRM's own words, fit to be shown: one line, not too long. */
function bounded (reason: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  const line = reason.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim()
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength)}...` : line
}

const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

/** What a broken exchange means: only a connection that never stood surely brought nothing to the CRM. */
export function networkFailure (error: unknown): CrmError {
  if (error instanceof errors.ResponseExceededMaxSizeError) return new CrmError('bad-response', { outcome: 'unknown', message: 'The CRM answered more than can be read.', cause: error })
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new CrmError('unavailable', { outcome: neverSent.has(code) ? 'not-received' : 'unknown', cause: error })
}

/** Seconds out of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3). */
export function retryAfter (header: string | string[] | undefined, now = Date.now()): number | undefined {
  const value = Array.isArray(header) ? header[0] : header
  if (value === undefined) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000))
}

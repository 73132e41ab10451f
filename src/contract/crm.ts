/** What a connector sees of its CRM: an HTTP client bound to one user, and the one kind of error that comes out of it. */
import { PatchbayError, type ErrorDetails } from './errors.ts'
import type { Static, TSchema } from './type.ts'

declare const escaped: unique symbol
/** A request path whose values are escaped; made by the tag {@link path}, so that none can be put together by hand. */
export type Path = string & { readonly [escaped]: true }

/**
 * path`/api/contacts/${id}`: each value becomes one escaped path segment.
 * @throws {TypeError} for a value that is empty, `.` or `..`, which would address another resource
 */
export function path (parts: TemplateStringsArray, ...values: ReadonlyArray<string | number>): Path {
  const segments = values.map(value => {
    const segment = encodeURIComponent(value)
    if (segment === '' || segment === '.' || segment === '..') throw new TypeError(`Not a path segment: "${segment}"`)
    return segment
  })
  return String.raw({ raw: parts }, ...segments) as Path
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface CrmRequest<Answer extends TSchema = TSchema, Located extends boolean = boolean> {
  readonly query?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  /**
   * Further headers, and `accept` and `content-type` where the CRM has names of its own for JSON. Who asks, where and how it is sent
   * is the platform's business: `authorization`, `host`, `cookie`, `content-length` and their kin are refused.
   */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** What the CRM's answer must look like; an empty one is `null`. An answer is untrusted input, so there is no reading one without a schema. */
  readonly answer: Answer
  /** Whether to give the `location` of the answer, too: some CRMs tell the id of a new record only there. An answer without it is not what was declared. */
  readonly location?: Located
  /** A request that changes nothing in the CRM although it is no `get`, such as a search by `post`. */
  readonly reads?: boolean
}

/** The checked JSON; with `location: true`, as `body` beside the header, which is as the CRM wrote it. */
export type CrmAnswer<Answer extends TSchema, Located extends boolean> = Located extends true ? { readonly body: Static<Answer>, readonly location: string } : Static<Answer>

export type CrmMethod = <Answer extends TSchema, Located extends boolean = false>(path: Path, request: CrmRequest<Answer, Located>) => Promise<CrmAnswer<Answer, Located>>

/**
 * Every method resolves with the checked answer and rejects with a {@link CrmError}. Base URL, authorization, timeouts,
 * limits and the list of allowed hosts are the platform's business.
 */
export type CrmClient = { readonly [Method in 'get' | 'post' | 'put' | 'patch' | 'delete']: CrmMethod }

/** A connector asked for what the client does not send. It is the connector's mistake, so the log tells it; values are no part of it. */
export class ImpossibleRequest extends TypeError {
  constructor (member: string, reason: string) {
    super(`${member}: ${reason}`)
  }
}

export type CrmErrorKind =
  'auth-expired' | 'permission' | 'not-found' | 'invalid' | 'conflict' | 'rate-limited' | 'unavailable' | 'bad-response' | 'connector-failed' | 'prerequisite'

/**
 * What is known about a request that failed. Only `unknown` may have been carried out, so only it has to be looked for before
 * anything is sent again.
 */
export type Outcome = 'refused' | 'not-received' | 'unknown'

export interface CrmErrorDetails extends ErrorDetails {
  outcome?: Outcome
  status?: number
  reason?: string
}

/**
 * The CRM did not do what it was asked. Connectors throw it too, where the CRM says "no" with a success status: after a request that
 * writes, the platform cannot tell that from a record, so they give `outcome: 'refused'` when nothing was written.
 */
export class CrmError extends PatchbayError {
  override readonly name = 'CrmError'
  declare readonly code: CrmErrorKind
  readonly outcome: Outcome
  /** Whether the outcome was given, not assumed. */
  readonly saysOutcome: boolean
  /** The HTTP status of a refusal: for connectors to decide by, like {@link reason}. Neither is logged. */
  readonly status: number | undefined
  /** The CRM's own words for a refusal, as `readError` finds them; one line of at most 300 characters. `message` has them where they help the person. */
  readonly reason: string | undefined

  constructor (kind: CrmErrorKind, details: CrmErrorDetails = {}) {
    super(kind, details)
    this.outcome = details.outcome ?? 'refused'
    this.saysOutcome = details.outcome !== undefined
    this.status = details.status
    this.reason = details.reason
  }
}

/** The client of one user for JSON APIs: what a connector sees of the door. */
import type { Authorization } from '../contract/auth.ts'
import { CrmError, ImpossibleRequest, type CrmAnswer, type CrmClient, type CrmRequest, type Path, type Query } from '../contract/crm.ts'
import { errorKind } from '../contract/errors.ts'
import { TypeCompiler, firstProblem, type Static, type TSchema, type TypeCheck } from '../contract/type.ts'
import { nothingSpent, type Door, type Ended } from './door.ts'
import type { Answered } from './exchange.ts'
import { hostRefused, judgeBreak, parse, refusal } from './failure.ts'
import { permittedBase } from './hosts.ts'
import { addedHeaders, authorizingHeaders, productHeaders } from './request-headers.ts'
import { accountName, type CrmAccount, type CrmScope } from './scope.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export function crmClient (account: CrmAccount, send: Door['send']): CrmClient {
  const { info } = account

  const request = (method: Method) => async <Answer extends TSchema, Located extends boolean>(
    path: Path, { query, body, headers, answer, location }: CrmRequest<Answer, Located>
  ): Promise<CrmAnswer<Answer, Located>> => {
    if (!/^\/[\x21\x22\x24-\x7e]*$/.test(path)) {
      throw new ImpossibleRequest('path', 'must begin with a slash and be of visible ASCII characters without #, unless they are values')
    }
    // Before anything is sent: what fails after that may have been done.
    const check = compiledOf(answer)
    const added = addedHeaders(headers)
    const spent = nothingSpent()
    const once = async (authorization: Authorization): Promise<Ended> => {
      const address = await account.baseUrl()
      const base = permittedBase(address, account)
      if (base === undefined) throw hostRefused(address, info)
      const authorizing = authorizingHeaders(authorization)
      return await send({
        origin: base.origin,
        path: `${base.pathname.replace(/\/$/, '')}${path}${search(query)}`,
        method,
        headers: { ...productHeaders, accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }), ...added, ...authorizing },
        body: body === undefined ? null : JSON.stringify(body)
      }, account, accountName(account, base, authorization), spent)
    }

    const authorization = await account.authorization()
    let ended = await once(authorization)
    if (ended.verdict?.kind === 'auth-expired') {
      const renewed = await account.renew?.(authorization)
      if (renewed !== undefined) {
        ended = await once(renewed)
        if (ended.verdict?.kind !== 'auth-expired') account.accepted?.()
      }
    }
    if (ended.verdict !== undefined) throw refusal(ended.answered, info, ended.verdict)
    const given = checked(check, ended.answered, info)
    return (location === true ? { body: given, location: locationOf(ended.answered, info) } : given) as CrmAnswer<Answer, Located>
  }

  return { get: request('GET'), post: request('POST'), put: request('PUT'), patch: request('PATCH'), delete: request('DELETE') }
}

function search (query: Query | undefined): string {
  if (query === undefined) return ''
  const members = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) members.append(name, String(value))
  return members.size === 0 ? '' : `?${members.toString()}`
}

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>()

/** @throws an error for what is no schema */
function compiledOf<Answer extends TSchema> (schema: Answer): TypeCheck<Answer> {
  const check = compiled.get(schema) ?? TypeCompiler.Compile(schema)
  compiled.set(schema, check)
  return check as TypeCheck<Answer>
}

function checked<Answer extends TSchema> (check: TypeCheck<Answer>, answered: Answered, info: CrmScope['info']): Static<Answer> {
  const json = parse(answered)
  const problem = problemOf(check, json)
  if (problem === undefined) return json as Static<Answer>
  throw notUnderstood(info, problem)
}

function locationOf ({ headers: { location } }: Answered, info: CrmScope['info']): string {
  if (location !== undefined) return location
  throw notUnderstood(info, { path: 'location', message: 'Expected required header' })
}

/** The CRM said yes, so what it did stands; only what it answered is not known. */
function notUnderstood ({ title }: CrmScope['info'], { path, message }: Problem): CrmError {
  const { kind, outcome } = judgeBreak({ why: 'unreadable', sent: true })
  return new CrmError(kind, {
    outcome,
    message: `${title} answered something that cannot be understood (${path || 'the answer'}: ${message}). ${errorKind(kind).action}`
  })
}

interface Problem { path: string, message: string }

function problemOf (check: TypeCheck<TSchema>, json: unknown): Problem | undefined {
  try {
    return check.Check(json) ? undefined : firstProblem(check.Errors(json))
  } catch {
    return { path: '', message: 'nested too deeply' } // Endless recursion is all that a check can throw.
  }
}

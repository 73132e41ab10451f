/** The door through which a connector that makes its own credentials reaches its token endpoints. */
import type { OAuthClient, TokenDoor, TokenRequest } from '../contract/auth.ts'
import { CrmError, type CrmErrorKind, type Query } from '../contract/crm.ts'
import { TypeCompiler, type Static, type TSchema } from '../contract/type.ts'
import { delayIn, isMomentary, isOurFault, requestHeaders, withoutAnswer, type Fetch } from './endpoint.ts'

export interface TokenDoorParts {
  readonly fetch: Fetch
  /** Where an address leads that the connector names; undefined for what is none. */
  readonly addressOf: (url: string) => URL | undefined
  readonly client: () => OAuthClient
  readonly now: number
}

export function tokenDoor ({ fetch, addressOf, client, now }: TokenDoorParts): TokenDoor {
  return {
    client,
    now,
    async send<Answer extends TSchema> ({ method, url, query = {}, form, body, headers, answer }: TokenRequest<Answer>): Promise<Static<Answer>> {
      const address = addressOf(url)
      if (address === undefined) throw new CrmError('prerequisite', { message: 'The address that was given is none. Connect again.' })
      for (const [name, value] of given(query)) address.searchParams.set(name, value)
      const { status, text, retryAfter } = await exchange(fetch, address, {
        method,
        headers: {
          ...requestHeaders,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers
        },
        ...(form !== undefined && { body: new URLSearchParams(given(form)) }),
        ...(body !== undefined && { body: JSON.stringify(body) })
      })
      if (status < 200 || status > 299) throw new CrmError(refusal(status, text), { outcome: 'not-received', status, ...(retryAfter !== undefined && { retryAfter }) })
      const json: unknown = parse(text)
      if (TypeCompiler.Compile(answer).Check(json)) return json
      throw new CrmError('bad-response', { outcome: 'not-received' })
    }
  }
}

interface Exchanged {
  readonly status: number
  readonly text: string
  readonly retryAfter: number | undefined
}

async function exchange (fetch: Fetch, url: URL, init: RequestInit): Promise<Exchanged> {
  try {
    const response = await fetch(url, init)
    return { status: response.status, text: await response.text(), retryAfter: delayIn(response) }
  } catch (error) {
    throw withoutAnswer(error)
  }
}

function refusal (status: number, text: string): CrmErrorKind {
  if (isMomentary(status)) return 'unavailable'
  if (status < 400) return 'bad-response'
  const answer = parse(text)
  const reason = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined
  // A mistake of the operator ends nobody's connection (RFC 6749, 5.2 answers it with 401).
  if (isOurFault(reason)) return 'permission'
  return status === 401 || reason === 'invalid_grant' ? 'auth-expired' : 'permission'
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Judged by whoever needs the answer, as a bad response.
  }
}

const given = (query: Query): Array<[string, string]> =>
  Object.entries(query).flatMap(([name, value]): Array<[string, string]> => value === undefined ? [] : [[name, String(value)]])

/** What a route of the contract is: the extension's address, the operation's name and the shapes. Mounted by src/routes. */
import type { TSchema } from './type.ts'

export interface RouteContract {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  /** Bytes a body may have, where the extension needs more than the server's default. */
  readonly bodyLimit?: number
  /** Members that the extension reads in every answer of the route, also in one of failure. */
  readonly config?: { readonly always: Readonly<Record<string, unknown>> }
  readonly schema: {
    readonly operationId: string
    readonly tags: readonly string[]
    readonly summary: string
    readonly description?: string
    readonly security?: ReadonlyArray<Readonly<Record<string, readonly string[]>>>
    readonly querystring?: TSchema
    readonly body?: TSchema
    readonly response: Readonly<Record<number, unknown>>
  }
}

/** Routes of a signed-in user: the token as bearer, or in the query as the extension sends it. */
export const signedIn = [{ bearer: [] }, { query: [] }] as const
export const anybody = [] as const

/** What the extension sends as a query flag: the word, not a boolean. */
export const isYes = (flag: string | undefined): boolean => flag === 'true'

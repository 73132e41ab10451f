/** Lists that a CRM keeps for everybody in it (activity types, categories, outcomes ...): fetched when needed, remembered for a while. */
import { envelope, sessionFailures } from './answer.ts'
import type { Context } from './operations.ts'
import { type RouteContract, signedIn } from './route.ts'
import { Type, ref, type Static, type TSchema } from './type.ts'

/** An option of a field: what is sent back, and what people see. */
export const FieldOption = Type.Object({
  const: Type.Union([Type.String(), Type.Number()]),
  title: Type.String(),
  description: Type.Optional(Type.String())
})
export type FieldOption = Static<typeof FieldOption>

export interface AccountDataProvider<Schema extends TSchema = TSchema> {
  /** By which clients ask for it: letters and digits. */
  readonly key: string
  /** What is remembered. Whatever does not match, such as what an older version wrote, is fetched anew. */
  readonly schema: Schema
  /** How long it is good, in milliseconds. */
  readonly ttl: number
  readonly fetch: (context: Pick<Context, 'crm' | 'user' | 'signal'>) => Promise<Static<Schema>>
}

/** A provider whose type follows from its schema. */
export const accountData = <Schema extends TSchema>(provider: AccountDataProvider<Schema>): AccountDataProvider<Schema> => provider

export const AccountDataAnswer = Type.Object({
  ...envelope,
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'By key, as the connector of the CRM gives it.' }))
}, { $id: 'AccountDataAnswer' })
export type AccountDataAnswer = Static<typeof AccountDataAnswer>

export const accountDataRoute = {
  method: 'GET',
  url: '/accountData',
  schema: {
    operationId: 'getAccountData',
    tags: ['account data'],
    summary: 'Lists that the CRM keeps for everybody in it, such as its types of activities',
    security: signedIn,
    querystring: Type.Object({
      keys: Type.Optional(Type.String({ description: 'Names of the lists, joined by commas. Required.' })),
      forceRefresh: Type.Optional(Type.String({ description: 'The word `true` to ask the CRM although the lists are remembered.' }))
    }),
    response: { 200: ref(AccountDataAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract

/**
 * The ground that a fake CRM stands on: a strict server (nothing is coerced) that misbehaves on demand (faults.ts). A connector's
 * `fake.ts` builds on it and exports `startFakeCrm`, by which tests and the demo find it.
 */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyReply, type RawReplyDefaultExpression, type RawRequestDefaultExpression,
  type RawServerDefault
} from 'fastify'
import faults, { faultComponents } from './faults.ts'
import { Refusal } from './refusal.ts'

/** A record as a person sees it in the CRM, in words that all CRMs share. Left out is what the CRM has no field for. */
export interface FakeRecord {
  readonly id: string
  readonly kind: 'call' | 'message'
  readonly subject: string
  readonly body: string
  readonly contactId: string
  /** ISO 8601 in UTC. */
  readonly startTime: string
  readonly durationSeconds?: number | null
  readonly direction?: 'inbound' | 'outbound' | null
  /** How the call ended, as RingCentral names it: `Accepted`, `Missed` ... */
  readonly outcome?: string | null
  readonly ownerId?: string
  readonly dealId?: string | null
}

/** What requests have cost so far, in the units in which the CRM counts. */
export interface Spent {
  readonly requests: number
  readonly units: number
  readonly unit: string
}

/** In every fake, John Smith has the number +1 650-444-5566: the demo calls him. Where calls can hang on deals, he has an open one. */
export type FakeCrm = FakeOAuthCrm | FakeKeyCrm

/** One in which people sign in on a consent page. */
export interface FakeOAuthCrm extends FakeCrmOfAnyKind {
  /** What Patchbay has to be told: the variables of the connector, `<PLATFORM>_URL` and so on. */
  readonly config: Readonly<Record<'url' | 'clientId' | 'clientSecret' | 'redirectUri' | 'tokenUrl', string>>
  /** Goes to the consent page and says yes. Gives the address to which the CRM sends the browser back, with the code in it. */
  readonly consent: (state: string) => Promise<string>
}

/** One in which people sign in with a key or a login form. */
export interface FakeKeyCrm extends FakeCrmOfAnyKind {
  readonly config: { readonly url: string }
  /** What is filled in for the field `apiKey`, where the form has one. */
  readonly apiKey?: string
  /** What is filled in for the other fields of the form, by the names that the manifest gives them. */
  readonly fields?: Readonly<Record<string, string>>
  /** The host of the CRM page on which people sign in, where the connector asks for it. */
  readonly hostname?: string
}

interface FakeCrmOfAnyKind {
  readonly app: FakeServer
  readonly url: string
  /** Who signs in, as `ownerId` of records names people. */
  readonly userId: string
  readonly records: () => FakeRecord[]
  /** Changes the text of a record as a person does in the CRM. */
  readonly editRecord: (id: string, edit: (body: string) => string) => void
  readonly spent: () => Spent
  readonly close: () => Promise<void>
}

export interface FakeCrmOptions {
  /** 0 for any free one. */
  readonly port?: number
  /** Gives epoch milliseconds. */
  readonly clock?: () => number
  /** Where the CRM sends the browser back after the consent. */
  readonly redirectUri?: string
}

export type StartFakeCrm = (options?: FakeCrmOptions) => Promise<FakeCrm>

export interface FakeServerOptions {
  readonly clock: () => number
  /** Paths below which the API is. */
  readonly below: readonly string[]
  readonly tokenEndpoints: readonly string[]
  /** How the CRM says no. */
  readonly failure: (status: number, message: string) => unknown
}

export type FakeServer = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/** A server without routes. A {@link Refusal} that a route throws, and what does not match its schema, is answered as the CRM does. */
export function fakeServer ({ clock, below, tokenEndpoints, failure }: FakeServerOptions): FakeServer {
  const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } }, forceCloseConnections: true }).withTypeProvider<TypeBoxTypeProvider>()
  const answer = (reply: FastifyReply, status: number, message: string): FastifyReply => reply.code(status).send(failure(status, message))

  for (const component of faultComponents) app.addSchema(component)
  app.setErrorHandler<FastifyError | Refusal>(async (error, _request, reply) => {
    if (error instanceof Refusal) reply.headers(error.headers)
    return await answer(reply, 'validation' in error ? 400 : error.statusCode ?? 500, error.message)
  })
  app.setNotFoundHandler(async (_request, reply) => await answer(reply, 404, 'There is nothing here'))
  app.register(faults, { clock, below, tokenEndpoints, refuse: (status, message) => new Refusal(status, message) })
  return app
}

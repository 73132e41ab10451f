/**
 * The ground that a fake CRM stands on: a strict server (nothing is coerced) that misbehaves on demand (faults.ts). A connector's
 * `fake.ts` builds on it and exports `startFakeCrm`, by which tests and the demo find it.
 */
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import faults, { faultComponents } from './faults.ts'
import { Refusal } from './refusal.ts'

/** A record as a person sees it in the CRM, in words that all CRMs share. */
export interface FakeRecord {
  readonly id: string
  readonly kind: 'call' | 'message'
  readonly subject: string
  readonly body: string
  readonly contactId: string
  readonly ownerId: string
  /** ISO 8601 in UTC. */
  readonly startTime: string
  readonly durationSeconds: number | null
  readonly dealId: string | null
}

/** What requests have cost so far, in the units in which the CRM counts. */
export interface Spent {
  readonly requests: number
  readonly units: number
  readonly unit: string
}

/** In every fake, John Smith has the number +1 650-444-5566 and an open deal: the demo calls him. */
export interface FakeCrm {
  readonly app: FastifyInstance
  readonly url: string
  /** What Patchbay has to be told: the variables of the connector, `<PLATFORM>_URL` and so on. */
  readonly config: Readonly<Record<'url' | 'clientId' | 'clientSecret' | 'redirectUri' | 'tokenUrl', string>>
  /** Goes to the consent page and says yes. Gives the address to which the CRM sends the browser back, with the code in it. */
  readonly consent: (state: string) => Promise<string>
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

/** A server without routes. A {@link Refusal} that a route throws, and what does not match its schema, is answered as the CRM does. */
export function fakeServer ({ clock, below, tokenEndpoints, failure }: FakeServerOptions): FastifyInstance {
  const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } }, forceCloseConnections: true })
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

/** Misbehaviour on demand, and the list of what was received: what a fake CRM needs to be the judge in a test. */
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { Nullable, OneOf, Type, ref, type Static, type TSchema } from '../contract/type.ts'

const FaultRule = Type.Object({
  method: OneOf(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', '*']),
  path: Type.String({ minLength: 1, description: '`*` stands for anything: `/api/activities/*`' }),
  times: Type.Integer({ minimum: 1, description: 'How many requests it still meets' }),
  delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000, description: 'Milliseconds before all else' })),
  drop: Type.Optional(OneOf(['before', 'after'], { description: 'Cuts the connection, before or after the work is done' })),
  status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599, description: 'Answers this status; no work is done' })),
  retryAfter: Type.Optional(Type.Integer({ minimum: 0, description: 'Seconds, in a `Retry-After` header' })),
  garbage: Type.Optional(Type.Boolean({ description: 'Does the work, then answers 200 with JSON of another shape' })),
  slow: Type.Optional(Type.Boolean({ description: 'Does the work, then answers one byte each 100 ms' }))
}, { $id: 'FaultRule', additionalProperties: false })
type FaultRule = Static<typeof FaultRule>

const FaultRules = Type.Object({ rules: Type.Array(ref(FaultRule)) }, {
  $id: 'FaultRules',
  additionalProperties: false,
  description: 'The first rule that fits a request meets it, and counts down'
})

const ReceivedRequest = Type.Object({
  method: Type.String(),
  path: Type.String(),
  query: Type.Unknown(),
  body: Type.Unknown({ description: 'As parsed; null when there was none' }),
  status: Nullable(Type.Integer({ description: 'Null while unanswered, and for ever when the connection was cut' })),
  at: Type.String({ format: 'date-time' })
}, { $id: 'ReceivedRequest' })
type ReceivedRequest = Static<typeof ReceivedRequest>

const RequestList = Type.Object({ items: Type.Array(ref(ReceivedRequest)) }, { $id: 'RequestList' })

export const faultComponents: readonly TSchema[] = [FaultRule, FaultRules, ReceivedRequest, RequestList]

const remembered = 1_000

function fits (rule: FaultRule, method: string, path: string): boolean {
  const pattern = rule.path.split('*').map(literal => literal.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')
  return (rule.method === '*' || rule.method === method) && new RegExp(`^${pattern}$`).test(path)
}

async function * drip (answer: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (const byte of Buffer.from(answer)) {
    await delay(100, undefined, { signal })
    yield Buffer.of(byte)
  }
}

export interface FaultsOptions {
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** What is covered: a path below one of these. */
  readonly below: readonly string[]
  /** Endpoints to which secrets are sent: the list says only what is none. */
  readonly tokenEndpoints?: readonly string[]
  /** The error of the CRM with that status, as its own error handler answers it. */
  readonly refuse: (status: number, message: string) => Error
  /** What the error handler answers, where that is described. */
  readonly failure?: TSchema
}

/** Of requests for tokens, what is no secret. */
function withoutSecrets (sent: unknown): unknown {
  return sent === null ? null : Object.fromEntries(Object.entries(Object(sent)).filter(([name]) => name === 'grant_type' || name === 'token_type_hint'))
}

/**
 * Rules at `/_faults` and what was received at `/_requests`. Both live in memory and take no key: they are for tests on one machine.
 */
const faults: FastifyPluginAsyncTypebox<FaultsOptions> = async (app, { clock, below, tokenEndpoints = [], refuse, failure = Type.Unknown() }) => {
  let rules: FaultRule[] = []
  let requests: ReceivedRequest[] = []
  const underway = new WeakMap<FastifyRequest, { received: ReceivedRequest, fault?: FaultRule | undefined }>()
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())

  function nextFault ({ method, path }: ReceivedRequest): FaultRule | undefined {
    const fault = rules.find(rule => fits(rule, method, path))
    if (fault !== undefined) {
      rules = rules.map(rule => rule === fault ? { ...rule, times: rule.times - 1 } : rule).filter(rule => rule.times > 0)
    }
    return fault
  }

  const shown = (path: string, sent: unknown): unknown => tokenEndpoints.includes(path) ? withoutSecrets(sent) : sent

  app.addHook('onRequest', async request => {
    const { method, url, query } = request
    const path = url.replace(/\?[^]*/, '')
    if (![...below, ...tokenEndpoints].some(covered => path === covered || path.startsWith(`${covered}/`))) return
    const received = { method, path, query: shown(path, { ...Object(query) }), body: null, status: null, at: new Date(clock()).toISOString() }
    underway.set(request, { received })
    requests = [...requests.slice(1 - remembered), received]
  })

  app.addHook('preValidation', async (request, reply) => {
    const current = underway.get(request)
    if (current === undefined) return
    current.received.body = shown(current.received.path, request.body ?? null)
    const fault = nextFault(current.received)
    underway.set(request, { ...current, fault })
    if (fault?.delayMs !== undefined) {
      const isClosing = (): never => { throw refuse(503, 'The CRM is closing') }
      await delay(fault.delayMs, undefined, { signal: closing.signal }).catch(isClosing)
    }
    if (fault?.drop === 'before') {
      request.raw.socket.resetAndDestroy()
      return reply.hijack()
    }
    if (fault?.retryAfter !== undefined) reply.header('retry-after', fault.retryAfter)
    if (fault?.status !== undefined) throw refuse(fault.status, 'As asked for at /_faults')
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const current = underway.get(request)
    if (current === undefined) return payload
    const { received, fault } = current
    if (fault?.drop === 'after') {
      request.raw.socket.resetAndDestroy()
      return payload
    }
    const answer = fault?.garbage === true ? '{"items":"none","id":"?"}' : payload
    if (fault?.garbage === true) reply.code(200).type('application/json')
    received.status = reply.statusCode
    return fault?.slow === true && typeof answer === 'string' ? Readable.from(drip(answer, closing.signal)) : answer
  })

  const described = (operationId: string, summary: string) => ({ operationId, summary, tags: ['Faults'], security: [] })

  app.put('/_faults', {
    schema: {
      ...described('setFaults', 'Replaces the rules'),
      body: ref(FaultRules),
      response: { 200: ref(FaultRules), 400: failure, 413: failure, 415: failure }
    }
  }, async request => {
    rules = request.body.rules
    return { rules }
  })

  app.get('/_faults', {
    schema: { ...described('listFaults', 'The rules that still wait for requests'), response: { 200: ref(FaultRules) } }
  }, async () => ({ rules }))

  app.delete('/_faults', {
    schema: { ...described('clearFaults', 'Behaves well again'), response: { 204: Type.Null() } }
  }, async (_request, reply) => {
    rules = []
    return reply.code(204).send(null)
  })

  app.get('/_requests', {
    schema: {
      ...described('listRequests', `What was received below ${[...below, ...tokenEndpoints].join(', ')}, the oldest first: the last ${remembered} requests`),
      response: { 200: ref(RequestList) }
    }
  }, async () => ({ items: requests }))

  app.delete('/_requests', {
    schema: { ...described('clearRequests', 'Forgets what was received'), response: { 204: Type.Null() } }
  }, async (_request, reply) => {
    requests = []
    return reply.code(204).send(null)
  })
}

export default fastifyPlugin(faults, { name: 'faults' })

/**
 * How long a request may take: below the 30 s after which the extension gives up, so that it always gets an answer. What only reads
 * ends, too, when the client has gone; what writes is brought to its end.
 *
 * (Fastify's own `request.signal` and `handlerTimeout` end with the request's body, that is, before a handler has begun.)
 */
import fp from 'fastify-plugin'
import { PatchbayError } from '../contract/errors.ts'

export interface DeadlineOptions {
  /** Milliseconds. */
  longest: number
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborts when the time is up, or nobody waits any more. */
    deadline: AbortSignal
  }
}

export default fp<DeadlineOptions>(async (fastify, { longest }) => {
  fastify.decorateRequest('deadline')
  fastify.addHook('onRequest', async (request, reply) => {
    const controller = new AbortController()
    request.deadline = controller.signal
    const timer = setTimeout(() => { controller.abort(new PatchbayError('timed-out')) }, longest).unref()
    reply.raw.once('close', () => {
      clearTimeout(timer)
      if (!reply.raw.writableFinished && request.method === 'GET') controller.abort()
    })
  })
}, { name: 'deadline' })

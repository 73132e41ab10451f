/**
 * How long a request may take: below the 30 s after which the extension gives up, so that it always gets an answer. What only reads
 * ends, too, when the client has gone; what writes is brought to its end, in the same time.
 *
 * (Fastify's own `request.signal` and `handlerTimeout` end with the request's body, that is, before a handler has begun.)
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PatchbayError } from '../contract/errors.ts'

export interface DeadlineOptions {
  /** Milliseconds. */
  longest: number
}

/** Of a request that only reads, nobody misses the end when its client has gone. */
export const onlyReads = ({ method, routeOptions }: FastifyRequest): boolean => method === 'GET' && routeOptions.config.writes !== true

const start = Symbol('start of a deadline')

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Writes although it is asked with GET. */
    writes?: boolean
  }
  interface FastifyRequest {
    /** Aborts when the time is up, or nobody waits any more. */
    readonly deadline: AbortSignal
    [start]: (() => AbortSignal) | undefined
  }
}

export default fp<DeadlineOptions>(async (fastify, { longest }) => {
  function deadlineOf (request: FastifyRequest, reply: FastifyReply): AbortSignal {
    const controller = new AbortController()
    const timer = setTimeout(() => { controller.abort(new PatchbayError('timed-out')) }, longest - reply.elapsedTime).unref()
    const end = (): void => {
      // What writes and has not been answered is still at work, and has to end before the lease of its log does.
      if (reply.raw.writableFinished) clearTimeout(timer)
      else if (onlyReads(request)) controller.abort()
    }
    if (reply.raw.closed) end()
    else reply.raw.once('close', end)
    return controller.signal
  }

  fastify.decorateRequest(start, undefined)
  fastify.addHook('onRequest', (request, reply, done) => {
    // Made for those who look: a request that asks no CRM does not wait for anybody.
    let deadline: AbortSignal | undefined
    request[start] = () => (deadline ??= deadlineOf(request, reply))
    done()
  })
  fastify.decorateRequest('deadline', {
    getter () {
      const deadline = this[start]?.()
      if (deadline === undefined) throw new TypeError('A deadline begins with the request')
      return deadline
    }
  })
}, { name: 'deadline' })

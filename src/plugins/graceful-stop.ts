/**
 * A stop that loses nothing: requests that are being answered are brought to their end, new ones are told to come back, then every
 * connection is closed. (Left to itself, a connection on which nothing was ever sent would hold the stop for a minute.)
 */
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { PatchbayError } from '../contract/errors.ts'
import { onlyReads } from './deadline.ts'

/** Milliseconds: below the 25 s that the process has for its stop. */
export const longestStop = 20_000
/** Until another process has taken over. Seconds. */
const retryAfter = 5

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered also during a stop. */
    whileStopping?: boolean
  }
  interface FastifyInstance {
    /** Aborts when the server begins to stop: nothing new is begun in the background. */
    stopping: AbortSignal
    /** Names work that the stop waits for, like requests, as long as it can: it is asked twice. */
    finishBeforeStop: (work: () => Promise<unknown>) => void
  }
}

export default fp(async fastify => {
  const stopping = new AbortController()
  const works: Array<() => Promise<unknown>> = []
  fastify.decorate('stopping', stopping.signal)
  fastify.decorate('finishBeforeStop', work => { works.push(work) })

  /** How many requests of a connection are being answered. */
  const active = new Map<Socket, number>()
  const watched = new WeakSet<Socket>()
  /** What writes and has not ended: that goes on when the client, and the connection with it, has gone. */
  const writing = new Set<Promise<unknown>>()
  const isDrained = (): boolean => active.size === 0 && writing.size === 0
  let drained = (): void => {}
  const answering = (socket: Socket, more: number): void => {
    const count = (active.get(socket) ?? 0) + more
    if (count > 0) active.set(socket, count)
    else if (active.delete(socket) && isDrained()) drained()
  }
  fastify.addHook('onRequest', async (request, reply) => {
    if (stopping.signal.aborted && request.routeOptions.config.whileStopping !== true) {
      throw new PatchbayError('not-ready', { message: 'The server is stopping. Try again in a moment.', retryAfter })
    }
    const { socket } = request.raw
    answering(socket, +1)
    reply.raw.once('close', () => { answering(socket, -1) })
    // The answer to a request that was pipelined behind another one is never closed when its connection is.
    if (!watched.has(socket)) socket.once('close', () => { answering(socket, -Infinity) })
    watched.add(socket)
  })
  fastify.addHook('onRoute', route => {
    const { handler } = route
    route.handler = function (request, reply) {
      const work: unknown = handler.call(this, request, reply)
      if (work instanceof Promise && !onlyReads(request)) {
        const ended = (): void => { if (writing.delete(work) && isDrained()) drained() }
        writing.add(work)
        work.then(ended, ended)
      }
      return work
    }
  })
  works.push(async () => {
    if (!isDrained()) await new Promise<void>(resolve => { drained = resolve })
  })

  fastify.addHook('preClose', async () => {
    stopping.abort()
    const timeIsUp = new Promise(resolve => { setTimeout(resolve, longestStop).unref() })
    // All at the same time: one after the other they would take longer than the process has.
    const finished = async (): Promise<unknown> => await Promise.allSettled(works.map(async work => await work()))
    // Twice: requests may have begun something meanwhile that outlives them, such as the renewal of a token.
    await Promise.race([finished().then(finished), timeIsUp])
  })
}, { name: 'graceful-stop' })

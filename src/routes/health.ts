/** Whether the process runs, and whether it can work. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PatchbayError } from '../contract/errors.ts'
import { isAliveRoute, liveRoute, readyRoute } from '../contract/metadata.ts'

/** A process that stops runs until it has: nobody is to restart it before. */
const config = { whileStopping: true }

export const healthRoutes: FastifyPluginAsyncTypebox = async fastify => {
  fastify.route({ ...isAliveRoute, config, handler: async (_request, reply) => await reply.type('text/plain; charset=utf-8').send('OK') })

  fastify.route({ ...liveRoute, config, handler: async () => ({ status: 'ok' }) })

  fastify.route({
    ...readyRoute,
    handler: async () => {
      try {
        await fastify.database.ping()
      } catch (cause) {
        throw new PatchbayError('not-ready', { message: 'The database does not answer.', retryAfter: 5, cause })
      }
      return { status: 'ok' }
    }
  })
}

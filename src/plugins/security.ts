/** Who may call and how often: CORS for the extension's pages, and the limit on routes where credentials or ids are guessed. */
import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import fp from 'fastify-plugin'

/** For the `config` of a route that is guessed at: attempts per minute and address. */
export const guarded = { rateLimit: { max: 20, timeWindow: 60_000 } }

export default fp(async fastify => {
  // The extension has no host permissions and sends headers of its own with every request, so each one is preflighted.
  await fastify.register(cors, {
    origin: '*',
    methods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    exposedHeaders: ['x-refreshed-jwt-token'],
    maxAge: 600
  })
  await fastify.register(rateLimit, { global: false })
}, { name: 'security' })

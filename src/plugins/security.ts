/** Who may call and how often: CORS for the extension's pages, and the limit on routes where credentials or ids are guessed. */
import cors from '@fastify/cors'
import rateLimit, { type RateLimitOptions } from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import { PatchbayError } from '../contract/errors.ts'

/** For the `config` of a route: requests per minute and address. */
const atMost = (max: number): { rateLimit: RateLimitOptions } => ({ rateLimit: { max, timeWindow: 60_000 } })

/** Where credentials are guessed at. */
export const guarded = atMost(20)
/** Where every client asks once when it starts, maybe all of an office in the same minute. */
export const asked = atMost(600)

export default fp(async fastify => {
  // The extension has no host permissions and sends headers of its own with every request, so each one is preflighted.
  await fastify.register(cors, {
    origin: '*',
    methods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    exposedHeaders: ['x-refreshed-jwt-token', 'retry-after'],
    maxAge: 600,
    // What is no preflight by the letter gets the same answer, not an error of the plugin's own.
    strictPreflight: false
  })
  await fastify.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, { ttl }) => new PatchbayError('too-many-requests', { retryAfter: Math.ceil(ttl / 1000) })
  })
}, { name: 'security' })

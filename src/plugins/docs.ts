/** The reference page at /docs, read from /openapi.json. */
import helmet from '@fastify/helmet'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'

const docs: FastifyPluginAsync = async fastify => {
  // Pages get a strict policy; the answers of the API are no pages.
  await fastify.register(helmet, {
    contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
    strictTransportSecurity: false,
    crossOriginResourcePolicy: { policy: 'cross-origin' }
  })
  await fastify.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, uiConfig: { deepLinking: true, url: '/openapi.json' } })
}

export default docs

/** The reference page at /docs: the document of the root, and one of each connector. */
import helmet from '@fastify/helmet'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'

/** The page brings its own scripts; only its styles are inline. */
const policy = {
  'default-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"]
}

const logo = `<svg xmlns="http://www.w3.org/2000/svg" width="150" height="40" viewBox="0 0 150 40">
  <g fill="none" stroke="#5bd6a4" stroke-width="3"><circle cx="12" cy="13" r="5"/><circle cx="30" cy="27" r="5"/><path d="M16 16c6 4 4 6 10 8"/></g>
  <text x="44" y="27" font-family="sans-serif" font-size="21" font-weight="bold" fill="#fff">Patchbay</text>
</svg>`

const docs: FastifyPluginAsync = async fastify => {
  const { publicPath } = fastify
  // Pages get a strict policy; the answers of the API are no pages.
  await fastify.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: policy }, strictTransportSecurity: false })
  await fastify.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: publicPath,
    theme: { title: 'Patchbay: API reference' },
    logo: { type: 'image/svg+xml', content: Buffer.from(logo), href: `${publicPath}/docs`, target: '_self' },
    uiConfig: {
      deepLinking: true,
      urls: [
        { name: 'Patchbay', url: `${publicPath}/openapi.json` },
        ...fastify.connectors.all().map(({ info: { platform, title } }) => ({ name: title, url: `${publicPath}/connectors/${platform}/openapi.json` }))
      ]
    }
  })
}

export default docs

/** OpenAPI 3.1 out of the route schemas, at `openapi.json` below the prefix of whoever registers it. */
import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'
import { version } from '../version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The path below which the outside reaches the server, such as `/patchbay`; empty for its root. */
    publicPath: string
  }
}

export interface OpenapiOptions {
  title: string
  /** The name of the Fastify decorator; each document needs its own. */
  decorator: string
}

export const openapi = fp<OpenapiOptions>(async (fastify, { title, decorator }) => {
  const { prefix } = fastify
  await fastify.register(swagger, {
    decorator,
    openapi: {
      openapi: '3.1.0',
      info: {
        title,
        version,
        description: 'The server between telephony and CRMs: matches callers with contacts and logs calls and messages, each exactly once.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: fastify.publicPath || '/' }],
      tags: [
        { name: 'contacts', description: 'Who calls.' },
        { name: 'call logs', description: 'What was said: one call, one record in the CRM.' },
        { name: 'message logs', description: 'SMS, MMS, voicemail and fax: one record per conversation and day.' },
        { name: 'account data', description: 'Lists that the CRM keeps for everybody in it.' },
        ...(prefix === ''
          ? [
              { name: 'session', description: 'Signing in and out.' },
              { name: 'settings', description: 'What a user has chosen.' },
              { name: 'metadata', description: 'What the server and its connectors can do.' },
              { name: 'health', description: 'Whether the server runs and can work.' }
            ]
          : [])
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          query: { type: 'apiKey', in: 'query', name: 'jwtToken', description: 'The form that the extension uses.' },
          ...(prefix === '' && { client: { type: 'http', scheme: 'basic', description: 'The id and secret of this server\'s client at a CRM, by which the CRM shows that it is the one who calls.' } as const })
        }
      }
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => typeof json['$id'] === 'string' ? json['$id'] : `def-${index}` },
    transformObject: document => 'openapiObject' in document ? withoutUnused(document.openapiObject) : document.swaggerObject,
    // The document of the root leaves out those of the connectors, which have one each.
    transform: ({ schema, url }) => ({ schema: { ...schema, ...(prefix === '' && url.startsWith('/connectors/') && { hide: true }) }, url })
  })

  fastify.get('/openapi.json', { schema: { hide: true } }, async () => {
    const document: unknown = Reflect.get(fastify, decorator)
    if (typeof document !== 'function') throw new TypeError(`No OpenAPI document "${decorator}"`)
    return document.call(fastify) as unknown
  })
})

/** Each document lists the components that it refers to, and no others. */
function withoutUnused<Spec extends { paths?: unknown, components?: { schemas?: Record<string, unknown> } }> (document: Spec): Spec {
  const { schemas = {} } = document.components ?? {}
  const used = new Set<string>()
  const follow = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue
      used.add(name)
      follow(schemas[name] ?? {})
    }
  }
  follow(document.paths ?? {})
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name))) } }
}

/** A small real CRM: a REST API, a page for people, a database of its own, and misbehaviour on demand. */
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { OneOf, Type, ref } from '../../../contract/type.ts'
import faults, { faultComponents } from '../../../testing/faults.ts'
import api from './api.ts'
import { openDatabase } from './database.ts'
import { grants as grantsOf } from './grants.ts'
import oauth from './oauth.ts'
import page from './page.ts'
import { Refusal, answerError } from './refusal.ts'
import { Failure, components } from './schemas.ts'
import { crmStore } from './store.ts'

export { exampleUsers } from './seed.ts'

/** Where the browser extension ends its OAuth window. */
const extensionPage = 'https://ringcentral.github.io/ringcentral-embeddable/redirect.html'

export interface ExampleCrmOptions {
  /** Path of the SQLite file, in a folder that exists; a new file gets the example records. */
  readonly file: string
  readonly logger: FastifyBaseLogger
  /** Gives epoch milliseconds. */
  readonly clock?: () => number
  /** Seconds. */
  readonly accessTokenLifetime?: number
  /** To which users may be sent back after OAuth, besides this machine and the browser extension's page. */
  readonly redirectUris?: readonly string[]
}

/**
 * The example CRM, ready to `listen`; closing it closes its database.
 * @throws when the file cannot be opened as a database
 */
export function exampleCrm ({ file, logger, clock = Date.now, accessTokenLifetime = 600, redirectUris = [] }: ExampleCrmOptions): FastifyInstance {
  const db = openDatabase(file, new Date(clock()).toISOString())
  const store = crmStore(db, clock)
  const rules = { accessTokenLifetime, accessTokenUses: null }
  const grants = grantsOf(db, clock, rules)
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: answerError,
    forceCloseConnections: true // spare connections, as browsers open them, would hold the closing for a minute
  })

  app.addHook('onClose', async () => { db.close() })
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(async () => { throw new Refusal(404, 'There is no such address') })
  for (const component of [...components, ...faultComponents]) app.addSchema(component)

  app.register(helmet, {
    strictTransportSecurity: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"]
      }
    }
  })
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Example CRM', version: '1.0.0', license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      tags: ['Users', 'Contacts', 'Activities', 'OAuth', 'Service', 'Faults'].map(name => ({ name })),
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'basic' },
          oauth: {
            type: 'oauth2',
            flows: { authorizationCode: { authorizationUrl: '/oauth/authorize', tokenUrl: '/oauth/token', refreshUrl: '/oauth/token', scopes: {} } }
          }
        }
      },
      security: [{ key: [] }, { oauth: [] }]
    },
    refResolver: { buildLocalReference: (component, _base, _fragment, index) => String(component.$id ?? `unnamed-${index}`) }
  })
  app.register(faults, { clock, below: ['/api'], tokenEndpoints: ['/oauth/token', '/oauth/revoke'], refuse: (status, message) => new Refusal(status, message), failure: ref(Failure) })
  app.register(page)
  app.register(api, { prefix: '/api', store, grants })
  app.register(oauth, { grants, rules, store, redirectUris: [extensionPage, ...redirectUris] })

  app.register(async service => {
    service.get('/health', {
      schema: {
        operationId: 'getHealth',
        summary: 'Whether it is there',
        tags: ['Service'],
        security: [],
        response: { 200: Type.Object({ status: OneOf(['ok']) }) }
      }
    }, async () => ({ status: 'ok' }))
    service.get('/openapi.json', { schema: { hide: true } }, async () => service.swagger())
  })
  return app
}

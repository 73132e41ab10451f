/** Composition only: plugins, routes, connectors. */
import { randomUUID } from 'node:crypto'
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Config } from './config.ts'
import { components } from './contract/components.ts'
import type { Cipher } from './db/cipher.ts'
import type { Clock, Database } from './db/database.ts'
import callerPlugin from './plugins/caller.ts'
import connectors from './plugins/connectors.ts'
import context from './plugins/context.ts'
import crm from './plugins/crm.ts'
import db from './plugins/db.ts'
import deadline from './plugins/deadline.ts'
import docs from './plugins/docs.ts'
import errors, { answerClientError, answerFrameworkError } from './plugins/errors.ts'
import gracefulStop, { longestStop } from './plugins/graceful-stop.ts'
import { openapi } from './plugins/openapi.ts'
import recovery from './plugins/recovery.ts'
import requestLog from './plugins/request-log.ts'
import security from './plugins/security.ts'
import { buildSerializer } from './plugins/serialization.ts'
import services from './plugins/services.ts'
import session from './plugins/session.ts'
import signIn from './plugins/sign-in.ts'
import tokens from './plugins/tokens.ts'
import validation, { ajvOptions } from './plugins/validation.ts'
import { healthRoutes } from './routes/health.ts'
import { metadataRoutes } from './routes/metadata.ts'
import { oauthRoutes } from './routes/oauth.ts'
import { connectorRoutes, operationRoutes } from './routes/operations.ts'
import { rootRoutes } from './routes/root-routes.ts'
import { sessionRoutes } from './routes/session.ts'
import { settingsRoutes } from './routes/settings.ts'

export interface AppParts {
  config: Pick<Config, 'publicUrl' | 'exampleCrmPort' | 'connectorsDir' | 'manifestsDir' | 'connector'> & Partial<Pick<Config, 'allowPrivateNetworks' | 'proxies' | 'trustProxy'>>
  /** Open; the application closes it. */
  database: Database
  cipher: Cipher
  sessionSecret: string
  hashKey: string
  clock?: Clock
  /** From 0 to 1: spreads retries. */
  random?: () => number
  /** Milliseconds between two looks for what waits. */
  recoverEvery?: number
  /** Milliseconds that a request may take. */
  longestRequest?: number
  /** Silent when absent. */
  logger?: FastifyBaseLogger
}

/** Where this machine reaches a server that listens. One that listens on all addresses is also at the loopback one, of the same family. */
export const originOf = ({ listeningOrigin }: Pick<FastifyInstance, 'listeningOrigin'>): string =>
  listeningOrigin.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')

export async function buildApp ({ config, database, cipher, sessionSecret, hashKey, clock = Date.now, random = Math.random, recoverEvery = 5_000, longestRequest = 25_000, logger }: AppParts): Promise<FastifyInstance> {
  const app = fastify({
    ...(logger !== undefined && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    // Fastify's answer has neither a code nor CORS; graceful-stop.ts gives ours.
    return503OnClosing: false,
    // Fastify's own limit of 10 s is for the hooks of a stop, too.
    pluginTimeout: longestStop + 5_000,
    trustProxy: config.trustProxy ?? false,
    genReqId: () => randomUUID(),
    ajv: { customOptions: ajvOptions },
    schemaController: { compilersFactory: { buildSerializer } },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError
  }).withTypeProvider<TypeBoxTypeProvider>()
  for (const component of components) app.addSchema(component)
  const serverUrl = (): string => config.publicUrl ?? originOf(app)
  app.decorate('operationRoutes', connectorRoutes)
  app.decorate('publicPath', config.publicUrl === undefined ? '' : new URL(config.publicUrl).pathname.replace(/\/$/, ''))

  await app.register(errors)
  await app.register(security)
  await app.register(deadline, { longest: longestRequest })
  await app.register(gracefulStop)
  await app.register(session, { secret: sessionSecret, clock })
  await app.register(validation)
  await app.register(requestLog)
  await app.register(openapi, { title: 'Patchbay', decorator: 'swagger' })
  await app.register(db, { database, cipher, clock })
  await app.register(services, { hashKey, clock, random })
  await app.register(crm, { connectorConfig: config.connector, allowPrivateNetworks: config.allowPrivateNetworks, proxies: config.proxies })
  await app.register(connectors, {
    without: config.exampleCrmPort === undefined ? ['example'] : [],
    connectorsDir: config.connectorsDir,
    manifestsDir: config.manifestsDir
  })
  await app.register(context)
  await app.register(tokens, { connectorConfig: config.connector, serverUrl, cipher, clock })
  await app.register(docs)
  await app.register(callerPlugin, { connectorConfig: config.connector })
  await app.register(signIn)
  await app.register(recovery, { clock, random, every: recoverEvery })

  await app.register(healthRoutes)
  await app.register(metadataRoutes, { serverUrl, hashKey })
  await app.register(sessionRoutes)
  await app.register(oauthRoutes)
  await app.register(settingsRoutes)
  await app.register(operationRoutes)
  await app.register(rootRoutes, { clientOf: config.connector })
  return app
}

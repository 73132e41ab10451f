/** The operations of a connector as routes: at the root for every CRM, and once more for each one with its own types. */
import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'
import type { Connector } from '../contract/connector.ts'
import { PatchbayError } from '../contract/errors.ts'
import { openapi } from '../plugins/openapi.ts'
import { accountDataRoutes } from './account-data.ts'
import { callLogRoutes } from './call-logs.ts'
import { contactRoutes } from './contacts.ts'
import { messageLogRoutes } from './message-logs.ts'

export interface OperationRoutesOptions {
  /** Whose types the routes have; any CRM's when absent. */
  connector?: Connector
}

export const operationRoutes: FastifyPluginAsync<OperationRoutesOptions> = async (fastify, options) => {
  await fastify.register(contactRoutes, options)
  await fastify.register(callLogRoutes, options)
  await fastify.register(messageLogRoutes, options)
  await fastify.register(accountDataRoutes)
}

const register: FastifyPluginAsync<{ connector: Connector }> = async (fastify, { connector }) => {
  const { platform, title } = connector.info
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(request.session !== undefined && request.session.platform !== platform ? new PatchbayError('wrong-platform') : undefined)
  })
  await fastify.register(openapi, { title: `Patchbay: ${title}`, decorator: `openapi:${platform}` })
  await fastify.register(operationRoutes, { connector })
}

/** What a connector's plugin registers in its own scope: the operations for tokens of its platform, and their OpenAPI document. */
export const connectorRoutes = fp(register)

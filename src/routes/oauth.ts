/** OAuth with the CRMs: the way to the consent page, and back from it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PatchbayError } from '../contract/errors.ts'
import { oauthAuthorizeRoute, oauthCallbackRoute } from '../contract/session.ts'
import { guarded } from '../plugins/security.ts'
import { firstOfEach, knownHost, platformOfState, readCallback } from '../tokens/callback.ts'
import { extensionHashOf } from './session.ts'

export const oauthRoutes: FastifyPluginAsyncTypebox = async fastify => {
  fastify.route({
    ...oauthAuthorizeRoute,
    config: guarded,
    handler: async (request, reply) => {
      const { state = '', platform = platformOfState(state), hostname, redirect_uri: redirectUri } = request.query
      if (platform === '') throw new PatchbayError('missing-platform')
      const page = await fastify.tokens.begin(fastify.connectors.get(platform), knownHost(hostname), redirectUri)
      return await reply.redirect(page, 302)
    }
  })

  fastify.route({
    ...oauthCallbackRoute,
    // A code is good for one time only: given up halfway, it would be spent, with tokens at the CRM that nobody knows.
    config: { ...guarded, writes: true },
    preValidation: async request => { request.query = firstOfEach(request.query) },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store')
      return await fastify.signInByOAuth(readCallback(request.query), { extensionHash: extensionHashOf(request), signal: request.deadline })
    }
  })
}

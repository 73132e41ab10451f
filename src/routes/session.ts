/** Signing in and out, and what the extension asks about the session. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError } from '../contract/errors.ts'
import { apiKeyLoginRoute, authValidationRoute, hostnameRoute, licenseStatusRoute, unAuthorizeRoute } from '../contract/session.ts'
import { isSignedIn } from '../db/users.ts'
import { knownUser } from '../plugins/caller.ts'
import { errorAnswer, errorDetail, toPatchbayError } from '../plugins/errors.ts'
import { guarded } from '../plugins/security.ts'
import { presentsToken, requireSession } from '../plugins/session.ts'

export const sessionRoutes: FastifyPluginAsyncTypebox = async fastify => {
  fastify.route({
    ...apiKeyLoginRoute,
    config: guarded,
    handler: async request => {
      const { platform, apiKey, hostname, additionalInfo } = request.body
      if (platform === undefined || platform === '') throw new PatchbayError('missing-platform')
      return await fastify.signIn({
        platform,
        hostname,
        apiKey,
        fields: additionalInfo ?? {},
        extensionHash: extensionHashOf(request),
        signal: request.deadline
      })
    }
  })

  fastify.route({
    ...unAuthorizeRoute,
    onRequest: requireSession,
    handler: async request => {
      return await fastify.signOut(await request.caller({ unknown: 'user-not-found' }))
    }
  })

  fastify.route({
    ...authValidationRoute,
    onRequest: requireSession,
    handler: async request => {
      const user = await request.user()
      if (!isSignedIn(user)) return { successful: false, error: errorDetail(new PatchbayError('unknown-user')) }
      const { connector, context } = await request.caller()
      try {
        await fastify.tokens.of(connector, user, request.deadline).current()
        const told = await connector.operations.authValidation?.(context)
        return { successful: true, ...told }
      } catch (error) {
        if (!(error instanceof CrmError)) throw error
        request.failure = error
        // Whatever else keeps the CRM from answering says nothing about the credentials.
        if (error.code !== 'auth-expired') return { successful: true }
        return errorAnswer(error)
      }
    }
  })

  fastify.route({
    ...licenseStatusRoute,
    handler: async request => {
      if (request.session === undefined) {
        // Asking without a token is a normal case; asking with a bad one is not.
        if (presentsToken(request)) throw new PatchbayError('not-signed-in')
        return invalidLicense('Invalid user session')
      }
      const user = await request.user()
      if (!isSignedIn(user)) return invalidLicense('User not found')
      const caller = await request.caller()
      const { getLicenseStatus } = caller.connector.operations
      if (getLicenseStatus === undefined) return invalidLicense('Connect to get license status')
      try {
        return await getLicenseStatus(caller.context)
      } catch (error) {
        request.failure = toPatchbayError(error)
        return invalidLicense('Connect to get license status')
      }
    }
  })

  fastify.route({
    ...hostnameRoute,
    onRequest: requireSession,
    handler: async (request, reply) => {
      const { hostname } = await knownUser(request)
      return await reply.type('text/plain; charset=utf-8').send(hostname)
    }
  })
}

/** The hashed extension id that the client says; empty when it says none. */
export function extensionHashOf ({ headers }: FastifyRequest): string {
  const hash = headers['rc-extension-id']
  return typeof hash === 'string' ? hash : ''
}

const invalidLicense = (reason: string): { isLicenseValid: boolean, licenseStatus: string, licenseStatusDescription: string } =>
  ({ isLicenseValid: false, licenseStatus: `Invalid (${reason})`, licenseStatusDescription: '' })

/** What anybody may ask about the server and its connectors. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { hashId } from '../calls/identity.ts'
import { authKinds, formOf } from '../contract/auth.ts'
import { PatchbayError } from '../contract/errors.ts'
import { extensionRedirectUri } from '../contract/manifest.ts'
import {
  crmManifestRoute, implementedInterfacesRoute, releaseNotesRoute, serverVersionInfoRoute, userInfoHashRoute
} from '../contract/metadata.ts'
import type { OperationName } from '../contract/operations.ts'
import { asked } from '../plugins/security.ts'
import { version } from '../version.ts'
import { readReleaseNotes } from './release-notes.ts'

export interface MetadataOptions {
  /** How the outside reaches the server; known when it listens. */
  serverUrl: () => string
  hashKey: string
}

/** The capabilities that the wire names and a connector has as an operation. */
const operationFlags = [
  'getUserInfo', 'createCallLog', 'updateCallLog', 'getCallLog', 'createMessageLog', 'updateMessageLog', 'createContact', 'findContact',
  'upsertCallDisposition', 'findContactWithName', 'getUserList', 'getLicenseStatus'
] as const satisfies readonly OperationName[]

/** Those that the wire names and no connector has yet. */
const flagsOfLaterOperations = [
  'listAppointments', 'createAppointment', 'updateAppointment', 'refreshAppointment', 'confirmAppointment', 'cancelAppointment',
  'getManagedAuthOptions', 'refreshUserInfo'
] as const

export const metadataRoutes: FastifyPluginAsyncTypebox<MetadataOptions> = async (fastify, { serverUrl, hashKey }) => {
  const { connectors } = fastify
  const hash = hashId(hashKey)
  const releaseNotes = await readReleaseNotes()

  fastify.route({
    ...implementedInterfacesRoute,
    handler: async (request, reply) => {
      const { platform } = request.query
      if (platform === undefined || platform === '') throw new PatchbayError('missing-platform', { message: 'Please provide platform.' })
      const { info, operations } = connectors.get(platform)
      return await reply.send({
        getAuthType: true,
        ...Object.fromEntries(authKinds(info).slice(0, 1).map(kind => [formOf(kind) === 'oauth' ? 'getOauthInfo' : 'getBasicAuth', true])),
        ...Object.fromEntries(operationFlags.map(name => [name, operations[name] !== undefined])),
        ...Object.fromEntries(flagsOfLaterOperations.map(name => [name, false])),
        // These the platform does for every connector.
        unAuthorize: true,
        getLogFormatType: true,
        cacheCallNote: true
      })
    }
  })

  fastify.route({
    ...crmManifestRoute,
    handler: async request => {
      const { platformName = 'default' } = request.query
      if (platformName !== 'default' && !connectors.has(platformName)) throw new PatchbayError('manifest-not-found')
      const shown = platformName === 'default' ? connectors.all() : [connectors.get(platformName)]
      return {
        serverUrl: serverUrl(),
        redirectUri: extensionRedirectUri,
        version,
        author: { name: 'Patchbay' },
        platforms: Object.fromEntries(shown.map(connector => [connector.info.platform, fastify.tokens.manifestOf(connector)]))
      }
    }
  })

  fastify.route({ ...releaseNotesRoute, handler: async () => releaseNotes })

  fastify.route({ ...serverVersionInfoRoute, handler: async () => ({ version }) })

  fastify.route({
    ...userInfoHashRoute,
    config: asked,
    handler: async request => {
      const { extensionId, accountId } = request.query
      return { extensionId: hashOf(extensionId), accountId: hashOf(accountId) }
    }
  })

  // A missing id must not get the valid-looking hash of a word.
  const hashOf = (id: string | undefined): string => id === undefined || id === '' || id === 'undefined' || id === 'null' ? '' : hash(id)
}

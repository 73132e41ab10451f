/** A user's own settings. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PatchbayError } from '../contract/errors.ts'
import { getUserSettingsRoute, updateUserSettingsRoute } from '../contract/settings.ts'
import { tenantOf } from '../db/users.ts'
import { knownUser } from '../plugins/caller.ts'
import { requireSession } from '../plugins/session.ts'

export const settingsRoutes: FastifyPluginAsyncTypebox = async fastify => {
  fastify.addHook('onRequest', requireSession)

  fastify.route({
    ...getUserSettingsRoute,
    handler: async request => (await knownUser(request)).settings
  })

  fastify.route({
    ...updateUserSettingsRoute,
    handler: async request => {
      const user = await knownUser(request)
      const { userSettings = {}, settingKeysToRemove = [] } = request.body
      const saved = await fastify.repositories.users.saveSettings(tenantOf(user), userSettings, settingKeysToRemove)
      if (saved === undefined) throw new PatchbayError('user-not-found')
      return { userSettings: saved }
    }
  })
}

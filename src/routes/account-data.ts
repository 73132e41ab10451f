/** Lists of a CRM that fields and settings choose from. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { accountDataRoute } from '../contract/account-data.ts'
import { PatchbayError } from '../contract/errors.ts'
import { isYes } from '../contract/route.ts'
import { requireSession } from '../plugins/session.ts'

export const accountDataRoutes: FastifyPluginAsyncTypebox = async fastify => {
  const { accountData } = fastify
  fastify.addHook('onRequest', requireSession)

  fastify.route({
    ...accountDataRoute,
    handler: async request => {
      const keys = (request.query.keys ?? '').split(',').map(key => key.trim()).filter(key => key !== '')
      if (keys.length === 0) throw new PatchbayError('missing-keys')
      const { tenant, connector: { info }, context } = await request.caller()
      const providers = new Map(info.accountData?.map(provider => [provider.key, provider]))
      const unknown = keys.filter(key => !providers.has(key))
      if (unknown.length > 0) throw new PatchbayError('unknown-keys', { message: `Unknown account data key(s): ${unknown.map(nameOf).join(', ')}` })
      const refresh = isYes(request.query.forceRefresh)
      const wanted = [...providers.values()].filter(({ key }) => keys.includes(key))
      const data = await Promise.all(wanted.map(async provider => [provider.key, await accountData.get(tenant, provider, context, { refresh })]))
      return { successful: true, data: Object.fromEntries(data) }
    }
  })
}

/** What is no name of a list is not repeated. */
const nameOf = (key: string): string => /^[a-zA-Z0-9]{1,40}$/.test(key) ? key : '(no name)'

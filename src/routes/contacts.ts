/** Finding and creating contacts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AdditionalSubmission, createContactRoute, findContactRoute, findContactWithNameRoute } from '../contract/contact.ts'
import { isYes } from '../contract/route.ts'
import { submissionOf } from '../contract/submission.ts'
import { ref } from '../contract/type.ts'
import { phoneNumberOf } from '../contacts/contacts.ts'
import { requireSession } from '../plugins/session.ts'
import type { OperationRoutesOptions } from './operations.ts'

export const contactRoutes: FastifyPluginAsyncTypebox<OperationRoutesOptions> = async (fastify, { connector }) => {
  const { contacts } = fastify
  fastify.addHook('onRequest', requireSession)

  fastify.route({
    ...findContactRoute,
    handler: async request => {
      const { phoneNumber, isExtension, overridingFormat = '', isForceRefreshAccountData } = request.query
      return await contacts.findContact(await request.caller(), {
        phoneNumber: phoneNumberOf(phoneNumber),
        isExtension: isYes(isExtension),
        overridingFormats: overridingFormat.split(',').filter(format => format !== ''),
        refresh: isYes(isForceRefreshAccountData)
      })
    }
  })

  fastify.route({
    ...findContactWithNameRoute,
    handler: async request => await contacts.findContactWithName(await request.caller(), request.query.name)
  })

  fastify.route({
    ...createContactRoute(connector === undefined ? ref(AdditionalSubmission) : submissionOf(connector.info, 'newContact'), connector?.info.contactTypes),
    handler: async request => await contacts.createContact(await request.caller(), request.body)
  })
}

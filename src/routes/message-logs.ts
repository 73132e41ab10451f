/** The logs of messages. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AdditionalSubmission } from '../contract/contact.ts'
import { createMessageLogRoute } from '../contract/message-log.ts'
import { submissionOf } from '../contract/submission.ts'
import { ref } from '../contract/type.ts'
import { requireSession } from '../plugins/session.ts'
import type { OperationRoutesOptions } from './operations.ts'

export const messageLogRoutes: FastifyPluginAsyncTypebox<OperationRoutesOptions> = async (fastify, { connector }) => {
  fastify.addHook('onRequest', requireSession)

  fastify.route({
    ...createMessageLogRoute(connector === undefined ? ref(AdditionalSubmission) : submissionOf(connector.info, 'messageLog')),
    handler: async request => await fastify.messageLogs.log(await request.caller(), request.body)
  })
}

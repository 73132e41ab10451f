/** The logs of calls. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { cacheCallNoteRoute, createCallLogRoute, getCallLogRoute, updateCallLogRoute, upsertCallDispositionRoute } from '../contract/call-log.ts'
import { AdditionalSubmission } from '../contract/contact.ts'
import { isYes } from '../contract/route.ts'
import { ref } from '../contract/type.ts'
import { isSignedIn, tenantOf } from '../db/users.ts'
import { requireSession } from '../plugins/session.ts'
import type { OperationRoutesOptions } from './operations.ts'

/** How the service that logs calls without a browser introduces itself. */
const serverSideLogging = 'SSCL'

const withNote = ({ headers }: FastifyRequest) => ({ withCachedNote: headers['user-agent'] === serverSideLogging })

export const callLogRoutes: FastifyPluginAsyncTypebox<OperationRoutesOptions> = async (fastify, { connector }) => {
  const { callLogs } = fastify
  const submission = connector?.info.additionalSubmission ?? ref(AdditionalSubmission)
  fastify.addHook('onRequest', requireSession)

  fastify.route({
    ...getCallLogRoute,
    handler: async request => {
      const { sessionIds = '', requireDetails, ...identity } = request.query
      const sessions = sessionIds.split(',').map(id => id.trim()).filter(id => id !== '')
      return await callLogs.find(await request.tenant(), sessions, identity, isYes(requireDetails) ? await request.caller() : undefined)
    }
  })

  fastify.route({
    ...createCallLogRoute(submission),
    handler: async request => await callLogs.create(await request.caller(), request.body, withNote(request))
  })

  fastify.route({
    ...updateCallLogRoute(submission),
    handler: async request => await callLogs.update(await request.caller(), request.body, withNote(request))
  })

  fastify.route({
    ...cacheCallNoteRoute,
    handler: async request => {
      const user = await request.user()
      // Who is gone is told nothing, because the extension waits for this before it goes on; but their note is for no log of whoever comes next.
      if (isSignedIn(user)) await callLogs.cacheNote(tenantOf(user), String(request.body.sessionId), request.body.note ?? '')
      return { successful: true, returnMessage: 'Note cache saved' }
    }
  })

  fastify.route({
    ...upsertCallDispositionRoute,
    handler: async request => await callLogs.setDisposition(await request.caller(), request.body)
  })
}

/** The Example CRM's connector, and the same CRM as if it knew no external ids: with a search that lags behind, and with nothing. */
import example from '../../src/connectors/example/index.ts'
import type { Connector } from '../../src/contract/connector.ts'
import type { Context } from '../../src/contract/operations.ts'
import { path } from '../../src/contract/crm.ts'
import { Type } from '../../src/contract/type.ts'
import type { Activity } from './crm.ts'

export type Dedupe = 'native' | 'search' | 'none'

/** Milliseconds until the search knows a new record: longer than somebody who does not come back is waited for. */
export const searchLag = 45_000

const { info, operations } = example.connector

/** A CRM that takes no external ids. */
const withoutExternalId = (context: Context): Context => ({
  ...context,
  crm: {
    ...context.crm,
    post: async (path, request) => {
      const { externalId, ...body } = request.body as Record<string, unknown>
      return await context.crm.post(path, { ...request, body })
    }
  }
})

/** @param lag milliseconds until a search knows a new record */
export function connectorWith (dedupe: Dedupe, clock: () => number, lag: number = searchLag): Connector {
  if (dedupe === 'native') return example.connector
  const { findCallLog, findMessageLog, createMessageLog, ...others } = operations
  const find = async ({ crm }: Context, type: string, contactId: string, startTime: number) => {
    const { items } = await crm.get(path`/api/activities`, { query: { type, contactId }, answer: Type.Any() }) as { items: Activity[] }
    const found = items.find(item => Date.parse(item.startTime) === startTime && Date.parse(item.createdAt) <= clock() - lag)
    return found && { logId: String(found.id) }
  }
  return {
    info: { ...info, dedupe, ...(dedupe === 'search' && { findDelay: lag }) },
    operations: {
      ...others,
      createCallLog: async (context, log) => await operations.createCallLog(withoutExternalId(context), log),
      ...(createMessageLog !== undefined && { createMessageLog: async (context, log) => await createMessageLog(withoutExternalId(context), log) }),
      ...(dedupe === 'search' && {
        findCallLog: async (context, { contact, call }) => await find(context, 'call', contact.id, call.startTime),
        findMessageLog: async (context, { contact, startTime }) => await find(context, 'message', contact.id, startTime)
      })
    }
  }
}

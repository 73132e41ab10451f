/** The Example CRM's own records without a network in front of them, so that it can be cut at every request; its table is the judge. */
import type { Database } from 'better-sqlite3'
import { openDatabase } from '../../src/connectors/example/crm/database.ts'
import { Refusal } from '../../src/connectors/example/crm/refusal.ts'
import type { Activity } from '../../src/connectors/example/crm/schemas.ts'
import { crmStore, type Store } from '../../src/connectors/example/crm/store.ts'
import { CrmError, type CrmClient, type CrmErrorKind, type CrmRequest } from '../../src/contract/crm.ts'
import type { Effects } from './effects.ts'

export type { Activity } from '../../src/connectors/example/crm/schemas.ts'

/** How a request fails: cut before or after the work, refused with a status, answered with something else after the work. */
export type Failing = 'before' | 'after' | 'garbage' | 400 | 401 | 429 | 500 | 503

export interface Crm {
  /** What the CRM holds. */
  records: () => Activity[]
  /** What a person does in the CRM. */
  edit: (id: number, body: string) => void
  remove: (id: number) => void
  clear: () => void
  /** The client of Patchbay. @param meets how the next request fails, undefined when it does not */
  clientFor: (effects: Effects, meets: (method: string) => Failing | undefined) => CrmClient
  close: () => void
}

export function openCrm (clock: () => number): Crm {
  const database: Database = openDatabase(':memory:', new Date(clock()).toISOString())
  const store = crmStore(database, clock)
  const records = (): Activity[] => store.activities({})
  return {
    records,
    edit: (id, body) => { store.changeActivity(id, { body }) },
    remove: id => { store.deleteActivity(id) },
    clear: () => { for (const { id } of records()) store.deleteActivity(id) },
    clientFor: (effects, meets) => clientFor(store, effects, meets),
    close: () => { database.close() }
  }
}

/** What the CRM's API does. */
function answer (store: Store, method: string, path: string, { query, body }: CrmRequest<any>): unknown {
  const id = Number(/^\/api\/activities\/(\d+)$/.exec(path)?.[1])
  const caller = store.userByKey('example-key-ann')
  if (caller === undefined) throw new Refusal(401, 'nobody')
  if (path === '/api/activities') {
    if (method === 'POST') return store.addActivity(body as Parameters<Store['addActivity']>[0], caller)
    const { contactId, ...filter } = query as Record<string, string>
    return { items: store.activities({ ...filter, ...(contactId !== undefined && { contactId: Number(contactId) }) }) }
  }
  const found = method === 'PATCH' ? store.changeActivity(id, body as object) : store.activity(id)
  if (found === undefined) throw new Refusal(404, 'gone')
  return found
}

const kinds: Readonly<Record<number, CrmErrorKind>> = { 400: 'invalid', 401: 'auth-expired', 404: 'not-found', 409: 'conflict', 429: 'rate-limited' }
const notReceived = [429, 503]

function refusal (status: number): CrmError {
  const outcome = notReceived.includes(status) ? 'not-received' : status >= 500 ? 'unknown' : 'refused'
  return new CrmError(kinds[status] ?? 'unavailable', { outcome })
}

function clientFor (store: Store, effects: Effects, meets: (method: string) => Failing | undefined): CrmClient {
  const request = (method: string) => async (path: string, request: CrmRequest<any>): Promise<any> => {
    const failing = effects.dead ? 'before' : meets(method)
    if (failing === 'before') throw new CrmError('unavailable', { outcome: 'unknown' })
    if (typeof failing === 'number') throw refusal(failing)
    try {
      const answered = await effects.perform(`${method} ${path}`, async () => answer(store, method, path, request))
      if (failing === 'after') throw new CrmError('unavailable', { outcome: 'unknown' })
      if (failing === 'garbage') throw new CrmError('bad-response', { outcome: 'unknown' })
      return answered
    } catch (error) {
      if (error instanceof CrmError) throw error
      if (error instanceof Refusal) throw refusal(error.statusCode)
      // To its client a spoiled request is a broken connection.
      throw new CrmError('unavailable', { outcome: 'unknown', cause: error })
    }
  }
  return { get: request('GET'), post: request('POST'), put: request('PUT'), patch: request('PATCH'), delete: request('DELETE') }
}

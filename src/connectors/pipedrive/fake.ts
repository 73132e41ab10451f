/**
 * A fake Pipedrive: the part of its API that the connector uses, as strict as the real one. Facts:
 * https://developers.pipedrive.com/docs/api/v1 and https://pipedrive.readme.io/docs/pipedrive-api-v2
 */
import { Buffer } from 'node:buffer'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fakeServer, type FakeCrmOptions, type FakeOAuthCrm, type FakeRecord, type StartFakeCrm } from '../../testing/fake-crm.ts'
import { oauthServer, type OAuthServer } from '../../testing/oauth-server.ts'
import { Refusal } from '../../testing/refusal.ts'
import { gate, ShutOut, type Endpoint, type Gate } from './fake/gate.ts'
import { company, seed, type Activity, type Person, type Records } from './fake/records.ts'
import { ActivitiesQuery, ActivityChanges, ById, NewActivity, NewPerson, SearchQuery } from './fake/schemas.ts'

export interface FakePipedriveOptions extends FakeCrmOptions {
  /** Of the company, until midnight. */
  readonly dailyBudget?: number
  readonly scopes?: readonly string[]
  /** Milliseconds until a new activity appears in lists. */
  readonly listsAfter?: number
}

export interface FakePipedrive extends FakeOAuthCrm {
  /** What the company holds; tests may change it. */
  readonly held: Records
  readonly oauth: OAuthServer
}

const allScopes = ['base', 'contacts:full', 'activities:full', 'deals:read', 'leads:read', 'users:read', 'search:read']
const ann = 11
const client = { id: 'fake-pipedrive-client', secret: 'fake-pipedrive-secret' }

/** How Pipedrive says no. Version 1 leaves out the code, and names the status in the body of a 401. */
const failure = (status: number, error: string): Readonly<Record<string, unknown>> => status === 401
  ? { success: false, error: 'unauthorized access', errorCode: 401, error_info: 'Please check developers.pipedrive.com' }
  : { success: false, error, error_info: 'Please check developers.pipedrive.com', data: null, additional_data: null, code: status === 429 ? 'ERR_TOO_MANY_REQUESTS' : 'ERR_BAD_REQUEST' }

export const startFakeCrm = async (options: FakePipedriveOptions = {}): Promise<FakePipedrive> => {
  const { port = 0, clock = Date.now, dailyBudget = 30_000, scopes = allScopes, listsAfter = 0 } = options
  const redirectUri = options.redirectUri ?? 'http://127.0.0.1:6066/pipedrive-redirect'
  const held = seed()
  const app = fakeServer({ clock, below: ['/api'], tokenEndpoints: ['/oauth/token', '/oauth/revoke'], failure })
  const oauth = oauthServer({
    clock,
    client,
    redirectUri: () => redirectUri,
    defaultUser: ann,
    accessTokenLifetime: 3599,
    tokenAnswer: () => ({ scope: scopes.join(','), api_domain: `https://${company.domain}.pipedrive.com` }),
    refusal: message => ({ success: false, message, error: message })
  })
  const doorkeeper = gate({ clock, dailyBudget, scopes })
  app.register(oauth.routes)
  app.register(api, { held, oauth, doorkeeper, clock, listsAfter })
  const url = await app.listen({ host: '127.0.0.1', port })

  return {
    app,
    url,
    held,
    oauth,
    config: { url, clientId: client.id, clientSecret: client.secret, redirectUri, tokenUrl: `${url}/oauth/token` },
    userId: String(ann),
    consent: async state => oauth.consent(state),
    records: () => held.activities.filter(({ is_deleted: isDeleted }) => !isDeleted).map(toRecord),
    editRecord (id, edit) {
      held.activities = held.activities.map(one => String(one.id) === id ? { ...one, note: edit(one.note ?? '') } : one)
    },
    spent: () => ({ ...doorkeeper.spent(), unit: 'tokens' }),
    close: async () => await app.close()
  }
}
startFakeCrm satisfies StartFakeCrm

function toRecord (activity: Activity): FakeRecord {
  const [hours = 0, minutes = 0, seconds = 0] = activity.duration?.split(':').map(Number) ?? []
  return {
    id: String(activity.id),
    kind: activity.type === 'call' ? 'call' : 'message',
    subject: activity.subject,
    body: activity.note ?? '',
    contactId: String(activity.person_id ?? ''),
    ownerId: String(activity.owner_id),
    startTime: `${activity.due_date ?? ''}T${activity.due_time ?? ''}.000Z`,
    durationSeconds: activity.duration === null ? null : (hours * 60 + minutes) * 60 + seconds,
    dealId: activity.deal_id === null ? null : String(activity.deal_id)
  }
}

interface ApiOptions { held: Records, oauth: OAuthServer, doorkeeper: Gate, clock: () => number, listsAfter: number }

const api: FastifyPluginAsyncTypebox<ApiOptions> = async (app, { held, oauth, doorkeeper, clock, listsAfter }) => {
  const userOf = (request: FastifyRequest): number => {
    const id = oauth.userOf(request)
    if (id === undefined) throw new Refusal(401, 'unauthorized access')
    return id
  }
  const costing = (cost: number, scope: string, more: Partial<Endpoint> = {}) => async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    userOf(request)
    try {
      doorkeeper.pass(request, reply, { cost, scope, ...more })
    } catch (error) {
      if (!(error instanceof ShutOut)) throw error
      return await reply.code(403).type('text/html').send('<!doctype html><title>Access denied</title>')
    }
  }
  const one = (data: unknown) => ({ success: true, data })
  const page = <Item>(items: readonly Item[], { limit = '100', cursor = '' }: { limit?: string, cursor?: string }, wrap: (items: readonly Item[]) => unknown = all => all) => {
    const from = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64url').toString())
    if (!Number.isInteger(from)) throw new Refusal(400, "Parameter 'cursor' is not valid")
    const next = from + Number(limit)
    return {
      success: true,
      data: wrap(items.slice(from, next)),
      additional_data: { next_cursor: next < items.length ? Buffer.from(String(next)).toString('base64url') : null }
    }
  }

  app.get('/api/v1/users/me', { onRequest: costing(2, 'base') }, async request => {
    const { is_deleted: isDeleted, ...me } = held.users.find(({ id }) => id === userOf(request)) ?? {}
    return one({
      ...me, timezone_name: 'Europe/Berlin', timezone_offset: '+02:00', company_id: company.id, company_name: company.name, company_domain: company.domain, is_deleted: isDeleted
    })
  })

  app.get('/api/v1/users', { onRequest: costing(20, 'users:read') }, async () => one(held.users))

  app.get('/api/v1/activityTypes', { onRequest: costing(20, 'activities:full') }, async () => one(held.activityTypes))

  app.get('/api/v2/itemSearch', { onRequest: costing(20, 'search:read', { isSearch: true }), schema: { querystring: SearchQuery } }, async request => {
    const { term, item_types: type, fields, search_for_related_items: related, exact_match: exact, limit = '100' } = request.query
    if (term.length < 2 && exact !== 'true') throw new Refusal(400, 'The term must have at least 2 characters')
    if (Number(limit) > 100) throw new Refusal(400, "Parameter 'limit' must be at most 100")
    if (type !== 'person') throw new Refusal(501, 'Only people are here')
    const matches = fields === 'phone' ? hasDigits(term) : hasName(term, exact === 'true')
    const found = held.people.filter(matches)
    return page(found, request.query, people => {
      const ids = people.map(({ id }) => id)
      return {
        items: people.map(person => ({ result_score: 0.5, item: toItem(person, held) })),
        related_items: related === 'true' ? relatedItems(ids, held) : []
      }
    })
  })

  app.post('/api/v2/persons', {
    onRequest: costing(5, 'contacts:full'),
    preValidation: async ({ body }) => {
      const synced = ['job_title', 'notes', 'im', 'birthday', 'postal_address'].find(name => name in Object(body))
      if (synced !== undefined) throw new Refusal(403, `'${synced}' needs contact sync`)
    },
    schema: { body: NewPerson }
  }, async request => {
    const { name, owner_id: ownerId = userOf(request), org_id: orgId = null, phones = [], emails = [] } = request.body
    const person = { id: Math.max(...held.people.map(({ id }) => id)) + 1, name, owner_id: ownerId, org_id: orgId, phones, emails }
    held.people.push(person)
    return one(person)
  })

  app.get('/api/v2/persons/:id', { onRequest: costing(1, 'contacts:full'), schema: { params: ById } }, async ({ params }) =>
    one(held.people.find(({ id }) => id === Number(params.id)) ?? notFound('Person')))

  const readOnly = async ({ body }: { body: unknown }): Promise<void> => {
    const name = ['person_id', 'is_deleted', 'add_time', 'update_time'].find(member => member in Object(body))
    if (name !== undefined) throw new Refusal(400, `'${name}' is a read-only field`)
  }

  app.post('/api/v2/activities', { onRequest: costing(5, 'activities:full'), preValidation: readOnly, schema: { body: NewActivity } }, async request => {
    const now = new Date(clock()).toISOString()
    const activity = checked({
      id: held.activities.length + 7001,
      subject: 'Call',
      type: 'call',
      owner_id: userOf(request),
      creator_user_id: userOf(request),
      is_deleted: false,
      add_time: now,
      deal_id: null,
      lead_id: null,
      org_id: null,
      due_date: null,
      due_time: null,
      duration: null,
      done: false,
      note: null,
      participants: []
    }, request.body, now, held)
    held.activities.push(activity)
    return one(activity)
  })

  const activityOf = (id: string): Activity => held.activities.find(one => one.id === Number(id)) ?? notFound('Activity')

  app.get('/api/v2/activities/:id', { onRequest: costing(1, 'activities:full'), schema: { params: ById } }, async ({ params }) => one(activityOf(params.id)))

  app.patch('/api/v2/activities/:id', {
    onRequest: costing(5, 'activities:full'), preValidation: readOnly, schema: { params: ById, body: ActivityChanges }
  }, async ({ params, body }) => {
    const activity = activityOf(params.id)
    if (activity.is_deleted) throw new Refusal(410, 'Activity is deleted')
    const changed = checked(activity, body, new Date(clock()).toISOString(), held)
    held.activities = held.activities.map(one => one === activity ? changed : one)
    return one(changed)
  })

  app.delete('/api/v2/activities/:id', { onRequest: costing(3, 'activities:full'), schema: { params: ById } }, async ({ params }) => {
    const activity = activityOf(params.id)
    held.activities = held.activities.map(one => one === activity ? { ...activity, is_deleted: true } : one)
    return one({ id: activity.id })
  })

  app.get('/api/v2/activities', { onRequest: costing(10, 'activities:full'), schema: { querystring: ActivitiesQuery } }, async ({ query }) => {
    if (Number(query.limit ?? 100) > 500) throw new Refusal(400, "Parameter 'limit' must be at most 500")
    const listed = held.activities
      .filter(one => !one.is_deleted && Date.parse(one.add_time) + listsAfter <= clock())
      .filter(one => query.owner_id === undefined || one.owner_id === Number(query.owner_id))
      .filter(one => query.person_id === undefined || one.person_id === Number(query.person_id))
      .filter(one => query.deal_id === undefined || one.deal_id === Number(query.deal_id))
      .filter(one => query.updated_since === undefined || Date.parse(one.update_time) >= Date.parse(query.updated_since))
    return page(query.sort_direction === 'desc' ? listed.toReversed() : listed, query)
  })
}

const notFound = (name: string): never => { throw new Refusal(404, `${name} not found`) }

/** The activity with the changes, when its references hold. */
function checked (activity: Omit<Activity, 'update_time' | 'person_id'>, changes: ActivityChanges, now: string, held: Records): Activity {
  const refuse = (why: string): never => { throw new Refusal(400, why) }
  const changed = { ...activity, ...changes }
  const known = (list: ReadonlyArray<{ id: unknown }>, id: unknown): boolean => id === null || list.some(one => one.id === id)
  if (!held.activityTypes.some(type => type.key_string === changed.type && type.active_flag)) refuse(`type '${changed.type}' is not an active activity type`)
  if (!known(held.users, changed.owner_id)) refuse('owner_id is not a user')
  if (!known(held.deals, changed.deal_id)) refuse('deal_id is not a deal')
  if (!known(held.leads, changed.lead_id)) refuse('lead_id is not a lead')
  if (!known(held.organizations, changed.org_id)) refuse('org_id is not an organization')
  if (changed.deal_id !== null && changed.lead_id !== null) refuse('deal_id and lead_id cannot be set together')
  const people = changed.participants.map(participant => participant.person_id)
  if (!people.every(id => known(held.people, id))) refuse('participants: person_id is not a person')
  const padded = (time: string | null): string | null => time?.length === 5 ? `${time}:00` : time
  return {
    ...changed,
    due_time: padded(changed.due_time),
    duration: padded(changed.duration),
    // What it stores is the same text in its own spelling.
    note: changed.note?.replaceAll('&#039;', "'").replaceAll('&quot;', '"') ?? null,
    person_id: changed.participants.find(({ primary }) => primary)?.person_id ?? people[0] ?? null,
    update_time: now
  }
}

const digitsOf = (text: string): string => text.replace(/\D/g, '')
const hasDigits = (term: string) => ({ phones }: Person): boolean => phones.some(({ value }) => digitsOf(value).includes(digitsOf(term) || term))
const hasName = (term: string, exact: boolean) => ({ name }: Person): boolean =>
  exact ? name.toLowerCase() === term.toLowerCase() : name.toLowerCase().includes(term.toLowerCase())

/** A person as searches give it: without times and labels. */
function toItem ({ id, name, phones, emails, owner_id: ownerId, org_id: orgId }: Person, { organizations }: Records) {
  const organization = organizations.find(one => one.id === orgId)
  return {
    id,
    type: 'person',
    name,
    phones: phones.map(({ value }) => value),
    emails: emails.map(({ value }) => value),
    visible_to: 3,
    owner: { id: ownerId },
    organization: organization === undefined ? null : { ...organization, address: null },
    custom_fields: [],
    notes: []
  }
}

/** The 100 newest deals and leads of each person. */
function relatedItems (ids: readonly number[], { deals, leads, people }: Records): unknown[] {
  return ids.flatMap(personId => {
    const person = { id: personId, name: people.find(({ id }) => id === personId)?.name }
    return [
      ...deals.filter(deal => deal.person_id === personId).slice(-100).map(({ id, title, status, is_archived: isArchived }) =>
        ({ result_score: 0, item: { id, type: 'deal', title, status, is_archived: isArchived, owner: { id: 11 }, stage: { id: 3, name: 'Demo' }, person } })),
      ...leads.filter(lead => lead.person_id === personId).slice(-100).map(({ id, title, is_archived: isArchived }) =>
        ({ result_score: 0, item: { id, type: 'lead', title, is_archived: isArchived, owner: { id: 11 }, person } }))
    ]
  })
}

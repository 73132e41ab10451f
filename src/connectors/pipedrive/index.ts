/** Pipedrive: people, deals and leads, calls and messages as activities. https://developers.pipedrive.com/docs/api/v1 */
import { accountData } from '../../contract/account-data.ts'
import { oauth } from '../../contract/auth.ts'
import { connector } from '../../contract/connector.ts'
import { CrmError, path, type CrmClient } from '../../contract/crm.ts'
import type { CallLogRecord, Context, FoundContact, LogContact, Logged, LostLog, NewMessageLog } from '../../contract/operations.ts'
import { isSameNumber, phoneForms } from '../../contract/phone.ts'
import { page, removalNotice } from '../../contract/root-route.ts'
import { setting, settingOf } from '../../contract/settings.ts'
import { Type, Value, type Static } from '../../contract/type.ts'
import { Activities, ActivityTypes, FoundPeople, Me, OneActivity, Person, Refusal, Users, type Activity } from './api.ts'
import { changedLink, chooseType, due, duration, likeness, Links, newLink, participants, Remembered, toContact, type Written } from './mapping.ts'
import { redirectPage } from './redirect-page.ts'

const chosenType = Type.String({ minLength: 1 })
const callType = setting({ id: 'pipedriveCallActivityType', schema: chosenType, scope: 'account' })
const messageType = setting({ id: 'pipedriveSMSActivityType', schema: chosenType, scope: 'account' })

/** Companies rename, add and disable types; `const` is what an activity takes. */
const activityTypes = accountData({
  key: 'activityTypes',
  schema: Type.Array(Type.Object({ const: Type.String(), title: Type.String() })),
  ttl: 24 * 60 * 60_000,
  async fetch ({ crm }) {
    const { data } = await crm.get(path`/api/v1/activityTypes`, { answer: ActivityTypes })
    return data.filter(({ active_flag: active }) => active).map(({ key_string: key, name }) => ({ const: key, title: name }))
  }
})

export default connector({
  platform: 'pipedrive',
  title: 'Pipedrive',
  hosts: ['*.pipedrive.com'],
  baseUrl: 'https://api.pipedrive.com',
  // https://pipedrive.readme.io/docs/marketplace-oauth-authorization
  auth: oauth({
    server: 'https://oauth.pipedrive.com',
    authorizeUrl: '/oauth/authorize',
    tokenUrl: '/oauth/token',
    revokeUrl: '/oauth/revoke',
    // A company may rename itself, so the address is read from each token answer.
    baseUrl: ({ api_domain: domain }) => typeof domain === 'string' ? domain : undefined,
    // That a refused token request ends the connection is said by its status alone. A wrong secret is no reason to end any.
    normalise: (answer, status) => (status === 400 || status === 401) && !isUnknownClient(answer) ? { error: 'invalid_grant' } : answer
  }),
  logFormat: 'text/html',
  dedupe: 'search',
  // A list may be a moment behind the records.
  findDelay: 5_000,
  // Searches are fewer, 10 in 2 seconds; the headers of their answers say so.
  // https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
  rateLimit: { requests: 80, perMilliseconds: 2_000, scope: 'user' },
  additionalSubmission: Links,
  submissionOfPage: { newContact: Type.Object({}) },
  settings: [callType, messageType],
  accountData: [activityTypes],
  readError: answer => Value.Check(Refusal, answer) ? { message: answer.error } : {},
  rootRoutes: [
    page({
      url: '/pipedrive-redirect',
      operationId: 'showPipedriveRedirect',
      summary: 'Where the consent page of Pipedrive ends',
      html: redirectPage
    }),
    // https://pipedrive.readme.io/docs/app-uninstallation
    removalNotice({
      method: 'DELETE',
      url: '/pipedrive-redirect',
      operationId: 'removePipedriveUser',
      summary: 'Pipedrive says that a user removed the app',
      body: Type.Object({ user_id: Type.Integer(), company_id: Type.Integer(), timestamp: Type.Optional(Type.Unknown()) }),
      read ({ user_id: userId, company_id: companyId, timestamp }) {
        // A notice without a time that can be read is a notice all the same.
        const at = typeof timestamp === 'string' ? Date.parse(timestamp) : NaN
        return { crmUserId: String(userId), companyId: String(companyId), ...(!Number.isNaN(at) && { at }) }
      }
    })
  ]
}, {
  async getUserInfo ({ crm }) {
    const { data } = await crm.get(path`/api/v1/users/me`, { answer: Me })
    return {
      crmUserId: String(data.id),
      name: data.name,
      timeZone: data.timezone_name,
      hostname: `${data.company_domain}.pipedrive.com`,
      info: { companyId: data.company_id, companyName: data.company_name, companyDomain: data.company_domain }
    }
  },

  async getUserList ({ crm }) {
    const { data } = await crm.get(path`/api/v1/users`, { answer: Users })
    return data.filter(user => user.active_flag && user.is_deleted !== true).map(({ id, name, email }) => ({ id: String(id), name, email }))
  },

  async findContact ({ crm }, { phoneNumber }) {
    // People write numbers as they like: the digits that all forms share are searched, and what is found is compared.
    const { national } = phoneForms(phoneNumber) ?? { national: phoneNumber }
    return await findPeople(crm, national, 'phone', text => isSameNumber(phoneNumber, text))
  },

  async findContactWithName ({ crm }, { name }) {
    const term = name.trim()
    return term === '' ? [] : await findPeople(crm, term, 'name')
  },

  async createContact ({ crm, user }, { phoneNumber, name }) {
    const { data } = await crm.post(path`/api/v2/persons`, {
      body: { name, owner_id: Number(user.crmUserId), phones: [{ value: phoneNumber, primary: true, label: 'work' }] },
      answer: Person
    })
    return { contact: toContact({ ...data, phones: [], organization: null }, phoneNumber, []) }
  },

  createCallLog: async (context, { call, ...log }) => await createActivity(context, { ...call, ...log }, { chosen: callType, word: 'call' }),
  findCallLog: async ({ crm }, log) => await findActivity(crm, { ...log, startTime: log.call.startTime }),
  getCallLog: async ({ crm }, { logId }) => await readActivity(crm, logId),

  async updateCallLog ({ crm }, { logId, subject, body, startTime, duration: seconds, additionalSubmission, ownerId }) {
    await changeActivity(crm, logId, {
      ...(subject !== undefined && { subject }),
      ...(body !== undefined && { note: body }),
      ...(startTime !== undefined && due(startTime)),
      ...(seconds !== undefined && { duration: duration(seconds) }),
      ...(ownerId !== undefined && { owner_id: Number(ownerId) }),
      ...changedLink(additionalSubmission ?? {})
    })
    return {}
  },

  async upsertCallDisposition ({ crm }, { logId, dispositions }) {
    const link = changedLink(dispositions)
    if (Object.keys(link).length === 0) return undefined
    await changeActivity(crm, logId, link)
    return { logId }
  },

  createMessageLog: async (context, log) => await createActivity(context, log, { chosen: messageType, word: 'sms' }),
  findMessageLog: async ({ crm }, log) => await findActivity(crm, log),

  async getMessageLog ({ crm }, { logId }) {
    const { subject, body } = await readActivity(crm, logId)
    return { subject, body }
  },

  async updateMessageLog ({ crm }, { logId, body, additionalSubmission }) {
    await changeActivity(crm, logId, {
      ...(body !== undefined && { note: body }),
      ...changedLink(additionalSubmission ?? {})
    })
    return {}
  }
})

const isUnknownClient = (answer: unknown): boolean => Value.Check(Refusal, answer) && answer.error === 'invalid_client'

/** People with their open deals and leads, in one request. */
async function findPeople (crm: CrmClient, term: string, field: 'phone' | 'name', isWanted?: (phone: string) => boolean): Promise<FoundContact[]> {
  const { data } = await crm.get(path`/api/v2/itemSearch`, {
    // One letter alone is only taken as a whole name.
    query: { term, item_types: 'person', fields: field, search_for_related_items: true, limit: 100, exact_match: term.length < 2 ? true : undefined },
    answer: FoundPeople
  })
  const related = data.related_items.map(({ item }) => item)
  return data.items.flatMap(({ item }) => {
    const phone = isWanted === undefined ? undefined : item.phones.find(isWanted)
    return isWanted !== undefined && phone === undefined ? [] : [toContact(item, phone, related)]
  })
}

interface Kind {
  /** The setting with which an admin chooses the type of activity. */
  readonly chosen: typeof callType
  /** Key, title or part of the title of the type where nobody has chosen one. */
  readonly word: 'call' | 'sms'
}

/** @throws {CrmError} `prerequisite` when the company has no such type and nobody chose one */
async function typeOf (context: Context, { chosen, word }: Kind): Promise<string> {
  const types = await context.accountData(activityTypes)
  const type = chooseType(types, settingOf(context, chosen), word)
  if (type !== undefined) return String(type.const)
  throw new CrmError('prerequisite', {
    message: `Pipedrive has no activity type for ${word === 'call' ? 'calls' : 'messages'}. An admin has to choose one in the settings of the extension.`
  })
}

/** From the match; only a contact that was found in another way has to be read. */
async function organizationOf ({ crm, remembered }: Context, contact: LogContact): Promise<{ org_id?: number }> {
  const match = await remembered(contact)
  const id = Value.Check(Remembered, match)
    ? match.organizationId
    : (await crm.get(path`/api/v2/persons/${contact.id}`, { answer: Person })).data.org_id
  return id === null ? {} : { org_id: id }
}

type NewActivity = Pick<NewMessageLog<Static<typeof Links>>, 'contact' | 'subject' | 'body' | 'startTime' | 'additionalSubmission' | 'ownerId'> & {
  /** Seconds. */
  readonly duration?: number
}

async function createActivity (context: Context, log: NewActivity, kind: Kind): Promise<Logged> {
  const [type, organization] = await Promise.all([typeOf(context, kind), organizationOf(context, log.contact)])
  const { data } = await context.crm.post(path`/api/v2/activities`, {
    body: {
      type,
      subject: log.subject,
      note: log.body,
      owner_id: Number(log.ownerId),
      participants: participants(log.contact),
      ...organization,
      ...due(log.startTime),
      ...(log.duration !== undefined && { duration: duration(log.duration) }),
      ...newLink(log.additionalSubmission),
      done: true
    },
    answer: OneActivity
  })
  return { logId: String(data.id) }
}

/** What is deleted stays readable for 30 days. */
async function readActivity (crm: CrmClient, logId: string): Promise<CallLogRecord & { subject: string, body: string }> {
  const { data } = await crm.get(path`/api/v2/activities/${logId}`, { answer: OneActivity })
  if (data.is_deleted) throw new CrmError('not-found')
  return {
    subject: data.subject ?? '',
    body: data.note ?? '',
    dispositions: { ...(data.deal_id !== null && { deals: data.deal_id }), ...(data.lead_id !== null && { leads: data.lead_id }) }
  }
}

async function changeActivity (crm: CrmClient, logId: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
  if (Object.keys(changes).length > 0) await crm.patch(path`/api/v2/activities/${logId}`, { body: changes, answer: OneActivity })
}

/**
 * Clocks may differ by less than this. The times only spare pages (owner, person, subject, date and text tell the record), and what one
 * user did with one person in a day more still fits into the first page of 500, for the same 10 tokens.
 */
const clockMargin = 24 * 60 * 60_000

/** Looks through everything that the owner has with that person since the first attempt. */
async function findActivity (crm: CrmClient, log: LostLog<Written & { contact: LogContact, ownerId: string }>): Promise<Logged | undefined> {
  const since = new Date(log.since - clockMargin).toISOString()
  let cursor: string | undefined
  let edited: Activity | undefined
  do {
    const { data, additional_data: { next_cursor: next } } = await crm.get(path`/api/v2/activities`, {
      query: { owner_id: log.ownerId, person_id: log.contact.id, updated_since: since, sort_by: 'add_time', sort_direction: 'desc', limit: 500, cursor },
      answer: Activities
    })
    const alike = data.filter(({ id, is_deleted: isDeleted }) => !isDeleted && !log.others.includes(String(id))).map(activity => ({ activity, like: likeness(log, activity) }))
    const found = alike.find(({ like }) => like === 'as written')?.activity
    if (found !== undefined) return { logId: String(found.id) }
    edited ??= alike.find(({ like }) => like === 'with more words')?.activity
    cursor = next ?? undefined
  } while (cursor !== undefined)
  return edited && { logId: String(edited.id) }
}

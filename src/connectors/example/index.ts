/** The connector to learn from: every operation, against the Example CRM that is served beside Patchbay. */
import { apiKey, oauth } from '../../contract/auth.ts'
import { connector } from '../../contract/connector.ts'
import { path } from '../../contract/crm.ts'
import { Type, Value } from '../../contract/type.ts'
import { Activities, Activity, Person, Persons, User, Users } from './api.ts'
import { callFields, contactId, toContact } from './mapping.ts'

/** What the CRM says when it refuses: `{ error: { message, field? } }`. */
const Refusal = Type.Object({ error: Type.Object({ message: Type.String(), field: Type.Optional(Type.String()) }) })

export default connector({
  platform: 'example',
  title: 'Example CRM',
  hosts: ['127.0.0.1'],
  baseUrl: 'http://127.0.0.1:6067',
  // The extension shows the first one.
  auth: [
    apiKey(),
    oauth({
      authorizeUrl: '/oauth/authorize',
      tokenUrl: '/oauth/token',
      revokeUrl: '/oauth/revoke',
      // A CRM of which everybody has one: its client is no secret.
      client: { id: 'patchbay-example', secret: 'patchbay-example-secret' }
    })
  ],
  logFormat: 'text/html',
  maxBodyLength: 65_536,
  // The CRM takes an external id once, and finds the record by it.
  dedupe: 'native',
  internalCalls: true,
  contactTypes: ['Contact', 'Lead'],
  additionalSubmission: Type.Object({
    deals: Type.Optional(Type.Integer({ description: 'An open deal of the contact.' }))
  }),
  readError: answer => Value.Check(Refusal, answer) ? answer.error : {}
}, {
  async getUserInfo ({ crm }) {
    const { id, name, email } = await crm.get(path`/api/me`, { answer: User })
    return { crmUserId: String(id), name, info: { email } }
  },

  async getUserList ({ crm }) {
    const { items } = await crm.get(path`/api/users`, { answer: Users })
    return items.map(({ id, name, email }) => ({ id: String(id), name, email }))
  },

  async getLicenseStatus () {
    return { isLicenseValid: true, licenseStatus: 'Basic', licenseStatusDescription: '' }
  },

  async findContact ({ crm }, { phoneNumber, isExtension }) {
    const query = isExtension ? { number: phoneNumber } : { phone: phoneNumber }
    const { items } = await crm.get(path`/api/contacts`, { query, answer: Persons })
    return items.map(toContact)
  },

  async findContactWithName ({ crm }, { name }) {
    const { items } = await crm.get(path`/api/contacts`, { query: { name }, answer: Persons })
    return items.map(toContact)
  },

  async createContact ({ crm }, { phoneNumber, name, type }) {
    // An internal number has no plus, and a field of its own.
    const reach = phoneNumber.startsWith('+') ? { phone: phoneNumber } : { number: phoneNumber }
    const person = await crm.post(path`/api/contacts`, { body: { type, name, ...reach }, answer: Person })
    return { contact: toContact(person) }
  },

  async createCallLog ({ crm }, { externalId, call, contact, subject, body, additionalSubmission, ownerId }) {
    const activity = await crm.post(path`/api/activities`, {
      body: {
        type: 'call',
        externalId,
        subject,
        body,
        contactId: contactId(contact),
        ownerId: Number(ownerId),
        ...callFields(call),
        ...(additionalSubmission.deals !== undefined && { dealId: additionalSubmission.deals })
      },
      answer: Activity
    })
    return { logId: String(activity.id) }
  },

  async findCallLog ({ crm }, { externalId }) {
    const { items: [activity] } = await crm.get(path`/api/activities`, { query: { type: 'call', externalId }, answer: Activities })
    return activity && { logId: String(activity.id) }
  },

  async getCallLog ({ crm }, { logId }) {
    const { subject, body, outcome, dealId } = await crm.get(path`/api/activities/${logId}`, { answer: Activity })
    return { subject, body, dispositions: { ...(outcome !== null && { outcome }), ...(dealId !== null && { deals: dealId }) } }
  },

  async updateCallLog ({ crm }, { logId, subject, body, additionalSubmission, ...call }) {
    const changes = {
      ...callFields(call),
      ...(subject !== undefined && { subject }),
      ...(body !== undefined && { body }),
      ...(additionalSubmission?.deals !== undefined && { dealId: additionalSubmission.deals })
    }
    if (Object.keys(changes).length > 0) await crm.patch(path`/api/activities/${logId}`, { body: changes, answer: Activity })
    return {}
  },

  async upsertCallDisposition ({ crm }, { logId, dispositions }) {
    if (dispositions.deals === undefined) return undefined
    await crm.patch(path`/api/activities/${logId}`, { body: { dealId: dispositions.deals }, answer: Activity })
    return { logId }
  },

  async createMessageLog ({ crm }, { externalId, contact, subject, body, startTime, direction, additionalSubmission, ownerId }) {
    const activity = await crm.post(path`/api/activities`, {
      body: {
        type: 'message',
        externalId,
        subject,
        body,
        contactId: contactId(contact),
        ownerId: Number(ownerId),
        ...callFields({ startTime, direction }),
        ...(additionalSubmission.deals !== undefined && { dealId: additionalSubmission.deals })
      },
      answer: Activity
    })
    return { logId: String(activity.id) }
  },

  async findMessageLog ({ crm }, { externalId }) {
    const { items: [activity] } = await crm.get(path`/api/activities`, { query: { type: 'message', externalId }, answer: Activities })
    return activity && { logId: String(activity.id) }
  },

  async getMessageLog ({ crm }, { logId }) {
    const { subject, body } = await crm.get(path`/api/activities/${logId}`, { answer: Activity })
    return { subject, body }
  },

  async updateMessageLog ({ crm }, { logId, body, additionalSubmission }) {
    const changes = {
      ...(body !== undefined && { body }),
      ...(additionalSubmission?.deals !== undefined && { dealId: additionalSubmission.deals })
    }
    if (Object.keys(changes).length > 0) await crm.patch(path`/api/activities/${logId}`, { body: changes, answer: Activity })
    return {}
  }
})

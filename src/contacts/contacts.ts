/** Matching callers with contacts: asked of the CRM, remembered for a while, forgotten when a contact is created. */
import { returnMessage } from '../contract/answer.ts'
import type { Contact, ContactsAnswer, CreateContactAnswer, CreateContactBody } from '../contract/contact.ts'
import { PatchbayError } from '../contract/errors.ts'
import type { ConnectedUser, FoundContact, LogContact } from '../contract/operations.ts'
import { readSubmission, submissionOf } from '../contract/submission.ts'
import type { AccountData, DataOwner } from '../db/account-data.ts'
import type { Tenant } from '../db/tenant.ts'
import { operationOf, type Caller } from '../calls/caller.ts'

/** A match stays good while calls come and go; a caller whom nobody knew may be entered in the CRM the next minute. */
const matchLives = 15 * 60_000
const missLives = 60_000

export interface ContactQuery {
  readonly phoneNumber: string
  readonly isExtension: boolean
  readonly overridingFormats: readonly string[]
  /** Ask the CRM although the answer is remembered. */
  readonly refresh: boolean
}

export interface Contacts {
  findContact: (caller: Caller, query: ContactQuery) => Promise<ContactsAnswer>
  findContactWithName: (caller: Caller, name: string) => Promise<ContactsAnswer>
  createContact: (caller: Caller, body: CreateContactBody) => Promise<CreateContactAnswer>
  /** What the connector wanted to remember of a contact that it found by its number. */
  remembered: (tenant: Tenant, user: Pick<ConnectedUser, 'info'>, contact: Pick<LogContact, 'id' | 'phoneNumber'>) => Promise<FoundContact['remember']>
}

/** A leading `+` that was not encoded in the address arrives as a blank. */
export const phoneNumberOf = (text: string): string => text.replace(' ', '+').trim()

export function contacts (accountData: AccountData): Contacts {
  /** What is known of a number while its time lasts. */
  const knownMatches = async (owner: DataOwner, key: string): Promise<FoundContact[] | undefined> => {
    const remembered = await accountData.get(owner, key)
    return remembered === undefined || remembered.expired ? undefined : remembered.data as FoundContact[]
  }

  const matches = async (caller: Caller, query: ContactQuery): Promise<FoundContact[]> => {
    const { info } = caller.connector
    if (!query.phoneNumber.startsWith('+') && info.internalCalls !== true) return []
    const owner = ownerOf(caller.tenant)
    const key = cacheKey(caller.context.user, query.phoneNumber)
    if (!query.refresh) {
      const known = await knownMatches(owner, key)
      if (known !== undefined) return known
    }
    const found = await operationOf(caller, 'findContact')(caller.context, query)
    if (found.length === 0) {
      // Meanwhile the contact may have been created, which the CRM's index did not know yet.
      const created = await knownMatches(owner, key) ?? []
      if (created.length > 0 && !query.refresh) return created
    }
    await accountData.set(owner, key, found, found.length === 0 ? missLives : matchLives)
    return found
  }

  return {
    async findContact (caller, query) {
      const found = await matches(caller, query)
      return {
        successful: true,
        returnMessage: found.length === 0 ? nobody(`${caller.connector.info.title} has no contact with the number ${query.phoneNumber}.`) : null,
        contact: [...found.map(shown), ...offerToCreate(caller)]
      }
    },

    async findContactWithName (caller, name) {
      const found = await operationOf(caller, 'findContactWithName')(caller.context, { name })
      return {
        successful: true,
        returnMessage: found.length === 0 ? nobody(`${caller.connector.info.title} has no contact of the name "${name}".`) : null,
        contact: found.map(shown)
      }
    },

    async createContact (caller, { phoneNumber, newContactName, newContactType, additionalSubmission }) {
      const { info } = caller.connector
      const number = phoneNumberOf(phoneNumber)
      const type = newContactType || info.contactTypes?.[0] || ''
      if (info.contactTypes !== undefined && !info.contactTypes.includes(type)) {
        throw new PatchbayError('invalid', { field: 'newContactType', message: `${info.title} knows no contacts of that type, but ${info.contactTypes.join(', ')}.` })
      }
      const created = await operationOf(caller, 'createContact')(caller.context, {
        phoneNumber: number,
        name: newContactName?.trim() || number,
        type,
        additionalSubmission: readSubmission(submissionOf(info, 'newContact'), additionalSubmission)
      })
      // The index that a CRM searches may be behind its records, so the contact is remembered, not looked for.
      const owner = ownerOf(caller.tenant)
      const key = cacheKey(caller.context.user, number)
      const others = (await knownMatches(owner, key) ?? []).filter(({ id }) => String(id) !== String(created.contact.id))
      await accountData.set(owner, key, [...others, created.contact], matchLives)
      return { successful: true, returnMessage: created.returnMessage ?? returnMessage('success', 'Contact created.', 2000), contact: shown(created.contact) }
    },

    async remembered (tenant, user, { id, phoneNumber }) {
      // Clients remember a match for days, so one whose time is over here still says more than nothing.
      const known = (await accountData.get(ownerOf(tenant), cacheKey(user, phoneNumber)))?.data as FoundContact[] | undefined
      return known?.find(contact => String(contact.id) === id)?.remember
    }
  }
}

/** The CRM shows each user what they may see, so what one user saw is not for another. */
const ownerOf = ({ userId, platform }: Tenant): DataOwner => ({ ownerKey: userId, platform })

function shown ({ remember, ...contact }: FoundContact): Contact {
  return contact
}

/** One person may work in several companies of a CRM, each with records of its own. */
const cacheKey = ({ info: { companyId } }: Pick<ConnectedUser, 'info'>, phoneNumber: string): string =>
  ['contact', ...(companyId === undefined ? [] : [String(companyId)]), phoneNumber].join('-')

const nobody = (text: string): NonNullable<ContactsAnswer['returnMessage']> => ({
  ...returnMessage('warning', 'Contact not found'),
  details: [{ title: 'Details', items: [{ id: '1', type: 'text', text }] }]
})

/** The entry by which the extension offers to create a contact; it tells it from a match by `isNewContact`. */
function offerToCreate ({ connector: { info, operations } }: Caller): Contact[] {
  if (operations.createContact === undefined) return []
  const type = info.contactTypes?.[0]
  return [{
    id: 'createNewContact',
    name: 'Create new contact',
    isNewContact: true,
    additionalInfo: {},
    ...(type !== undefined && { type, defaultContactType: type })
  }]
}

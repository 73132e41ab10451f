/** Matching callers with contacts: asked of the CRM and remembered for a while, together with those created meanwhile. */
import { returnMessage } from '../contract/answer.ts'
import type { Contact, ContactsAnswer, CreateContactAnswer, CreateContactBody } from '../contract/contact.ts'
import { PatchbayError } from '../contract/errors.ts'
import { phoneForms } from '../contract/phone.ts'
import { companyOf, type ConnectedUser, type CreatedContact, type FoundContact, type LogContact, type NewContact } from '../contract/operations.ts'
import { readSubmission, submissionOf } from '../contract/submission.ts'
import type { CachedAccountData, DataOwner } from '../db/account-data.ts'
import type { Tenant } from '../db/tenant.ts'
import { operationOf, type Caller } from '../calls/caller.ts'
import { judge } from '../calls/outcome.ts'

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
  remembered: (tenant: Tenant, user: Pick<ConnectedUser, 'info'>, contact: Pick<LogContact, 'id' | 'type' | 'phoneNumber'>) => Promise<FoundContact['remember']>
}

/**
 * A number as it is looked for and written. A leading `+` that was not encoded in an address arrives as a blank.
 * @returns E.164, or the text as it came where that is no number of the public network, or one with letters
 */
export function phoneNumberOf (text: string): string {
  const number = text.replace(/^ /, '+').trim()
  return /^\+?\d+$/.test(number) ? number : phoneForms(number)?.e164 ?? number
}

export function contacts (accountData: CachedAccountData): Contacts {
  const creations = new Map<string, Promise<CreatedContact>>()

  /** What is kept under a key while its time lasts. */
  const known = async <Item = FoundContact>(owner: DataOwner, key: string): Promise<Item[] | undefined> => {
    const kept = await accountData.get(owner, key)
    return kept === undefined || kept.expired ? undefined : kept.data as Item[]
  }

  const matches = async (caller: Caller, query: ContactQuery): Promise<FoundContact[]> => {
    const { info } = caller.connector
    if (!query.phoneNumber.startsWith('+') && info.internalCalls !== true) return []
    const owner = ownerOf(caller.tenant)
    const { user } = caller.context
    const [key, nobodyKey] = [cacheKey('contact', user, query.phoneNumber), cacheKey('nobody', user, query.phoneNumber)]
    // A CRM may find somebody by another format.
    const way = JSON.stringify([query.isExtension, ...query.overridingFormats])
    if (!query.refresh) {
      const kept = await known(owner, key)
      if (kept !== undefined) return kept
      const nobodyBy = await known<string>(owner, nobodyKey)
      if (nobodyBy?.includes(way)) return []
    }
    const found = await operationOf(caller, 'findContact')(caller.context, query)
    // The index that a CRM searches may be behind its records. Who asks anew hears what the CRM says, and so does whoever asks after that.
    const createdKey = cacheKey('createdContact', user, query.phoneNumber)
    const created = await known(owner, createdKey) ?? []
    const all = query.refresh ? found : together(found, created)
    if (query.refresh && created.length > 0) await accountData.set(owner, createdKey, [], 0)
    if (all.length > 0) await accountData.set(owner, key, all, matchLives)
    else {
      if (query.refresh) await accountData.set(owner, key, [], 0)
      await accountData.set(owner, nobodyKey, [way], missLives)
    }
    return all
  }

  /** The CRM may have the contact: what was found before it proves nothing, and it is looked for before it is made again. */
  const mayBeThere = async (owner: DataOwner, user: ConnectedUser, { phoneNumber }: NewContact): Promise<void> => {
    for (const kind of ['contact', 'nobody'] as const) {
      const key = cacheKey(kind, user, phoneNumber)
      const kept = await accountData.get(owner, key)
      if (kept !== undefined) await accountData.set(owner, key, kept.data, 0)
    }
    await accountData.set(owner, cacheKey('lostContact', user, phoneNumber), [], matchLives)
  }

  /** The contact that was asked for before, where nobody knows what became of that and the CRM has it. */
  const lost = async (caller: Caller, { phoneNumber, name, type }: NewContact): Promise<FoundContact | undefined> => {
    const mark = await known(ownerOf(caller.tenant), cacheKey('lostContact', caller.context.user, phoneNumber))
    if (mark === undefined || caller.connector.operations.findContact === undefined) return undefined
    const found = await matches(caller, { phoneNumber, isExtension: !phoneNumber.startsWith('+'), overridingFormats: [], refresh: true })
    return found.find(contact => contact.name === name && mayBeOneType(contact.type, type))
  }

  const create = async (caller: Caller, contact: NewContact): Promise<CreatedContact> => {
    const found = await lost(caller, contact)
    if (found !== undefined) return { contact: found }
    const { tenant, context: { user } } = caller
    const owner = ownerOf(tenant)
    const created = await operationOf(caller, 'createContact')(caller.context, contact).catch(async (error: unknown) => {
      if (judge(error).state === 'unknown') await mayBeThere(owner, user, contact)
      throw error
    })
    // It is one of those that the CRM knows, maybe not the only one: only what was found before makes a whole answer of it.
    const createdKey = cacheKey('createdContact', user, contact.phoneNumber)
    await accountData.set(owner, createdKey, together(await known(owner, createdKey) ?? [], [created.contact]), matchLives)
    const key = cacheKey('contact', user, contact.phoneNumber)
    const before = await known(owner, key) ?? (await known(owner, cacheKey('nobody', user, contact.phoneNumber)) && [])
    if (before !== undefined) await accountData.set(owner, key, together(before, [created.contact]), matchLives)
    return created
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
      const contact = {
        phoneNumber: number,
        name: newContactName?.trim() || number,
        type,
        additionalSubmission: readSubmission(submissionOf(info, 'newContact'), additionalSubmission)
      }
      // A double click, or two tabs.
      const key = JSON.stringify([ownerOf(caller.tenant), companyOf(caller.context.user), number, contact.name, type])
      const creation = creations.get(key) ?? create(caller, contact).finally(() => { creations.delete(key) })
      creations.set(key, creation)
      const created = await creation
      return { successful: true, returnMessage: created.returnMessage ?? returnMessage('success', 'Contact created.', 2000), contact: shown(created.contact) }
    },

    async remembered (tenant, user, { id, type, phoneNumber }) {
      // Clients remember a match for days, so one whose time is over here still says more than nothing.
      for (const kind of ['contact', 'createdContact'] as const) {
        const kept = (await accountData.get(ownerOf(tenant), cacheKey(kind, user, phoneNumber)))?.data as FoundContact[] | undefined
        const contact = kept?.find(one => isSame(one, { id, type }))
        if (contact !== undefined) return contact.remember
      }
      return undefined
    }
  }
}

/** The CRM shows each user what they may see, so what one user saw is not for another. */
const ownerOf = ({ userId, platform }: Tenant): DataOwner => ({ ownerKey: userId, platform })

/** Each contact once. */
const together = (some: FoundContact[], others: FoundContact[]): FoundContact[] =>
  [...some, ...others.filter(other => !some.some(one => isSame(one, other)))]

type Identity = Pick<FoundContact, 'id' | 'type'>

/** Some CRMs count each type of their records from 1. */
const isSame = (one: Identity, other: Identity): boolean => String(one.id) === String(other.id) && mayBeOneType(one.type, other.type)

/** Not every CRM, client or connector names the type of a contact. */
const mayBeOneType = (one: string | undefined, other: string | undefined): boolean => !one || !other || one === other

function shown ({ remember, ...contact }: FoundContact): Contact {
  return contact
}

/** One person may work in several companies of a CRM, each with records of its own. */
const cacheKey = (kind: 'contact' | 'nobody' | 'createdContact' | 'lostContact', user: Pick<ConnectedUser, 'info'>, phoneNumber: string): string =>
  [kind, companyOf(user), phoneNumber].filter(part => part !== undefined).join('-')

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

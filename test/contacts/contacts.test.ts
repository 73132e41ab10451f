import t from 'tap'
import type { Caller } from '../../src/calls/caller.ts'
import { contacts, phoneNumberOf, type ContactQuery } from '../../src/contacts/contacts.ts'
import { CrmError, type Outcome } from '../../src/contract/crm.ts'
import type { FoundContact } from '../../src/contract/operations.ts'
import { Type } from '../../src/contract/type.ts'
import { accountData, asCache } from '../../src/db/account-data.ts'
import { alice, onEveryDatabase } from '../db/databases.ts'

const query: ContactQuery = { phoneNumber: '+19995550100', isExtension: false, overridingFormats: [], refresh: false }

/** @param found what the CRM finds */
function callerOf (found: () => Promise<FoundContact[]>, info: Record<string, unknown> = {}, created: Partial<FoundContact> = {}): Caller {
  return {
    tenant: alice,
    connector: {
      info: { platform: 'acme', title: 'Acme', additionalSubmission: Type.Object({}) },
      operations: {
        findContact: found,
        createContact: async (_context: unknown, { name }: { name: string }) => ({ contact: { id: '8', name, type: 'Contact', ...created } })
      }
    },
    context: { user: { info } }
  } as unknown as Caller
}

const namesOf = ({ contact = [] }: { contact?: Array<{ name?: string, isNewContact?: boolean }> }): Array<string | undefined> =>
  contact.filter(({ isNewContact }) => isNewContact !== true).map(({ name }) => name)

await onEveryDatabase(t, 'a contact that is created while a search finds nobody stays known', async (t, database) => {
  const { findContact, createContact } = contacts(accountData(database, () => 0))
  let answer = (_found: FoundContact[]): void => {}
  const slow = callerOf(async () => await new Promise<FoundContact[]>(resolve => { answer = resolve }))
  const searching = findContact(slow, query)
  await createContact(slow, { phoneNumber: '+19995550100', newContactName: 'Nia' })
  answer([])
  t.strictSame(namesOf(await searching), ['Nia'])
  t.strictSame(namesOf(await findContact(callerOf(async () => []), query)), ['Nia'], 'and nobody else is told otherwise')
})

await onEveryDatabase(t, 'a contact that the CRM had already is known once, and an old match is not made new by it', async (t, database) => {
  let now = 0
  const { findContact, createContact } = contacts(accountData(database, () => now))
  let inCrm: FoundContact[] = [{ id: 7, name: 'Old', type: 'Contact' }, { id: 8, name: 'Nia', type: 'Contact' }]
  const caller = callerOf(async () => inCrm)
  const create = async () => await createContact(caller, { phoneNumber: query.phoneNumber, newContactName: 'Nia' })
  await findContact(caller, query)
  await create()
  t.strictSame(namesOf(await findContact(caller, query)), ['Old', 'Nia'])
  now = 15 * 60_000
  inCrm = []
  await create()
  t.strictSame(namesOf(await findContact(caller, query)), ['Nia'])
})

await onEveryDatabase(t, 'who is created for a number stands beside those whom the CRM knows by it, though its index is behind', async (t, database) => {
  let now = 0
  const data = accountData(database, () => now)
  const { findContact, createContact, remembered } = contacts(data)
  const caller = callerOf(async () => [{ id: 7, name: 'Old', type: 'Contact' }])
  await createContact(caller, { phoneNumber: query.phoneNumber, newContactName: 'Nia' })
  t.strictSame(namesOf(await findContact(caller, query)), ['Old', 'Nia'])
  t.strictSame(namesOf(await findContact(caller, { ...query, refresh: true })), ['Old'], 'who asks the CRM anew hears what the CRM says')
  now = 15 * 60_000 - 1
  t.strictSame(namesOf(await findContact(callerOf(async () => []), query)), ['Old'])

  const other = { phoneNumber: '+19995550101' }
  const kept = callerOf(async () => [], {}, { id: '9', remember: { kind: 3 } as never })
  await createContact(kept, { ...other, newContactName: 'Kim' })
  t.strictSame(await remembered(alice, { info: {} }, { id: '9', type: 'Contact', ...other }), { kind: 3 }, 'before anybody has looked for the number')
})

await onEveryDatabase(t, 'records of two types may have the same id', async (t, database) => {
  const { findContact, createContact, remembered } = contacts(accountData(database, () => 0))
  const ann = { id: 5, name: 'Ann', type: 'Contact', remember: { organization: 1 } }
  await findContact(callerOf(async () => [ann]), query)
  const caller = callerOf(async () => [], {}, { id: 5, type: 'Lead', remember: { organization: 2 } })
  await createContact(caller, { phoneNumber: query.phoneNumber, newContactName: 'Lea', newContactType: 'Lead' })
  t.strictSame(namesOf(await findContact(caller, query)), ['Ann', 'Lea'])
  const { phoneNumber } = query
  const table: Array<[type: string, remembered: unknown]> = [
    ['Contact', { organization: 1 }],
    ['Lead', { organization: 2 }],
    ['', { organization: 1 }],
    ['Vendor', undefined]
  ]
  for (const [type, facts] of table) t.strictSame(await remembered(alice, { info: {} }, { id: '5', type, phoneNumber }), facts, type)
  await findContact(callerOf(async () => [{ id: 6, name: 'Untyped', remember: { organization: 3 } }]), { ...query, refresh: true })
  t.strictSame(await remembered(alice, { info: {} }, { id: '6', type: 'Lead', phoneNumber }), { organization: 3 }, 'where the connector names no types')
})

await onEveryDatabase(t, 'that nobody has a number is remembered for whoever asks in the same way', async (t, database) => {
  const { findContact } = contacts(accountData(database, () => 0))
  const asked: unknown[] = []
  const caller = callerOf(async () => [])
  caller.connector.operations.findContact = async (_context, { isExtension, overridingFormats }) => {
    asked.push([isExtension, ...overridingFormats])
    return overridingFormats.includes('***.***.****') ? [{ id: 1, name: 'Ann' }] : []
  }
  const table: Array<[change: Partial<ContactQuery>, names: string[], asks: number]> = [
    [{}, [], 1],
    [{}, [], 0],
    [{ isExtension: true }, [], 1],
    [{ overridingFormats: ['***-***-****'] }, [], 1],
    [{ overridingFormats: ['***-***-****'] }, [], 0],
    [{ overridingFormats: ['***.***.****'] }, ['Ann'], 1],
    [{}, ['Ann'], 0]
  ]
  for (const [change, names, asks] of table) {
    const before = asked.length
    t.strictSame(namesOf(await findContact(caller, { ...query, ...change })), names, JSON.stringify(change))
    t.equal(asked.length - before, asks, JSON.stringify(change))
  }
})

await onEveryDatabase(t, 'a contact that may have been made is looked for before it is made again', async (t, database) => {
  const nia = { newContactName: 'Nia', newContactType: 'Lead' }
  const minute = 60_000
  const table: Array<[title: string, first: { outcome?: Outcome }, again: { name?: string, type?: string, after?: number }, looks: number, made: number]> = [
    ['the answer was lost', { outcome: 'unknown' }, {}, 1, 1],
    ['and much later', { outcome: 'unknown' }, { after: 15 * minute }, 0, 2],
    ['and for somebody else with that number', { outcome: 'unknown' }, { name: 'Kim' }, 1, 2],
    ['and as something else', { outcome: 'unknown' }, { type: 'Contact' }, 1, 2],
    ['the CRM refused it', { outcome: 'refused' }, {}, 0, 2],
    ['the CRM did not get it', { outcome: 'not-received' }, {}, 0, 2]
  ]
  for (const [i, [title, { outcome }, { name, type, after = 0 }, looks, made]] of table.entries()) {
    let now = i * 60 * minute
    const { createContact } = contacts(accountData(database, () => now))
    const inCrm: FoundContact[] = []
    let looked = 0
    const caller = callerOf(async () => { looked++; return [...inCrm] })
    caller.connector.operations.createContact = async (_context, { name, type }) => {
      inCrm.push({ id: inCrm.length, name, type })
      if (inCrm.length === 1) throw new CrmError('unavailable', outcome === undefined ? {} : { outcome })
      return { contact: { id: inCrm.length - 1, name, type } }
    }
    const { phoneNumber } = query
    await t.rejects(createContact(caller, { phoneNumber, ...nia }), { code: 'unavailable' }, title)
    now += after
    const answer = await createContact(caller, { phoneNumber, newContactName: name ?? 'Nia', newContactType: type ?? 'Lead' })
    t.match(answer, { successful: true, contact: { id: made - 1, name: name ?? 'Nia', type: type ?? 'Lead' } }, title)
    t.equal(looked, looks, `${title}: looks`)
    t.equal(inCrm.length, made, `${title}: contacts`)
  }
})

await onEveryDatabase(t, 'while it cannot be looked for, a contact that may have been made is not made again', async (t, database) => {
  const { createContact } = contacts(accountData(database, () => 0))
  const caller = callerOf(async () => { throw new CrmError('rate-limited', { outcome: 'not-received' }) })
  let made = 0
  caller.connector.operations.createContact = async () => {
    made++
    throw new CrmError('unavailable', { outcome: 'unknown' })
  }
  const create = async () => await createContact(caller, { phoneNumber: query.phoneNumber, newContactName: 'Nia' })
  await t.rejects(create(), { code: 'unavailable' })
  await t.rejects(create(), { code: 'rate-limited' })
  t.equal(made, 1)
})

await onEveryDatabase(t, 'whoever asks twice at once for the same contact gets one', async (t, database) => {
  const { createContact } = contacts(accountData(database, () => 0))
  let made = 0
  let answer = (): void => {}
  const answered = new Promise<void>(resolve => { answer = resolve })
  const inCompany = (companyId: number): Caller => {
    const caller = callerOf(async () => [], { companyId })
    caller.connector.operations.createContact = async (_context, { name, type }) => {
      const id = ++made
      await answered
      return { contact: { id, name, type } }
    }
    return caller
  }
  const body = { phoneNumber: query.phoneNumber, newContactName: 'Nia', newContactType: 'Lead' }
  const caller = inCompany(77)
  const created = [
    createContact(caller, body),
    createContact(caller, { ...body, phoneNumber: ' 19995550100', newContactName: 'Nia ' }),
    createContact(caller, { ...body, newContactName: 'Kim' }),
    createContact(caller, { ...body, newContactType: 'Contact' }),
    createContact(caller, { ...body, phoneNumber: '+19995550101' }),
    createContact({ ...caller, tenant: { ...alice, userId: 'bob-acme' } }, body),
    createContact(inCompany(78), body)
  ]
  answer()
  const ids = (await Promise.all(created)).map(({ contact }) => contact?.id)
  t.equal(ids[0], ids[1])
  t.equal(new Set(ids).size, 6, 'another name, type, number, user and company are each another contact')
  t.not((await createContact(caller, body)).contact?.id, ids[0], 'who asks later means a new one')
})

await onEveryDatabase(t, 'what the CRM has found or made is told, though it cannot be remembered', async (t, database) => {
  const full = async (): Promise<never> => { throw new Error('the disk is full') }
  for (const broken of [{ set: full }, { get: full, set: full }]) {
    const warned: object[] = []
    const { findContact, createContact } = contacts(asCache({ ...accountData(database, () => 0), ...broken }, { warn: facts => { warned.push(facts) } }))
    const caller = callerOf(async () => [{ id: 7, name: 'Old', type: 'Contact' }])
    t.strictSame(namesOf(await findContact(caller, { ...query, refresh: true })), ['Old'])
    t.match(await createContact(caller, { phoneNumber: query.phoneNumber, newContactName: 'Nia' }), { successful: true, contact: { name: 'Nia' } })
    t.ok(warned.length >= 2, 'and the log says so')
    for (const facts of warned) t.match(facts, { err: /full/, platform: 'acme' })
  }
})

await t.test('a number is looked for and written in E.164, however it arrives', async t => {
  const table: Array<[text: string, number: string]> = [
    ['+442079460999', '+442079460999'],
    [' 442079460999', '+442079460999'],
    ['+44 20 7946 0999', '+442079460999'],
    [' 1 (650) 555-0100', '+16505550100'],
    ['101', '101'],
    ['101 ', '101'],
    ['20 7946 0999', '20 7946 0999'],
    ['+1 650 555 0100 ext. 5', '+16505550100'],
    ['+52 1 55 1234 5678', '+5215512345678'],
    ['+1*#', '+1*#'],
    // Where a part of it reads as a number, that is another one.
    ['+1800FLOWERS', '+1800FLOWERS'],
    [' 1 800 FLOWERS', '+1 800 FLOWERS'],
    ['+49 800 1FLOWERS', '+49 800 1FLOWERS']
  ]
  for (const [text, number] of table) t.equal(phoneNumberOf(text), number, JSON.stringify(text))
})

await onEveryDatabase(t, 'what was found in one company of a CRM is not known in another', async (t, database) => {
  const { findContact, remembered } = contacts(accountData(database, () => 0))
  const inCompany = (companyId: number, name: string): Caller => callerOf(async () => [{ id: '6', name, type: 'Contact', remember: { companyId } } as never], { companyId })
  t.strictSame(namesOf(await findContact(inCompany(77, 'Ann'), query)), ['Ann'])
  t.strictSame(namesOf(await findContact(inCompany(78, 'Bob'), query)), ['Bob'])
  t.strictSame(await remembered(alice, { info: { companyId: 77 } }, { id: '6', type: 'Contact', phoneNumber: query.phoneNumber }), { companyId: 77 })
  t.equal(await remembered(alice, { info: {} }, { id: '6', type: 'Contact', phoneNumber: query.phoneNumber }), undefined)
})

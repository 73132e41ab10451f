import t from 'tap'
import type { Caller } from '../../src/calls/caller.ts'
import { contacts, phoneNumberOf, type ContactQuery } from '../../src/contacts/contacts.ts'
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
  t.strictSame(await remembered(alice, { info: {} }, { id: '9', ...other }), { kind: 3 }, 'before anybody has looked for the number')
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
    ['+1*#', '+1*#']
  ]
  for (const [text, number] of table) t.equal(phoneNumberOf(text), number, JSON.stringify(text))
})

await onEveryDatabase(t, 'what was found in one company of a CRM is not known in another', async (t, database) => {
  const { findContact, remembered } = contacts(accountData(database, () => 0))
  const inCompany = (companyId: number, name: string): Caller => callerOf(async () => [{ id: '6', name, type: 'Contact', remember: { companyId } } as never], { companyId })
  t.strictSame(namesOf(await findContact(inCompany(77, 'Ann'), query)), ['Ann'])
  t.strictSame(namesOf(await findContact(inCompany(78, 'Bob'), query)), ['Bob'])
  t.strictSame(await remembered(alice, { info: { companyId: 77 } }, { id: '6', phoneNumber: query.phoneNumber }), { companyId: 77 })
  t.equal(await remembered(alice, { info: {} }, { id: '6', phoneNumber: query.phoneNumber }), undefined)
})

/** What a new CRM holds: fictitious people, the two users who sign in, and the client they may let in. */
import type { Contact, Deal } from './schemas.ts'

export const exampleUsers = [
  { name: 'Ann Agent', email: 'ann.agent@example.com', key: 'example-key-ann' },
  { name: 'Bob Broker', email: 'bob.broker@example.com', key: 'example-key-bob' }
] as const

/** The client that anybody may try OAuth with. It is no secret. */
export const exampleClient = { id: 'patchbay-example', secret: 'patchbay-example-secret' } as const

type Person = Omit<Contact, 'id' | 'deals' | 'createdAt' | 'updatedAt'> & { readonly deals: ReadonlyArray<Omit<Deal, 'id'>> }

const person = (name: string, phone: string | null, about: Partial<Person> = {}): Person =>
  ({ type: 'Contact', name, phone, number: null, company: null, deals: [], ...about })

export const exampleContacts: readonly Person[] = [
  person('John Smith', '+16504445566', {
    company: 'Acme Tooling',
    deals: [{ title: 'Annual licence', status: 'open' }, { title: 'Training days', status: 'open' }]
  }),
  person('Jane Smith', '+18662019834', { company: 'Northwind Clinics' }),
  person('Maria Garcia', '+14155550123', { company: 'Garcia Bakery' }),
  person('Paul Garcia', '+14155550123', { company: 'Garcia Bakery' }),
  person('Lee Wong', '+442079460018', { type: 'Lead' }),
  person('Priya Patel', '+12125550147', {
    company: 'Patel Logistics',
    deals: [
      { title: 'Fleet renewal', status: 'open' },
      { title: 'Warehouse pilot', status: 'open' },
      { title: 'Route planner', status: 'won' }
    ]
  }),
  person('Omar Haddad', null, { number: '101', company: 'Our own office' })
]

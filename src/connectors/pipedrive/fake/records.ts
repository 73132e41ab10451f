/** What the fake Pipedrive holds: fictitious people of one company, in the shapes of its API. */
export interface Person {
  readonly id: number
  readonly name: string
  readonly owner_id: number
  readonly org_id: number | null
  readonly phones: readonly Labelled[]
  readonly emails: readonly Labelled[]
}
export interface Labelled { readonly value: string, readonly primary: boolean, readonly label: string }
export interface Deal { readonly id: number, readonly title: string, readonly status: 'open' | 'won' | 'lost', readonly is_archived: boolean, readonly person_id: number }
export interface Lead { readonly id: string, readonly title: string, readonly is_archived: boolean, readonly person_id: number }
export interface ActivityType { readonly id: number, readonly key_string: string, readonly name: string, readonly active_flag: boolean }
export interface User { readonly id: number, readonly name: string, readonly email: string, readonly active_flag: boolean, readonly is_deleted: boolean }

export interface Activity {
  readonly id: number
  readonly subject: string
  readonly type: string
  readonly owner_id: number
  readonly creator_user_id: number
  readonly is_deleted: boolean
  /** RFC 3339. */
  readonly add_time: string
  readonly update_time: string
  readonly deal_id: number | null
  readonly lead_id: string | null
  readonly person_id: number | null
  readonly org_id: number | null
  readonly due_date: string | null
  readonly due_time: string | null
  readonly duration: string | null
  readonly done: boolean
  readonly note: string | null
  readonly participants: ReadonlyArray<{ readonly person_id: number, readonly primary: boolean }>
}

export const company = { id: 77, name: 'Acme Tooling', domain: 'acme' }

/** What a new company holds. Tests change it. */
export const seed = () => {
  const work = (value: string): Labelled[] => [{ value, primary: true, label: 'work' }]
  const person = (id: number, name: string, phone: string, orgId: number | null = null): Person =>
    ({ id, name, owner_id: 11, org_id: orgId, phones: work(phone), emails: [] })
  const users: User[] = [
    { id: 11, name: 'Ann Agent', email: 'ann.agent@example.com', active_flag: true, is_deleted: false },
    { id: 12, name: 'Bob Broker', email: 'bob.broker@example.com', active_flag: true, is_deleted: false },
    { id: 13, name: 'Gone Gustav', email: 'gustav@example.com', active_flag: false, is_deleted: true }
  ]
  const activityTypes: ActivityType[] = [
    { id: 1, key_string: 'call', name: 'Anruf', active_flag: true },
    { id: 2, key_string: 'meeting', name: 'Meeting', active_flag: true },
    { id: 3, key_string: 'sms_text', name: 'SMS / text message', active_flag: true },
    { id: 4, key_string: 'fax', name: 'Fax', active_flag: false }
  ]
  const people: Person[] = [
    person(1, 'John Smith', '(650) 444-5566', 9),
    person(2, 'Jane Smith', '+1 866-201-9834'),
    person(3, 'Maria Garcia', '+1 415 555 0123', 9),
    person(4, 'Paul Garcia', '415.555.0123 ext. 4'),
    person(5, 'Zoë Østergård 王', '001 415 555 0123'),
    person(6, 'Somebody Else', '+49 4155 550123'),
    person(7, "Conor O'Neil & Söhne", '+44 20 7946 0018')
  ]
  const deals: Deal[] = [
    { id: 42, title: 'Annual licence', status: 'open', is_archived: false, person_id: 1 },
    { id: 43, title: 'Training days', status: 'open', is_archived: false, person_id: 1 },
    { id: 44, title: 'Sold last year', status: 'won', is_archived: false, person_id: 1 },
    { id: 45, title: 'Put aside', status: 'open', is_archived: true, person_id: 1 },
    { id: 46, title: 'Bakery oven', status: 'open', is_archived: false, person_id: 3 }
  ]
  const leads: Lead[] = [
    { id: 'adf21080-0e10-11eb-879b-05d71fb426ec', title: 'Support contract', is_archived: false, person_id: 1 },
    { id: 'adf21080-0e10-11eb-879b-05d71fb426ed', title: 'Old idea', is_archived: true, person_id: 1 }
  ]
  const organizations = [{ id: 9, name: 'Acme Tooling' }]
  const activities: Activity[] = []
  return { users, activityTypes, people, deals, leads, organizations, activities }
}
export type Records = ReturnType<typeof seed>

/** Between the contract's words and those of Pipedrive. */
import type { FieldOption } from '../../contract/account-data.ts'
import type { FoundContact, LogContact } from '../../contract/operations.ts'
import { Nullable, Type, type Static } from '../../contract/type.ts'
import type { Activity, FoundPerson, RelatedItem } from './api.ts'

/** The additional fields of calls and messages. An activity hangs on a deal or on a lead, not on both. */
export const Links = Type.Object({
  deals: Type.Optional(Type.Integer({ description: 'An open deal of the contact.' })),
  leads: Type.Optional(Type.String({ description: 'A lead of the contact, when there is no deal.' }))
})
export type Links = Static<typeof Links>

/** What a match says and a log needs. */
export const Remembered = Type.Object({ organizationId: Nullable(Type.Integer()) })

export function toContact ({ id, name, phones, organization }: FoundPerson, phone: string | undefined, related: readonly RelatedItem[]): FoundContact {
  const own = related.filter(item => item.person?.id === id && !item.is_archived)
  const option = ({ id, title }: RelatedItem): FieldOption => ({ const: id, title })
  return {
    id,
    name,
    phone: phone ?? phones[0] ?? '',
    ...(organization !== null && { organization: organization.name }),
    additionalInfo: {
      deals: own.filter(item => item.type === 'deal' && item.status === 'open').map(option),
      leads: own.filter(({ type }) => type === 'lead').map(option)
    },
    remember: { organizationId: organization?.id ?? null } satisfies Static<typeof Remembered>
  }
}

/** `person_id` of an activity is read-only: people are its participants. */
export const participants = ({ id }: Pick<LogContact, 'id'>) => [{ person_id: Number(id), primary: true }]

/** When it was: Pipedrive takes date and time in UTC. Seconds count, because lost records are found by them. */
export function due (startTime: number) {
  const [date = '', time = ''] = new Date(startTime).toISOString().split('T')
  return { due_date: date, due_time: time.slice(0, 8) }
}

/** `HH:MM:SS`; a day is the longest. */
export function duration (seconds: number): string {
  const bounded = Math.min(seconds, 24 * 60 * 60 - 1)
  return [bounded / 3600, bounded / 60 % 60, bounded % 60].map(part => String(Math.trunc(part)).padStart(2, '0')).join(':')
}

/** The link of a new activity. */
export const newLink = ({ deals, leads }: Links) =>
  deals !== undefined ? { deal_id: deals } : leads !== undefined ? { lead_id: leads } : {}

/** The link of an activity that may have the other one. */
export const changedLink = ({ deals, leads }: Links) =>
  deals !== undefined ? { deal_id: deals, lead_id: null } : leads !== undefined ? { lead_id: leads, deal_id: null } : {}

/** The type that was chosen, or else the one with that key, or else one whose name has the word. */
export function chooseType (types: readonly FieldOption[], chosen: string | undefined, word: string): FieldOption | undefined {
  const same = (text: string) => ({ const: key, title }: FieldOption): boolean => [key, title].some(name => String(name).toLowerCase() === text.trim().toLowerCase())
  return types.find(same(chosen ?? '')) ?? types.find(same(word)) ?? types.find(({ title }) => title.toLowerCase().includes(word))
}

/** What identifies a record that was written without an answer. */
export interface Written { readonly subject: string, readonly startTime: number, readonly body: string }

/**
 * Whether an activity is that record, as it was written or with words that a person has added since. Its text comes back in
 * Pipedrive's own spelling of HTML, so letters and digits are compared.
 */
export function likeness ({ subject, startTime, body }: Written, activity: Activity): 'as written' | 'with more words' | undefined {
  const { due_date: date, due_time: time } = due(startTime)
  if (activity.subject !== subject || activity.due_date !== date || padded(activity.due_time) !== time) return undefined
  const [written, found] = [wordsOf(body), wordsOf(activity.note ?? '')]
  if (written.join('') === found.join('')) return 'as written'
  return isWithin(written, found) ? 'with more words' : undefined
}

/** Whether words are all there, in their order, with others between them. No words say nothing. */
function isWithin (words: readonly string[], others: readonly string[]): boolean {
  let at = 0
  for (const other of others) if (other === words[at]) at++
  return at > 0 && at === words.length
}

const padded = (time: string | null): string => time?.length === 5 ? `${time}:00` : time ?? ''
const wordsOf = (html: string): string[] => html.replace(/<[^>]*>|&#?\w+;/g, ' ').match(/[\p{L}\p{N}]+/gu) ?? []

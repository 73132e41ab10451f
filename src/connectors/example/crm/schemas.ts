/** What the CRM keeps and what it takes: the named components of its OpenAPI. */
import { Nullable, OneOf, ref, Type, type SchemaOptions, type Static, type TSchema } from '../../../contract/type.ts'

const id = Type.Integer({ minimum: 1 })
const utc = (description: string) => Type.String({ format: 'date-time', description: `${description}, ISO 8601 in UTC` })
const stored = { createdAt: utc('When it was created'), updatedAt: utc('When it was last changed') }
const strict = { additionalProperties: false }

/** Text that every database can keep: no NUL, no half of a surrogate pair. */
const text = (maxLength: number, options: SchemaOptions = {}) =>
  Type.String({ maxLength, pattern: '^[^\\u0000\\uD800-\\uDFFF]*$', ...options })
const line = (maxLength: number) => text(maxLength, { pattern: '^(?=[^]*\\S)[^\\u0000\\uD800-\\uDFFF]*$' })

const ContactType = OneOf(['Contact', 'Lead'])
const ActivityType = OneOf(['call', 'message'])
const Direction = OneOf(['inbound', 'outbound'])
const Extension = Type.String({ pattern: '^[0-9]{1,10}$', description: 'Extension number of a colleague' })

export const User = Type.Object({ id, name: Type.String(), email: Type.String() }, { $id: 'User' })
export type User = Static<typeof User>

export const Deal = Type.Object({ id, title: Type.String(), status: OneOf(['open', 'won', 'lost']) }, { $id: 'Deal' })
export type Deal = Static<typeof Deal>

export const Contact = Type.Object({
  id,
  type: ContactType,
  name: Type.String(),
  phone: Nullable(Type.String({ description: 'In E.164 where the number could be understood' })),
  number: Nullable(Extension),
  company: Nullable(Type.String()),
  deals: Type.Array(ref(Deal)),
  ...stored
}, { $id: 'Contact' })
export type Contact = Static<typeof Contact>

export const NewContact = Type.Object({
  type: Type.Optional(ContactType),
  name: line(255),
  phone: Type.Optional(Nullable(text(40))),
  number: Type.Optional(Nullable(Extension)),
  company: Type.Optional(Nullable(text(255)))
}, { $id: 'NewContact', ...strict })
export type NewContact = Static<typeof NewContact>

export const ContactFilter = Type.Object({
  phone: Type.Optional(text(40, { description: 'In any notation; without a country code it is taken as a number of the US' })),
  name: Type.Optional(text(255, { description: 'Any part of the name, in any case' })),
  number: Type.Optional(Extension)
}, strict)
export type ContactFilter = Static<typeof ContactFilter>

export const Activity = Type.Object({
  id,
  type: ActivityType,
  subject: Type.String(),
  body: Type.String({ description: 'HTML' }),
  contactId: id,
  ownerId: id,
  startTime: utc('When it began'),
  durationSeconds: Nullable(Type.Integer()),
  direction: Nullable(Direction),
  outcome: Nullable(Type.String()),
  dealId: Nullable(id),
  externalId: Nullable(Type.String()),
  ...stored
}, { $id: 'Activity' })
export type Activity = Static<typeof Activity>

const changeable = {
  subject: line(255),
  contactId: id,
  startTime: Type.String({ format: 'date-time', description: 'ISO 8601 with an offset' }),
  body: Type.Optional(text(65_536, { description: 'HTML' })),
  ownerId: Type.Optional(Type.Integer({ minimum: 1, description: 'A user; the caller when left out' })),
  durationSeconds: Type.Optional(Nullable(Type.Integer({ minimum: 0, maximum: 1_000_000_000 }))),
  direction: Type.Optional(Nullable(Direction)),
  outcome: Type.Optional(Nullable(text(255))),
  dealId: Type.Optional(Nullable(Type.Integer({ minimum: 1, description: 'A deal of the contact' })))
}

export const NewActivity = Type.Object({
  type: ActivityType,
  ...changeable,
  externalId: Type.Optional(Nullable(line(255)))
}, { $id: 'NewActivity', ...strict })
export type NewActivity = Static<typeof NewActivity>

export const ActivityChanges = Type.Partial(Type.Object(changeable), { $id: 'ActivityChanges', minProperties: 1, ...strict })
export type ActivityChanges = Static<typeof ActivityChanges>

export const ActivityFilter = Type.Object({
  contactId: Type.Optional(id),
  type: Type.Optional(ActivityType),
  externalId: Type.Optional(text(255)),
  limit: Type.Optional(Type.Integer({ minimum: 1, description: 'How many of the newest; all when left out' }))
}, strict)
export type ActivityFilter = Static<typeof ActivityFilter>

export const Failure = Type.Object({
  error: Type.Object({
    code: Type.String({ description: 'What programs look at: `invalid`, `unauthorized`, `not-found`, `duplicate`, ...' }),
    message: Type.String({ description: 'What people read' }),
    field: Type.Optional(Type.String({ description: 'The field that is wrong' })),
    existingId: Type.Optional(Type.Integer({ description: 'With `duplicate`: the record that has the external id already' }))
  })
}, { $id: 'Failure' })
export type Failure = Static<typeof Failure>

export const TokenAnswer = Type.Object({
  access_token: Type.String(),
  token_type: OneOf(['Bearer']),
  expires_in: Type.Integer({ description: 'Seconds' }),
  refresh_token: Type.String()
}, { $id: 'TokenAnswer' })
export type TokenAnswer = Static<typeof TokenAnswer>

export const OAuthFailure = Type.Object({
  error: Type.String({ description: '`invalid_grant`, `invalid_client`, ... (RFC 6749, 5.2)' }),
  error_description: Type.Optional(Type.String())
}, { $id: 'OAuthFailure' })
export type OAuthFailure = Static<typeof OAuthFailure>

const listOf = <Item extends TSchema>($id: string, item: Item) => Type.Object({ items: Type.Array(ref(item)) }, { $id })
export const UserList = listOf('UserList', User)
export const ContactList = listOf('ContactList', Contact)
export const ActivityList = listOf('ActivityList', Activity)

export const components: readonly TSchema[] = [
  User, Deal, Contact, NewContact, Activity, NewActivity, ActivityChanges, Failure, TokenAnswer, OAuthFailure, UserList,
  ContactList, ActivityList
]

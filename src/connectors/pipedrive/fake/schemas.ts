/** What the fake Pipedrive takes: strict, as version 2 of the API is. */
import { OneOf, Nullable, Type, type Static, type TSchema } from '../../../contract/type.ts'

const strict = { additionalProperties: false }
const id = Type.Integer({ minimum: 1 })
const time = Type.String({ pattern: '^\\d{2}:\\d{2}(:\\d{2})?$' })

const writable = {
  subject: Type.String({ minLength: 1 }),
  type: Type.String(),
  owner_id: id,
  done: Type.Boolean(),
  due_date: Type.String({ format: 'date' }),
  due_time: time,
  duration: time,
  participants: Type.Array(Type.Object({ person_id: id, primary: Type.Boolean() }, strict), { minItems: 1 }),
  org_id: id,
  note: Type.String()
}

export const NewActivity = Type.Partial(Type.Object({ ...writable, deal_id: id, lead_id: Type.String({ format: 'uuid' }) }, strict))
export type NewActivity = Static<typeof NewActivity>

/** A link is taken away with null. */
export const ActivityChanges = Type.Partial(Type.Object({
  ...writable, deal_id: Nullable(id), lead_id: Nullable(Type.String({ format: 'uuid' }))
}, strict))
export type ActivityChanges = Static<typeof ActivityChanges>

const labelled = Type.Array(Type.Object({ value: Type.String({ minLength: 1 }), primary: Type.Boolean(), label: Type.String() }, strict))
export const NewPerson = Type.Object({
  name: Type.String({ minLength: 1 }),
  owner_id: Type.Optional(id),
  org_id: Type.Optional(id),
  phones: Type.Optional(labelled),
  emails: Type.Optional(labelled)
}, strict)

/** Integers of paths and queries are text. */
const digits = Type.String({ pattern: '^[1-9]\\d{0,14}$' })
const flag = OneOf(['true', 'false'])
const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema)

export const ById = Type.Object({ id: digits })

export const SearchQuery = Type.Object({
  term: Type.String({ minLength: 1 }),
  item_types: optional(OneOf(['deal', 'person', 'organization', 'product', 'lead', 'file', 'mail_attachment', 'project'])),
  fields: optional(OneOf(['custom_fields', 'notes', 'email', 'organization_name', 'person_name', 'phone', 'title', 'description', 'name', 'code', 'address'])),
  search_for_related_items: optional(flag),
  exact_match: optional(flag),
  limit: optional(digits),
  cursor: optional(Type.String())
}, strict)

export const ActivitiesQuery = Type.Object({
  owner_id: optional(digits),
  person_id: optional(digits),
  deal_id: optional(digits),
  updated_since: optional(Type.String({ format: 'date-time' })),
  sort_by: optional(OneOf(['id', 'update_time', 'add_time', 'due_date'])),
  sort_direction: optional(OneOf(['asc', 'desc'])),
  limit: optional(digits),
  cursor: optional(Type.String())
}, strict)

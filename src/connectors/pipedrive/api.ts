/**
 * The part of Pipedrive's API that the connector uses, as far as it reads it: version 2, and version 1 where there is no second one
 * (users, activity types). https://developers.pipedrive.com/docs/api/v1
 */
import { Nullable, Type, type Static, type TSchema } from '../../contract/type.ts'

/** The envelope of every answer. */
export const One = <Data extends TSchema>(data: Data) => Type.Object({ data })
const Page = <Data extends TSchema>(data: Data) => Type.Object({
  data,
  additional_data: Type.Object({ next_cursor: Type.Optional(Nullable(Type.String())) })
})

export const Me = One(Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  timezone_name: Type.String(),
  company_id: Type.Integer(),
  company_name: Type.String(),
  company_domain: Type.String()
}))

export const Users = One(Type.Array(Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  email: Type.String(),
  active_flag: Type.Boolean(),
  is_deleted: Type.Optional(Type.Boolean())
})))

export const ActivityTypes = One(Type.Array(Type.Object({ key_string: Type.String(), name: Type.String(), active_flag: Type.Boolean() })))

export const FoundPerson = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  phones: Type.Array(Type.String()),
  organization: Nullable(Type.Object({ id: Type.Integer(), name: Type.String() }))
})
export type FoundPerson = Static<typeof FoundPerson>

const ofPerson = { title: Type.String(), is_archived: Type.Boolean(), person: Nullable(Type.Object({ id: Type.Integer() })) }
const RelatedDeal = Type.Object({ type: Type.Literal('deal'), id: Type.Integer(), status: Type.String(), ...ofPerson })
const RelatedLead = Type.Object({ type: Type.Literal('lead'), id: Type.String(), ...ofPerson })
export const RelatedItem = Type.Union([RelatedDeal, RelatedLead])
export type RelatedItem = Static<typeof RelatedItem>

export const FoundPeople = One(Type.Object({
  items: Type.Array(Type.Object({ item: FoundPerson })),
  related_items: Type.Array(Type.Object({ item: RelatedItem }))
}))

export const Person = One(Type.Object({ id: Type.Integer(), name: Type.String(), org_id: Nullable(Type.Integer()) }))

export const Activity = Type.Object({
  id: Type.Integer(),
  subject: Nullable(Type.String()),
  note: Nullable(Type.String()),
  deal_id: Nullable(Type.Integer()),
  lead_id: Nullable(Type.String()),
  due_date: Nullable(Type.String()),
  due_time: Nullable(Type.String()),
  is_deleted: Type.Boolean()
})
export type Activity = Static<typeof Activity>
export const OneActivity = One(Activity)
export const Activities = Page(Type.Array(Activity))

/** A refusal. `error_info` only says where the documentation is. */
export const Refusal = Type.Object({ error: Type.String() })

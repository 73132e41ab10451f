/** The part of the Example CRM's API that the connector uses. Its own description: http://127.0.0.1:6067/openapi.json */
import { Nullable, OneOf, Type, type Static } from '../../contract/type.ts'

const items = <Item extends ReturnType<typeof Type.Object>>(item: Item) => Type.Object({ items: Type.Array(item) })

export const User = Type.Object({ id: Type.Integer(), name: Type.String(), email: Type.String() })
export const Users = items(User)

export const Person = Type.Object({
  id: Type.Integer(),
  type: OneOf(['Contact', 'Lead']),
  name: Type.String(),
  phone: Nullable(Type.String()),
  number: Nullable(Type.String()),
  company: Nullable(Type.String()),
  deals: Type.Array(Type.Object({ id: Type.Integer(), title: Type.String(), status: Type.String() }))
})
export type Person = Static<typeof Person>
export const Persons = Type.Object({ items: Type.Array(Person) })

export const Activity = Type.Object({
  id: Type.Integer(),
  subject: Type.String(),
  body: Type.String(),
  contactId: Type.Integer(),
  outcome: Nullable(Type.String()),
  dealId: Nullable(Type.Integer())
})
export type Activity = Static<typeof Activity>
export const Activities = Type.Object({ items: Type.Array(Activity) })

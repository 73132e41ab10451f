/** Contacts: the shape that connectors give and the extension reads, and the routes that find and create them. */
import { envelope, sessionFailures } from './answer.ts'
import { type RouteContract, signedIn } from './route.ts'
import { OneOf, Type, ref, type Static, type TSchema } from './type.ts'

export const CrmId = Type.Union([Type.String(), Type.Number()], { $id: 'CrmId', description: 'An id in the CRM.' })

export const Contact = Type.Object({
  id: ref(CrmId),
  name: Type.String(),
  type: Type.Optional(Type.String({ description: 'One of the contact types of the manifest.' })),
  phone: Type.Optional(Type.String()),
  isNewContact: Type.Optional(Type.Boolean({ description: '`true` only on the entry that offers to create a contact.' })),
  additionalInfo: Type.Optional(Type.Record(Type.String(), Type.Unknown(), {
    description: 'Options that depend on the contact, keyed by the additional field of the manifest: `[{ const, title }]`.'
  })),
  createdDate: Type.Optional(Type.String()),
  mostRecentActivityDate: Type.Optional(Type.String()),
  title: Type.Optional(Type.String()),
  company: Type.Optional(Type.String()),
  organization: Type.Optional(Type.String()),
  email: Type.Optional(Type.String()),
  defaultContactType: Type.Optional(Type.String())
}, { $id: 'Contact' })
export type Contact = Static<typeof Contact>

/** Values of the manifest's additional fields. A connector's own routes know their names and types. */
export const AdditionalSubmission = Type.Record(Type.String(), Type.Unknown(), { $id: 'AdditionalSubmission' })

export const ContactsAnswer = Type.Object({ ...envelope, contact: Type.Optional(Type.Array(ref(Contact))) }, { $id: 'ContactsAnswer' })
export type ContactsAnswer = Static<typeof ContactsAnswer>

export const CreateContactAnswer = Type.Object({ ...envelope, contact: Type.Optional(ref(Contact)) }, { $id: 'CreateContactAnswer' })
export type CreateContactAnswer = Static<typeof CreateContactAnswer>

export const findContactRoute = {
  method: 'GET',
  url: '/contact',
  schema: {
    operationId: 'findContact',
    tags: ['contacts'],
    summary: 'Find the contacts that have a phone number',
    security: signedIn,
    querystring: Type.Object({
      phoneNumber: Type.String({ minLength: 1, description: 'E.164; a `+` that arrived as a blank is understood. Or an internal extension number.' }),
      overridingFormat: Type.Optional(Type.String({ description: 'Up to three masks joined by commas, such as `(***) ***-****`.' })),
      isExtension: Type.Optional(Type.String({ description: 'The word `true` for an internal extension number.' })),
      isForceRefreshAccountData: Type.Optional(Type.String({ description: 'The word `true` to ask the CRM although the answer is cached.' }))
    }),
    response: { 200: ref(ContactsAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract

export const findContactWithNameRoute = {
  method: 'GET',
  url: '/custom/contact/search',
  // The extension reads its length before anything else.
  config: { always: { contact: [] } },
  schema: {
    operationId: 'findContactWithName',
    tags: ['contacts'],
    summary: 'Find contacts by name',
    security: signedIn,
    querystring: Type.Object({ name: Type.String() }),
    response: { 200: ref(ContactsAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract

/**
 * @param additionalSubmission the additional fields: any, or a connector's own
 * @param contactTypes the contact types that a connector declares; any when absent
 */
export const createContactRoute = <Submission extends TSchema>(additionalSubmission: Submission, contactTypes?: readonly string[]) => ({
  method: 'POST',
  url: '/contact',
  schema: {
    operationId: 'createContact',
    tags: ['contacts'],
    summary: 'Create a placeholder contact for a number without a match',
    security: signedIn,
    body: Type.Object({
      phoneNumber: Type.String({ minLength: 1 }),
      newContactName: Type.Optional(Type.String()),
      newContactType: Type.Optional(contactTypes === undefined ? Type.Unsafe<string>(Type.String()) : OneOf(contactTypes)),
      additionalSubmission: Type.Optional(additionalSubmission)
    }),
    response: { 200: ref(CreateContactAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract)

export type CreateContactBody = Static<ReturnType<typeof createContactRoute<typeof AdditionalSubmission>>['schema']['body']>

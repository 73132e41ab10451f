/**
 * The manifest: what the extension shows for a CRM. A connector's part is `manifests/<platform>.json` (or given in the connector
 * itself); the server puts the parts together with its own address and version.
 */
import { OneOf, Type, ref, type Static } from './type.ts'

const Text = Type.String({ minLength: 1 })

/** A field of a page or of the login form. `const` is the name under which its value comes back. */
const Field = Type.Object({
  const: Text,
  title: Type.Optional(Type.String()),
  type: Type.Optional(Type.String())
}, { additionalProperties: true })

const Page = Type.Object({ additionalFields: Type.Optional(Type.Array(Field)) }, { additionalProperties: true })

/** One CRM. Members that are not listed reach the extension as they are. */
export const PlatformManifest = Type.Object({
  name: Text,
  displayName: Text,
  urlIdentifier: Type.Optional(Type.String({ description: 'Pattern of the pages that belong to the CRM, such as `*.example.com`.' })),
  logoUrl: Type.Optional(Type.String()),
  documentationUrl: Type.Optional(Type.String()),
  auth: Type.Object({
    type: OneOf(['apiKey', 'oauth']),
    apiKey: Type.Optional(Type.Object({
      page: Type.Object({ title: Type.Optional(Type.String()), content: Type.Array(Field) }, { additionalProperties: true })
    }, { additionalProperties: true })),
    oauth: Type.Optional(Type.Object({
      authUrl: Text,
      clientId: Type.Optional(Type.String()),
      scope: Type.Optional(Type.String()),
      customState: Type.Optional(Type.String()),
      redirectUri: Type.Optional(Type.String())
    }, { additionalProperties: true }))
  }, { additionalProperties: true }),
  contactTypes: Type.Optional(Type.Array(Type.Object({ value: Text, display: Text }))),
  contactPageUrl: Type.Optional(Type.String({ description: 'With {hostname}, {contactId}, {contactType}.' })),
  logPageUrl: Type.Optional(Type.String({ description: 'With {hostname}, {contactType}, {logId}.' })),
  canOpenLogPage: Type.Optional(Type.Boolean()),
  disableDisposition: Type.Optional(Type.Boolean()),
  useLicense: Type.Optional(Type.Boolean()),
  enableExtensionNumberLoggingSetting: Type.Optional(Type.Boolean({ description: 'Calls between extensions can be logged.' })),
  requestConfig: Type.Optional(Type.Object({ timeout: Type.Optional(Type.Number({ description: 'Seconds.' })) })),
  settings: Type.Optional(Type.Array(Type.Object({}, { additionalProperties: true }))),
  page: Type.Optional(Type.Object({
    callLog: Type.Optional(Page),
    messageLog: Type.Optional(Page),
    newContact: Type.Optional(Page)
  }, { additionalProperties: true }))
}, { $id: 'PlatformManifest', additionalProperties: true })
export type PlatformManifest = Static<typeof PlatformManifest>

/** The whole manifest, as the extension fetches it. */
export const ServedManifest = Type.Object({
  serverUrl: Type.String(),
  redirectUri: Type.String({ description: 'Where the OAuth window ends.' }),
  version: Type.String(),
  author: Type.Object({ name: Type.String() }, { additionalProperties: true }),
  platforms: Type.Record(Type.String(), ref(PlatformManifest))
}, { $id: 'Manifest', additionalProperties: true })
export type ServedManifest = Static<typeof ServedManifest>

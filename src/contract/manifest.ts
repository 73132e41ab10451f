/**
 * The manifest: what the extension shows for a CRM. A connector's part is `manifests/<platform>.json` (or given in the connector
 * itself); the server puts the parts together with its own address and version.
 */
import { OneOf, Open, Type, ref, type Static } from './type.ts'

const Text = Type.String({ minLength: 1 })

/** A field of a page or of the login form. `const` is the name under which its value comes back. */
const Field = Open({
  const: Text,
  title: Type.Optional(Type.String()),
  type: Type.Optional(Type.String())
})

const Page = Open({ additionalFields: Type.Optional(Type.Array(Field)) })

const settingItem = { id: Type.Optional(Type.String()) }

/** Where the extension's OAuth window ends, unless the operator says otherwise. */
export const extensionRedirectUri = 'https://ringcentral.github.io/ringcentral-embeddable/redirect.html'

/** One CRM. Members that are not listed reach the extension as they are. */
export const PlatformManifest = Open({
  name: Text,
  displayName: Text,
  urlIdentifier: Type.Optional(Type.String({ description: 'Pattern of the pages that belong to the CRM, such as `*.example.com`.' })),
  logoUrl: Type.Optional(Type.String()),
  documentationUrl: Type.Optional(Type.String()),
  auth: Open({
    type: OneOf(['apiKey', 'oauth']),
    apiKey: Type.Optional(Open({
      page: Open({ title: Type.Optional(Type.String()), content: Type.Array(Field) })
    })),
    oauth: Type.Optional(Open({
      authUrl: Type.Optional(Type.String({ minLength: 1, description: 'The authorize page. What is not given comes from the connector and its configuration.' })),
      clientId: Type.Optional(Type.String()),
      scope: Type.Optional(Type.String()),
      customState: Type.Optional(Type.String()),
      redirectUri: Type.Optional(Type.String())
    }))
  }),
  contactTypes: Type.Optional(Type.Array(Type.Object({ value: Text, display: Text }))),
  contactPageUrl: Type.Optional(Type.String({ description: 'With {hostname}, {contactId}, {contactType}.' })),
  logPageUrl: Type.Optional(Type.String({ description: 'With {hostname}, {contactType}, {logId}.' })),
  canOpenLogPage: Type.Optional(Type.Boolean()),
  disableDisposition: Type.Optional(Type.Boolean()),
  useLicense: Type.Optional(Type.Boolean()),
  enableExtensionNumberLoggingSetting: Type.Optional(Type.Boolean({ description: 'Calls between extensions can be logged.' })),
  requestConfig: Type.Optional(Type.Object({ timeout: Type.Optional(Type.Number({ description: 'Seconds.' })) })),
  settings: Type.Optional(Type.Array(Open({
    ...settingItem,
    items: Type.Optional(Type.Array(Open(settingItem), { description: 'The settings of a section.' }))
  }))),
  page: Type.Optional(Open({
    callLog: Type.Optional(Page),
    messageLog: Type.Optional(Page),
    newContact: Type.Optional(Page)
  }))
}, { $id: 'PlatformManifest' })
export type PlatformManifest = Static<typeof PlatformManifest>

/** The whole manifest, as the extension fetches it. */
export const ServedManifest = Open({
  serverUrl: Type.String(),
  redirectUri: Type.String({ description: 'Where the OAuth window ends.' }),
  version: Type.String(),
  author: Open({ name: Type.String() }),
  platforms: Type.Record(Type.String(), ref(PlatformManifest))
}, { $id: 'Manifest' })
export type ServedManifest = Static<typeof ServedManifest>

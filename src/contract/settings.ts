/** Settings of a user, as the extension keeps them: a map of entries, stored verbatim whatever their ids and values. */
import { sessionFailures } from './answer.ts'
import { type RouteContract, signedIn } from './route.ts'
import { Type, ref, type Static } from './type.ts'

export const SettingEntry = Type.Object({
  value: Type.Optional(Type.Unknown()),
  customizable: Type.Optional(Type.Boolean()),
  defaultValue: Type.Optional(Type.Unknown()),
  options: Type.Optional(Type.Unknown()),
  isRemoved: Type.Optional(Type.Boolean())
}, { $id: 'SettingEntry', additionalProperties: true })
export type SettingEntry = Static<typeof SettingEntry>

export const UserSettings = Type.Record(Type.String(), ref(SettingEntry), { $id: 'UserSettings' })
export type UserSettings = Static<typeof UserSettings>

/**
 * The value of one setting, or `fallback` where the user has none of that type.
 * @param settings the user's settings, `{ <id>: { value } }`
 */
export function settingValue<Value extends boolean | string | number> (settings: UserSettings, id: string, fallback: Value): Value {
  const value = settings[id]?.value
  return typeof value === typeof fallback ? value as Value : fallback
}

export const UserSettingsAnswer = Type.Object({ userSettings: ref(UserSettings) }, { $id: 'UserSettingsAnswer' })

export const getUserSettingsRoute = {
  method: 'GET',
  url: '/user/settings',
  schema: {
    operationId: 'getUserSettings',
    tags: ['settings'],
    summary: 'The settings of the user',
    security: signedIn,
    querystring: Type.Object({ rcAccountId: Type.Optional(Type.String({ description: 'The hashed account id.' })) }),
    response: { 200: ref(UserSettings), ...sessionFailures }
  }
} as const satisfies RouteContract

export const updateUserSettingsRoute = {
  method: 'POST',
  url: '/user/settings',
  schema: {
    operationId: 'updateUserSettings',
    tags: ['settings'],
    summary: 'Change settings of the user',
    description: 'Each given entry replaces the stored one, then the named ones are removed. Entries that are not named stay.',
    security: signedIn,
    body: Type.Object({
      userSettings: Type.Optional(ref(UserSettings)),
      settingKeysToRemove: Type.Optional(Type.Array(Type.String()))
    }),
    response: { 200: ref(UserSettingsAnswer), ...sessionFailures }
  }
} as const satisfies RouteContract

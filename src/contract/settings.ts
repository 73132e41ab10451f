/** Settings of a user, as the extension keeps them: a map of entries, stored verbatim whatever their ids and values. */
import { sessionFailures } from './answer.ts'
import { type RouteContract, signedIn } from './route.ts'
import { Type, Value, ref, type Static, type TSchema } from './type.ts'

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

/** A setting that a connector reads, and who decides about it. */
export interface Setting<Schema extends TSchema = TSchema> {
  /** As in the manifest. */
  readonly id: string
  /** What a value looks like; another one counts as none. */
  readonly schema: Schema
  /**
   * `account`: an admin, for everybody. `user`: each one for themselves, unless an admin has set it and does not leave it to them.
   */
  readonly scope: 'account' | 'user'
}

/** A setting whose type follows from its schema. */
export const setting = <Schema extends TSchema>(declared: Setting<Schema>): Setting<Schema> => declared

/**
 * The value that counts, undefined when there is none. Where an admin has set nothing, the user's own counts in both scopes: clients
 * copy what admins set into it.
 * @param by `settings` the user's own, `accountSettings` those of an admin
 */
export function settingOf<Schema extends TSchema> (
  by: { readonly settings: UserSettings, readonly accountSettings: UserSettings },
  { id, schema, scope }: Setting<Schema>
): Static<Schema> | undefined {
  const admin = by.accountSettings[id]
  const own = by.settings[id]
  const left = admin === undefined || (scope === 'user' && admin.customizable === true && own !== undefined)
  const { value, isRemoved } = (left ? own : admin) ?? {}
  return isRemoved !== true && Value.Check(schema, value) ? value : undefined
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

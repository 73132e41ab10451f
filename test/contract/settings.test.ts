import t from 'tap'
import { setting, settingOf, type SettingEntry } from '../../src/contract/settings.ts'
import { Type } from '../../src/contract/type.ts'

await t.test('whose setting counts', t => {
  const table: Array<[admin: SettingEntry | undefined, own: SettingEntry | undefined, asAccount: string | undefined, asUser: string | undefined]> = [
    [undefined, undefined, undefined, undefined],
    [undefined, { value: 'own' }, 'own', 'own'],
    [{ value: 'admin' }, undefined, 'admin', 'admin'],
    [{ value: 'admin' }, { value: 'own' }, 'admin', 'admin'],
    [{ value: 'admin', customizable: true }, { value: 'own' }, 'admin', 'own'],
    [{ value: 'admin', customizable: true }, undefined, 'admin', 'admin'],
    [{ value: 'admin', isRemoved: true }, { value: 'own' }, undefined, undefined],
    [undefined, { value: 7 }, undefined, undefined],
    [undefined, { value: '' }, undefined, undefined],
    [undefined, {}, undefined, undefined]
  ]
  const schema = Type.String({ minLength: 1 })
  for (const [admin, own, asAccount, asUser] of table) {
    const by = { accountSettings: admin === undefined ? {} : { x: admin }, settings: own === undefined ? {} : { x: own } }
    const title = JSON.stringify({ admin, own })
    t.equal(settingOf(by, setting({ id: 'x', schema, scope: 'account' })), asAccount, `account: ${title}`)
    t.equal(settingOf(by, setting({ id: 'x', schema, scope: 'user' })), asUser, `user: ${title}`)
  }
  t.end()
})

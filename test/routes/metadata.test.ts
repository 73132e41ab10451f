import t from 'tap'
import { startPatchbay } from '../patchbay.ts'

await t.test('what anybody may ask', async t => {
  const patchbay = await startPatchbay(t)
  const alive = await patchbay.call('/isAlive')
  t.strictSame([alive.status, alive.text, alive.headers.get('content-type')], [200, 'OK', 'text/plain; charset=utf-8'])
  t.strictSame((await patchbay.call('/health/live')).json, { status: 'ok' })
  t.strictSame((await patchbay.call('/health/ready')).json, { status: 'ok' })
  const { version } = (await patchbay.call('/serverVersionInfo')).json
  const manifest = (await patchbay.call('/crmManifest')).json
  t.match(manifest, { serverUrl: patchbay.url, version, author: { name: /./ }, platforms: { example: { name: 'example', auth: { type: 'apiKey' } } } })
  t.strictSame((await patchbay.call('/crmManifest?platformName=example')).json, { ...manifest, platforms: { example: manifest.platforms.example } })
  t.match((await patchbay.call('/releaseNotes')).json, { [version]: { global: [{ type: String, description: String }] } })
})

await t.test('ids are hashed with the key of the server; an absent one has no hash (defect D-24)', async t => {
  const patchbay = await startPatchbay(t)
  t.strictSame((await patchbay.call('/userInfoHash?extensionId=101&accountId=555')).json, {
    extensionId: 'ae63d33baea02ad126953e1e48768dff4be3f418448f9c8ee80d9d7d32a52a4b',
    accountId: '6af2dd5dd7ebfc334c2c3314302b4b0d4849b1c7c820419048f8fe9e3914b814'
  })
  for (const query of ['', '?extensionId=&accountId=', '?extensionId=undefined&accountId=null']) {
    t.strictSame((await patchbay.call(`/userInfoHash${query}`)).json, { extensionId: '', accountId: '' }, query)
  }
})

await t.test('a connector\'s capabilities are its operations', async t => {
  const patchbay = await startPatchbay(t)
  const { json } = await patchbay.call('/implementedInterfaces?platform=example')
  t.strictSame(Object.keys(json).sort(), [
    'cacheCallNote', 'cancelAppointment', 'confirmAppointment', 'createAppointment', 'createCallLog', 'createContact', 'createMessageLog', 'findContact',
    'findContactWithName', 'getAuthType', 'getBasicAuth', 'getCallLog', 'getLicenseStatus', 'getLogFormatType', 'getManagedAuthOptions', 'getUserInfo',
    'getUserList', 'listAppointments', 'refreshAppointment', 'refreshUserInfo', 'unAuthorize', 'updateAppointment', 'updateCallLog',
    'updateMessageLog', 'upsertCallDisposition'
  ])
  t.match(json, { createCallLog: true, upsertCallDisposition: true, listAppointments: false })
})

await t.test('a database that does not answer makes the server not ready, but alive', async t => {
  const patchbay = await startPatchbay(t)
  t.teardown(() => {})
  patchbay.app.database.ping = async () => { throw new Error('gone') }
  const answer = await patchbay.call('/health/ready')
  t.equal(answer.status, 503)
  t.equal(answer.headers.get('retry-after'), '5')
  t.match(answer.json, { successful: false, error: { code: 'not-ready', retryable: true } })
  t.equal((await patchbay.call('/health/live')).status, 200)
})

await t.test('the host name is bare text, and the word undefined is none (defect D-24)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const none = await patchbay.call('/hostname', { token })
  t.strictSame([none.status, none.text], [200, ''])
  t.match(none.headers.get('content-type'), /^text\/plain/)
  await patchbay.call('/apiKeyLogin', { method: 'POST', body: { platform: 'example', apiKey: 'example-key-ann', hostname: 'crm.example.com' } })
  t.equal((await patchbay.call('/hostname', { token })).text, 'crm.example.com')
})

await t.test('settings are kept entry by entry, whatever they hold, and the envelope is always there (defect A-11)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.strictSame((await patchbay.call('/user/settings?rcAccountId=', { token })).json, {})
  const settings = { a: { value: null, customizable: true }, b: { value: [1, { x: 'y' }], options: ['q'] }, serverSideLogging: { enable: true, doNotLogNumbers: '' } }
  t.strictSame((await patchbay.call('/user/settings', { method: 'POST', token, body: { userSettings: settings } })).json, { userSettings: settings })
  const changed = await patchbay.call('/user/settings', { method: 'POST', token, body: { userSettings: { c: { value: 1 } }, settingKeysToRemove: ['a'] } })
  t.strictSame(changed.json, { userSettings: { b: settings.b, serverSideLogging: settings.serverSideLogging, c: { value: 1 } } })
  t.strictSame((await patchbay.call('/user/settings', { method: 'POST', token, body: {} })).json, changed.json)
  t.strictSame((await patchbay.call('/user/settings', { token })).json, changed.json.userSettings)
})

await t.test('a licence is told for whoever is connected', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.match((await patchbay.call('/licenseStatus', { token })).json, { isLicenseValid: true, licenseStatus: String, licenseStatusDescription: String })
})

await t.test('whoever has signed out has no licence, whichever server made the token', async t => {
  const patchbay = await startPatchbay(t)
  await patchbay.call('/unAuthorize', { method: 'POST', token: await patchbay.signIn() })
  const token = patchbay.app.signSession({ userId: '1-example', platform: 'example', signIn: undefined })
  t.match(await patchbay.call('/licenseStatus', { token }), { status: 200, json: { isLicenseValid: false, licenseStatus: 'Invalid (User not found)' } })
})

await t.test('the reference page is served with a strict policy', async t => {
  const patchbay = await startPatchbay(t)
  const page = await patchbay.call('/docs/')
  t.equal(page.status, 200)
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(page.headers.get('content-security-policy'), /default-src/)
})

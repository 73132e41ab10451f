import t from 'tap'
import { startPatchbay } from '../patchbay.ts'

const names = (answer: any): string[] => answer.json.contact.filter((contact: any) => contact.isNewContact !== true).map((contact: any) => contact.name)

await t.test('a caller is matched, however the number arrives', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  for (const query of ['phoneNumber=+16504445566', 'phoneNumber=%2B16504445566', 'phoneNumber= 16504445566&overridingFormat=&isExtension=false']) {
    const answer = await patchbay.call(`/contact?${query}`, { token })
    t.match(answer.json, { successful: true, returnMessage: null }, query)
    t.strictSame(names(answer), ['John Smith'], query)
  }
  const [john] = (await patchbay.call('/contact?phoneNumber=+16504445566', { token })).json.contact
  t.match(john, { type: 'Contact', phone: '+16504445566', additionalInfo: { deals: [{ const: Number, title: String }, { const: Number, title: String }] } })
})

await t.test('everybody who shares the number is matched, and leads too', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.strictSame(names(await patchbay.call('/contact?phoneNumber=+14155550123', { token })), ['Maria Garcia', 'Paul Garcia'])
  t.match((await patchbay.call('/contact?phoneNumber=+442079460018', { token })).json.contact, [{ name: 'Lee Wong', type: 'Lead' }])
})

await t.test('an internal extension is matched where the connector takes part', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.strictSame(names(await patchbay.call('/contact?phoneNumber=101&isExtension=true', { token })), ['Omar Haddad'])
})

await t.test('nobody is told with a warning and the offer to create a contact', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const answer = await patchbay.call('/contact?phoneNumber=+19995550100', { token })
  t.match(answer.json, {
    successful: true,
    returnMessage: { messageType: 'warning', message: 'Contact not found', ttl: 5000, details: [{ items: [{ text: /\+19995550100/ }] }] },
    contact: [{ id: 'createNewContact', isNewContact: true, defaultContactType: 'Contact' }]
  })
})

await t.test('a match is remembered for a quarter of an hour, a miss for a minute; a refresh asks anyway', async t => {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now })
  const token = await patchbay.signIn()
  const asked = async (query: string): Promise<number> => {
    await patchbay.crmRequests()
    await patchbay.call(`/contact?${query}`, { token })
    return (await patchbay.crmRequests()).length
  }
  t.equal(await asked('phoneNumber=+16504445566'), 1)
  t.equal(await asked('phoneNumber=+16504445566'), 0)
  t.equal(await asked('phoneNumber=+16504445566&isForceRefreshAccountData=true'), 1)
  t.equal(await asked('phoneNumber=+19995550100'), 1)
  t.equal(await asked('phoneNumber=+19995550100'), 0)
  now += 61_000
  t.equal(await asked('phoneNumber=+19995550100'), 1)
  t.equal(await asked('phoneNumber=+16504445566'), 0)
  now += 15 * 60_000
  t.equal(await asked('phoneNumber=+16504445566'), 1)
})

await t.test('one user does not get what the CRM showed another (defect S-22)', async t => {
  const patchbay = await startPatchbay(t)
  const [ann, bob] = [await patchbay.signIn(), await patchbay.signIn('example-key-bob')]
  await patchbay.call('/contact?phoneNumber=+16504445566', { token: ann })
  await patchbay.crmRequests()
  await patchbay.call('/contact?phoneNumber=+16504445566', { token: bob })
  t.equal((await patchbay.crmRequests()).length, 1)
})

await t.test('a placeholder contact is created and found at once', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await patchbay.call('/contact?phoneNumber=+19995550100', { token })
  const created = await patchbay.call('/contact', { method: 'POST', token, body: { phoneNumber: ' 19995550100', newContactName: 'Nia New', newContactType: 'Lead', additionalSubmission: null } })
  t.match(created.json, { successful: true, contact: { id: Number, name: 'Nia New', type: 'Lead', phone: '+19995550100' } })
  t.strictSame(names(await patchbay.call('/contact?phoneNumber=+19995550100', { token })), ['Nia New'])
  const untyped = await patchbay.call('/contact', { method: 'POST', token, body: { phoneNumber: '+19995550102', newContactName: 'Una', newContactType: '' } })
  t.match(untyped.json, { successful: true, contact: { type: 'Contact' } }, 'no type is the first one')
  const refused = await patchbay.call('/contact', { method: 'POST', token, body: { phoneNumber: '+19995550101', newContactName: 'X', newContactType: 'Vendor' } })
  t.match(refused.json, { successful: false, error: { code: 'invalid', field: 'newContactType' } })
  t.equal((await patchbay.call('/connectors/example/contact', { method: 'POST', token, body: { phoneNumber: '+19995550101', newContactType: 'Vendor' } })).status, 400)
})

await t.test('a placeholder contact for an internal extension is found again, in the CRM itself', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const created = await patchbay.call('/contact', { method: 'POST', token, body: { phoneNumber: '2050', newContactName: 'Nia Next Door', newContactType: 'Contact' } })
  t.match(created.json, { successful: true, contact: { phone: '2050' } })
  t.match((await patchbay.askCrm(`/api/contacts/${created.json.contact.id}`)).json, { number: '2050', phone: null })
  t.strictSame(names(await patchbay.call('/contact?phoneNumber=2050&isExtension=true&isForceRefreshAccountData=true', { token })), ['Nia Next Door'])
})

await t.test('a contact whose answer was lost is found at once, and not made again', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const find = async () => names(await patchbay.call('/contact?phoneNumber=+19995550100', { token }))
  const create = async () =>
    (await patchbay.call('/contact', { method: 'POST', token, body: { phoneNumber: '+19995550100', newContactName: 'Nia New', newContactType: 'Lead' } })).json
  t.strictSame(await find(), [])
  await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: 'POST', path: '/api/contacts', times: 1, drop: 'after' }] } })
  t.match(await create(), { successful: false, error: { code: 'unavailable', retryable: true } })
  t.strictSame(await find(), ['Nia New'], 'that nobody had the number is forgotten')
  t.match(await create(), { successful: true, contact: { id: Number, name: 'Nia New', type: 'Lead' } })
  t.equal((await patchbay.askCrm('/api/contacts?phone=%2B19995550100')).json.items.length, 1)
})

await t.test('contacts are found by name, and an empty list comes with a message', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.strictSame(names(await patchbay.call('/custom/contact/search?name=smith', { token })), ['John Smith', 'Jane Smith'])
  t.match((await patchbay.call('/custom/contact/search?name=nobody', { token })).json, { successful: true, contact: [], returnMessage: { messageType: 'warning', message: /./ } })
})

await t.test('a CRM that fails is told with a code', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  // Often enough for every attempt; the last row, as nobody asks again before its delay is over.
  const table: Array<[rule: object, code: string, retryable: boolean]> = [
    [{ status: 401 }, 'auth-expired', false],
    [{ status: 403 }, 'permission', false],
    [{ status: 404 }, 'not-found', false],
    [{ status: 409 }, 'conflict', false],
    [{ status: 500 }, 'unavailable', true],
    [{ drop: 'before' }, 'unavailable', true],
    [{ garbage: true }, 'bad-response', true],
    [{ status: 503 }, 'unavailable', true],
    [{ status: 429, retryAfter: 11 }, 'rate-limited', true]
  ]
  for (const [rule, code, retryable] of table) {
    await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: 'GET', path: '/api/contacts', times: 3, ...rule }] } })
    const answer = await patchbay.call('/contact?phoneNumber=+16504445566&isForceRefreshAccountData=true', { token })
    t.equal(answer.status, 200, code)
    t.match(answer.json, { successful: false, returnMessage: { messageType: 'warning', message: /./ }, error: { code, retryable } }, JSON.stringify(rule))
  }
})

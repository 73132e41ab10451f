import t from 'tap'
import { aCall, connected, type Connected } from './connected.ts'

const types = 'GET /api/v1/activityTypes'
const path = '/accountData?keys=activityTypes'
const names = (answer: any): string[] => answer.json.data.activityTypes.map(({ title }: { title: string }) => title)

await t.test('the activity types are told, remembered for a day, and asked for anew on demand', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  const [sms] = pipedrive.fake.held.activityTypes.filter(({ key_string: key }) => key === 'sms_text')
  t.match((await pipedrive.get(path)).json, {
    successful: true,
    data: { activityTypes: [{ const: 'call', title: 'Anruf' }, { const: 'meeting', title: 'Meeting' }, { const: 'sms_text', title: 'SMS / text message' }] }
  })
  pipedrive.fake.held.activityTypes = sms === undefined ? [] : [sms]
  t.equal(names(await pipedrive.get(path)).length, 3)
  t.strictSame(await pipedrive.received(), [types])
  t.strictSame(names(await pipedrive.get(`${path}&forceRefresh=true`)), ['SMS / text message'])
  t.strictSame(await pipedrive.received(), [types])
  now += 24 * 60 * 60_000 + 1
  const token = await pipedrive.connect(11)
  await pipedrive.call(path, { token })
  t.strictSame(await pipedrive.received(), [types])
})

await t.test('an old list is better than none while Pipedrive fails', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  await pipedrive.get(path)
  now += 25 * 60 * 60_000
  const token = await pipedrive.connect(11)
  await pipedrive.received()
  await pipedrive.fail({ path: '/api/v1/activityTypes', status: 500, times: 9 })
  t.equal(names(await pipedrive.call(path, { token })).length, 3)
  t.match((await pipedrive.call('/callLog', { method: 'POST', token, body: aCall() })).json, { successful: true })
  t.equal((await pipedrive.received()).includes('POST /api/v2/activities'), true)
  t.equal(names(await pipedrive.call(path, { token: await pipedrive.connect(12) })).length, 3, 'for everybody of the company')
  const stranger = await pipedrive.connect(13, { companyId: 78 })
  t.match((await pipedrive.call(path, { token: stranger })).json, { successful: false, error: { code: 'unavailable' } }, 'but nobody gets the list of others')
})

await t.test('a company has one list: what one of its users asks for anew counts for all, and for no other company', async t => {
  const pipedrive = await connected(t)
  const bob = await pipedrive.connect(12)
  const stranger = await pipedrive.connect(13, { companyId: 78 })
  const list = async (token: string, query = '') => names(await pipedrive.call(`${path}${query}`, { token }))
  t.equal((await list(pipedrive.token)).length, 3)
  t.equal((await list(bob)).length, 3)
  t.strictSame(await pipedrive.received(), [types])
  t.equal((await list(stranger)).length, 3)
  t.strictSame(await pipedrive.received(), [types], 'another company has a list of its own')

  const [call] = pipedrive.fake.held.activityTypes
  if (call === undefined) throw new Error('There is no type for calls')
  pipedrive.fake.held.activityTypes = [{ ...call, key_string: 'phone_call', name: 'Phone call' }]
  t.strictSame(await list(pipedrive.token, '&forceRefresh=true'), ['Phone call'])
  t.match((await pipedrive.call('/callLog', { method: 'POST', token: bob, body: aCall() })).json, { successful: true })
  t.match(pipedrive.fake.held.activities, [{ type: 'phone_call', owner_id: 12 }])
  t.equal((await pipedrive.received()).filter(request => request === types).length, 1)
  t.equal((await list(stranger)).length, 3)
})

await t.test('what was begun for one company does not go on with the credentials of another', async t => {
  const pipedrive = await connected(t)
  const { context } = await pipedrive.caller()
  const bob = await pipedrive.connect(12)
  await pipedrive.connect(11, { companyId: 78 })
  await pipedrive.fail({ path: '/api/v1/activityTypes', status: 401 })
  await t.rejects(context.accountData({ key: 'activityTypes' } as never), { code: 'unavailable', outcome: 'not-received' })
  t.strictSame(await pipedrive.received(), [types])
  t.equal(names(await pipedrive.call(path, { token: bob })).length, 3)
  t.strictSame(await pipedrive.received(), [types], 'nothing of it is remembered for the first')
})

await t.test('many who need the list at once make one request', async t => {
  const pipedrive = await connected(t)
  await Promise.all(Array.from({ length: 10 }, async () => await pipedrive.get(path)))
  t.strictSame(await pipedrive.received(), [types])
})

await t.test('account data is asked for by keys that the connector has', async t => {
  const pipedrive = await connected(t)
  const refused = await pipedrive.get('/accountData?keys=activityTypes,weather')
  t.equal(refused.status, 400)
  t.match(refused.json, { successful: false, returnMessage: { message: 'Unknown account data key(s): weather', messageType: 'warning', ttl: 5000 } })
  for (const query of ['', '?keys=', '?keys=,%20']) {
    const { status, text } = await pipedrive.get(`/accountData${query}`)
    t.strictSame([status, text], [400, 'Missing keys'], query)
  }
  const example = await pipedrive.signIn()
  t.equal((await pipedrive.call(path, { token: example })).status, 400, 'the Example CRM has none')
  t.match(await pipedrive.call(path), { status: 400, text: /authorize CRM platform/ })
  t.strictSame(await pipedrive.received(), [])
})

await t.test('the page at which the consent ends has what the extension looks for, and lets nothing else happen', async t => {
  const { url } = await connected(t)
  const page = await fetch(`${url}/pipedrive-redirect?code=secret&state=platform%3Dpipedrive`)
  t.equal(page.status, 200)
  t.match(page.headers.get('content-type'), 'text/html')
  t.match(page.headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/)
  t.equal(page.headers.get('referrer-policy'), 'no-referrer')
  t.equal(page.headers.get('cache-control'), 'no-store')
  const html = await page.text()
  t.match(html, 'id="rc-stepper"')
  t.notMatch(html, /secret|<script/)
})

/** A user removes the app, of which Pipedrive tells the server. Gives the status of the answer. */
async function removeApp (
  { call, fake }: Connected, userId: number,
  { companyId = 77, secret = fake.config.clientSecret, timestamp = new Date().toISOString() }: { companyId?: number, secret?: string, timestamp?: unknown } = {}
): Promise<number> {
  const { status } = await call('/pipedrive-redirect', {
    method: 'DELETE',
    headers: { authorization: `Basic ${Buffer.from(`${fake.config.clientId}:${secret}`).toString('base64')}` },
    body: { client_id: fake.config.clientId, company_id: companyId, user_id: userId, timestamp }
  })
  return status
}

await t.test('A-19: who removes the app in Pipedrive is disconnected here', async t => {
  const pipedrive = await connected(t)
  const bob = await pipedrive.connect(12)
  const isConnected = async (token: string): Promise<boolean> =>
    (await pipedrive.call('/callLog?sessionIds=1', { token })).json.successful

  for (const [title, userId, options, status] of [
    ['another secret', 11, { secret: 'guess' }, 401],
    ['no secret', 11, { secret: '' }, 401],
    ['another company', 11, { companyId: 78 }, 200],
    ['another user', 13, {}, 200]
  ] as const) {
    t.equal(await removeApp(pipedrive, userId, options), status, title)
    t.equal(await isConnected(pipedrive.token), true, title)
  }

  t.equal(await removeApp(pipedrive, 11), 200)
  t.equal(await isConnected(pipedrive.token), false)
  t.equal(await isConnected(bob), true)
  const user = await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive')
  t.equal(user?.credentials, undefined)
  t.equal(await removeApp(pipedrive, 11), 200, 'a notice that comes twice does no harm')
})

await t.test('a removal notice that comes late does not end a connection that was made after the removal', async t => {
  const now = Date.parse('2026-03-01T10:00:00.000Z')
  const pipedrive = await connected(t, { clock: () => now })
  const before = (seconds: number): string => new Date(now - seconds * 1_000).toISOString()
  const table: Array<[title: string, timestamp: unknown, stays: boolean]> = [
    ['the app was removed an hour before that', before(3_600), true],
    ['a moment more than clocks may differ', before(61), true],
    ['as much as clocks may differ', before(60), false],
    ['afterwards', before(-5), false],
    ['at a time that is none', 'yesterday', false],
    ['at a time of another form', now - 3_600_000, false],
    ['nobody knows when', null, false]
  ]
  const isSignedIn = async () => (await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive'))?.isSignedIn
  for (const [title, timestamp, stays] of table) {
    await pipedrive.connect(11)
    t.equal(await removeApp(pipedrive, 11, { timestamp }), 200, title)
    t.equal(await isSignedIn(), stays, title)
  }
  await pipedrive.connect(11)
  await pipedrive.overwriteCredentials('garbage')
  t.equal(await removeApp(pipedrive, 11, { timestamp: before(3_600) }), 200)
  t.equal(await isSignedIn(), false, 'what cannot be read is no newer connection')
})

await t.test('a removal notice has to say who it is about, and come from Pipedrive', async t => {
  const pipedrive = await connected(t)
  const { clientId, clientSecret } = pipedrive.fake.config
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  const notice = async (authorization: string, body: object) => (await pipedrive.call('/pipedrive-redirect', { method: 'DELETE', headers: { authorization }, body })).status
  t.equal(await notice(basic, { user_id: 11 }), 400)
  t.equal(await notice(basic, { user_id: '11', company_id: '77' }), 400)
  const whole = { user_id: 11, company_id: 77 }
  for (const authorization of ['', 'Basic', 'Basic Og==', `Bearer ${pipedrive.token}`, basic.slice(0, -4), `${basic.slice(0, -2)}AA`]) t.equal(await notice(authorization, whole), 401, authorization)
})

await t.test('without a client nobody can send notices', async t => {
  const pipedrive = await connected(t, { config: { connector: () => ({}) } })
  for (const secret of [':', 'undefined:undefined']) {
    const authorization = `Basic ${Buffer.from(secret).toString('base64')}`
    const { status } = await pipedrive.call('/pipedrive-redirect', { method: 'DELETE', headers: { authorization }, body: { user_id: 11, company_id: 77 } })
    t.equal(status, 401)
  }
})

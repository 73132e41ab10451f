import t from 'tap'
import { startFakeCrm } from '../../../src/connectors/pipedrive/fake.ts'
import { ask, type Answer } from '../../patchbay.ts'
import { aCall, connected, type Connected } from './connected.ts'

await t.test('each way in which Pipedrive says no is told with a code', async t => {
  const pipedrive = await connected(t)
  const table: Array<[rule: object, code: string, message: RegExp]> = [
    [{ status: 400 }, 'invalid', /Pipedrive refused: As asked for/],
    [{ status: 401 }, 'auth-expired', /Connect again/],
    [{ status: 402 }, 'prerequisite', /Pipedrive refused: As asked for/],
    [{ status: 403 }, 'permission', /Pipedrive refused: As asked for/],
    [{ status: 404 }, 'not-found', /no longer exists/],
    [{ status: 405 }, 'bad-response', /./],
    [{ status: 410 }, 'not-found', /no longer exists/],
    [{ status: 415 }, 'bad-response', /./],
    [{ status: 422 }, 'invalid', /Pipedrive refused: As asked for/],
    [{ status: 429, retryAfter: 30 }, 'rate-limited', /Try again later/],
    [{ status: 500 }, 'unavailable', /Try again later/],
    [{ status: 501 }, 'unavailable', /Try again later/],
    [{ status: 503, retryAfter: 30 }, 'unavailable', /Try again later/],
    [{ garbage: true }, 'bad-response', /cannot be understood/]
  ]
  for (const [rule, code, message] of table) {
    // Limits hold for a token, so each row has its own.
    const token = await pipedrive.connect(11)
    await pipedrive.fail({ ...rule, times: 9 })
    const { status, json } = await pipedrive.call('/contact?phoneNumber=+16504445566', { token })
    t.equal(status, 200, code)
    t.match(json, { successful: false, error: { code }, returnMessage: { message } }, JSON.stringify(rule))
  }
})

await t.test('a call that Pipedrive did not take is told with a code, and is one activity after the next attempt', async t => {
  const table: Array<[rule: object, code: string, retryable: boolean]> = [
    [{ status: 400 }, 'invalid', false],
    [{ status: 401 }, 'auth-expired', false],
    [{ status: 402 }, 'prerequisite', false],
    [{ status: 403 }, 'permission', false],
    [{ status: 404 }, 'not-found', false],
    [{ status: 405 }, 'bad-response', true],
    [{ status: 410 }, 'not-found', false],
    [{ status: 415 }, 'bad-response', true],
    [{ status: 422 }, 'invalid', false],
    [{ status: 429 }, 'waiting', true],
    [{ status: 500 }, 'outcome-unknown', true],
    [{ status: 501 }, 'outcome-unknown', true],
    [{ status: 503 }, 'waiting', true],
    [{ drop: 'before' }, 'outcome-unknown', true],
    [{ drop: 'after' }, 'outcome-unknown', true],
    [{ garbage: true }, 'outcome-unknown', true]
  ]
  for (const [rule, code, retryable] of table) {
    let now = Date.now()
    const pipedrive = await connected(t, { clock: () => now })
    await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', ...rule, times: 3 })
    const { json } = await pipedrive.send('POST', '/callLog', aCall())
    t.match(json, { successful: false, error: { code, retryable } }, JSON.stringify(rule))
    await pipedrive.fail({ path: '/nowhere' })
    now += 60_000
    // Who was asked to connect again has done so.
    const token = await pipedrive.connect(11)
    t.match((await pipedrive.call('/callLog', { method: 'POST', token, body: aCall() })).json, { successful: true, logId: '7001' }, `after ${JSON.stringify(rule)}`)
    t.equal(pipedrive.fake.held.activities.length, 1, `once, after ${JSON.stringify(rule)}`)
  }
})

await t.test('a record that is not found any more is gone, whichever request says so first, and the call can be logged anew', async t => {
  const sessionId = '4503991004'
  const table: Array<[method: string, change: (pipedrive: Connected) => Promise<Answer>]> = [
    ['GET', async ({ send }) => await send('PATCH', '/callLog', { sessionId, note: 'x' })],
    ['PATCH', async ({ send }) => await send('PUT', '/callDisposition', { sessionId, dispositions: { deals: 42 } })]
  ]
  for (const [method, change] of table) {
    for (const status of [404, 410]) {
      const pipedrive = await connected(t)
      await pipedrive.send('POST', '/callLog', aCall())
      // The read after a PATCH that finds nothing is a look whether it is the record that is missing.
      await pipedrive.fail(...[...new Set([method, 'GET'])].map(method => ({ method, path: '/api/v2/activities/7001', status })))
      t.match((await change(pipedrive)).json, { successful: false, error: { code: 'gone' } }, `${method} ${status}`)
      t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7002' }, `anew after ${method} ${status}`)
    }
  }
})

await t.test('a deal that is not found any more does not make the call forgotten', async t => {
  const pipedrive = await connected(t)
  await pipedrive.send('POST', '/callLog', aCall())
  await pipedrive.fail({ method: 'PATCH', path: '/api/v2/activities/7001', status: 404 })
  t.match((await pipedrive.send('PUT', '/callDisposition', { sessionId: '4503991004', dispositions: { deals: 42 } })).json, { error: { code: 'not-found' } })
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7001' })
})

await t.test('a record that is deleted between reading and writing is told, and the next change finds out', async t => {
  const pipedrive = await connected(t)
  await pipedrive.send('POST', '/callLog', aCall())
  await pipedrive.fail({ method: 'PATCH', path: '/api/v2/activities/7001', status: 410 })
  const update = async (): Promise<any> => (await pipedrive.send('PATCH', '/callLog', { sessionId: '4503991004', note: 'x' })).json
  t.match(await update(), { successful: false, error: { code: 'not-found' }, returnMessage: { message: /no longer exists/ } })
  await pipedrive.fail({ method: 'GET', path: '/api/v2/activities/7001', status: 404 })
  t.match(await update(), { successful: false, error: { code: 'gone' } })
})

await t.test('a missing scope is a missing permission', async t => {
  const pipedrive = await connected(t, { fake: { scopes: ['base', 'contacts:full', 'search:read'] } })
  t.match((await pipedrive.get('/contact?phoneNumber=+16504445566')).json, { successful: true })
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { error: { code: 'permission' }, returnMessage: { message: /Scope and URL mismatch/ } })
})

await t.test('a deleted contact is told when a call is logged against it', async t => {
  const pipedrive = await connected(t)
  t.match((await pipedrive.send('POST', '/callLog', { ...aCall(), contactId: 4711 })).json, { error: { code: 'not-found' } })
})

await t.test('the fake is as strict as Pipedrive', async t => {
  const fake = await startFakeCrm()
  t.teardown(async () => await fake.close())
  const { accessToken: token } = fake.oauth.grant(11)
  const activity = { subject: 'Call', type: 'call', participants: [{ person_id: 1, primary: true }] }
  const refusals: Array<[title: string, method: string, path: string, body: object | undefined, status: number, error: RegExp]> = [
    ['person_id is read-only', 'POST', '/api/v2/activities', { ...activity, person_id: 1 }, 400, /'person_id' is a read-only field/],
    ['nor can a record be deleted by a change', 'POST', '/api/v2/activities', { ...activity, is_deleted: true }, 400, /read-only/],
    ['numbers are not text', 'POST', '/api/v2/activities', { ...activity, deal_id: '42' }, 400, /deal_id/],
    ['an empty text is no deal', 'POST', '/api/v2/activities', { ...activity, deal_id: '' }, 400, /deal_id/],
    ['booleans are not numbers', 'POST', '/api/v2/activities', { ...activity, done: 1 }, 400, /done/],
    ['there are no other members', 'POST', '/api/v2/activities', { ...activity, colour: 'red' }, 400, /additional/],
    ['types are those of the company', 'POST', '/api/v2/activities', { ...activity, type: 'fax' }, 400, /not an active activity type/],
    ['times are times', 'POST', '/api/v2/activities', { ...activity, duration: '420' }, 400, /duration/],
    ['a deal and a lead are too much', 'POST', '/api/v2/activities', { ...activity, deal_id: 42, lead_id: 'adf21080-0e10-11eb-879b-05d71fb426ec' }, 400, /together/],
    ['contact sync is another product', 'POST', '/api/v2/persons', { name: 'X', job_title: 'Y' }, 403, /contact sync/],
    ['one letter is no term', 'GET', '/api/v2/itemSearch?term=x&item_types=person', undefined, 400, /2 characters/],
    ['there are no other kinds', 'GET', '/api/v2/itemSearch?term=xy&item_types=people', undefined, 400, /item_types/],
    ['pages have a size', 'GET', '/api/v2/itemSearch?term=xy&item_types=person&limit=101', undefined, 400, /limit/],
    ['version 1 of activities is gone', 'POST', '/api/v1/activities', activity, 404, /./],
    ['what is not there is not found', 'GET', '/api/v2/activities/1', undefined, 404, /Activity not found/]
  ]
  for (const [title, method, path, body, status, error] of refusals) {
    const answer = await ask(fake.url, path, { method, token, body })
    t.equal(answer.status, status, title)
    t.match(answer.json, { success: false, error, data: null }, title)
  }
  t.match((await ask(fake.url, '/api/v2/activities', { token: 'none' })), { status: 401, json: { success: false, error: 'unauthorized access', errorCode: 401 } })

  const created = await ask(fake.url, '/api/v2/activities', { method: 'POST', token, body: { ...activity, due_time: '14:05', duration: '00:07' } })
  t.match(created.json.data, { due_time: '14:05:00', duration: '00:07:00', person_id: 1, is_deleted: false })
  await ask(fake.url, '/api/v2/activities/7001', { method: 'DELETE', token })
  t.match((await ask(fake.url, '/api/v2/activities/7001', { token })).json.data, { is_deleted: true }, 'it stays readable')
  t.equal((await ask(fake.url, '/api/v2/activities/7001', { method: 'PATCH', token, body: { subject: 'x' } })).status, 410)
  t.strictSame((await ask(fake.url, '/api/v2/activities', { token })).json.data, [])
})

await t.test('the fake limits searches, says so in headers, and shuts out who does not listen', async t => {
  let now = Date.now()
  const fake = await startFakeCrm({ clock: () => now })
  t.teardown(async () => await fake.close())
  const { accessToken: token } = fake.oauth.grant(11)
  const search = async () => await ask(fake.url, '/api/v2/itemSearch?term=smith&item_types=person&fields=name', { token })
  const first = await search()
  t.equal(first.headers.get('x-ratelimit-limit'), '10')
  t.equal(first.headers.get('x-ratelimit-remaining'), '9')
  for (let count = 1; count < 10; count++) t.equal((await search()).status, 200)
  const limited = await search()
  t.equal(limited.status, 429)
  t.equal(limited.headers.get('x-ratelimit-reset'), '2')
  t.equal((await ask(fake.url, '/api/v1/users/me', { token })).status, 200, 'other requests have a window of their own')
  for (let count = 0; count < 6; count++) await search()
  const shutOut = await search()
  t.equal(shutOut.status, 403)
  t.match(shutOut.headers.get('content-type'), 'text/html')
  now += 60_001
  t.equal((await search()).status, 200)
  t.match(fake.spent(), { requests: 12, units: 222, unit: 'tokens' })
})

await t.test('the fake takes no more than the daily budget', async t => {
  const fake = await startFakeCrm({ dailyBudget: 25 })
  t.teardown(async () => await fake.close())
  const { accessToken: token } = fake.oauth.grant(11)
  t.equal((await ask(fake.url, '/api/v1/users', { token })).status, 200)
  const limited = await ask(fake.url, '/api/v1/users', { token })
  t.equal(limited.status, 429)
  t.equal(limited.headers.get('x-daily-ratelimit-token-remaining'), '5')
})

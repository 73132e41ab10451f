import t from 'tap'
import { callRecord, startPatchbay, uniqueId, type Answer, type Patchbay } from '../patchbay.ts'

const hour = 60 * 60_000

/** Somebody who signed in by OAuth, a clock to let tokens grow old with, and a look at what the CRM received. */
async function connected (t: Parameters<typeof startPatchbay>[0]) {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now, crmClock: () => now })
  const token = await patchbay.signInByOAuth()
  await patchbay.crmRequests()
  return {
    patchbay,
    token,
    pass: (milliseconds: number) => { now += milliseconds },
    /** Each call asks the CRM: no two ask for the same number. */
    lookUp: async (): Promise<Answer> => await lookUp(patchbay, token),
    fault: async (rule: object): Promise<unknown> => await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: '*', times: 1, ...rule }] } }),
    tokenRequests: async (): Promise<number> => (await patchbay.crmRequests()).filter(request => request === 'POST /oauth/token').length,
    stored: async () => (await patchbay.app.repositories.users.find('1-example', 'example'))?.credentials
  }
}

let number = 0
const lookUp = async (patchbay: Patchbay, token: string): Promise<Answer> =>
  await patchbay.call(`/contact?phoneNumber=+1650${String(2_000_000 + number++)}`, { token })

const parallel = async (count: number, work: () => Promise<Answer>): Promise<Answer[]> => await Promise.all(Array.from({ length: count }, work))
const succeeded = (answers: Answer[]): number => answers.filter(({ status, json }) => status === 200 && json.successful === true).length

await t.test('100 requests at once with an expired token make one renewal', async t => {
  const { lookUp, pass, tokenRequests, stored } = await connected(t)
  const before = await stored()
  pass(hour)
  t.equal(succeeded(await parallel(100, lookUp)), 100)
  t.equal(await tokenRequests(), 1)
  t.not((await stored())?.refreshToken, before?.refreshToken, 'what the CRM gave for the old one is kept')
  t.equal(succeeded(await parallel(10, lookUp)), 10)
  t.equal(await tokenRequests(), 0)
})

await t.test('a token is renewed two minutes before its end', async t => {
  const { lookUp, pass, tokenRequests } = await connected(t)
  pass(600_000 - 120_001)
  await lookUp()
  t.equal(await tokenRequests(), 0)
  pass(1)
  await lookUp()
  t.equal(await tokenRequests(), 1)
})

await t.test('a token that only looks fresh: one forced renewal, and each request once more', async t => {
  const { patchbay, lookUp, tokenRequests } = await connected(t)
  await patchbay.askCrm('/_oauth/access-tokens', { method: 'DELETE' })
  t.match((await lookUp()).json, { successful: true })
  t.strictSame(await patchbay.crmRequests(), ['GET /api/contacts', 'POST /oauth/token', 'GET /api/contacts'])

  await patchbay.askCrm('/_oauth/access-tokens', { method: 'DELETE' })
  t.equal(succeeded(await parallel(100, lookUp)), 100)
  t.equal(await tokenRequests(), 1)
})

await t.test('a CRM that refuses even the new token ends the matter', async t => {
  const { patchbay, lookUp, fault } = await connected(t)
  await fault({ path: '/api/contacts', status: 401, times: 99 })
  t.match(await lookUp(), { status: 200, json: { successful: false, error: { code: 'auth-expired', retryable: false } } })
  t.strictSame(await patchbay.crmRequests(), ['GET /api/contacts', 'POST /oauth/token', 'GET /api/contacts'])
})

await t.test('a CRM that refuses whatever it issues is asked for another token once a minute, not with each request', async t => {
  const { patchbay, lookUp, pass, fault, tokenRequests } = await connected(t)
  await fault({ path: '/api/contacts', status: 401, times: 99 })
  for (let times = 0; times < 8; times++) t.match(await lookUp(), { status: 200, json: { successful: false, error: { code: 'auth-expired' } } })
  t.equal(await tokenRequests(), 1)
  pass(60_001)
  await lookUp()
  t.equal(await tokenRequests(), 1)
  await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [] } })
  t.equal(succeeded([await lookUp()]), 1, 'and goes on where it is taken')
  t.equal(await tokenRequests(), 0)
})

await t.test('a dead refresh token: everybody is asked to connect again, and the CRM is asked once', async t => {
  const { patchbay, token, lookUp, pass, tokenRequests } = await connected(t)
  await patchbay.askCrm('/_oauth/refresh-tokens', { method: 'DELETE' })
  pass(hour)
  const answers = await parallel(50, lookUp)
  for (const { status, json, headers } of answers) {
    t.equal(status, 401)
    t.match(json, { successful: false, returnMessage: { message: /Connect again/, messageType: 'warning' }, errorCode: 'CRM_SESSION_REVOKED', error: { code: 'session-revoked', retryable: false } })
    t.equal(headers.get('access-control-allow-origin'), '*')
  }
  t.equal(await tokenRequests(), 1)
  for (let again = 0; again < 3; again++) t.equal((await lookUp()).status, 401)
  t.equal((await patchbay.call('/authValidation', { token })).status, 401)
  t.strictSame(await patchbay.crmRequests(), [], 'it is remembered')
  t.equal((await patchbay.call('/callLog?sessionIds=1', { token })).status, 200, 'what does not ask the CRM goes on')
  t.equal(patchbay.logged.filter(line => line.includes('the CRM has ended a connection')).length, 1)

  await patchbay.signInByOAuth()
  t.equal(succeeded([await lookUp()]), 1, 'until somebody signs in again')
  await patchbay.crmRequests()
  await patchbay.askCrm('/_oauth/refresh-tokens', { method: 'DELETE' })
  await patchbay.askCrm('/_oauth/access-tokens', { method: 'DELETE' })
  t.equal((await lookUp()).status, 401, 'the same with a token that only looks fresh')
  await patchbay.crmRequests()
  await patchbay.call('/unAuthorize', { method: 'POST', token })
  t.strictSame(await patchbay.crmRequests(), [], 'nothing is taken back that is gone')
})

await t.test('any other failure of the token endpoint is a failure of this moment', async t => {
  for (const rule of [{ status: 503, times: 4 }, { status: 500 }, { status: 429, retryAfter: 11 }, { status: 400 }, { drop: 'before' }]) {
    const { lookUp, pass, fault } = await connected(t)
    pass(hour)
    await fault({ path: '/oauth/token', ...rule })
    t.match(await lookUp(), { status: 200, json: { successful: false, error: { code: 'unavailable', retryable: true } } }, JSON.stringify(rule))
    if (rule.status === 400 || rule.status === 500) t.equal(succeeded([await lookUp()]), 1, 'and the next moment it works')
  }
})

await t.test('a renewal that is put off is not sent so late that its answer would be lost', async t => {
  const { lookUp, pass, fault, tokenRequests } = await connected(t)
  pass(hour)
  await fault({ path: '/oauth/token', status: 503, retryAfter: 2 })
  t.match((await lookUp()).json, { successful: false, error: { code: 'unavailable', retryable: true, retryAfter: 2 } })
  t.equal(await tokenRequests(), 1)
})

await t.test('a mistake of the operator signs nobody out', async t => {
  let now = Date.now()
  const settings: { url?: string, clientId: string, clientSecret: string } = { clientId: 'patchbay-example', clientSecret: 'patchbay-example-secret' }
  const patchbay = await startPatchbay(t, { clock: () => now, config: { connector: () => settings } })
  settings.url = patchbay.crm.url
  const token = await patchbay.signInByOAuth()
  now += hour
  settings.clientSecret = 'mistyped'
  t.match((await lookUp(patchbay, token)).json, { successful: false, error: { code: 'unavailable', message: /client id and secret/, retryable: true } })
  settings.clientSecret = 'patchbay-example-secret'
  t.match((await lookUp(patchbay, token)).json, { successful: true })
})

await t.test('until its very end a token is used, when the CRM cannot renew it', async t => {
  const { lookUp, pass, fault } = await connected(t)
  pass(590_000)
  await fault({ path: '/oauth/token', status: 500, times: 2 })
  // One attempt for each request of a client.
  t.equal(succeeded([await lookUp()]), 1)
  pass(11_000)
  t.match((await lookUp()).json, { error: { code: 'unavailable' } })
  t.equal(succeeded([await lookUp()]), 1)
})

await t.test('a client that goes away does not take the renewal with it', async t => {
  const { patchbay, token, pass, fault, tokenRequests, lookUp } = await connected(t)
  pass(hour)
  await fault({ path: '/oauth/token', delayMs: 300 })
  const client = new AbortController()
  const gone = fetch(`${patchbay.url}/contact?phoneNumber=+16505550100`, { headers: { authorization: `Bearer ${token}` }, signal: client.signal })
  await new Promise(resolve => setTimeout(resolve, 150))
  client.abort()
  await t.rejects(gone)
  t.equal(succeeded([await lookUp()]), 1)
  t.equal(await tokenRequests(), 1)
})

await t.test('a stop of the server waits for a renewal', async t => {
  const { patchbay, token, pass, fault, stored } = await connected(t)
  const before = await stored()
  pass(hour)
  await fault({ path: '/oauth/token', delayMs: 300 })
  const client = new AbortController()
  const gone = fetch(`${patchbay.url}/contact?phoneNumber=+16505550100`, { headers: { authorization: `Bearer ${token}` }, signal: client.signal })
  await new Promise(resolve => setTimeout(resolve, 150))
  client.abort()
  await t.rejects(gone)
  let atTheEnd: unknown
  patchbay.app.database.close = async () => { atTheEnd = await stored() }
  await patchbay.app.close()
  t.match(atTheEnd, { accessToken: /./ })
  t.notMatch(atTheEnd, { refreshToken: before?.refreshToken })
})

await t.test('a stop of the server waits for a renewal that begins meanwhile, too', async t => {
  const { patchbay, token, stored } = await connected(t)
  const before = await stored()
  const slow = { times: 1, delayMs: 300 }
  await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ ...slow, method: 'GET', path: '/api/contacts', status: 401 }, { ...slow, method: 'POST', path: '/oauth/token' }] } })
  const received = async (path: string): Promise<void> => {
    while (!(await patchbay.askCrm('/_requests')).text.includes(`"${path}"`)) await new Promise(resolve => setTimeout(resolve, 10))
  }
  const client = new AbortController()
  const gone = fetch(`${patchbay.url}/contact?phoneNumber=+16505550100`, { headers: { authorization: `Bearer ${token}` }, signal: client.signal })
  await received('/api/contacts')
  // The database is not as near as the file of a test.
  const { users } = patchbay.app.repositories
  const { replaceCredentials } = users
  users.replaceCredentials = async (...input) => {
    await new Promise(resolve => setTimeout(resolve, 300))
    return await replaceCredentials(...input)
  }
  let atTheEnd: unknown
  patchbay.app.database.close = async () => { atTheEnd = await stored() }
  const closed = patchbay.app.close()
  await received('/oauth/token')
  client.abort()
  await t.rejects(gone)
  await closed
  t.match(atTheEnd, { accessToken: /./ })
  t.notMatch(atTheEnd, { refreshToken: before?.refreshToken })
})

await t.test('with a key there is nothing to renew', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await patchbay.crmRequests()
  await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: 'GET', path: '/api/contacts', times: 1, status: 401 }] } })
  t.match(await lookUp(patchbay, token), { status: 200, json: { successful: false, error: { code: 'auth-expired' } } })
  t.strictSame(await patchbay.crmRequests(), ['GET /api/contacts'])
})

await t.test('a token that ends in the middle of an operation', async t => {
  const { patchbay, token } = await connected(t)
  await patchbay.askCrm('/_oauth', { method: 'PUT', body: { accessTokenUses: 1 } })
  const contact = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
  const sessionId = uniqueId()
  const operations: Array<[name: string, path: string, options: object]> = [
    ['findContact', '/contact?phoneNumber=+16504445566', {}],
    ['findContactWithName', '/custom/contact/search?name=John', {}],
    ['createContact', '/contact', { method: 'POST', body: { phoneNumber: '+16505550111', newContactName: 'New', newContactType: 'Contact' } }],
    ['createCallLog', '/callLog', { method: 'POST', body: { logInfo: { ...callRecord(), sessionId }, note: 'a note', ...contact } }],
    ['getCallLog', `/callLog?sessionIds=${sessionId}&requireDetails=true`, {}],
    ['updateCallLog', '/callLog', { method: 'PATCH', body: { sessionId, note: 'another note', recordingLink: 'https://example.com/r' } }],
    ['upsertCallDisposition', '/callDisposition', { method: 'PUT', body: { sessionId, dispositions: { deals: 1 } } }],
    ['authValidation', '/authValidation', {}]
  ]
  for (const [name, path, options] of operations) {
    t.match(await patchbay.call(path, { token, ...options }), { status: 200, json: { successful: true } }, name)
    // The next operation begins with a token that has one use, or none.
    t.match((await patchbay.call('/contact?phoneNumber=+16504445566&isForceRefreshAccountData=true', { token })).json, { successful: true }, `after ${name}`)
  }
  await patchbay.askCrm('/_oauth', { method: 'PUT', body: { accessTokenUses: null } })
  const { json: { items } } = await patchbay.askCrm('/api/activities?contactId=1')
  t.equal(items.length, 1, 'one record')
  t.match(items[0], { body: /another note/, dealId: 1 })
})

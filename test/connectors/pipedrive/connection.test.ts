import t from 'tap'
import type { Context, Operations } from '../../../src/contract/operations.ts'
import { tokenAnswer } from '../../../src/tokens/token-answer.ts'
import { ask, type Answer } from '../../patchbay.ts'
import { aCall, connected, type Connected } from './connected.ts'

const token = 'POST /oauth/token'

/** Connects as the extension does: it hands over the address at which the consent ended, without encoding it. */
async function signIn (pipedrive: Connected, callbackUri?: string) {
  const uri = callbackUri ?? await pipedrive.fake.consent('platform=pipedrive')
  return await pipedrive.call(`/oauth-callback?callbackUri=${uri}&hostname=temp&rcAccountId=101`)
}

await t.test('somebody connects with OAuth', async t => {
  const pipedrive = await connected(t)
  const { json: { platforms: { pipedrive: manifest } } } = await pipedrive.call('/crmManifest')
  t.match(manifest.auth, { type: 'oauth', oauth: { clientId: pipedrive.fake.config.clientId, redirectUri: pipedrive.fake.config.redirectUri } })

  const answer = await signIn(pipedrive)
  t.match(answer.json, { jwtToken: String, name: 'Ann Agent' })
  t.strictSame(await pipedrive.received(), [token, 'GET /api/v1/users/me'])
  const session = { token: answer.json.jwtToken }
  t.equal((await pipedrive.call('/hostname', session)).text, 'acme.pipedrive.com', 'the word temp is replaced')
  t.match((await pipedrive.call('/contact?phoneNumber=+16504445566', session)).json, { successful: true, contact: [{ id: 1 }] })
  const user = await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive')
  t.match(user, { timeZone: 'Europe/Berlin', info: { companyId: 77, companyDomain: 'acme' }, credentials: { baseUrl: 'https://acme.pipedrive.com' } })
})

await t.test('the extension finds the consent page by the manifest, and comes back from it', async t => {
  const pipedrive = await connected(t)
  const { json: { platforms: { pipedrive: { auth: { oauth: { authUrl, clientId, redirectUri } } } } } } = await pipedrive.call('/crmManifest')
  const visit = async (asked: object = {}): Promise<Response> => {
    const query = new URLSearchParams({ response_type: 'code', client_id: clientId, scope: '', state: 'platform=pipedrive', redirect_uri: redirectUri, ...asked })
    return await fetch(`${authUrl}?${query.toString()}`, { redirect: 'manual' })
  }
  const back = (await visit()).headers.get('location') ?? ''
  t.ok(back.startsWith(`${redirectUri}?code=`))
  t.match((await signIn(pipedrive, back)).json, { jwtToken: String, name: 'Ann Agent' })
  for (const wrong of [{ client_id: 'another' }, { redirect_uri: 'https://example.com/pipedrive-redirect' }]) {
    t.equal((await visit(wrong)).status, 400, Object.keys(wrong).join())
  }
})

await t.test('a code is taken once', async t => {
  const pipedrive = await connected(t)
  const uri = await pipedrive.fake.consent('platform=pipedrive')
  t.ok((await signIn(pipedrive, uri)).json.jwtToken)
  const again = await signIn(pipedrive, uri)
  t.notOk(again.json?.jwtToken)
  t.match(again.json, { returnMessage: { message: /./ } })
})

await t.test('a token that ends in the middle of an operation, at whichever request, is renewed, and the operation succeeds', async t => {
  const pipedrive = await connected(t)
  const { fake } = pipedrive
  // Signing in has a token of that moment, and signing out needs none: all other operations are here.
  const route = (run: () => Promise<Answer>) => async () => { t.match((await run()).json, { successful: true }) }
  const operation = (name: keyof Operations, asked: object = {}) => async () => {
    const { connector, context } = await pipedrive.caller()
    const run = connector.operations[name] as (context: Context, asked: object) => Promise<unknown>
    await run(context, asked)
  }
  // Nobody has matched Maria, so that logs against her read her first.
  const log = { contact: { id: '3', type: '', name: 'Maria Garcia', phoneNumber: '' }, subject: 'Lost', body: 'Hi', startTime: 0, call: { startTime: 0 }, ownerId: '11', additionalSubmission: {}, since: 0, others: [] }
  let seconds = 0
  const operations: Array<[title: string, writes: number, run: () => Promise<void>]> = [
    ['findContact', 0, route(async () => await pipedrive.get('/contact?phoneNumber=+18662019834&isForceRefreshAccountData=true'))],
    ['findContactWithName', 0, route(async () => await pipedrive.get('/custom/contact/search?name=smith'))],
    ['createContact', 0, route(async () => await pipedrive.send('POST', '/contact', { phoneNumber: '+19995550100', newContactName: 'Nia New' }))],
    ['accountData', 0, route(async () => await pipedrive.get('/accountData?keys=activityTypes&forceRefresh=true'))],
    ['getUserList', 0, operation('getUserList')],
    ['createCallLog', 1, operation('createCallLog', log)],
    ['findCallLog', 0, operation('findCallLog', { ...log, subject: 'Another' })],
    ['getCallLog', 0, route(async () => await pipedrive.get('/callLog?sessionIds=4503991004&requireDetails=true'))],
    ['updateCallLog', 0, route(async () => await pipedrive.send('PATCH', '/callLog', { sessionId: '4503991004', duration: ++seconds }))],
    ['upsertCallDisposition', 0, route(async () => await pipedrive.send('PUT', '/callDisposition', { sessionId: '4503991004', dispositions: { deals: 42 } }))],
    ['createMessageLog', 1, operation('createMessageLog', log)],
    ['findMessageLog', 0, operation('findMessageLog', { ...log, subject: 'Another' })],
    ['getMessageLog', 0, operation('getMessageLog', { logId: '7001' })],
    ['updateMessageLog', 0, operation('updateMessageLog', { logId: '7001', body: 'Hi', messages: [], media: [] })]
  ]
  await pipedrive.send('POST', '/callLog', aCall())
  await pipedrive.received()
  for (const [title, writes, run] of operations) {
    await run()
    const requests = await pipedrive.received()
    for (const request of requests) {
      const before = fake.held.activities.length
      const [method, path] = request.split(' ')
      await pipedrive.fail({ method, path, status: 401 })
      await run()
      t.strictSame((await pipedrive.received()).sort(), [...requests, request, token].sort(), `${title}: ${request} is sent again, after one renewal`)
      t.equal(fake.held.activities.length - before, writes, `${title} writes as it should`)
    }
    fake.oauth.expireAccessTokens()
    await run()
    t.equal((await pipedrive.received()).filter(request => request === token).length, 1, `${title} renews once when it finds an ended token`)
  }
})

await t.test('twenty requests with an ended token make one renewal', async t => {
  const pipedrive = await connected(t)
  pipedrive.fake.oauth.expireAccessTokens()
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await pipedrive.get('/accountData?keys=activityTypes&forceRefresh=true')))
  t.ok(answers.every(({ json }) => json.successful === true))
  t.equal((await pipedrive.received()).filter(request => request === token).length, 1)
})

await t.test('a refresh token that was already exchanged means connecting again', async t => {
  const pipedrive = await connected(t)
  const { clientId, clientSecret } = pipedrive.fake.config
  const user = await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive')
  const stolen = await ask(pipedrive.fake.url, '/oauth/token', {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded'
    },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: user?.credentials?.refreshToken ?? '' }).toString()
  })
  t.equal(stolen.status, 200)
  pipedrive.fake.oauth.expireAccessTokens()
  const answer = await pipedrive.get('/contact?phoneNumber=+16504445566')
  t.equal(answer.status, 401)
  t.match(answer.json, { successful: false, errorCode: 'CRM_SESSION_REVOKED' })
})

await t.test('a renewal that Pipedrive refuses ends the connection, one that fails does not', async t => {
  for (const [status, expected] of [[400, 401], [401, 401], [500, 200], [503, 200]]) {
    const pipedrive = await connected(t)
    pipedrive.fake.oauth.expireAccessTokens()
    await pipedrive.fail({ path: '/oauth/token', status, times: 9 })
    const answer = await pipedrive.get('/contact?phoneNumber=+16504445566')
    t.equal(answer.status, expected, String(status))
    t.match(answer.json, { successful: false, ...(expected === 401 && { errorCode: 'CRM_SESSION_REVOKED' }) }, String(status))
  }
})

await t.test('a client that Pipedrive does not know is the operator\'s mistake, and ends no connection', async t => {
  const { app } = await connected(t)
  const [auth] = [app.connectors.get('pipedrive').info.auth].flat()
  if (auth?.type !== 'oauth') return t.fail('OAuth is not the first way')
  const table: Array<[body: string, status: number, error: string | undefined]> = [
    ['{"success":false,"error":"invalid_client"}', 401, 'invalid_client'],
    ['{"success":false,"error":"invalid_client"}', 400, 'invalid_client'],
    ['{"success":false,"error":"unauthorized access"}', 401, 'invalid_grant'],
    ['<html>', 401, 'invalid_grant'],
    ['', 400, 'invalid_grant'],
    ['', 503, undefined]
  ]
  for (const [body, status, error] of table) t.equal(tokenAnswer(body, status, auth.normalise).body['error'], error, `${status} ${body}`)
})

await t.test('signing out takes the grant back at Pipedrive', async t => {
  const pipedrive = await connected(t)
  const { json: { jwtToken } } = await signIn(pipedrive)
  await pipedrive.received()
  t.equal((await pipedrive.call('/unAuthorize', { method: 'POST', token: jwtToken })).status, 200)
  t.ok((await pipedrive.received()).includes('POST /oauth/revoke'))
  t.equal(pipedrive.fake.oauth.revokedGrants(), 1)
})

await t.test('C-12: no request has a host of its own: the address of the company is read from each token answer', async t => {
  const pipedrive = await connected(t)
  const { connector: { info } } = await pipedrive.caller()
  const [auth] = [info.auth].flat()
  if (auth?.type !== 'oauth') return t.fail('OAuth is not the first way')
  t.equal(auth.baseUrl({ api_domain: 'https://renamed.pipedrive.com' }), 'https://renamed.pipedrive.com')
  t.equal(auth.baseUrl({}), undefined)
  t.equal(info.baseUrl, 'https://api.pipedrive.com')
  pipedrive.fake.oauth.expireAccessTokens()
  await pipedrive.get('/custom/contact/search?name=smith')
  const user = await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive')
  t.equal(user?.credentials?.baseUrl, 'https://acme.pipedrive.com', 'a renewal brings it, too')
})

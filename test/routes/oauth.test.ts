import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import t, { type Test } from 'tap'
import { ask, decide, startPatchbay, type Answer, type Patchbay } from '../patchbay.ts'

const extensionPage = 'https://ringcentral.github.io/ringcentral-embeddable/redirect.html'

/** A connector for the Example CRM, or for nothing, out of the source of its `auth`. */
const connectorSource = (platform: string, auth: string, { form = 'oauth', hosts = "'api.acme.example'" } = {}): string => `
  import { CrmError, Type, apiKey, connector, oauth, ownTokens, path } from 'patchbay'
  export default connector({
    platform: '${platform}',
    title: '${platform}',
    hosts: [${hosts}],
    baseUrl: 'https://api.acme.example',
    auth: ${auth},
    logFormat: 'none',
    dedupe: 'none',
    additionalSubmission: Type.Object({}),
    manifest: { name: '${platform}', displayName: '${platform}', auth: { type: '${form}', oauth: { authUrl: 'https://consent.acme.example' } } }
  }, {
    async getUserInfo ({ crm }, { callback, tokenAnswer, hostname }) {
      const { id, name } = await crm.get(path\`/api/me\`, { answer: Type.Object({ id: Type.Integer(), name: Type.String() }) })
      return { crmUserId: String(id), name, info: { callback, tokenAnswer, hostname } }
    },
    async authValidation ({ crm }) {
      await crm.get(path\`/api/me\`, { answer: Type.Object({}) })
      return { returnMessage: { message: 'Still connected.', messageType: 'success', ttl: 1000 } }
    },
    async createCallLog () { throw new CrmError('prerequisite') },
    async updateCallLog () { return {} }
  })`

/** For startPatchbay: connectors of the operator's. */
function withConnectors (t: Test, files: Record<string, string>): { folder: string, config: { connectorsDir: string } } {
  const folder = t.testdir({ connectors: files })
  return { folder, config: { connectorsDir: join(folder, 'connectors') } }
}

/** Connectors whose CRM is the Example CRM. */
async function startOnExampleCrm (t: Test, files: Record<string, string>, options: { clock?: () => number, longestRequest?: number } = {}): Promise<Patchbay> {
  return await startPatchbay(t, {
    ...withConnectors(t, files),
    ...options,
    connectorOn: url => ({ url, clientId: 'patchbay-example', clientSecret: 'patchbay-example-secret' })
  })
}

/** The query as the extension makes it: the address to which the CRM redirected, not encoded. */
const fromExtension = (redirect: string, hostname = 'undefined'): string => `/oauth-callback?callbackUri=${redirect}&hostname=${hostname}&rcAccountId=1011`

/** What the extension does: opens the consent page of the manifest and waits for its own page. */
async function signInLikeTheExtension (patchbay: Patchbay, choice: Parameters<typeof decide>[1] = {}, addedByCrm = ''): Promise<Answer> {
  const { json: manifest } = await patchbay.call('/crmManifest')
  const { authUrl, clientId } = manifest.platforms.example.auth.oauth
  const redirect = await decide(`${authUrl}?response_type=code&client_id=${clientId}&state=platform=example&redirect_uri=${manifest.redirectUri}`, choice)
  return await patchbay.call(fromExtension(`${redirect}${addedByCrm}`))
}

await t.test('signing in as the extension does', async t => {
  const patchbay = await startPatchbay(t)
  const answer = await signInLikeTheExtension(patchbay, { user: 2 })
  t.equal(answer.status, 200)
  t.match(answer.json, { jwtToken: /^ey/, name: 'Bob Broker', returnMessage: { message: /Bob Broker/, messageType: 'success' } })
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const user = await patchbay.app.repositories.users.find('2-example', 'example')
  t.match(user, { hostname: '', accountId: '', credentials: { kind: 'oauth', accessToken: /./, refreshToken: /./ } }, 'the account that anybody can write is not believed (defect S-06)')
  t.match((await patchbay.call('/contact?phoneNumber=+16504445566', { token: answer.json.jwtToken })).json, { successful: true, contact: [{ name: 'John Smith' }] })
  t.equal((await patchbay.call('/hostname', { token: answer.json.jwtToken })).text, '')
})

await t.test('what the CRM adds to the address may have the name of what the extension adds', async t => {
  const patchbay = await startPatchbay(t)
  const answer = await signInLikeTheExtension(patchbay, {}, '&hostname=acme.example.com&username=ann&username=bob')
  t.match(answer.json, { jwtToken: /^ey/ })
  t.match(await patchbay.app.repositories.users.find('1-example', 'example'), { hostname: 'acme.example.com' })
})

await t.test('signing in with plain HTTP, begun here', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signInByOAuth(1)
  t.match((await patchbay.call('/contact?phoneNumber=+16504445566', { token })).json, { successful: true, contact: [{ name: 'John Smith' }] })
  t.match((await patchbay.call('/authValidation', { token })).json, { successful: true })
})

await t.test('a way begun here may end at the extension\'s page', async t => {
  const patchbay = await startPatchbay(t)
  const begun = await fetch(`${patchbay.url}/oauth-authorize?state=platform=example&response_type=code&client_id=x&redirect_uri=${extensionPage}`, { redirect: 'manual' })
  const redirect = await decide(begun.headers.get('location') ?? '')
  t.ok(redirect.startsWith(`${extensionPage}?`))
  t.match((await patchbay.call(fromExtension(redirect))).json, { jwtToken: /./ })
})

await t.test('who does not get in', async t => {
  const patchbay = await startPatchbay(t, withConnectors(t, {
    'keys.ts': connectorSource('keys', 'apiKey()', { form: 'apiKey' }),
    'unset.ts': connectorSource('unset', "oauth({ authorizeUrl: '/a', tokenUrl: '/t' })")
  }))
  const denied = await signInLikeTheExtension(patchbay, { decision: 'deny' })
  t.equal(denied.status, 400)
  t.match(denied.json, { error: { code: 'login-refused', message: /access_denied/ } })

  const begun = await fetch(`${patchbay.url}/oauth-authorize?platform=example`, { redirect: 'manual' })
  const good = await decide(begun.headers.get('location') ?? '')
  t.match((await ask('', good)).json, { jwtToken: /./ })
  const table: Array<[title: string, path: string, status: number, want: object | string]> = [
    ['a code for the second time', good.slice(patchbay.url.length), 400, { error: { code: 'login-refused' } }],
    ['a code that nobody gave', fromExtension(`${extensionPage}?code=guess&state=platform=example`), 400, { error: { code: 'login-refused' } }],
    ['a state that was not made here', '/oauth-callback?code=x&state=platform%3Dexample%26begun%3Dk.AAAA', 400, { error: { code: 'login-refused', message: /not begun here/ } }],
    ['a page that is not ours', fromExtension('https://evil.example/steal?code=x&state=platform=example'), 400, { error: { code: 'login-refused' } }],
    ['no code', fromExtension(`${extensionPage}?state=platform=example`), 400, { error: { code: 'login-refused' } }],
    ['an error with more than a word', fromExtension(`${extensionPage}?error=<script>&state=platform=example`), 400, { error: { message: /^Example CRM did not give access\. / } }],
    ['a CRM that nobody knows', fromExtension(`${extensionPage}?code=x&state=platform=nothing`), 400, { error: { code: 'unknown-platform' } }],
    ['a CRM that has keys only', fromExtension(`${extensionPage}?code=x&state=platform=keys`), 400, { error: { code: 'login-refused', message: /with a key/ } }],
    ['no platform', fromExtension(`${extensionPage}?code=x`), 400, 'Missing platform name'],
    ['nothing', '/oauth-callback', 400, 'Missing callbackUri'],
    ['no address', '/oauth-callback?callbackUri=x&code=1&state=platform=example', 400, { error: { code: 'invalid-request', field: 'callbackUri' } }],
    ['a server without a client', fromExtension(`${extensionPage}?code=x&state=platform=unset`), 200, { successful: false, error: { code: 'not-configured' }, returnMessage: { message: /UNSET_CLIENT_ID/, messageType: 'warning' } }],
    ['to a server without a client', '/oauth-authorize?platform=unset', 200, { successful: false, error: { code: 'not-configured' } }],
    ['to a page that is not ours', '/oauth-authorize?platform=example&redirect_uri=https://evil.example', 400, { error: { code: 'login-refused' } }],
    ['to a CRM that has keys only', '/oauth-authorize?platform=keys', 400, { error: { code: 'login-refused' } }],
    ['to nowhere', '/oauth-authorize', 400, 'Missing platform name'],
    ['a key where there is OAuth only', '', 400, { error: { code: 'login-refused', message: /by OAuth/ } }]
  ]
  for (const [title, path, status, want] of table) {
    const answer = path === ''
      ? await patchbay.call('/apiKeyLogin', { method: 'POST', body: { platform: 'unset', apiKey: 'x' } })
      : await patchbay.call(path)
    t.equal(answer.status, status, title)
    if (typeof want === 'string') t.equal(answer.text, want, title)
    else t.match(answer.json, want, title)
    t.notMatch(answer.json ?? {}, { jwtToken: String }, title)
  }
})

await t.test('a CRM that fails is told as it failed, without a token', async t => {
  const patchbay = await startPatchbay(t)
  const table: Array<[rule: object, code: string]> = [
    [{ path: '/oauth/token', status: 503 }, 'unavailable'],
    [{ path: '/oauth/token', drop: 'before' }, 'unavailable'],
    [{ path: '/api/me', status: 403 }, 'permission'],
    [{ path: '/api/me', status: 401 }, 'auth-expired'],
    [{ path: '/api/me', garbage: true }, 'bad-response']
  ]
  for (const [rule, code] of table) {
    await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: '*', times: 4, ...rule }] } })
    const answer = await signInLikeTheExtension(patchbay)
    t.equal(answer.status, 200, code)
    t.match(answer.json, { successful: false, returnMessage: { message: /./, messageType: 'warning' }, error: { code } }, code)
    t.notOk('jwtToken' in answer.json, code)
  }
})

await t.test('attempts are counted', async t => {
  const patchbay = await startPatchbay(t)
  const statuses = []
  for (let attempt = 0; attempt < 21; attempt++) statuses.push((await patchbay.call(fromExtension(`${extensionPage}?code=${attempt}&state=platform=example`))).status)
  t.strictSame([statuses.filter(status => status === 400).length, statuses.at(-1)], [20, 429])
})

await t.test('the manifest says what the operator has set', async t => {
  const { folder, config } = withConnectors(t, {
    'plain.ts': connectorSource('plain', "oauth({ authorizeUrl: '/a', tokenUrl: '/t' })").replace("oauth: { authUrl: 'https://consent.acme.example' }", ''),
    'more.ts': connectorSource('more', "oauth({ authorizeUrl: '/a', tokenUrl: '/t', scope: 'x' })").replace("oauth: { authUrl: 'https://consent.acme.example' }", ''),
    'regional.ts': connectorSource('regional', "oauth({ server: ({ hostname }) => hostname || undefined, authorizeUrl: '/a', tokenUrl: '/t' })").replace("oauth: { authUrl: 'https://consent.acme.example' }", ''),
    'own.ts': connectorSource('own', "ownTokens({ form: 'oauth', login: async () => ({ accessToken: 'x' }), renew: async c => c })")
  })
  const connector = {
    plain: { clientId: 'the-client', clientSecret: 'never shown', redirectUri: 'https://patchbay.example/plain-redirect' },
    more: { url: 'https://sandbox.acme.example' }
  }
  const patchbay = await startPatchbay(t, { folder, config: { ...config, publicUrl: 'https://patchbay.example' }, connector })
  const { text, json } = await patchbay.call('/crmManifest')
  t.notMatch(text, 'never shown')
  t.strictSame(json.platforms.plain.auth, {
    type: 'oauth', oauth: { authUrl: 'https://api.acme.example/a', clientId: 'the-client', redirectUri: 'https://patchbay.example/plain-redirect' }
  })
  t.strictSame(json.platforms.more.auth, { type: 'oauth', oauth: { authUrl: 'https://patchbay.example/oauth-authorize' } }, 'what the extension cannot add, we do')
  t.strictSame(json.platforms.regional.auth, { type: 'oauth', oauth: { authUrl: 'https://patchbay.example/oauth-authorize' } }, 'and what it cannot know')
  t.strictSame(json.platforms.own.auth, { type: 'oauth', oauth: { authUrl: 'https://consent.acme.example' } })
  t.match(json.platforms.example, {
    urlIdentifier: `${patchbay.crm.url}/*`,
    contactPageUrl: `${patchbay.crm.url}/#/contacts/{contactId}`,
    auth: { type: 'apiKey', oauth: { clientId: 'patchbay-example' } }
  }, 'pages are where the operator has the CRM, and of several ways to sign in the first is shown')
  t.match((await patchbay.call('/implementedInterfaces?platform=own')).json, { getOauthInfo: true })
})

await t.test('a connector that cannot say where its CRM is before somebody signs in takes no manifest away', async t => {
  const failing = {
    hostless: '({ hostname }) => new URL(hostname).origin',
    nameless: '({ callback }) => callback.server.url',
    placeless: "() => 'mailto:somebody@acme.example'"
  }
  const files = Object.entries(failing).map(([platform, server]) => [`${platform}.ts`,
    connectorSource(platform, `oauth({ server: ${server}, authorizeUrl: '/a', tokenUrl: '/t' })`).replace("oauth: { authUrl: 'https://consent.acme.example' }", '')])
  const patchbay = await startPatchbay(t, withConnectors(t, Object.fromEntries(files)))
  const { status, json } = await patchbay.call('/crmManifest')
  t.equal(status, 200)
  t.match(json.platforms, { example: { name: 'example' } })
  for (const platform of Object.keys(failing)) t.equal(json.platforms?.[platform].auth.oauth.authUrl, `${patchbay.url}/oauth-authorize`, platform)
})

await t.test('PKCE, and what came back with the redirect, reach the CRM and the connector', async t => {
  const auth = "oauth({ authorizeUrl: '/oauth/authorize', tokenUrl: '/oauth/token', pkce: true, clientAuthentication: 'body', baseUrl: () => undefined })"
  const patchbay = await startOnExampleCrm(t, { 'pkce.ts': connectorSource('pkce', auth) })
  const begun = await fetch(`${patchbay.url}/oauth-authorize?platform=pkce&hostname=eu.acme.example`, { redirect: 'manual' })
  const consent = begun.headers.get('location') ?? ''
  t.match(consent, /code_challenge=[\w-]{43}&code_challenge_method=S256/)
  const redirect = await decide(consent)
  const withoutVerifier = redirect.replace(/&state=.*/, '&state=platform%3Dpkce')
  t.match((await ask('', withoutVerifier)).json, { error: { code: 'login-refused' } }, 'without its state a code is of no use')

  const again = await decide(consent)
  const answer = await ask('', `${again}&location=eu&hostname=evil.example&rcAccountId=1011`)
  t.match(answer.json, { jwtToken: /./ })
  const user = await patchbay.app.repositories.users.find('1-pkce', 'pkce')
  t.strictSame(user?.info, { callback: { location: 'eu' }, tokenAnswer: { token_type: 'bearer', expires_in: 600 }, hostname: 'eu.acme.example' }, 'what was begun here is believed')
})

await t.test('the host that the extension names at the end counts where none was named at the beginning', async t => {
  const auth = "oauth({ authorizeUrl: '/oauth/authorize', tokenUrl: '/oauth/token', scope: 'calls', clientAuthentication: 'body', baseUrl: () => undefined })"
  const patchbay = await startOnExampleCrm(t, { 'scoped.ts': connectorSource('scoped', auth) })
  const begun = await fetch(`${patchbay.url}/oauth-authorize?platform=scoped`, { redirect: 'manual' })
  t.match((await ask('', `${await decide(begun.headers.get('location') ?? '')}&hostname=eu.acme.example`)).json, { jwtToken: /./ })
  t.match(await patchbay.app.repositories.users.find('1-scoped', 'scoped'), { hostname: 'eu.acme.example', info: { hostname: 'eu.acme.example' } })
})

await t.test('what clients say leads to the connector\'s hosts only (defect S-04)', async t => {
  const hosts = "'*.acme.example'"
  const named = "oauth({ authorizeUrl: '/a', server: ({ callback }) => callback.tokenUrl, tokenUrl: '' })"
  const silent = "oauth({ authorizeUrl: '/a', tokenUrl: 'https://nowhere.acme.example/t' })"
  const own = "ownTokens({ form: 'oauth', renew: async c => c, login: async (door, { callback }) => door.send({ method: 'POST', url: callback.tokenUrl, form: { secret: door.client().secret }, answer: Type.Object({ accessToken: Type.String() }) }) })"
  const patchbay = await startPatchbay(t, {
    ...withConnectors(t, { 'named.ts': connectorSource('named', named, { hosts }), 'silent.ts': connectorSource('silent', silent, { hosts }), 'own.ts': connectorSource('own', own, { hosts }) }),
    connector: Object.fromEntries(['named', 'silent', 'own'].map(platform => [platform, { clientId: 'id', clientSecret: 'secret', ...(platform === 'own' && { url: 'https://own.acme.example' }) }]))
  })
  const evil = [`${patchbay.crm.url}/oauth/token`, `http://127.0.0.1:${new URL(patchbay.crm.url).port}@nowhere.acme.example/`, 'https://acme.example.evil.example/', 'http://nowhere.acme.example/', 'https://nowhere.acme.example:6067/', 'file:///etc/passwd', 'garbage']
  for (const platform of ['named', 'own']) {
    for (const tokenUrl of evil) {
      const answer = await patchbay.call(`/oauth-callback?code=x&state=platform=${platform}&tokenUrl=${encodeURIComponent(tokenUrl)}&apiUrl=${patchbay.crm.url}`)
      // What is no address of the web is refused by the OAuth library already.
      const code = platform === 'named' && tokenUrl.startsWith('file:') ? 'unavailable' : 'prerequisite'
      t.match(answer.json, { successful: false, error: { code } }, `${platform}: ${tokenUrl}`)
      t.notOk(answer.json?.jwtToken)
      t.ok(answer.status < 500, `${platform}: ${tokenUrl}`)
    }
  }
  const ignored = await patchbay.call(`/oauth-callback?code=x&state=platform=silent&tokenUrl=${patchbay.crm.url}/oauth/token`)
  t.match(ignored.json, { error: { code: 'unavailable' } }, 'one that does not ask for it never sees it')
  t.strictSame(await patchbay.crmRequests(), [])
})

await t.test('whether a connection still works', async t => {
  const auth = "oauth({ authorizeUrl: '/oauth/authorize', tokenUrl: '/oauth/token' })"
  let now = Date.now()
  const patchbay = await startOnExampleCrm(t, { 'acme.ts': connectorSource('acme', auth) }, { clock: () => now })
  const token = await patchbay.signInByOAuth(1, 'acme')
  const validate = async () => await patchbay.call('/authValidation', { token })
  const fault = async (rule: object): Promise<unknown> => await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: '*', times: 9, ...rule }] } })
  t.match((await validate()).json, { successful: true, returnMessage: { message: 'Still connected.' } })
  await fault({ path: '/api/me', status: 503 })
  t.strictSame((await validate()).json, { successful: true }, 'a CRM that does not answer says nothing (defect A-09)')
  now += 599_000
  await fault({ path: '/oauth/token', status: 500 })
  t.strictSame((await validate()).json.successful, true)
  now += 3_600_000
  t.strictSame((await validate()).json, { successful: true }, 'nor does one that cannot renew the token right now')
  await fault({ path: '/api/me', status: 401 })
  t.match(await validate(), { status: 200, json: { successful: false, returnMessage: { message: /Connect again/ } } }, 'a CRM that refuses even a new token')
  await fault({ path: '/none' })
  await patchbay.askCrm('/_oauth/refresh-tokens', { method: 'DELETE' })
  now += 3_600_000
  t.match(await validate(), { status: 401, json: { successful: false, errorCode: 'CRM_SESSION_REVOKED' } })
  await patchbay.call('/unAuthorize', { method: 'POST', token })
  t.match((await validate()).json, { successful: false, error: { code: 'unknown-user' } }, 'signed out')
})

await t.test('signing out takes the tokens back, whether the CRM answers or not', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signInByOAuth()
  await patchbay.crmRequests()
  t.match((await patchbay.call('/unAuthorize', { method: 'POST', token })).json, { messageType: 'success' })
  t.strictSame(await patchbay.crmRequests(), ['POST /oauth/revoke', 'POST /oauth/revoke'])
  t.equal((await patchbay.call('/user/settings', { token })).text, 'User not found')

  const again = await patchbay.signInByOAuth()
  await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: '*', path: '/oauth/revoke', times: 9, status: 500 }] } })
  await patchbay.crmRequests()
  t.match((await patchbay.call('/unAuthorize', { method: 'POST', token: again })).json, { messageType: 'success' })
  t.strictSame(await patchbay.crmRequests(), ['POST /oauth/revoke', 'POST /oauth/revoke'])
  t.equal((await patchbay.call('/user/settings', { token: again })).text, 'User not found')
  t.match(patchbay.logged.join(''), 'taking credentials back at the CRM failed')

  const withKey = await patchbay.signIn()
  await patchbay.crmRequests()
  await patchbay.call('/unAuthorize', { method: 'POST', token: withKey })
  t.strictSame(await patchbay.crmRequests(), [], 'a key is the person\'s own')
})

await t.test('a connector that takes all the time to sign out leaves none to take the tokens back', async t => {
  const source = connectorSource('slow', "oauth({ authorizeUrl: '/oauth/authorize', tokenUrl: '/oauth/token', revokeUrl: '/oauth/revoke' })")
    .replace('async createCallLog', 'async unAuthorize () { await new Promise(() => {}) },\n    async createCallLog')
  const patchbay = await startOnExampleCrm(t, { 'slow.ts': source }, { longestRequest: 100 })
  const token = await patchbay.connectUser('slow')
  t.match((await patchbay.call('/unAuthorize', { method: 'POST', token })).json, { messageType: 'warning', message: /^Signed out here\./ })
  t.strictSame(await patchbay.crmRequests(), [])
  t.equal((await patchbay.call('/user/settings', { token })).text, 'User not found')
})

const executablePath = '/usr/bin/chromium'
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
const skip = existsSync(executablePath) ? false : `a browser is needed: ${executablePath} is not there`

await t.test('signing in with a browser', { skip }, async t => {
  const patchbay = await startPatchbay(t)
  const browser = await chromium.launch({ executablePath, args })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  page.setDefaultTimeout(10_000)

  await page.goto(`${patchbay.url}/oauth-authorize?platform=example`)
  t.equal(await page.title(), 'Give access · Example CRM')
  await page.getByLabel('Sign in as').selectOption('Bob Broker')
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(`${patchbay.url}/oauth-callback?**`)
  const { jwtToken, name } = JSON.parse(await page.locator('body').innerText())
  t.equal(name, 'Bob Broker')
  t.match((await patchbay.call('/contact?phoneNumber=+16504445566', { token: jwtToken })).json, { successful: true })

  await page.goto(`${patchbay.url}/oauth-authorize?platform=example`)
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.waitForURL(`${patchbay.url}/oauth-callback?**`)
  t.match(JSON.parse(await page.locator('body').innerText()), { error: { code: 'login-refused', message: /access_denied/ } })
})

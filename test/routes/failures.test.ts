import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Client from 'better-sqlite3'
import { createSigner } from 'fast-jwt'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../src/db/database.ts'
import { quiet } from '../../src/db/quiet.ts'
import { callRecord, sessionSecret, startPatchbay, type Answer, type Call, type Patchbay } from '../patchbay.ts'

const notSignedIn = 'Please go to Settings and authorize CRM platform'
const plain = (message: string) => ({ status: 400, type: 'text/plain; charset=utf-8', text: message })
const told = (code: string) => ({ status: 200, code })

interface Row { route: string, method: string, path: string, body?: unknown, noToken: object, badToken: object, unknownUser: object }

/** What each route answers without a token, with a bad one, and to a user who is gone. */
const matrix: Row[] = [
  { route: 'GET /hostname', method: 'GET', path: '/hostname', noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: plain('User not found') },
  { route: 'POST /unAuthorize', method: 'POST', path: '/unAuthorize', noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: plain('User not found') },
  { route: 'GET /authValidation', method: 'GET', path: '/authValidation', noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: { status: 200, json: { successful: false, error: { code: 'unknown-user', message: 'You are not connected to the CRM. Connect again in Settings.', retryable: false } } } },
  {
    route: 'GET /licenseStatus',
    method: 'GET',
    path: '/licenseStatus',
    noToken: { status: 200, json: { isLicenseValid: false, licenseStatus: 'Invalid (Invalid user session)', licenseStatusDescription: '' } },
    badToken: plain(notSignedIn),
    unknownUser: { status: 200, json: { isLicenseValid: false, licenseStatus: 'Invalid (User not found)', licenseStatusDescription: '' } }
  },
  {
    route: 'GET /licenseStatus with an empty token',
    method: 'GET',
    path: '/licenseStatus?jwtToken=',
    noToken: { status: 200, json: { isLicenseValid: false, licenseStatus: 'Invalid (Invalid user session)', licenseStatusDescription: '' } },
    badToken: plain(notSignedIn),
    unknownUser: { status: 200, json: { isLicenseValid: false, licenseStatus: 'Invalid (User not found)', licenseStatusDescription: '' } }
  },
  { route: 'GET /user/settings', method: 'GET', path: '/user/settings', noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: plain('User not found') },
  { route: 'POST /user/settings', method: 'POST', path: '/user/settings', body: { userSettings: {} }, noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: plain('User not found') },
  { route: 'GET /contact', method: 'GET', path: '/contact?phoneNumber=+16504445566', noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: told('unknown-user') },
  { route: 'POST /contact', method: 'POST', path: '/contact', body: { phoneNumber: '+16504445566' }, noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: told('unknown-user') },
  { route: 'GET /custom/contact/search', method: 'GET', path: '/custom/contact/search?name=John', noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: { ...told('unknown-user'), always: { contact: [] } } },
  { route: 'GET /callLog', method: 'GET', path: '/callLog?sessionIds=1', noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: told('unknown-user') },
  { route: 'POST /callLog', method: 'POST', path: '/callLog', body: { logInfo: callRecord(), contactId: 1 }, noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: told('unknown-user') },
  { route: 'PATCH /callLog', method: 'PATCH', path: '/callLog', body: { sessionId: '1', note: 'x' }, noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: told('unknown-user') },
  {
    route: 'POST /callLog/cacheNote',
    method: 'POST',
    path: '/callLog/cacheNote',
    body: { sessionId: '1', note: 'x' },
    noToken: plain(notSignedIn),
    badToken: plain(notSignedIn),
    unknownUser: { status: 200, json: { successful: true, returnMessage: 'Note cache saved' } }
  },
  { route: 'PUT /callDisposition', method: 'PUT', path: '/callDisposition', body: { sessionId: '1', dispositions: {} }, noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: told('unknown-user') },
  { route: 'POST /messageLog', method: 'POST', path: '/messageLog', body: { logInfo: { messages: [] } }, noToken: plain(notSignedIn), badToken: plain(notSignedIn), unknownUser: told('unknown-user') }
]

await t.test('every cell of the matrix of failures', async t => {
  const patchbay = await startPatchbay(t)
  const forge = (key: string, claims: object, algorithm: 'HS256' | 'HS512' = 'HS256'): string => createSigner({ key, algorithm, noTimestamp: true })(claims)
  const inAWeek = Math.floor(Date.now() / 1000) + 9 * 24 * 3600
  const signedOut = await patchbay.signIn('example-key-bob')
  await patchbay.call('/unAuthorize', { method: 'POST', token: signedOut })
  const badTokens: Record<string, string> = {
    'another key': forge('not-the-secret-of-the-server', { id: '1-example', platform: 'example', exp: inAWeek }),
    'another algorithm': forge(sessionSecret, { id: '1-example', platform: 'example', exp: inAWeek }, 'HS512'),
    expired: forge(sessionSecret, { id: '1-example', platform: 'example', exp: 1 }),
    'without id': forge(sessionSecret, { platform: 'example', exp: inAWeek }),
    'not a token': 'garbage'
  }
  const unknownUsers: Record<string, string> = {
    'row gone': forge(sessionSecret, { id: '4711-example', platform: 'example', exp: inAWeek }),
    'signed out': signedOut
  }

  for (const { route, method, path, body, noToken, badToken, unknownUser } of matrix) {
    const check = async (title: string, options: Call, want: any): Promise<void> => {
      const answer = await patchbay.call(path, { method, ...(body !== undefined && { body }), ...options })
      const where = `${route}, ${title}`
      t.equal(answer.status, want.status, where)
      t.equal(answer.headers.get('access-control-allow-origin'), '*', `${where}: CORS`)
      if (want.text !== undefined) t.strictSame([answer.text, answer.headers.get('content-type')], [want.text, want.type], where)
      if (want.json !== undefined) t.strictSame(answer.json, want.json, where)
      for (const [name, value] of Object.entries(want.always ?? {})) t.strictSame(answer.json[name], value, `${where}: ${name}`)
      if (want.code !== undefined) t.match(answer.json, { successful: false, returnMessage: { messageType: 'warning', message: /./ }, error: { code: want.code } }, where)
    }
    await check('no token', {}, noToken)
    for (const [title, token] of Object.entries(badTokens)) await check(title, { token }, badToken)
    for (const [title, token] of Object.entries(unknownUsers)) await check(title, { token }, unknownUser)
  }
})

await t.test('a refused additional field is told to the person, as the CRM refuses one, and nothing is sent or kept', async t => {
  const folder = t.testdir()
  const patchbay = await startPatchbay(t, { folder })
  const token = await patchbay.signIn()
  const logged = { logInfo: callRecord(), contactId: 1, contactName: 'John Smith' }
  const messages = [{ id: 'm1', type: 'SMS', direction: 'Inbound', creationTime: '2026-01-15T10:00:00.000Z', subject: 'Hi', from: { phoneNumber: '+16504445566' } }]
  const additionalSubmission = { deals: '1.5' }
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: logged })).json, { successful: true })
  const database = new Client(join(folder, 'patchbay.db'), { readonly: true })
  t.teardown(() => database.close())
  const kept = (): unknown[] => [database.prepare('SELECT * FROM call_logs').all(), database.prepare('SELECT * FROM message_logs').all()]
  const before = kept()
  await patchbay.crmRequests()
  const table: Array<[method: string, path: string, body: object]> = [
    ['POST', '/callLog', { ...logged, logInfo: { ...callRecord(), sessionId: '2' }, additionalSubmission }],
    ['PATCH', '/callLog', { sessionId: '4503991004', note: 'x', additionalSubmission }],
    ['PUT', '/callDisposition', { sessionId: '4503991004', dispositions: additionalSubmission }],
    ['POST', '/messageLog', { logInfo: { conversationId: 'c1', conversationLogId: 'c1/1', messages }, contactId: 1, contactName: 'John Smith', additionalSubmission }],
    ['POST', '/contact', { phoneNumber: '+19995550100', newContactName: 'Nia', newContactType: 'Contact', additionalSubmission }]
  ]
  for (const [method, path, body] of table) {
    const { status, json } = await patchbay.call(path, { method, token, body })
    t.match({ status, json }, {
      status: 200,
      json: {
        successful: false,
        returnMessage: { messageType: 'warning', message: 'The field deals is not valid: Expected integer.' },
        error: { code: 'invalid', field: 'deals', retryable: false }
      }
    }, `${method} ${path}`)
  }
  t.strictSame(await patchbay.crmRequests(), [])
  t.strictSame(kept(), before)
})

await t.test('failures outside the handlers are coded JSON with CORS headers (defect A-13)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const table: Array<[title: string, path: string, options: Call, status: number, code: string]> = [
    ['broken JSON', '/callLog', { method: 'POST', token, body: '{' }, 400, 'invalid-request'],
    ['a body that is too large', '/contact', { method: 'POST', token, body: { phoneNumber: 'x'.repeat(1_100_000) } }, 413, 'request-too-large'],
    ['another type of body', '/callLog', { method: 'POST', token, body: 'x', headers: { 'content-type': 'text/csv' } }, 415, 'unsupported-media-type'],
    ['a body that is not an object', '/callLog', { method: 'POST', token, body: '[]' }, 400, 'invalid-request'],
    ['a missing member', '/callLog', { method: 'PATCH', token, body: { note: 'x' } }, 400, 'invalid-request'],
    ['half a surrogate pair in a name', '/callLog', { method: 'PATCH', token, body: '{"sessionId":"1","\\ud800":"x"}' }, 400, 'invalid-request'],
    ['U+0000 in a name', '/callLog', { method: 'PATCH', token, body: '{"sessionId":"1","x":{"a\\u0000b":1}}' }, 400, 'invalid-request'],
    ['U+0000 in the query', '/contact?phoneNumber=a%00b', { token }, 400, 'invalid-request'],
    ['a body that is nested without end', '/callLog', { method: 'PATCH', token, body: `{"sessionId":"1","x":${'['.repeat(5_000)}${']'.repeat(5_000)}}` }, 400, 'invalid-request'],
    ['an unknown address', '/nothing', { token }, 404, 'no-such-route'],
    ['an address that cannot be read', '/callLog/%zz', { token }, 400, 'invalid-request'],
    ['a missing query member', '/contact', { token }, 400, 'invalid-request'],
    ['an unknown platform at login', '/apiKeyLogin', { method: 'POST', body: { platform: 'nothing', apiKey: 'x' } }, 400, 'unknown-platform'],
    ['a key that the CRM does not know', '/apiKeyLogin', { method: 'POST', body: { platform: 'example', apiKey: 'x' } }, 400, 'login-refused'],
    ['an unknown platform in a callback', '/oauth-callback?code=x&state=platform%3Dnothing', {}, 400, 'unknown-platform'],
    ['a code that the CRM does not know', '/oauth-callback?code=x&state=platform%3Dexample', {}, 400, 'login-refused'],
    ['a consent page of an unknown platform', '/oauth-authorize?platform=nothing', {}, 400, 'unknown-platform'],
    ['an unknown platform', '/implementedInterfaces?platform=nothing', {}, 400, 'unknown-platform']
  ]
  for (const [title, path, options, status, code] of table) {
    const answer = await patchbay.call(path, options)
    t.equal(answer.status, status, title)
    t.match(answer.json, { successful: false, returnMessage: { message: /./ }, error: { code } }, title)
    t.equal(answer.headers.get('access-control-allow-origin'), '*', title)
    t.match(answer.headers.get('content-type'), /^application\/json/, title)
  }
})

await t.test('what never becomes a request is answered in the same form', async t => {
  const patchbay = await startPatchbay(t)
  const { port } = new URL(patchbay.url)
  const table: Array<[title: string, sent: string, status: RegExp, code: string]> = [
    ['an address without end', `GET /isAlive?x=${'y'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, /^HTTP\/1\.1 431 /, 'headers-too-large'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', /^HTTP\/1\.1 400 /, 'invalid-request'],
    ['a length that is none', 'POST /callLog HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n', /^HTTP\/1\.1 400 /, 'invalid-request']
  ]
  for (const [title, sent, status, code] of table) {
    const socket = connect(Number(port), '127.0.0.1')
    socket.end(sent)
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
    t.match(head, status, title)
    t.match(head, /access-control-allow-origin: \*/, title)
    t.match(JSON.parse(body), { successful: false, error: { code } }, title)
  }
  t.equal((await patchbay.call('/isAlive')).text, 'OK')
})

await t.test('a text with half an emoji or U+0000 in it is mended, so that all that came with it gets in', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const contact = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
  const sent = (id: string, subject: string): object =>
    ({ id, type: 'SMS', direction: 'Inbound', creationTime: '2026-01-15T10:00:00Z', subject, from: { phoneNumber: '+16504445566' } })
  const logInfo = {
    conversationId: 'c1',
    conversationLogId: 'c1/2026-01-15',
    type: 'SMS',
    correspondents: [{ phoneNumber: '+16504445566' }],
    messages: [sent('m1', 'whole'), sent('m2\0', 'cut \ud83c in \0half')]
  }
  const messages = await patchbay.call('/messageLog', { method: 'POST', token, body: { logInfo, ...contact } })
  t.match(messages.json, { successful: true, logIds: ['m1', 'm2'] })
  const call = await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), note: 'noted \udfa7', aiNote: '{"summary":"told\\u0000 \\ud83c"}', ...contact } })
  t.match(call.json, { successful: true })
  const bodies = (await patchbay.askCrm('/api/activities')).json.items.map(({ body }: { body: string }) => body).join()
  for (const text of ['whole', 'cut \ufffd in half', 'noted \ufffd', 'told \ufffd']) t.match(bodies, text)
})

await t.test('a null where a member is optional is no member, also within a setting; a value that may be anything may be null', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const userSettings = { chosen: { value: null, customizable: null, isRemoved: false }, untouched: null }
  const { status, json } = await patchbay.call('/user/settings', { method: 'POST', token, body: { userSettings, settingKeysToRemove: null } })
  t.equal(status, 200)
  t.strictSame(json, { userSettings: { chosen: { value: null, isRemoved: false } } })
})

await t.test('a database that takes nothing now is told as one that will', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const { handle } = patchbay.app.database
  // A disk on which nothing more fits.
  handle.get(sql`PRAGMA max_page_count = 1`)
  const log = async (): Promise<Answer> =>
    await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), contactId: 1, note: 'x'.repeat(50_000) } })
  const answer = await log()
  t.match(answer, { status: 503, json: { successful: false, error: { code: 'not-ready', retryable: true, retryAfter: 5 } } })
  t.equal(answer.headers.get('retry-after'), '5')
  t.match(patchbay.logged.join(''), /"code":"SQLITE_FULL"/, 'the log says why')
  handle.get(sql`PRAGMA max_page_count = 100000`)
  t.match(await log(), { status: 200, json: { successful: true } })
})

/** The line of the last request to a route. */
const logOf = ({ logged }: Patchbay, route: string): any => logged.map(line => JSON.parse(line)).findLast(line => line.msg === 'request' && line.route === route)

await t.test('and so it is within an operation, which is no failure of the connector', async t => {
  let now = Date.now()
  const folder = t.testdir()
  const patchbay = await startPatchbay(t, { folder, clock: () => now })
  const token = await patchbay.signInByOAuth()
  const { repositories: { users }, database: { handle } } = patchbay.app
  const contact = async (): Promise<Answer> => await patchbay.call('/contact?phoneNumber=%2B16504445566', { token })
  const log = async (): Promise<Answer> => await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), contactId: 1 } })

  await t.test('where it only reads', async t => {
    now += 10 * 3_600_000
    // Somebody else writes for longer than anybody waits.
    handle.get(sql`PRAGMA busy_timeout = 0`)
    const other = await openDatabase(`file:${join(folder, 'patchbay.db')}`)
    other.handle.run(sql`BEGIN IMMEDIATE`)
    const answer = await contact()
    t.match(answer, { status: 503, json: { error: { code: 'not-ready', retryAfter: 5 } } })
    t.equal(answer.headers.get('retry-after'), '5')
    t.match(logOf(patchbay, '/contact'), { error: 'not-ready', err: { code: 'SQLITE_BUSY' } })
    other.handle.run(sql`ROLLBACK`)
    await other.close()
    t.match(await contact(), { status: 200, json: { successful: true } })
  })

  await t.test('where it writes, and has sent nothing', async t => {
    now += 10 * 3_600_000
    const { leaseRenewal } = users
    users.leaseRenewal = quiet({ leaseRenewal: async () => { throw new Client.SqliteError('database is locked', 'SQLITE_BUSY') } }).leaseRenewal
    t.match((await log()).json, { successful: false, error: { code: 'waiting' } })
    t.match(logOf(patchbay, '/callLog'), { error: 'waiting', err: { code: 'SQLITE_BUSY' } })
    users.leaseRenewal = leaseRenewal
    t.match((await log()).json, { successful: true })
  })
})

await t.test('what the extension shows as text is text', async t => {
  const patchbay = await startPatchbay(t)
  const table: Array<[path: string, options: Call, text: string]> = [
    ['/crmManifest?platformName=nothing', {}, 'Platform not found'],
    ['/apiKeyLogin', { method: 'POST', body: {} }, 'Missing platform name'],
    ['/oauth-callback', {}, 'Missing callbackUri'],
    ['/oauth-callback?callbackUri=undefined&hostname=undefined', {}, 'Missing callbackUri'],
    ['/oauth-callback?code=x', {}, 'Missing platform name'],
    ['/oauth-authorize', {}, 'Missing platform name'],
    ['/implementedInterfaces', {}, 'Please provide platform.']
  ]
  for (const [path, options, message] of table) {
    const answer = await patchbay.call(path, options)
    t.strictSame([answer.status, answer.text], [400, message], path)
    t.match(answer.headers.get('content-type'), /^text\/plain/, path)
  }
})

await t.test('a preflight is answered on any path, without a token', async t => {
  const patchbay = await startPatchbay(t)
  const answer = await patchbay.call('/callLog', {
    method: 'OPTIONS',
    headers: { origin: 'https://example.com', 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'rc-account-id' }
  })
  t.equal(answer.status, 204)
  t.equal(answer.headers.get('access-control-allow-origin'), '*')
  t.equal(answer.headers.get('access-control-allow-headers'), 'rc-account-id')
  t.match(answer.headers.get('access-control-allow-methods'), /GET.*POST.*PATCH.*PUT.*DELETE/)
  t.equal(answer.headers.get('access-control-allow-credentials'), null)
  const brief = await patchbay.call('/nowhere', { method: 'OPTIONS', headers: { 'access-control-request-headers': 'rc-account-id' } })
  t.strictSame([brief.status, brief.headers.get('access-control-allow-origin')], [204, '*'], 'however little it says')
})

await t.test('logins that are guessed at are slowed down', async t => {
  const patchbay = await startPatchbay(t)
  const statuses = []
  for (let attempt = 0; attempt < 22; attempt++) {
    statuses.push((await patchbay.call('/apiKeyLogin', { method: 'POST', body: { platform: 'example', apiKey: `guess-${attempt}` } })).status)
  }
  t.equal(statuses.filter(status => status === 400).length, 20)
  const { status, json, headers } = await patchbay.call('/apiKeyLogin', { method: 'POST', body: { platform: 'example', apiKey: 'example-key-ann' } })
  t.equal(status, 429)
  t.match(json, { successful: false, error: { code: 'too-many-requests', retryable: true } })
  t.ok(json.error.retryAfter > 0 && json.error.retryAfter <= 60, 'seconds')
  t.equal(headers.get('retry-after'), String(json.error.retryAfter))
  t.match(headers.get('access-control-expose-headers'), /retry-after/, 'for pages, too')
})

await t.test('everybody of an office may start their extension in the same minute', async t => {
  const { call } = await startPatchbay(t)
  const answers = await Promise.all(Array.from({ length: 100 }, async (_, index) => await call(`/userInfoHash?extensionId=${index}`)))
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
})

await t.test('behind a proxy that the operator trusts each caller is slowed down alone', async t => {
  const guess = async ({ call }: Patchbay, from: string) =>
    (await call('/apiKeyLogin', { method: 'POST', headers: { 'x-forwarded-for': from }, body: { platform: 'example', apiKey: 'guess' } })).status
  for (const [trustProxy, others] of [[['127.0.0.1'], 400], [['10.0.0.1'], 429], [undefined, 429]] as const) {
    const patchbay = await startPatchbay(t, { config: trustProxy === undefined ? {} : { trustProxy: [...trustProxy] } })
    for (let attempt = 0; attempt < 20; attempt++) await guess(patchbay, '192.0.2.1')
    t.equal(await guess(patchbay, '192.0.2.1'), 429)
    t.equal(await guess(patchbay, '192.0.2.2'), others, `trusted: ${trustProxy?.join(', ') ?? 'nobody'}`)
  }
})

await t.test('what cannot be read is not repeated in the answer', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const secret = 'eyJhbGciOi-secret'
  const table: Array<[path: string, options: Call]> = [
    [`/callLog/%zz?jwtToken=${secret}`, {}],
    [`/nothing?jwtToken=${secret}`, {}],
    [`/nothing/${secret}`, { token }],
    ['/callLog', { method: 'POST', token, body: `{"note": ${secret}` }],
    ['/callLog', { method: 'POST', token, body: 'x', headers: { 'content-type': `text/${secret}` } }],
    ['/callLog', { method: 'POST', token, body: 'x', headers: { 'content-type': `${secret};;` } }],
    ['/apiKeyLogin', { method: 'POST', body: { platform: secret, apiKey: 'x' } }],
    [`/implementedInterfaces?platform=${secret}`, {}],
    ['/contact', { method: 'POST', token, body: { phoneNumber: '+1', newContactType: secret } }],
    ['/connectors/example/contact', { method: 'POST', token, body: { phoneNumber: '+1', newContactType: secret } }]
  ]
  for (const [path, options] of table) {
    const answer = await patchbay.call(path, options)
    const title = `${options.method ?? 'GET'} ${path}`
    t.match(answer.json, { successful: false, returnMessage: { message: /./ } }, title)
    t.notMatch(answer.text, secret, title)
  }
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { callRecord, decide, startPatchbay, uniqueId, type Answer, type Call } from '../patchbay.ts'

/** The texts under which a secret could stand somewhere: as it is, in hex, and in base64 at each of the three alignments. */
function disguises (secret: string): string[] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].flatMap(shift => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '')
    // The first and the last characters mix with what stands beside.
    const core = encoded.slice(shift === 0 ? 0 : shift + 1, -2)
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')]
  })
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64]
}

const found = (secret: string, where: string): boolean => disguises(secret).some(disguise => where.includes(disguise))

await t.test('the search finds what it looks for', async t => {
  const secret = 'a-secret-to-look-for'
  for (const hidden of [secret, Buffer.from(secret).toString('hex'), ...['', 'x', 'xy'].map(before => Buffer.from(`${before}${secret}and more`).toString('base64'))]) {
    t.ok(found(secret, `before ${hidden} after`), hidden)
  }
  t.notOk(found(secret, 'a-secret-to-look-out'))
})

await t.test('no secret stands in the database, its log of changes, the server\'s log or an error (promise P7)', async t => {
  const folder = t.testdir()
  let now = Date.now()
  const client = { clientId: 'patchbay-example', clientSecret: 'patchbay-example-secret' }
  const crm: { url?: string } = {}
  const patchbay = await startPatchbay(t, { folder, logLevel: 'trace', clock: () => now, config: { connector: () => ({ ...crm, ...client }) } })
  crm.url = patchbay.crm.url

  const secrets = new Map<string, string>()
  const plant = (name: string, secret = `planted-${uniqueId()}-${uniqueId()}`): string => {
    secrets.set(name, secret)
    return secret
  }
  const failures: string[] = []
  const call = async (path: string, options?: Call): Promise<Answer> => {
    const answer = await patchbay.call(path, options)
    if (answer.status >= 400 || answer.json?.successful === false) failures.push(JSON.stringify([...answer.headers]), answer.text)
    return answer
  }
  const fault = async (rule: object): Promise<unknown> => await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: '*', times: 1, ...rule }] } })
  const stored = async (user: string) => (await patchbay.app.repositories.users.find(user, 'example'))?.credentials

  plant('the client\'s secret', client.clientSecret)
  plant('the key that signs sessions', 'a-session-secret-for-tests')

  // A key that is accepted, keys that are not, and what else a login form may hold.
  const key = plant('an API key', 'example-key-ann')
  const { json: { jwtToken: annsToken } } = await call('/apiKeyLogin', {
    method: 'POST', body: { platform: 'example', apiKey: key, additionalInfo: { apiKey: key, password: plant('a password in a login form') } }
  })
  plant('a session token', annsToken)
  await call('/apiKeyLogin', { method: 'POST', body: { platform: 'example', apiKey: plant('a refused key'), additionalInfo: { pin: plant('a password that was refused') } } })
  await fault({ path: '/api/me', drop: 'after' })
  await call('/apiKeyLogin', { method: 'POST', body: { platform: 'example', apiKey: plant('a key while the CRM is down') } })
  await call('/apiKeyLogin', { method: 'POST', body: `{"apiKey":"${plant('a key in broken JSON')}",` })

  // OAuth, from the consent page to the second renewal.
  const begun = await fetch(`${patchbay.url}/oauth-authorize?platform=example`, { redirect: 'manual' })
  const back = new URL(await decide(begun.headers.get('location') ?? '', { user: 2 }))
  plant('an authorization code', back.searchParams.get('code') ?? '')
  const { json: { jwtToken: token } } = await call(`${back.pathname}${back.search}`)
  plant('a session token of OAuth', token)
  for (const name of ['first', 'second', 'third']) {
    const credentials = await stored('2-example')
    plant(`the ${name} access token`, credentials?.accessToken)
    plant(`the ${name} refresh token`, credentials?.refreshToken)
    now += 3_600_000
    await call(`/contact?phoneNumber=+1650${uniqueId().slice(0, 3)}2000&jwtToken=${token}`)
  }
  await call(`/oauth-callback?callbackUri=https://ringcentral.github.io/ringcentral-embeddable/redirect.html?code=${plant('a refused code')}&state=platform=example`)
  await call(`/oauth-callback?code=x&state=platform%3Dexample&tokenUrl=https://evil.example/${plant('a secret in a token URL')}&rcAccessToken=${plant('a RingCentral token')}`)
  await call('/user/settings', { token: plant('a token that is none') })
  await call(`/user/settings?jwtToken=${plant('a token in the query')}`)
  await fault({ path: '/oauth/token', status: 500 })
  now += 3_600_000
  await call('/contact?phoneNumber=+16502000001', { token })

  // What people say.
  const note = async (sessionId: string, text: string, more: object = {}): Promise<Answer> => await call('/callLog', {
    method: 'POST', token, body: { logInfo: { ...callRecord(), sessionId, recording: { downloadUrl: `https://media.example/${plant(`the token of a recording (${sessionId})`)}` } }, note: text, contactId: 1, contactType: 'Contact', contactName: 'John', ...more }
  })
  await call('/callLog/cacheNote', { method: 'POST', token, body: { sessionId: 's0', note: plant('a note that waits for its call') } })
  await note('s1', plant('a note of a logged call'), { aiNote: plant('an AI note'), transcript: plant('a transcript') })
  await fault({ path: '/api/activities', status: 503 })
  await note('s2', plant('a note while the CRM is down'))
  await fault({ path: '/api/activities', drop: 'after' })
  await note('s3', plant('a note whose answer was lost'))
  await fault({ path: '/api/activities', status: 400 })
  await note('s4', plant('a note that was refused'))
  await patchbay.askCrm('/_oauth/refresh-tokens', { method: 'DELETE' })
  now += 3_600_000
  await note('s5', plant('a note after the session was ended'))

  const database = join(folder, 'patchbay.db')
  const places = {
    'the database': readFileSync(database, 'latin1'),
    'its log of changes': existsSync(`${database}-wal`) ? readFileSync(`${database}-wal`, 'latin1') : '',
    'the server\'s log': patchbay.logged.join(''),
    'an error': failures.join('')
  }
  t.ok(secrets.size >= 20, `${secrets.size} secrets`)
  t.ok(places['its log of changes'].length > 0)
  t.ok(failures.length >= 20)
  for (const [name, secret] of secrets) {
    t.ok(secret.length > 10, name)
    for (const [place, content] of Object.entries(places)) t.notOk(found(secret, content), `${name} in ${place}`)
  }
})

await t.test('what was moved or changed in the database fails with a code, until the user connects again', async t => {
  const patchbay = await startPatchbay(t)
  const [ann, bob] = [await patchbay.signIn('example-key-ann'), await patchbay.signInByOAuth(2)]
  const { handle, tables: { users } } = patchbay.app.database
  const [row] = await handle.select().from(users)
  const sealed = row?.sealedCredentials ?? ''
  const flipped = `${sealed.slice(0, 40)}${sealed[40] === 'A' ? 'B' : 'A'}${sealed.slice(41)}`
  for (const changed of [sealed, flipped, 'garbage', `unknown-key.${sealed.split('.')[1]}`]) {
    await patchbay.overwriteCredentials(changed)
    const answers = await Promise.all([ann, bob].map(async token => await patchbay.call('/contact?phoneNumber=+16504445566&isForceRefreshAccountData=true', { token })))
    const failed = answers.filter(({ status }) => status === 500)
    t.equal(failed.length, changed === sealed ? 1 : 2)
    for (const { json, headers } of failed) {
      t.match(json, { successful: false, returnMessage: { message: /Connect again/ }, error: { code: 'unreadable', retryable: false, requestId: /./ } })
      t.match(headers.get('content-type'), /^application\/json/)
    }
  }
  const log = patchbay.logged.map(line => JSON.parse(line).err?.place).join('\n')
  t.match(log, /users\/example\/2-example\/credentials not what the key "\w+" has sealed for this place/, 'the log names the row')
  t.match(log, /users\/example\/1-example\/credentials sealed with the key "unknown-key", which is not in ENCRYPTION_KEYS/, 'and the key')
  await patchbay.signInByOAuth(2)
  t.match((await patchbay.call('/contact?phoneNumber=+16504445566', { token: bob })).json, { successful: true })
})

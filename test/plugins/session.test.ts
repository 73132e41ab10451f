import { createSigner, createDecoder } from 'fast-jwt'
import t from 'tap'
import { sessionSecret, startPatchbay } from '../patchbay.ts'

const day = 24 * 60 * 60
const decode = createDecoder()

await t.test('a session token lasts fourteen days and says user and platform', async t => {
  const patchbay = await startPatchbay(t)
  const claims = decode(await patchbay.signIn())
  t.match(claims, { id: '1-example', platform: 'example' })
  t.equal(claims.exp - claims.iat, 14 * day)
})

await t.test('where the token travels', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const table: Array<[title: string, query: string, authorization: string | undefined, accepted: boolean]> = [
    ['as bearer', '', `Bearer ${token}`, true],
    ['as bearer, in any case', '', `bEARER ${token}`, true],
    ['in the query', `?jwtToken=${token}`, undefined, true],
    ['in the query beside another scheme', `?jwtToken=${token}`, 'Basic abc', true],
    ['in the query beside a bad bearer (defect C-02)', `?jwtToken=${token}`, 'Bearer garbage', true],
    ['as bearer beside a bad one in the query', '?jwtToken=garbage', `Bearer ${token}`, true],
    ['twice in the query', `?jwtToken=${token}&jwtToken=${token}`, undefined, false],
    ['with another word behind', '', `Bearer ${token} x`, false]
  ]
  for (const [title, query, authorization, accepted] of table) {
    const answer = await patchbay.call(`/user/settings${query}`, { headers: authorization === undefined ? {} : { authorization } })
    t.equal(answer.status, accepted ? 200 : 400, title)
  }
})

await t.test('a token with less than a week left is renewed, on success and on failure', async t => {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now })
  const token = await patchbay.signIn()
  t.equal((await patchbay.call('/user/settings', { token })).headers.get('x-refreshed-jwt-token'), null)
  now += 7 * day * 1000
  for (const path of ['/user/settings', '/contact']) {
    const renewed = (await patchbay.call(path, { token })).headers.get('x-refreshed-jwt-token')
    t.ok(renewed, path)
    const claims = decode(renewed ?? '')
    t.match(claims, { id: '1-example', platform: 'example' })
    t.equal(claims.exp, Math.floor(now / 1000) + 14 * day)
  }
  now += 7 * day * 1000
  const late = await patchbay.call('/user/settings', { token })
  t.equal(late.status, 400, 'an expired token is not renewed')
  t.equal(late.headers.get('x-refreshed-jwt-token'), null)
})

await t.test('a token without expiry, as old servers made them, is accepted and not renewed', async t => {
  const patchbay = await startPatchbay(t)
  await patchbay.signIn()
  const token = createSigner({ key: sessionSecret, algorithm: 'HS256', noTimestamp: true })({ id: '1-example', platform: 'example' })
  const answer = await patchbay.call('/user/settings', { token })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('x-refreshed-jwt-token'), null)
})

await t.test('signing out ends the tokens that were made before', async t => {
  const patchbay = await startPatchbay(t)
  const old = await patchbay.signIn()
  const told = await patchbay.call('/unAuthorize', { method: 'POST', token: old })
  t.match(told.json, { messageType: 'success', message: /./ }, 'the message is not wrapped')
  t.equal((await patchbay.call('/user/settings', { token: old })).text, 'User not found')
  const fresh = await patchbay.signIn()
  t.equal((await patchbay.call('/user/settings', { token: fresh })).status, 200)
  t.equal((await patchbay.call('/user/settings', { token: old })).status, 400)
})

import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Config } from '../../src/config.ts'
import { errorOf, json, scope, serve, startDoor } from './doors.ts'

const operator = (url: string): { connectorConfig: Config['connector'] } => ({ connectorConfig: () => ({ url }) })

await t.test('forms go out and answers of every status come back', async t => {
  const crm = await serve(t, (response, _request, number) => { json(response, number === 1 ? 400 : 200, { error: 'invalid_grant' }) })
  const fetch = (await startDoor(t, operator(crm.url))).crmFetch(scope())
  const answer = await fetch(`${crm.url}/token?x=1`, {
    method: 'POST',
    headers: { authorization: 'Basic client', 'x-more': 'y' },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'a b' })
  })
  t.strictSame([answer.status, answer.ok, await answer.json()], [400, false, { error: 'invalid_grant' }])
  t.match(crm.received, [{
    line: 'POST /token?x=1',
    body: 'grant_type=refresh_token&refresh_token=a+b',
    headers: { authorization: 'Basic client', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8', 'x-more': 'y', 'user-agent': /^patchbay/ }
  }])
  t.equal((await fetch(new URL(`${crm.url}/x`))).status, 200)
})

await t.test('media come back whole and decompressed', async t => {
  const media = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))
  const crm = await serve(t, response => {
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-encoding': 'gzip' })
    response.end(gzipSync(media))
  })
  const answer = await (await startDoor(t, operator(crm.url))).crmFetch(scope())(`${crm.url}/recording`)
  t.strictSame([answer.headers.get('content-type'), answer.headers.get('content-encoding'), answer.headers.get('content-length')], ['audio/wav', null, null])
  t.ok(Buffer.from(await answer.arrayBuffer()).equals(media))
})

await t.test('redirects are answers', async t => {
  const crm = await serve(t, (response, request) => {
    response.writeHead(request.url === '/empty' ? 204 : 302, { location: '/elsewhere' })
    response.end()
  })
  const fetch = (await startDoor(t, operator(crm.url))).crmFetch(scope())
  const answer = await fetch(`${crm.url}/x`)
  t.strictSame([answer.status, answer.headers.get('location')], [302, '/elsewhere'])
  t.equal((await fetch(`${crm.url}/empty`)).status, 204)
  t.equal(crm.received.length, 2)
})

await t.test('it follows the same rules about attempts, delays and aborts', async t => {
  const crm = await serve(t, (response, request, number) => {
    if (request.url === '/hang') return
    json(response, number === 1 ? 503 : 200, {}, { 'retry-after': '0.1' })
  })
  const door = await startDoor(t, { ...operator(crm.url), limits: { talk: 300 } })
  const fetch = door.crmFetch(scope())
  t.equal((await fetch(`${crm.url}/x`, { method: 'POST', body: 'x' })).status, 200)
  t.strictSame(crm.received.map(({ body }) => body), ['x', 'x'])
  t.match(await errorOf(fetch(`${crm.url}/hang`, { method: 'POST' })), { code: 'unavailable', outcome: 'unknown' })
  t.match(await errorOf(fetch(`${crm.url}/hang`, { signal: AbortSignal.timeout(50) })), { code: 'unavailable' })
  t.match(door.logged.map(line => JSON.parse(line).broken), [undefined, 'timed-out', 'aborted'])
})

await t.test('a delay that one is asked for does not hold others back whose account is not known', async t => {
  const crm = await serve(t, response => { json(response, 429, {}, { 'retry-after': '60' }) })
  const door = await startDoor(t, operator(crm.url))
  t.equal((await door.crmFetch(scope())(`${crm.url}/token`)).status, 429)
  t.equal((await door.crmFetch(scope())(`${crm.url}/token`)).status, 429)
  t.equal((await door.crmFetch(scope({ accountKey: 'acme' }))(`${crm.url}/token`)).status, 429)
  t.match(await errorOf(door.crmFetch(scope({ accountKey: 'acme' }))(`${crm.url}/token`)), { code: 'rate-limited', retryAfter: 60 })
})

await t.test('a delay is told in seconds, whatever its form is, what is absurd is not believed, and what cannot be read is none', async t => {
  const table: Array<[header: string, told: string]> = [['60', '60'], ['12.2', '13'], ['-5', '0'], ['1767225600', '86400'], ['Thu, 01 Jan 2099 00:00:00 GMT', '86400'], ['soon', '2']]
  for (const [header, told] of table) {
    const crm = await serve(t, response => { json(response, 429, {}, { 'retry-after': header }) })
    const door = await startDoor(t, operator(crm.url))
    t.equal((await door.crmFetch(scope({ signal: AbortSignal.timeout(3_000) }))(`${crm.url}/token`)).headers.get('retry-after'), told, header)
  }
})

await t.test('the operator chooses addresses for a region, too', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const door = await startDoor(t, { connectorConfig: (_platform, region) => region === 'eu' ? { tokenUrl: `${crm.url}/token` } : {} })
  t.equal((await door.crmFetch(scope({ region: 'eu' }))(`${crm.url}/token`)).status, 200)
  t.match(await errorOf(door.crmFetch(scope())(`${crm.url}/token`)), { code: 'prerequisite' })
})

await t.test('it goes where the connector or the operator said, and nowhere else', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const door = await startDoor(t, { connectorConfig: () => ({ url: 'http://127.0.0.1:1/api', tokenUrl: `${crm.url}/token` }) })
  t.equal((await door.crmFetch(scope())(`${crm.url}/token`)).status, 200)
  for (const address of ['https://api.example.com/', 'https://evil.example/', 'garbage', `${crm.url.replace('http', 'https')}/`]) {
    t.match(await errorOf(door.crmFetch(scope())(address)), { code: 'prerequisite', outcome: 'not-received' }, address)
  }
  for (const address of [`${crm.url}/token`, 'http://api.example.com/', 'https://evil.example/']) {
    t.match(await errorOf(door.crmFetch(scope({ configuredByOperator: false }))(address)), { code: 'prerequisite' }, address)
  }
  const without = await startDoor(t)
  t.match(await errorOf(without.crmFetch(scope())(`${crm.url}/token`)), { code: 'prerequisite' }, 'whoever says so without an operator')
  t.equal(crm.received.length, 1)
})

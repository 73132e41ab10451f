import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { CrmError, path, type CrmClient, type Path } from '../../src/contract/crm.ts'
import { Nullable, Type } from '../../src/contract/type.ts'
import type { CrmAccount } from '../../src/crm/scope.ts'
import { version } from '../../src/version.ts'
import { Anything, account, arrived, errorOf, info, json, pass, serve, startDoor, type Served } from './doors.ts'

const get = { answer: Anything }
const lines = (crm: Served): string[] => crm.received.map(({ line }) => line)

await t.test('a schema that is none is told before anything is sent, because what was sent may have been done', async t => {
  const crm = await serve(t, response => { json(response, 201, {}) })
  const client = (await startDoor(t)).crm(account(crm.url))
  for (const answer of [undefined, null, { type: 'object' }]) {
    await t.rejects(client.post(path`/x`, { body: {}, answer: answer as never }), { name: 'Error' }, JSON.stringify(answer))
  }
  t.strictSame(crm.received, [])
})

await t.test('a connector decides by what a refusal says: a repeat that the CRM answers with a failure', async t => {
  const crm = await serve(t, (response, _request, number) => { json(response, number === 1 ? 201 : 500, number === 1 ? {} : { message: 'Call s-1 already logged' }) })
  const readError = (answer: unknown): object => ({ message: Object(answer).message })
  const client = (await startDoor(t)).crm(account(crm.url, { info: { ...info, readError } }))
  const log = async (): Promise<string> => {
    try {
      await client.post(path`/calldetails`, { body: { reference: 's-1' }, answer: Anything })
      return 'logged'
    } catch (error) {
      if (error instanceof CrmError && error.status === 500 && /already logged/.test(error.reason ?? '')) return 'was logged'
      throw error
    }
  }
  t.strictSame([await log(), await log()], ['logged', 'was logged'])
})

await t.test('an answer that is nested too deeply to be checked is one that cannot be understood', async t => {
  const depth = 200_000
  const crm = await serve(t, response => { response.writeHead(201, { 'content-type': 'application/json' }).end('['.repeat(depth) + ']'.repeat(depth)) })
  const client = (await startDoor(t)).crm(account(crm.url))
  const Nested = Type.Recursive(Self => Type.Array(Self))
  t.match(await errorOf(client.post(path`/x`, { body: {}, answer: Nested })), { code: 'bad-response', outcome: 'unknown' })
})

await t.test('a request goes to the base URL with authorization, product and escaped values', async t => {
  const crm = await serve(t, response => { json(response, 200, { id: 1 }) })
  const door = await startDoor(t)
  const client = door.crm(account(`${crm.url}/v1/`))
  t.strictSame(await client.post(path`/contacts/${'a/b ü?'}/notes`, { query: { phone: '+1 650', all: true, none: undefined }, body: { text: 'x' }, answer: Type.Object({ id: Type.Integer() }) }), { id: 1 })
  const [request] = crm.received
  t.equal(request?.line, 'POST /v1/contacts/a%2Fb%20%C3%BC%3F/notes?phone=%2B1+650&all=true')
  t.equal(request?.body, '{"text":"x"}')
  t.match(request?.headers, {
    authorization: 'Bearer token',
    accept: 'application/json',
    'accept-encoding': 'gzip, deflate, br',
    'content-type': 'application/json',
    'user-agent': `patchbay/${version}`,
    'unified-crm-extension-version': version
  })
  await client.delete(path`/x`, get)
  t.equal(crm.received[1]?.headers['content-type'], undefined)
})

await t.test('a path that is none is never sent, and told as the mistake of the connector that it is', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const client = (await startDoor(t)).crm(account(crm.url))
  for (const wrong of [path`http://evil.example`, path`/search/all contacts`, path`/kontakte/für`, path`/電話`, path`/x\r\ny: z`, path`/x#y`, path``, undefined]) {
    const error = await errorOf(client.get(wrong as Path, get))
    t.match(error, { name: 'TypeError', message: /^path: must begin with a slash/ }, String(wrong))
    if (wrong) t.notMatch(error.message, wrong)
  }
  for (let i = 0; i < 5; i++) await errorOf(client.get(path`/all contacts`, get))
  await client.get(path`/search/${'all contacts'}/~a-b_c.d;v=1,2:($3)@*!'+&=%20`, get)
  t.strictSame(lines(crm), ["GET /search/all%20contacts/~a-b_c.d;v=1,2:($3)@*!'+&=%20"], 'and the host is not left alone for it')
})

await t.test('a connector adds headers, but none that say who asks, where, and how', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const client = (await startDoor(t)).crm(account(crm.url))
  await client.post(path`/x`, { body: {}, headers: { Prefer: 'transient', api_key: 'k', 'Content-Type': 'application/vnd.acme.v3+json', ACCEPT: 'application/vnd.acme.v3+json', include: undefined }, answer: Anything })
  const [{ headers = {} } = {}] = crm.received.splice(0)
  t.match(headers, { prefer: 'transient', api_key: 'k', 'content-type': /^application\/vnd\.acme\.v3\+json$/, accept: /^application\/vnd\.acme\.v3\+json$/, authorization: 'Bearer token' })
  t.notOk('include' in headers)
  const refused: Array<[name: string, value: unknown, message: RegExp]> = [
    ...['Authorization', 'HOST', 'content-length', 'Connection', 'Transfer-Encoding', 'Cookie', 'Proxy-Authorization', 'proxy-x', 'User-Agent', 'accept-encoding', 'expect', 'upgrade'].map(
      (name): [string, string, RegExp] => [name, 'x', new RegExp(`^headers\\.${name.toLowerCase()}: is not a connector's to set$`)]),
    ['x-y', 'secret\r\nhost: evil.example', /^headers\.x-y: must be text of visible ASCII characters$/],
    ['x-y', 'sécret', /^headers\.x-y: must be text/],
    ['x-y', '', /^headers\.x-y: must be text/],
    ['x-y', 5, /^headers\.x-y: must be text/],
    ['x\r\ny', 'x', /^headers: one has a name that no header can have$/],
    ['', 'x', /^headers: one has a name that no header can have$/]
  ]
  for (const [name, value, message] of refused) {
    await t.rejects(client.get(path`/x`, { headers: { [name]: value as string }, answer: Anything }), { name: 'TypeError', message }, JSON.stringify(name))
  }
  t.strictSame(crm.received, [])
})

await t.test('an answer that is not what was declared is one that cannot be understood', async t => {
  const bodies = ['{"id":"x"}', '[]', 'null', '<html>', '', '{"id":1']
  const crm = await serve(t, (response, _request, number) => { response.end(bodies[number - 1]) })
  const client = (await startDoor(t)).crm(account(crm.url))
  for (const body of bodies) {
    const error = await errorOf(client.post(path`/x`, { answer: Type.Object({ id: Type.Integer() }) }))
    t.match(error, { code: 'bad-response', outcome: 'unknown', message: /^Test CRM answered something that cannot be understood \(.+\)\. Try again later\.$/ }, body)
  }
})

await t.test('what people wrote comes as they wrote it, whatever the charset, or not at all', async t => {
  const written = { note: 'Müller 5 £' }
  const crm = await serve(t, (response, { url }) => {
    response.writeHead(200, { 'content-type': `application/json${url === '/latin' ? '; charset=ISO-8859-1' : ''}` }).end(Buffer.from(JSON.stringify(written), 'latin1'))
  })
  const client = (await startDoor(t)).crm(account(crm.url))
  const answer = Type.Object({ note: Type.String() })
  t.strictSame(await client.get(path`/latin`, { answer }), written)
  t.match(await errorOf(client.put(path`/unnamed`, { body: {}, answer })), { code: 'bad-response', outcome: 'unknown' })
})

await t.test('the message names the member that is not what was declared, also inside of what may be null', async t => {
  const Owner = Nullable(Type.Object({ name: Nullable(Type.String()) }))
  const table: Array<[answer: unknown, problem: string]> = [
    [{ owner: { name: 7 } }, '/owner/name: Expected string'],
    [{ owner: {} }, '/owner/name: Expected required property'],
    [{ owner: 'Ann' }, '/owner: Expected object'],
    [{ owner: null, size: true }, '/size: Expected union value'],
    [{}, '/owner: Expected required property'],
    [null, 'the answer: Expected object']
  ]
  const crm = await serve(t, (response, _request, number) => { json(response, 200, table[number - 1]?.[0]) })
  const client = (await startDoor(t)).crm(account(crm.url))
  for (const [, problem] of table) {
    const { message } = await errorOf(client.get(path`/x`, { answer: Type.Object({ owner: Owner, size: Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Null()])) }) }))
    t.equal(message, `Test CRM answered something that cannot be understood (${problem}). Try again later.`)
  }
})

await t.test('an empty answer is null', async t => {
  const crm = await serve(t, response => { response.writeHead(204).end() })
  const client = (await startDoor(t)).crm(account(crm.url))
  t.equal(await client.delete(path`/x`, { answer: Type.Null() }), null)
  t.equal(await client.patch(path`/x`, { body: {}, answer: Nullable(Type.Object({ id: Type.Integer() })) }), null)
})

await t.test('where a CRM tells a new record only by its location, that comes with the answer', async t => {
  const crm = await serve(t, (response, { url }) => {
    if (url === '/nowhere') response.writeHead(204).end()
    else json(response, 201, { id: url === '/typed' ? 7 : '7' }, { Location: `${url}/7` })
  })
  const client = (await startDoor(t)).crm(account(crm.url))
  const created = await client.post(path`/calls`, { body: {}, answer: Type.Object({ id: Type.String() }), location: true })
  const [id, last]: [string, string | undefined] = [created.body.id, created.location.split('/').at(-1)]
  t.strictSame([created, id, last], [{ body: { id: '7' }, location: '/calls/7' }, '7', '7'])
  t.strictSame(await client.post(path`/calls`, { body: {}, answer: Type.Object({ id: Type.String() }), location: false }), { id: '7' })
  t.match(await errorOf(client.post(path`/nowhere`, { body: {}, answer: Type.Null(), location: true })), { code: 'bad-response', outcome: 'unknown', message: /\(location: Expected required header\)/ })
  t.match(await errorOf(client.post(path`/typed`, { body: {}, answer: Type.Object({ id: Type.String() }), location: true })), { code: 'bad-response', message: /\(\/id: Expected string\)/ })
})

await t.test('a 401 is answered once with a renewed authorization', async t => {
  const crm = await serve(t, (response, { headers }) => { json(response, headers.authorization === 'Bearer new' ? 200 : 401, {}) })
  const door = await startDoor(t)
  const refused: unknown[] = []
  const renewing = (renewed: string | undefined) => door.crm(account(crm.url, { renew: async old => { refused.push(old); return renewed } }))
  t.strictSame(await renewing('Bearer new').post(path`/x`, { body: { n: 1 }, answer: Anything }), {})
  t.strictSame(crm.received.map(({ body }) => body), ['{"n":1}', '{"n":1}'])
  t.match(await errorOf(renewing('Bearer stale').get(path`/x`, get)), { code: 'auth-expired', outcome: 'refused' })
  t.match(await errorOf(renewing(undefined).get(path`/x`, get)), { code: 'auth-expired' })
  t.match(await errorOf(door.crm(account(crm.url)).get(path`/x`, get)), { code: 'auth-expired' })
  t.equal(crm.received.length, 6)
  t.strictSame(refused, ['Bearer token', 'Bearer token', 'Bearer token'])
  const failing = new CrmError('auth-expired', { message: 'gone' })
  t.equal(await errorOf(door.crm(account(crm.url, { authorization: async () => { throw failing } })).get(path`/x`, get)), failing)
})

await t.test('what a renewal moved is asked where it is now, and the old address gets nothing of the new authorization', async t => {
  const [old, moved] = [await serve(t, response => { json(response, 401, {}) }), await serve(t, response => { json(response, 200, { moved: true }) })]
  const door = await startDoor(t)
  const after = async (address: string): Promise<unknown> => {
    let baseUrl = `${old.url}/v1`
    const renew = async (): Promise<string> => { baseUrl = address; return 'Bearer new' }
    return await door.crm(account('', { baseUrl: async () => baseUrl, renew })).put(path`/x`, { body: {}, answer: Anything })
  }
  t.strictSame(await after(`${moved.url}/v2`), { moved: true })
  t.match(moved.received, [{ line: 'PUT /v2/x', headers: { authorization: 'Bearer new' } }])
  t.match(await errorOf(after(`${moved.url}/?x=`)), { code: 'prerequisite' }, 'an address that must not be asked')
  t.equal(moved.received.length, 1)
  t.strictSame(old.received.map(({ headers }) => headers.authorization), ['Bearer token', 'Bearer token'])
})

await t.test('what authorizes may be other headers than Authorization, also after a 401', async t => {
  const crm = await serve(t, (response, { headers }) => { json(response, headers['session-token'] === 'new' ? 200 : 401, {}) })
  const door = await startDoor(t)
  const old = { 'Session-Token': 'old', api_key: 'k' }
  const refused: unknown[] = []
  const client = door.crm(account(crm.url, { authorization: async () => old, renew: async given => { refused.push(given); return { ...old, 'Session-Token': 'new' } } }))
  t.strictSame(await client.get(path`/x`, { headers: { 'session-token': 'none' }, answer: Anything }), {})
  t.match(crm.received.map(({ headers }) => headers), [{ 'session-token': 'old', api_key: 'k' }, { 'session-token': 'new', api_key: 'k' }])
  t.notOk(crm.received.some(({ headers }) => 'authorization' in headers))
  t.strictSame(refused, [old])
  t.notMatch(door.logged.join(), /token|api_key|old|new/i)

  crm.received.length = 0
  for (const name of ['Host', 'cookie', 'x\r\ny']) {
    await t.rejects(door.crm(account(crm.url, { authorization: async () => ({ [name]: 'x' }) })).get(path`/x`, get), { name: 'TypeError', message: /^auth\.authorization/ }, name)
  }
  t.strictSame(crm.received, [])
})

await t.test('a key that cannot be a header is no key', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const door = await startDoor(t)
  for (const key of ['a\r\nx: y', 'schlüssel', '', 'a\u0000']) {
    for (const authorization of [key, { token: key }]) {
      t.match(await errorOf(door.crm(account(crm.url, { authorization: async () => authorization })).get(path`/x`, get)), { code: 'auth-expired', outcome: 'refused' })
    }
  }
  t.strictSame(crm.received, [])
})

await t.test('what may be over in a moment is tried again, and nothing is done twice', async t => {
  const table: Array<[method: 'get' | 'post' | 'put' | 'patch' | 'delete', failure: number | 'reset', requests: number, outcome: string | undefined]> = [
    ['get', 502, 2, undefined],
    ['get', 503, 2, undefined],
    ['get', 504, 2, undefined],
    ['get', 429, 2, undefined],
    ['get', 'reset', 2, undefined],
    ['put', 502, 2, undefined],
    ['put', 'reset', 2, undefined],
    ['delete', 'reset', 2, undefined],
    ['post', 503, 2, undefined],
    ['post', 429, 2, undefined],
    ['patch', 503, 2, undefined],
    ['post', 502, 1, 'unknown'],
    ['post', 504, 1, 'unknown'],
    ['post', 'reset', 1, 'unknown'],
    ['patch', 'reset', 1, 'unknown'],
    ['get', 500, 1, 'unknown'],
    ['get', 404, 1, 'refused'],
    ['get', 302, 1, 'unknown']
  ]
  for (const [method, failure, requests, outcome] of table) {
    const crm = await serve(t, (response, request, number) => {
      if (number > 1) json(response, 200, { number })
      else if (failure === 'reset') request.socket.resetAndDestroy()
      else json(response, failure, {}, { location: '/elsewhere' })
    })
    const asked = (await startDoor(t)).crm(account(crm.url))[method](path`/x`, { answer: Anything })
    if (outcome === undefined) t.strictSame(await asked, { number: 2 }, `${method} ${failure}`)
    else t.match(await errorOf(asked), { outcome }, `${method} ${failure}`)
    t.equal(crm.received.length, requests, `${method} ${failure}`)
  }
})

await t.test('three attempts are all, and a connection that never stood was surely not received', async t => {
  const crm = await serve(t, response => { json(response, 503, {}) })
  const door = await startDoor(t)
  t.match(await errorOf(door.crm(account(crm.url)).post(path`/x`, get)), { code: 'unavailable', outcome: 'not-received' })
  t.equal(crm.received.length, 3)
  t.match(await errorOf(door.crm(account('http://127.0.0.1:1')).post(path`/x`, get)), { code: 'unavailable', outcome: 'not-received' })
  t.match(door.logged.map(line => JSON.parse(line)), [{ attempts: 3, status: 503 }, { attempts: 3, broken: 'failed' }])
})

await t.test('once an attempt may have been carried out, that stays open', async t => {
  const crm = await serve(t, (response, request, number) => {
    if (number === 1) request.socket.resetAndDestroy()
    else json(response, 404, {})
  })
  t.match(await errorOf((await startDoor(t)).crm(account(crm.url)).delete(path`/x`, get)), { code: 'not-found', outcome: 'unknown' })
})

await t.test('a delay that the CRM asks for is waited out by everybody of the account', async t => {
  let open = 0
  const crm = await serve(t, response => {
    if (performance.now() < open) return json(response, 429, { early: true })
    if (open > 0) return json(response, 200, {})
    open = performance.now() + 1000
    json(response, 429, {}, { 'retry-after': '1' })
  })
  const door = await startDoor(t)
  const client = door.crm(account(crm.url))
  const first = client.post(path`/first`, get)
  await arrived(crm, 1)
  await pass(200)
  await Promise.all([first, client.get(path`/second`, get), door.crm(account(crm.url)).get(path`/third`, get)])
  t.equal(crm.received.length, 4)
  t.ok(crm.received.slice(1).every(({ at }) => at >= open), 'nobody asks before the delay is over')
})

await t.test('a longer delay is told, and nobody asks before it is over', async t => {
  const crm = await serve(t, response => { json(response, 429, {}, { 'retry-after': '120' }) })
  const door = await startDoor(t)
  const client = door.crm(account(crm.url))
  t.match(await errorOf(client.post(path`/x`, get)), { code: 'rate-limited', outcome: 'not-received', retryAfter: 120 })
  t.match(await errorOf(client.get(path`/x`, get)), { code: 'rate-limited', outcome: 'not-received', retryAfter: 120 })
  t.equal(crm.received.length, 1)
  const other = door.crm(account(crm.url, { authorization: async () => 'Bearer other' }))
  t.match(await errorOf(other.get(path`/x`, get)), { code: 'rate-limited' })
  t.equal(crm.received.length, 2, 'another account is not held back')
  for (const token of ['a', 'b']) {
    t.match(await errorOf(door.crm(account(crm.url, { accountKey: 'acme', authorization: async () => token })).get(path`/x`, get)), { code: 'rate-limited' })
  }
  t.equal(crm.received.length, 3, 'but users of one account are one')
})

await t.test('a CRM with a real token bucket is asked within it', async t => {
  const bucket = { tokens: 5, at: performance.now() }
  const crm = await serve(t, response => {
    const now = performance.now()
    bucket.tokens = Math.min(5, bucket.tokens + (now - bucket.at) / 40)
    bucket.at = now
    if (bucket.tokens < 1) return json(response, 429, {}, { 'retry-after': '0.2' })
    bucket.tokens--
    json(response, 200, {})
  })
  const asked = async (rateLimit: typeof info.rateLimit): Promise<void> => {
    crm.received.length = 0
    bucket.tokens = 5
    const client = (await startDoor(t)).crm(account(crm.url, { info: { ...info, ...(rateLimit !== undefined && { rateLimit }) } }))
    await Promise.all(Array.from({ length: 20 }, async (_, number) => await client.get(path`/${number}`, get)))
  }
  await asked(undefined)
  t.ok(crm.received.length > 20, 'unknown to the door, it refuses some, who wait')
  await asked({ requests: 3, perMilliseconds: 200, scope: 'user' })
  t.equal(crm.received.length, 20, 'declared, it has nothing to refuse')
})

await t.test('whoever was shut out for going on asking does not go on asking', async t => {
  const crm = await serve(t, response => {
    response.writeHead(403, { 'content-type': 'text/html' })
    response.end('<h1>Forbidden</h1>')
  })
  const client = (await startDoor(t)).crm(account(crm.url))
  for (let i = 0; i < 3; i++) t.match(await errorOf(client.get(path`/x`, get)), { code: 'rate-limited', outcome: 'not-received', retryAfter: 60 })
  t.equal(crm.received.length, 1)
})

await t.test('a CRM that limits and names no delay is left alone, longer each time, and looked at with one request', async t => {
  let well = false
  const time = { now: 1_000_000 }
  const crm = await serve(t, response => { json(response, well ? 200 : 429, {}) })
  const client = (await startDoor(t, { clock: () => time.now })).crm(account(crm.url))
  const askTenTimes = async (retryAfter: number): Promise<void> => {
    const errors = await Promise.all(Array.from({ length: 10 }, async () => await errorOf(client.post(path`/x`, get))))
    for (const error of errors) t.match(error, { code: 'rate-limited', outcome: 'not-received', retryAfter })
  }
  t.match(await errorOf(client.get(path`/x`, get)), { code: 'rate-limited', outcome: 'not-received', retryAfter: 2 })
  t.equal(crm.received.length, 3, 'attempts for what is over in a moment')
  await askTenTimes(2)
  t.equal(crm.received.length, 3)
  for (const [looks, next] of [4, 8, 16, 32, 60, 60].entries()) {
    time.now += [2, 4, 8, 16, 32, 60][looks]! * 1000
    await askTenTimes(next)
    t.equal(crm.received.length, 4 + looks, 'one of ten looks')
  }
  time.now += 59_000
  await askTenTimes(1)
  time.now += 1_000
  well = true
  t.strictSame(await client.get(path`/x`, get), {})
  for (const answer of await Promise.all(Array.from({ length: 10 }, async () => await client.get(path`/x`, get)))) t.strictSame(answer, {})

  well = false
  const before = crm.received.length
  t.match(await errorOf(client.get(path`/x`, get)), { code: 'rate-limited', retryAfter: 2 }, 'once it has been well, it begins anew')
  await askTenTimes(2)
  t.equal(crm.received.length, before + 3)
})

interface LeftAlone {
  crm: Served
  client: (more?: Partial<CrmAccount>) => CrmClient
  time: { now: number }
  answer: { with: (response: ServerResponse) => void }
}

const limited = (response: ServerResponse): void => { json(response, 429, {}) }
const well = (response: ServerResponse): void => { json(response, 200, {}) }

/** An account that is left alone: so many requests have looked at it, and it still limits. */
async function leftAlone (t: Test, looks: number): Promise<LeftAlone> {
  const answer = { with: limited }
  const time = { now: 1_000_000 }
  const crm = await serve(t, response => { answer.with(response) })
  const door = await startDoor(t, { clock: () => time.now })
  const client = (more?: Partial<CrmAccount>): CrmClient => door.crm(account(crm.url, more))
  t.match(await errorOf(client().get(path`/x`, get)), { retryAfter: 2 })
  for (const look of [2, 4, 8, 16, 32, 60].slice(0, looks)) {
    time.now += look * 1000
    t.match(await errorOf(client().get(path`/x`, get)), { retryAfter: Math.min(look * 2, 60) })
  }
  return { crm, client, time, answer }
}

await t.test('who looks and is told when the limit ends waits until then, and so does everybody', async t => {
  const { crm, client, time, answer } = await leftAlone(t, 3)
  time.now += 16_000
  const before = crm.received.length
  answer.with = response => {
    json(response, 429, {}, { 'retry-after': '0' })
    answer.with = well
  }
  t.strictSame(await client().get(path`/x`, get), {}, 'a short delay is waited out')
  t.equal(crm.received.length, before + 2)
  await Promise.all([1, 2, 3].map(async () => { t.strictSame(await client().get(path`/x`, get), {}) }))

  const again = await leftAlone(t, 3)
  again.time.now += 16_000
  again.answer.with = response => { json(response, 429, {}, { 'retry-after': '120' }) }
  for (let i = 0; i < 2; i++) t.match(await errorOf(again.client().get(path`/x`, get)), { code: 'rate-limited', retryAfter: 120 })
  again.time.now += 120_000
  again.answer.with = well
  t.strictSame(await Promise.all([1, 2, 3].map(async () => await again.client().get(path`/x`, get))), [{}, {}, {}], 'after a long one nobody has to look first')
})

await t.test('a page that shuts out names no end: after it, one looks', async t => {
  const { crm, client, time, answer } = await leftAlone(t, 1)
  time.now += 4_000
  answer.with = response => { response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>Forbidden</h1>') }
  t.match(await errorOf(client().get(path`/x`, get)), { code: 'rate-limited', retryAfter: 60 })
  time.now += 60_000
  const before = crm.received.length
  await Promise.all([1, 2, 3].map(async () => { t.match(await errorOf(client().get(path`/x`, get)), { code: 'rate-limited' }) }))
  t.equal(crm.received.length, before + 1)
})

await t.test('a limit that nobody has met for long is forgotten', async t => {
  const { crm, client, time, answer } = await leftAlone(t, 5)
  const before = crm.received.length
  time.now += 60_000 + 59_999
  await Promise.all([1, 2, 3].map(async () => { t.match(await errorOf(client().get(path`/x`, get)), { code: 'rate-limited', retryAfter: 60 }) }))
  t.equal(crm.received.length, before + 1, 'until then one looks')
  time.now += 60_000 + 60_000
  answer.with = response => { setImmediate(well, response) }
  t.strictSame(await Promise.all([1, 2, 3].map(async () => await client().get(path`/x`, get))), [{}, {}, {}], 'then all ask')
})

await t.test('who learns nothing has not looked', async t => {
  const table: Array<[title: string, look: (one: LeftAlone) => Promise<void>]> = [
    ['gone before', async ({ client, crm }) => {
      const before = crm.received.length
      await errorOf(client({ signal: AbortSignal.abort() }).get(path`/x`, get))
      t.equal(crm.received.length, before, 'nothing was sent')
    }],
    ['gone while it waits for the answer', async ({ client, crm, answer }) => {
      const leaving = new AbortController()
      answer.with = () => { leaving.abort() }
      const before = crm.received.length
      await errorOf(client({ signal: leaving.signal }).get(path`/x`, get))
      t.equal(crm.received.length, before + 1)
    }],
    ['a lost answer', async ({ client, answer }) => {
      answer.with = response => { response.socket?.resetAndDestroy() }
      t.match(await errorOf(client().post(path`/x`, get)), { code: 'unavailable' })
    }]
  ]
  for (const [title, look] of table) {
    const one = await leftAlone(t, 3)
    one.time.now += 16_000
    await look(one)
    one.answer.with = limited
    const before = one.crm.received.length
    for (let i = 0; i < 2; i++) t.match(await errorOf(one.client().get(path`/x`, get)), { code: 'rate-limited', retryAfter: 32 }, title)
    t.equal(one.crm.received.length, before + 1, `${title}: the next one looks, and nobody after it`)
  }
})

await t.test('a burst that is more than the CRM takes costs nobody more than a moment', async t => {
  const time = { now: 1_000_000 }
  let taken = 0
  const crm = await serve(t, response => { json(response, taken++ < 20 ? 200 : 429, {}) })
  const client = (await startDoor(t, { clock: () => time.now })).crm(account(crm.url))
  const ended = await Promise.allSettled(Array.from({ length: 25 }, async () => await client.get(path`/x`, get)))
  t.equal(ended.filter(({ status }) => status === 'fulfilled').length, 20)
  time.now += 2_000
  taken = 0
  t.strictSame(await client.get(path`/x`, get), {})
})

await t.test('a limit whose headers say when it ends is left alone until then', async t => {
  const time = { now: 1_000_000 }
  const crm = await serve(t, (response, _request, number) => {
    response.writeHead(number > 1 ? 200 : 429, { 'content-type': 'application/json', 'x-ratelimit-remaining': number > 1 ? '9' : '0', 'x-ratelimit-reset': '12' }).end('{}')
  })
  const rateLimit = { requests: 10, perMilliseconds: 2_000, scope: 'account' as const }
  const client = (await startDoor(t, { clock: () => time.now })).crm(account(crm.url, { info: { ...info, rateLimit }, accountKey: 'acme' }))
  for (let i = 0; i < 3; i++) t.match(await errorOf(client.get(path`/x`, get)), { code: 'rate-limited', retryAfter: 12 })
  t.equal(crm.received.length, 1)
  time.now += 12_000
  t.strictSame(await client.get(path`/x`, get), {})
})

await t.test('a host that fails again and again is left alone, and looked at now and then', async t => {
  let well = false
  const time = { now: 1_000_000 }
  const crm = await serve(t, (response, request) => {
    if (well) json(response, 200, {})
    else request.socket.resetAndDestroy()
  })
  const door = await startDoor(t, { clock: () => time.now })
  const client = door.crm(account(crm.url))
  for (let i = 0; i < 5; i++) t.match(await errorOf(client.post(path`/x`, get)), { code: 'unavailable', outcome: 'unknown' })
  for (let i = 0; i < 5; i++) t.match(await errorOf(client.post(path`/x`, get)), { code: 'unavailable', outcome: 'not-received', retryAfter: 30 })
  t.equal(crm.received.length, 5)
  const other = await serve(t, response => { json(response, 200, {}) })
  t.strictSame(await door.crm(account(other.url)).get(path`/x`, get), {}, 'another host is not affected')
  time.now += 30_000
  const both = await Promise.allSettled([client.post(path`/x`, get), client.post(path`/x`, get)])
  t.equal(both.filter(({ status }) => status === 'rejected').length, 2)
  t.equal(crm.received.length, 6, 'one looks whether it is back')
  well = true
  time.now += 30_000
  t.strictSame(await client.post(path`/x`, get), {})
  t.strictSame(await Promise.all([client.post(path`/x`, get), client.post(path`/x`, get)]), [{}, {}])
})

await t.test('an address that is none of the CRM is refused with the first request, and nothing is sent', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const door = await startDoor(t)
  const notConfigured = { configuredByOperator: false }
  for (const address of [crm.url, 'not a url', 'https://evil.example', 'https://api.example.com?x=', 'https://api.example.com/#']) {
    t.match(await errorOf(door.crm(account(address, notConfigured)).get(path`/x`, get)), { code: 'prerequisite', outcome: 'not-received', message: /is not at the address/ }, address)
  }
  t.match(await errorOf(door.crm(account('not a url')).get(path`/x`, get)), { code: 'prerequisite' })
  t.match(await errorOf(door.crm(account(`${crm.url}/?x=`)).get(path`/x`, get)), { code: 'prerequisite' })
  t.strictSame(lines(crm), [])
})

await t.test('requests are logged without values, and not at info', async t => {
  const crm = await serve(t, (response, _request, number) => { json(response, number === 1 ? 503 : number === 2 ? 200 : 422, { error: 'secret reason' }) })
  const door = await startDoor(t)
  const client = door.crm(account(crm.url))
  await client.get(path`/people/${'secret-name'}`, { query: { phone: 'secret-phone' }, answer: Anything })
  await errorOf(client.post(path`/people`, { body: 'secret-body', answer: Anything }))
  const [first, second] = door.logged.map(line => JSON.parse(line))
  t.match(first, { level: 20, msg: 'crm request', connector: 'test', method: 'GET', status: 200, attempts: 2, outcome: 'success', ms: Number })
  t.match(second, { method: 'POST', status: 422, attempts: 1, outcome: 'refused', error: 'invalid' })
  t.equal(door.logged.length, 2)
  t.notMatch(door.logged.join(), /secret|token|127\.0\.0\.1/)
  const quiet = await startDoor(t, {}, 'info')
  await quiet.crm(account(crm.url)).post(path`/x`, get).catch(() => {})
  t.strictSame(quiet.logged, [])
})

import { pino } from 'pino'
import t from 'tap'
import { exampleCrm, exampleUsers } from '../../../../src/connectors/example/crm/server.ts'
import { aCall, basic, runningCrm } from './running-crm.ts'

await t.test('a key is asked for, as the user name of Basic authorization', async t => {
  const { call, url } = await runningCrm(t)
  const table = [
    ['a wrong key', basic('example-key-eve')],
    ['a password beside the key', basic('example-key-ann', 'secret')],
    ['no key', basic('')],
    ['another scheme', 'Bearer example-key-ann'],
    ['something that is not base64', 'Basic !!!'],
    ['nothing', '']
  ] as const
  for (const [what, authorization] of table) {
    const { status, content, headers } = await call('GET', '/api/me', undefined, authorization)
    t.equal(status, 401, `${what} is refused`)
    t.equal(content.error.code, 'unauthorized')
    t.match(headers.get('www-authenticate'), /^Basic /)
  }
  for (const { name, key } of exampleUsers) {
    t.equal((await call('GET', '/api/me', undefined, basic(key))).content.name, name, `the key of ${name} names its user`)
  }
  t.equal((await fetch(`${url}/health`)).status, 200, 'whether it is there is said without a key')
  t.same((await call('GET', '/api/users')).content.items.map(({ name }: { name: string }) => name), ['Ann Agent', 'Bob Broker'])
})

await t.test('contacts are found by number in any notation, by a part of the name, by extension', async t => {
  const { call } = await runningCrm(t)
  await call('POST', '/api/contacts', { name: 'ÉVA MÜLLER', phone: '030 12345678901' })
  const table: Array<[string, string[]]> = [
    ['phone=%2B16504445566', ['John Smith']],
    ['phone=+16504445566', ['John Smith']],
    ['phone=16504445566', ['John Smith']],
    ['phone=(650) 444-5566', ['John Smith']],
    ['phone=011442079460018', ['Lee Wong']],
    ['phone=442079460018', ['Lee Wong']],
    ['phone=4155550123', ['Maria Garcia', 'Paul Garcia']],
    ['phone=030-12345678901', ['ÉVA MÜLLER']],
    ['phone=anonymous', []],
    ['phone=444', []],
    ['name=SMITH', ['John Smith', 'Jane Smith']],
    ['name=müller', ['ÉVA MÜLLER']],
    ['name=%25', []],
    ['number=101', ['Omar Haddad']],
    ['number=10', []],
    ['name=smith&phone=8662019834', ['Jane Smith']]
  ]
  for (const [query, names] of table) {
    const { content } = await call('GET', `/api/contacts?${query}`)
    t.same(content.items.map(({ name }: { name: string }) => name), names, query)
  }
  const { content: { items: [john] } } = await call('GET', '/api/contacts?name=john')
  t.match(john.deals, [{ title: 'Annual licence', status: 'open' }, { title: 'Training days', status: 'open' }], 'deals come along')
  t.same((await call('GET', `/api/contacts/${john.id}`)).content, john, 'one contact reads as in a search')
  t.match(await call('GET', '/api/contacts/999'), { status: 404, content: { error: { code: 'not-found' } } })
})

await t.test('a contact is added as given, its number in one notation', async t => {
  const { call } = await runningCrm(t, { clock: () => Date.UTC(2026, 0, 15) })
  const { status, content } = await call('POST', '/api/contacts', { type: 'Lead', name: 'New Person', phone: '(212) 555-0199' })
  t.equal(status, 201)
  const createdAt = '2026-01-15T00:00:00.000Z'
  t.match(content, { type: 'Lead', name: 'New Person', phone: '+12125550199', number: null, company: null, deals: [], createdAt })
  t.same((await call('GET', `/api/contacts/${content.id}`)).content, content)
  t.match((await call('POST', '/api/contacts', { name: 'Without a phone' })).content, { type: 'Contact', phone: null })
})

await t.test('an activity is logged, found, changed and deleted', async t => {
  let now = Date.UTC(2026, 0, 15)
  const { call } = await runningCrm(t, { clock: () => now })
  const { status, content: logged } = await call('POST', '/api/activities', { ...aCall, startTime: '2026-01-15T12:30:05+02:00' })
  t.equal(status, 201)
  t.same(logged, {
    id: logged.id,
    ...aCall,
    body: '',
    ownerId: 1,
    durationSeconds: null,
    direction: null,
    outcome: null,
    dealId: null,
    externalId: null,
    createdAt: '2026-01-15T00:00:00.000Z',
    updatedAt: '2026-01-15T00:00:00.000Z'
  }, 'what was left out is null, the owner is the caller, the time is in UTC')
  const message = { ...aCall, type: 'message', contactId: 2, startTime: '2026-01-16T00:00:00Z', externalId: 'm-1' }
  const { content: newer } = await call('POST', '/api/activities', message, basic('example-key-bob'))
  t.equal(newer.ownerId, 2)

  for (const [query, ids] of [
    ['', [newer.id, logged.id]], ['?limit=1', [newer.id]], ['?contactId=1', [logged.id]], ['?type=message', [newer.id]],
    ['?externalId=m-1', [newer.id]], ['?externalId=m-1&type=call', []]
  ] as const) {
    t.same((await call('GET', `/api/activities${query}`)).content.items.map(({ id }: { id: number }) => id), ids, query)
  }

  now += 1_000
  const words = { subject: 'Changed 🎉', body: '<b>ünïcode</b>' }
  const changes = { ...words, dealId: 2, durationSeconds: 61, outcome: 'Accepted', direction: 'inbound' }
  const { content: changed } = await call('PATCH', `/api/activities/${logged.id}`, changes)
  t.same(changed, { ...logged, ...changes, updatedAt: '2026-01-15T00:00:01.000Z' }, 'only what was given changes')
  t.same((await call('GET', `/api/activities/${logged.id}`)).content, changed)
  t.equal((await call('PATCH', `/api/activities/${logged.id}`, { dealId: null })).content.dealId, null)

  t.equal((await call('DELETE', `/api/activities/${newer.id}`)).status, 204)
  for (const [method, body] of [['GET'], ['PATCH', { subject: 'x' }], ['DELETE']] as const) {
    t.match(await call(method, `/api/activities/${newer.id}`, body), { status: 404, content: { error: { code: 'not-found' } } })
  }
  t.not((await call('POST', '/api/activities', message)).content.id, newer.id, 'the id of a deleted activity is not used again')
})

await t.test('an external id is taken once for each type', async t => {
  const { call } = await runningCrm(t)
  const body = { ...aCall, externalId: 's-1' }
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/api/activities', body)))
  const [created, ...others] = answers.sort((a, b) => a.status - b.status)
  t.equal(created?.status, 201)
  for (const { status, content } of others) {
    t.equal(status, 409)
    t.match(content, { error: { code: 'duplicate', message: String, existingId: created?.content.id } })
  }
  t.equal((await call('POST', '/api/activities', { ...body, type: 'message' })).status, 201)
  t.equal((await call('POST', '/api/activities', { ...body, externalId: null })).status, 201)
})

await t.test('what is wrong is refused with the name of the field', async t => {
  const { call } = await runningCrm(t)
  await call('POST', '/api/activities', aCall)
  const { subject: _, ...noSubject } = aCall
  const table: Array<[string, string, unknown, string | undefined]> = [
    ['POST', '/api/activities', noSubject, 'subject'],
    ['POST', '/api/activities', { ...aCall, subject: ' \n' }, 'subject'],
    ['POST', '/api/activities', { ...aCall, subject: 'x'.repeat(256) }, 'subject'],
    ['POST', '/api/activities', { ...aCall, subject: 'half \ud83d' }, 'subject'],
    ['POST', '/api/activities', { ...aCall, body: 'x'.repeat(65_537) }, 'body'],
    ['POST', '/api/activities', { ...aCall, body: 'nul \u0000' }, 'body'],
    ['POST', '/api/activities', { ...aCall, body: 7 }, 'body'],
    ['POST', '/api/activities', { ...aCall, contactId: '1' }, 'contactId'],
    ['POST', '/api/activities', { ...aCall, contactId: 999 }, 'contactId'],
    ['POST', '/api/activities', { ...aCall, ownerId: 999 }, 'ownerId'],
    ['POST', '/api/activities', { ...aCall, dealId: 3 }, 'dealId'],
    ['POST', '/api/activities', { ...aCall, startTime: 'yesterday' }, 'startTime'],
    ['POST', '/api/activities', { ...aCall, startTime: '2016-12-31T23:59:60Z' }, 'startTime'],
    ['POST', '/api/activities', { ...aCall, durationSeconds: 1.5 }, 'durationSeconds'],
    ['POST', '/api/activities', { ...aCall, direction: 'up' }, 'direction'],
    ['POST', '/api/activities', { ...aCall, type: 'fax' }, 'type'],
    ['POST', '/api/activities', { ...aCall, colour: 'red' }, 'colour'],
    ['POST', '/api/activities', [], undefined],
    ['POST', '/api/activities', '{"type":', undefined],
    ['PATCH', '/api/activities/1', {}, undefined],
    ['PATCH', '/api/activities/1', { externalId: 'x' }, 'externalId'],
    ['PATCH', '/api/activities/1', { contactId: 6, dealId: 1 }, 'dealId'],
    ['POST', '/api/contacts', { name: '' }, 'name'],
    ['POST', '/api/contacts', { name: 'A', phone: 'no number' }, 'phone'],
    ['POST', '/api/contacts', { name: 'A', number: '1a' }, 'number'],
    ['GET', '/api/contacts?email=x', undefined, 'email'],
    ['GET', '/api/contacts?name=%00', undefined, 'name'],
    ['GET', '/api/contacts?name=a&name=b', undefined, 'name'],
    ['GET', '/api/contacts/one', undefined, 'id'],
    ['GET', '/api/activities?contactId=1.5', undefined, 'contactId'],
    ['GET', '/api/activities/99999999999999999999', undefined, 'id'],
    ['GET', '/api/%zz', undefined, undefined]
  ]
  for (const [method, path, body, field] of table) {
    const { status, content: { error } } = await call(method, path, body)
    const what = `${method} ${path} ${String(JSON.stringify(body)).slice(0, 60)}`
    t.equal(status, 400, what)
    t.equal(error.code, 'invalid', what)
    t.equal(error.field, field, what)
  }
  t.equal((await call('GET', '/api/activities')).content.items.length, 1, 'nothing of it is stored')
  t.equal((await call('POST', '/api/activities', { ...aCall, body: '🎉'.repeat(65_536) })).status, 201, 'length counts characters')
})

await t.test('other refusals are JSON with a code too', async t => {
  const { call, crm } = await runningCrm(t)
  const tooLarge = await call('POST', '/api/contacts', { name: 'x'.repeat(2 ** 20) })
  t.match(tooLarge, { status: 413, content: { error: { code: 'too-large' } } })
  t.match(await call('GET', '/api/nothing'), { status: 404, content: { error: { code: 'not-found' } } })
  const headers = { authorization: basic('example-key-ann'), 'content-type': 'text/csv' }
  const unknownType = await crm.inject({ method: 'POST', url: '/api/contacts', headers, payload: 'a,b' })
  t.match(unknownType.json(), { error: { code: 'unsupported-media-type' } })
})

await t.test('a restart keeps the records and adds no examples', async t => {
  const first = await runningCrm(t)
  const { content: contact } = await first.call('POST', '/api/contacts', { name: 'New Person' })
  const { content: activity } = await first.call('POST', '/api/activities', { ...aCall, contactId: contact.id, externalId: 's-1' })
  const before = (await first.call('GET', '/api/contacts')).content
  await first.crm.close()

  const { call } = await runningCrm(t, { file: first.file })
  t.same((await call('GET', '/api/contacts')).content, before)
  t.same((await call('GET', `/api/activities/${activity.id}`)).content, activity)
  t.equal((await call('POST', '/api/activities', { ...aCall, externalId: 's-1' })).content.error.existingId, activity.id)
})

await t.test('two servers on one file take an external id once', async t => {
  const one = await runningCrm(t)
  const other = await runningCrm(t, { file: one.file })
  const body = { ...aCall, externalId: 's-1' }
  const answers = await Promise.all([one, other, one, other].map(({ call }) => call('POST', '/api/activities', body)))
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409])
})

await t.test('a file that is no database stops it', async t => {
  const file = `${t.testdir({ 'crm.db': 'plain text, and long enough to be taken for something else than an empty file' })}/crm.db`
  t.throws(() => exampleCrm({ file, logger: pino({ level: 'silent' }) }), { code: 'SQLITE_NOTADB' })
})

await t.test('its failures are logged and answered as 500, without what was asked', async t => {
  const lines: string[] = []
  const { call, file } = await runningCrm(t, { logger: pino({ level: 'trace' }, { write: line => { lines.push(line) } }) })
  await call('GET', '/api/contacts?phone=%2B16505550177')
  await call('POST', '/api/contacts', { name: 'Canary Name' })
  const { default: Database } = await import('better-sqlite3')
  new Database(file).exec('DROP TABLE activities').close()
  const failed = await call('POST', '/api/activities', { ...aCall, subject: 'Canary Subject' })
  t.match(failed, { status: 500, content: { error: { code: 'internal' } } })
  const log = lines.join('')
  t.match(log, 'no such table')
  t.notMatch(log, /example-key|ZXhhbXBsZS1rZXk|5550177|Canary/)
})

await t.test('OpenAPI describes every route once, with named components and all its statuses', async t => {
  const { call } = await runningCrm(t)
  const { content: document } = await call('GET', '/openapi.json')
  t.equal(document.openapi, '3.1.0')
  const operations: Array<{ operationId: string, tags: string[], responses: object }> =
    Object.values<object>(document.paths).flatMap(path => Object.values(path))
  const ids = operations.map(({ operationId }) => operationId)
  t.equal(new Set(ids).size, ids.length)
  t.same(ids.filter(id => id === undefined), [])
  t.ok(operations.every(({ tags }) => tags.length === 1))
  t.ok(['Contact', 'Activity', 'NewActivity', 'User', 'Deal', 'Failure'].every(name => name in document.components.schemas))
  const { responses } = document.paths['/api/activities'].post
  t.same(Object.keys(responses), ['201', '400', '401', '409', '413', '415', '429', '500', '503'])
})

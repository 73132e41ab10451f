import t from 'tap'
import { aCall, runningCrm } from './running-crm.ts'

await t.test('a rule meets as many requests as it says, those it fits, and nothing outside /api', async t => {
  const { call, url } = await runningCrm(t)
  const rules = [
    { method: 'GET', path: '/api/contacts/*', times: 2, status: 503 },
    { method: '*', path: '*', times: 1, status: 429, retryAfter: 7 }
  ]
  t.same((await call('PUT', '/_faults', { rules })).content, { rules })
  t.equal((await fetch(`${url}/health`)).status, 200)
  t.match(await call('GET', '/api/contacts/1'), { status: 503, content: { error: { code: 'unavailable' } } })
  t.same((await call('GET', '/_faults')).content.rules.map(({ times }: { times: number }) => times), [1, 1])
  const limited = await call('GET', '/api/contacts?name=a')
  t.match(limited, { status: 429, content: { error: { code: 'rate-limited' } } })
  t.equal(limited.headers.get('retry-after'), '7')
  t.equal((await call('GET', '/api/contacts/1')).status, 503)
  t.equal((await call('GET', '/api/contacts/1')).status, 200)
  t.same((await call('GET', '/_faults')).content, { rules: [] })
})

await t.test('a rule names any method that a connector can send', async t => {
  const { call } = await runningCrm(t)
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    await call('PUT', '/_faults', { rules: [{ method, path: '/api/contacts/1', times: 1, status: 503 }] })
    t.equal((await call(method, '/api/contacts/1')).status, 503, method)
  }
})

await t.test('rules are cleared, and wrong ones refused with their place', async t => {
  const { call } = await runningCrm(t)
  await call('PUT', '/_faults', { rules: [{ method: 'GET', path: '/api/me', times: 9, status: 500 }] })
  t.match(await call('PUT', '/_faults', { rules: [{ method: 'GET', path: '/api/me', times: 0 }] }), {
    status: 400, content: { error: { field: 'rules.0.times' } }
  })
  t.match(await call('PUT', '/_faults', { rules: [{ method: 'GET', path: '/api/me', times: 1, explode: true }] }), {
    status: 400, content: { error: { field: 'rules.0.explode' } }
  })
  t.equal((await call('DELETE', '/_faults')).status, 204)
  t.equal((await call('GET', '/api/me')).status, 200)
})

for (const { drop, recorded } of [{ drop: 'before', recorded: 0 }, { drop: 'after', recorded: 1 }]) {
  await t.test(`a connection dropped ${drop} the work leaves ${recorded} records`, async t => {
    const { call } = await runningCrm(t)
    await call('PUT', '/_faults', { rules: [{ method: 'POST', path: '/api/activities', times: 1, drop }] })
    await t.rejects(call('POST', '/api/activities', { ...aCall, externalId: 's-1' }), { cause: { code: 'ECONNRESET' } })
    t.equal((await call('GET', '/api/activities?externalId=s-1')).content.items.length, recorded)
    t.equal((await call('POST', '/api/activities', { ...aCall, externalId: 's-1' })).status, recorded === 1 ? 409 : 201)
    const { content: { items: [cut] } } = await call('GET', '/_requests')
    t.match(cut, { method: 'POST', body: aCall, status: null }, 'it is listed as unanswered')
  })
}

await t.test('garbage is a 200 of another shape, after the work', async t => {
  const { call } = await runningCrm(t)
  await call('PUT', '/_faults', { rules: [{ method: '*', path: '/api/activities*', times: 3, garbage: true }] })
  const garbage = { items: 'none', id: '?' }
  t.match(await call('POST', '/api/activities', aCall), { status: 200, content: garbage })
  t.match(await call('GET', '/api/activities'), { status: 200, content: garbage })
  t.match(await call('DELETE', '/api/activities/1'), { status: 200, content: garbage })
  t.same((await call('GET', '/api/activities')).content, { items: [] }, 'both was done')
})

await t.test('a slow answer drips', async t => {
  const { call, url } = await runningCrm(t)
  await call('PUT', '/_faults', { rules: [{ method: 'GET', path: '/api/me', times: 1, slow: true }] })
  const started = performance.now()
  const { body } = await fetch(`${url}/api/me`, { headers: { authorization: `Basic ${btoa('example-key-ann:')}` } })
  const reader = body?.getReader()
  for (const byte of '{"i') t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), byte)
  t.ok(performance.now() - started >= 250)
  await reader?.cancel()
})

await t.test('an answer waits as long as a rule says; closing does not wait for it', async t => {
  const { call, crm } = await runningCrm(t)
  const rule = { method: 'GET', path: '/api/me', times: 1 }
  await call('PUT', '/_faults', { rules: [{ ...rule, delayMs: 60 }, { ...rule, delayMs: 600_000 }] })
  const started = performance.now()
  t.equal((await call('GET', '/api/me')).status, 200)
  t.ok(performance.now() - started >= 55)

  const waiting = call('GET', '/api/me')
  while ((await call('GET', '/_faults')).content.rules.length > 0);
  await Promise.allSettled([crm.close(), waiting])
  t.pass('both are over')
})

await t.test('work goes on after a client that did not wait', async t => {
  const { call, url } = await runningCrm(t)
  await call('PUT', '/_faults', { rules: [{ method: 'POST', path: '/api/activities', times: 1, delayMs: 80 }] })
  await t.rejects(fetch(`${url}/api/activities`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('example-key-ann:')}`, 'content-type': 'application/json' },
    body: JSON.stringify(aCall),
    signal: AbortSignal.timeout(30)
  }), { name: 'TimeoutError' })
  while ((await call('GET', '/api/activities')).content.items.length === 0);
  t.pass('the activity is there')
})

await t.test('what was received is listed, without keys, up to the last 1000 requests', async t => {
  const { call } = await runningCrm(t, { clock: () => Date.UTC(2026, 0, 15) })
  await call('GET', '/api/activities?contactId=1')
  await call('POST', '/api/activities', { ...aCall, colour: 'red' })
  const received = { path: '/api/activities', at: '2026-01-15T00:00:00.000Z' }
  t.same((await call('GET', '/_requests')).content.items, [
    { ...received, method: 'GET', query: { contactId: '1' }, body: null, status: 200 },
    { ...received, method: 'POST', query: {}, body: { ...aCall, colour: 'red' }, status: 400 }
  ])
  for (let count = 0; count < 1_000; count += 50) await Promise.all(Array.from({ length: 50 }, () => call('GET', '/api/me')))
  const { items } = (await call('GET', '/_requests')).content
  t.equal(items.length, 1_000)
  t.equal(items[0].path, '/api/me')
  t.equal((await call('DELETE', '/_requests')).status, 204)
  t.same((await call('GET', '/_requests')).content, { items: [] })
})

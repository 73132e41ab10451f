import t from 'tap'
import { aCall, connected } from './connected.ts'

const list = 'GET /api/v2/activities'

await t.test('a lost answer is found again: one activity, and the caller learns its id', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'after' })
  const waits = await pipedrive.send('POST', '/callLog', aCall())
  t.match(waits.json, { successful: false, error: { code: 'outcome-unknown', retryAfter: 5 } })
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { error: { code: 'outcome-unknown' } }, 'before the list can know, nobody looks')
  now += 5_001
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7001' })
  t.equal(pipedrive.fake.held.activities.length, 1)
  const looked = (await pipedrive.receivedInFull()).find(({ method, path }) => `${method} ${path}` === list)
  t.match(looked?.query, { owner_id: '11', person_id: '1', updated_since: /^\d{4}-.*Z$/ })
})

await t.test('a lost answer is not found where nothing was written, so the activity is written', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now, fake: { listsAfter: 4_000 } })
  await pipedrive.send('POST', '/callLog', aCall({ sessionId: 'another', startTime: '2026-03-01T14:05:10Z' }))
  await pipedrive.send('POST', '/callLog', { ...aCall({ sessionId: 'words' }), note: 'other words' })
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'before' })
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { error: { code: 'outcome-unknown' } })
  now += 5_001
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7003' })
  t.equal(pipedrive.fake.held.activities.length, 3)
})

await t.test('a lost answer is found within the stated delay, however late the list is', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now, fake: { listsAfter: 4_999 } })
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'after' })
  await pipedrive.send('POST', '/callLog', aCall())
  now += 5_001
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7001' })
  t.equal(pipedrive.fake.held.activities.length, 1)
})

await t.test('a lost answer is found on the second page, and not among what is older than the attempt', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'after' })
  await pipedrive.send('POST', '/callLog', aCall())
  const [lost] = pipedrive.fake.held.activities
  if (lost === undefined) return t.fail('nothing was written')
  const old = { ...lost, id: 6000, add_time: '2026-01-01T00:00:00Z', update_time: '2026-01-01T00:00:00Z' }
  const later = Array.from({ length: 501 }, (_, index) => ({ ...lost, id: 8000 + index, subject: `Later ${index}` }))
  pipedrive.fake.held.activities = [old, lost, ...later]
  now += 5_001
  await pipedrive.received()
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7001' })
  t.strictSame(await pipedrive.received(), [list, list])
})

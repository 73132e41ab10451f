import t from 'tap'
import { ask } from '../../patchbay.ts'
import { aCall, connected } from './connected.ts'

await t.test('more searches than Pipedrive takes at once are waited out', async t => {
  const pipedrive = await connected(t)
  const answers = await Promise.all(Array.from({ length: 14 }, async () => await pipedrive.get('/custom/contact/search?name=smith')))
  t.ok(answers.every(({ json }) => json.successful === true && json.contact.length === 2))
})

await t.test('who is told to come back, by the headers of a 429, does so then and not before', async t => {
  const pipedrive = await connected(t)
  const user = await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive')
  const token = user?.credentials?.accessToken ?? ''
  // Somebody else with the same token uses up the searches, of which Patchbay hears only by the 429.
  for (let count = 0; count < 10; count++) await ask(pipedrive.fake.url, '/api/v2/itemSearch?term=smith&item_types=person&fields=name', { token })
  await pipedrive.received()
  t.match((await pipedrive.get('/contact?phoneNumber=+16504445566')).json, { successful: true, contact: [{ id: 1 }] })
  t.strictSame((await pipedrive.receivedInFull()).map(({ path, status }) => [path, status]), [['/api/v2/itemSearch', 429], ['/api/v2/itemSearch', 200]])
})

await t.test('a call on a day without tokens is kept, and logged once when there are new ones', async t => {
  let now = Date.UTC(2026, 2, 1, 23, 59, 50)
  const pipedrive = await connected(t, { clock: () => now, fake: { dailyBudget: 43 } })
  t.match((await pipedrive.get('/contact?phoneNumber=+16504445566')).json, { successful: true })
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: false, error: { code: 'waiting', retryable: true } })
  t.equal(pipedrive.fake.held.activities.length, 0)
  now += 20_000
  // Real time has not gone on, so the token that was limited is still left alone; an hour later it would be another one anyway.
  const token = await pipedrive.connect(11)
  t.match((await pipedrive.call('/callLog', { method: 'POST', token, body: aCall() })).json, { successful: true, logId: '7001' })
  t.equal(pipedrive.fake.held.activities.length, 1)
})

await t.test('on a day without tokens nobody goes on asking until the edge shuts them out', async t => {
  const pipedrive = await connected(t, { fake: { dailyBudget: 0 } })
  for (let count = 0; count < 10; count++) {
    const { error } = (await pipedrive.get('/custom/contact/search?name=smith')).json
    t.equal(error.code, 'rate-limited')
    t.ok(error.retryAfter > 0 && error.retryAfter <= 60, `after ${error.retryAfter} seconds`)
  }
  t.strictSame((await pipedrive.receivedInFull()).map(({ status }) => status), [429, 429, 429])
})

await t.test('a page of the edge in place of an answer is a limit, not a missing permission', async t => {
  const pipedrive = await connected(t, { fake: { dailyBudget: 0 } })
  const user = await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive')
  // Somebody else with the same token goes on asking.
  for (let count = 0; count < 6; count++) await ask(pipedrive.fake.url, '/api/v1/users/me', { token: user?.credentials?.accessToken ?? '' })
  await pipedrive.received()
  t.match((await pipedrive.get('/custom/contact/search?name=smith')).json, { successful: false, error: { code: 'rate-limited', retryAfter: 60 } })
  t.strictSame((await pipedrive.receivedInFull()).map(({ status }) => status), [403], 'the page was there')
})

import t from 'tap'
import { aCall, connected, type Connected } from './connected.ts'

const lead = 'adf21080-0e10-11eb-879b-05d71fb426ec'
const search = 'GET /api/v2/itemSearch'
const types = 'GET /api/v1/activityTypes'
const create = 'POST /api/v2/activities'
const read = 'GET /api/v2/activities/7001'
const patch = 'PATCH /api/v2/activities/7001'

/** Ann's call with John is logged, and what that took is forgotten. */
async function logged (pipedrive: Connected, more: object = {}): Promise<void> {
  await pipedrive.get('/contact?phoneNumber=+16504445566')
  const { json } = await pipedrive.send('POST', '/callLog', { ...aCall(), ...more })
  if (json.successful !== true) throw new Error(JSON.stringify(json))
  await pipedrive.received()
}
const activity = ({ fake }: Connected) => fake.held.activities.at(-1)

await t.test('a call becomes an activity, in one request once the types of activities are known', async t => {
  const pipedrive = await connected(t)
  await pipedrive.get('/contact?phoneNumber=+16504445566')
  const first = await pipedrive.send('POST', '/callLog', aCall())
  t.match(first.json, { successful: true, logId: '7001' })
  t.strictSame(await pipedrive.received(), [search, types, create], 'the organization comes with the match')
  t.match(activity(pipedrive), {
    subject: 'Inbound Call from John Smith',
    type: 'call',
    owner_id: 11,
    done: true,
    due_date: '2026-03-01',
    due_time: '14:05:09',
    duration: '00:07:00',
    participants: [{ person_id: 1, primary: true }],
    person_id: 1,
    org_id: 9,
    deal_id: null,
    lead_id: null,
    note: /<b>Agent notes<\/b><br>Asked for a quote &amp; "more"<br>/
  })
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7001' })
  t.strictSame(await pipedrive.received(), [], 'a repeat writes nothing')
  await pipedrive.send('POST', '/callLog', aCall({ sessionId: '2' }))
  t.strictSame(await pipedrive.received(), [create])
  t.equal(pipedrive.fake.spent().units, 20 + 20 + 5 + 5)
})

await t.test('a contact that was not matched by its number is read for its organization', async t => {
  const pipedrive = await connected(t)
  await pipedrive.get('/custom/contact/search?name=maria')
  const log = aCall({ from: { phoneNumber: '+14155550123' } })
  t.match((await pipedrive.send('POST', '/callLog', { ...log, contactId: 3 })).json, { successful: true })
  t.match(activity(pipedrive), { person_id: 3, org_id: 9 })
  t.strictSame((await pipedrive.received()).sort(), [types, search, 'GET /api/v2/persons/3', create].sort())
})

await t.test('a match is remembered for its organization when its quarter of an hour is over', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  await pipedrive.get('/contact?phoneNumber=+18662019834')
  now += 3 * 60 * 60_000
  const token = await pipedrive.connect(11)
  const log = { ...aCall({ from: { phoneNumber: '+18662019834' } }), contactId: 2 }
  t.match((await pipedrive.call('/callLog', { method: 'POST', token, body: log })).json, { successful: true })
  t.equal(activity(pipedrive)?.org_id, null, 'Jane has none')
  t.strictSame(await pipedrive.received(), [search, types, create])
})

await t.test('C-12: the duration is hours, minutes and seconds', async t => {
  const pipedrive = await connected(t)
  const table: Array<[duration: number | string, written: string | null]> = [
    [0, '00:00:00'], [1, '00:00:01'], [59 * 60, '00:59:00'], [59 * 60 + 59, '00:59:59'], [3600, '01:00:00'], [7325, '02:02:05'],
    [100 * 3600, '23:59:59'], ['pending', null]
  ]
  for (const [index, [duration, written]] of table.entries()) {
    const { json } = await pipedrive.send('POST', '/callLog', aCall({ sessionId: `s${index}`, duration }))
    t.match(json, { successful: true }, String(duration))
    t.equal(activity(pipedrive)?.duration, written, String(duration))
  }
})

await t.test('the time of a call is told in UTC, whatever the zones of user and server', async t => {
  const pipedrive = await connected(t)
  for (const [startTime, date, time] of [[1772323199000, '2026-02-28', '23:59:59'], ['2026-03-01T01:00:00+05:30', '2026-02-28', '19:30:00']]) {
    await pipedrive.send('POST', '/callLog', aCall({ sessionId: String(startTime), startTime }))
    t.match(activity(pipedrive), { due_date: date, due_time: time })
  }
})

await t.test('a call hangs on a deal or on a lead', async t => {
  const pipedrive = await connected(t)
  await logged(pipedrive, { additionalSubmission: { deals: '42', leads: lead } })
  t.match(activity(pipedrive), { deal_id: 42, lead_id: null }, 'a deal goes before a lead')
  const set = async (dispositions: object): Promise<any> => (await pipedrive.send('PUT', '/callDisposition', { sessionId: '4503991004', dispositions })).json
  t.match(await set({ leads: lead, note: 'x' }), { successful: true })
  t.match(activity(pipedrive), { deal_id: null, lead_id: lead })
  t.match(await set({ deals: 43 }), { successful: true })
  t.match(activity(pipedrive), { deal_id: 43, lead_id: null })
  t.strictSame(await pipedrive.received(), [patch, patch], 'one request each')
  t.strictSame(await set({ deals: '', leads: '', note: 'x' }), { successful: false }, 'the extension asks after every call: nothing to show')
  t.match(await set({ deals: 'Annual licence' }), { error: { code: 'invalid', field: 'deals' } })
  t.strictSame(await pipedrive.received(), [])
  t.match(await set({ deals: 4711 }), { successful: false, error: { code: 'invalid' }, returnMessage: { message: /deal_id is not a deal/ } })
  t.match((await pipedrive.get('/callLog?sessionIds=4503991004&requireDetails=true')).json.logs, [{ logData: { dispositions: { deals: 43 } } }])
})

await t.test('an update reads the record and writes what changed, and what a person wrote stays', async t => {
  const pipedrive = await connected(t)
  await logged(pipedrive)
  pipedrive.fake.editRecord('7001', note => `<p>VIP $100 &amp; up</p>${note}<p>mine</p>`)
  const changes = { sessionId: '4503991004', recordingLink: 'https://app.ringcentral.com/r/1', duration: 421, startTime: '2026-03-01T14:06:00Z', subject: 'John: quote' }
  t.match((await pipedrive.send('PATCH', '/callLog', changes)).json, { successful: true, logId: '7001' })
  t.strictSame(await pipedrive.received(), [read, patch])
  t.match(activity(pipedrive), { subject: 'John: quote', duration: '00:07:01', due_time: '14:06:00', note: /^<p>VIP \$100 &amp; up<\/p>.*<p>mine<\/p>/ })
  t.match(activity(pipedrive)?.note, 'https://app.ringcentral.com/r/1')
  t.match((await pipedrive.send('PATCH', '/callLog', { sessionId: '4503991004', note: 'New note', additionalSubmission: { leads: lead } })).json, { successful: true })
  t.match(activity(pipedrive), { note: /New note/, lead_id: lead, deal_id: null })
  t.match((await pipedrive.get('/callLog?sessionIds=4503991004&requireDetails=true')).json.logs, [
    { matched: true, logId: '7001', logData: { subject: 'John: quote', note: 'New note', fullBody: /VIP/, dispositions: { leads: lead } } }
  ])
})

await t.test('a record that a person deleted is gone, and the call can be logged again', async t => {
  const pipedrive = await connected(t)
  await logged(pipedrive)
  pipedrive.fake.held.activities = pipedrive.fake.held.activities.map(one => ({ ...one, is_deleted: true }))
  t.match((await pipedrive.send('PATCH', '/callLog', { sessionId: '4503991004', note: 'x' })).json, { successful: false, error: { code: 'gone' } })
  t.strictSame(await pipedrive.received(), [read])
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true, logId: '7002' })
})

await t.test('the type of an activity', async t => {
  const settings = (value: unknown) => ({ userSettings: { pipedriveCallActivityType: { value } } })
  const all = [
    { id: 1, key_string: 'call', name: 'Anruf', active_flag: true },
    { id: 2, key_string: 'telefonat', name: 'Sales call', active_flag: true },
    { id: 3, key_string: 'old_call', name: 'Old', active_flag: false }
  ]
  const table: Array<[title: string, chosen: unknown, held: typeof all, type: string | undefined]> = [
    ['is call where nobody chose', undefined, all, 'call'],
    ['is the chosen key', 'telefonat', all, 'telefonat'],
    ['is the type with the chosen name', ' sales CALL ', all, 'telefonat'],
    ['is not one that is disabled', 'old_call', all, 'call'],
    ['is none that only looks like a setting', { id: 'telefonat' }, all, 'call'],
    ['has the word in its name where "call" is disabled', undefined, all.slice(1), 'telefonat'],
    ['has to be chosen where none fits', '', all.slice(2), undefined]
  ]
  const pipedrive = await connected(t)
  for (const [title, chosen, held, type] of table) {
    await t.test(title, async t => {
      pipedrive.fake.held.activityTypes = held
      await pipedrive.get('/accountData?keys=activityTypes&forceRefresh=true')
      await pipedrive.send('POST', '/user/settings', settings(chosen))
      const before = pipedrive.fake.held.activities.length
      const { json } = await pipedrive.send('POST', '/callLog', aCall({ sessionId: title }))
      if (type === undefined) t.match(json, { successful: false, error: { code: 'prerequisite' }, returnMessage: { message: /admin has to choose/ } })
      else t.equal(activity(pipedrive)?.type, type)
      t.equal(pipedrive.fake.held.activities.length - before, type === undefined ? 0 : 1)
    })
  }
})

await t.test('A-18: logging works for users whose telephony account is not known', async t => {
  const pipedrive = await connected(t)
  t.equal((await pipedrive.app.repositories.users.find('11-pipedrive', 'pipedrive'))?.accountId, '')
  t.match((await pipedrive.send('POST', '/callLog', aCall())).json, { successful: true })
  const bob = await pipedrive.connect(12)
  await pipedrive.call('/callLog', { method: 'POST', token: bob, body: aCall() })
  t.equal((await pipedrive.received()).filter(request => request === types).length, 1, 'the list is the company\'s')
})

await t.test('a record is for the user whom a client without a browser names', async t => {
  const pipedrive = await connected(t)
  const bob = await pipedrive.connect(12)
  const named = (adminAssignedUserToken: unknown) => ({ additionalSubmission: { isAssignedToUser: true, adminAssignedUserToken } })
  await logged(pipedrive, named(bob))
  t.match(activity(pipedrive), { owner_id: 12, creator_user_id: 11 })
  const assign = async (token: unknown): Promise<number | undefined> => {
    await pipedrive.send('PATCH', '/callLog', { sessionId: '4503991004', duration: 1, ...named(token) })
    return activity(pipedrive)?.owner_id
  }
  t.equal(await assign(pipedrive.token), 11)
  t.equal(await assign(bob), 12)
  const stranger = await pipedrive.connect(13, { companyId: 78 })
  for (const nobody of ['', 'x.y.z', 7, stranger, await pipedrive.signIn()]) t.equal(await assign(nobody), 12, String(nobody).slice(0, 10))
  t.equal(await assign(pipedrive.token), 11)
  await pipedrive.call('/unAuthorize', { method: 'POST', token: bob })
  t.equal(await assign(bob), 11, 'signing out ends the token')
})

import t, { type Test } from 'tap'
import { aCall, connected } from './connected.ts'

const list = 'GET /api/v2/activities'

type Connected = Awaited<ReturnType<typeof connected>>

/** A call whose activity was written, and nobody knows; `ask` asks for it again as soon as it can be looked for. */
async function aLostAnswer (t: Test): Promise<{ pipedrive: Connected, lost: Connected['fake']['held']['activities'][number], ask: () => Promise<unknown> }> {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'after' })
  await pipedrive.send('POST', '/callLog', aCall())
  const [lost] = pipedrive.fake.held.activities
  if (lost === undefined) throw new Error('Nothing was written')
  return {
    pipedrive,
    lost,
    async ask () {
      now += 5_001
      return (await pipedrive.send('POST', '/callLog', aCall())).json
    }
  }
}

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
  const { pipedrive, lost, ask } = await aLostAnswer(t)
  const old = { ...lost, id: 6000, add_time: '2026-01-01T00:00:00Z', update_time: '2026-01-01T00:00:00Z' }
  const later = Array.from({ length: 501 }, (_, index) => ({ ...lost, id: 8000 + index, subject: `Later ${index}` }))
  pipedrive.fake.held.activities = [old, lost, ...later]
  await pipedrive.received()
  t.match(await ask(), { successful: true, logId: '7001' })
  t.strictSame(await pipedrive.received(), [list, list])
})

await t.test('a lost answer is found again by a text of any script and with any sign', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  const call = { ...aCall({ customSubject: 'Anruf von Zoë Østergård 王 & "Co"' }), note: '100 % <b>sicher</b> & “wahr” – 王 😀 \'quoted\'' }
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'after' })
  t.match((await pipedrive.send('POST', '/callLog', call)).json, { error: { code: 'outcome-unknown' } })
  now += 5_001
  t.match((await pipedrive.send('POST', '/callLog', call)).json, { successful: true, logId: '7001' })
  t.equal(pipedrive.fake.held.activities.length, 1)
})

await t.test('a lost answer is found again although a person has written into the activity meanwhile', async t => {
  const { pipedrive, ask } = await aLostAnswer(t)
  pipedrive.fake.editRecord('7001', note => `<p>Mine 王😀</p>${note.replace('</b>', '</b> and mine')}<p>mine</p>`)
  t.match(await ask(), { successful: true, logId: '7001' })
  t.equal(pipedrive.fake.held.activities.length, 1)
})

await t.test('of two that are alike the one as it was written is taken, on whichever page it is', async t => {
  const { pipedrive, lost, ask } = await aLostAnswer(t)
  const longer = Array.from({ length: 500 }, (_, index) => ({ ...lost, id: 8000 + index, note: `${lost.note ?? ''}<p>and more</p>` }))
  pipedrive.fake.held.activities = [lost, ...longer]
  t.match(await ask(), { successful: true, logId: '7001' })
})

await t.test('the activity of another extension is not taken for the lost one', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  const by = (extensionNumber: string): object => ({ ...aCall(), extensionNumber, note: '' })
  await pipedrive.send('POST', '/callLog', by('101'))
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'before' })
  t.match((await pipedrive.send('POST', '/callLog', by('102'))).json, { error: { code: 'outcome-unknown' } })
  now += 5_001
  t.match((await pipedrive.send('POST', '/callLog', by('102'))).json, { successful: true, logId: '7002' })
})

const aConversation = {
  logInfo: {
    conversationId: 'c',
    conversationLogId: 'c-1',
    type: 'SMS',
    correspondents: [{ phoneNumber: '+16504445566' }],
    messages: [{ id: '1', type: 'SMS', direction: 'Inbound', creationTime: '2026-03-01T14:05:00Z', subject: 'Is it <b>free</b> & "new"?', from: { phoneNumber: '+16504445566' } }]
  },
  contactId: 1,
  contactName: 'John Smith'
}

await t.test('the lost answer of a conversation is found again, too', async t => {
  let now = Date.now()
  const pipedrive = await connected(t, { clock: () => now })
  await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'after' })
  t.match((await pipedrive.send('POST', '/messageLog', aConversation)).json, { successful: false, error: { code: 'outcome-unknown' } })
  now += 5_001
  t.match((await pipedrive.send('POST', '/messageLog', aConversation)).json, { successful: true })
  t.equal(pipedrive.fake.held.activities.length, 1)
})

for (const [path, body] of [['/callLog', aCall()], ['/messageLog', aConversation]] as const) {
  for (const minutes of [-10, 10, 23 * 60]) {
    await t.test(`a lost answer of ${path} is found again where the clock of this server is ${minutes} minutes ahead of Pipedrive's`, async t => {
      let now = Date.now() + minutes * 60_000
      const pipedrive = await connected(t, { clock: () => now, fake: { clock: Date.now } })
      await pipedrive.fail({ method: 'POST', path: '/api/v2/activities', drop: 'after' })
      t.match((await pipedrive.send('POST', path, body)).json, { error: { code: 'outcome-unknown' } })
      now += 5_001
      t.match((await pipedrive.send('POST', path, body)).json, { successful: true })
      t.equal(pipedrive.fake.held.activities.length, 1)
    })
  }
}

for (const drop of ['before', 'after']) {
  await t.test(`a change whose answer was lost ${drop} it was written is in the record, once`, async t => {
    let now = Date.now()
    const pipedrive = await connected(t, { clock: () => now })
    await pipedrive.send('POST', '/callLog', aCall())
    pipedrive.fake.editRecord('7001', note => `${note}<p>mine</p>`)
    await pipedrive.fail({ method: 'PATCH', path: '/api/v2/activities/*', drop })
    const change = { sessionId: '4503991004', recordingLink: 'https://example.com/recording' }
    t.match((await pipedrive.send('PATCH', '/callLog', change)).json, { successful: false, error: { retryable: true } })
    now += 60_000
    t.match((await pipedrive.send('PATCH', '/callLog', change)).json, { successful: true, logId: '7001' })
    const [note = ''] = pipedrive.fake.held.activities.map(({ note }) => note ?? '')
    t.equal(note.split('https://example.com/recording').length, 2)
    t.match(note, '<p>mine</p>')
  })
}

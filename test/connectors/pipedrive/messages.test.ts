import t from 'tap'
import { connected } from './connected.ts'

const message = (id: number, more: object = {}) => ({
  id, type: 'SMS', direction: 'Inbound', creationTime: Date.UTC(2026, 2, 1, 14, 5 + id), subject: `Text ${id} about messages <b>`, from: { phoneNumber: '+16504445566', name: 'John Smith' }, ...more
})
const conversation = (messages: object[], more: object = {}) => ({
  logInfo: { conversationId: 'c', conversationLogId: 'c-1', type: 'SMS', correspondents: [{ phoneNumber: '+16504445566' }], messages, ...more },
  contactId: 1,
  contactName: 'John Smith',
  additionalSubmission: { deals: '42' }
})

await t.test('P-02: a conversation of a day is one activity, written once for all its messages', async t => {
  const pipedrive = await connected(t)
  await pipedrive.get('/contact?phoneNumber=+16504445566')
  await pipedrive.received()
  t.match((await pipedrive.send('POST', '/messageLog', conversation([message(3), message(2), message(1)]))).json, { successful: true, logIds: ['1', '2', '3'] })
  t.strictSame(await pipedrive.received(), ['GET /api/v1/activityTypes', 'POST /api/v2/activities'])
  t.match(pipedrive.fake.held.activities, [{
    subject: /SMS conversation with John Smith/, type: 'sms_text', due_date: '2026-03-01', due_time: '14:06:00', deal_id: 42, person_id: 1, org_id: 9, note: /Text 1.*Text 2.*Text 3/s
  }])
  t.match((await pipedrive.send('POST', '/messageLog', conversation([message(3), message(1)]))).json, { successful: true, logIds: [] })
  t.strictSame(await pipedrive.received(), [])
})

await t.test('D-18: no word of a conversation is lost when more follows', async t => {
  const pipedrive = await connected(t)
  for (const id of [1, 2, 3]) await pipedrive.send('POST', '/messageLog', conversation([message(id)]))
  t.equal(pipedrive.fake.held.activities.length, 1)
  const [note = ''] = pipedrive.fake.held.activities.map(({ note }) => note ?? '')
  for (const id of [1, 2, 3]) t.equal(note.split(`Text ${id} about messages &lt;b&gt;`).length, 2, `message ${id} is there once, escaped`)
  t.match(note, 'Conversation(3 messages)')
})

await t.test('D-18: a message goes into a record without its header, too, and the words of a person stay', async t => {
  const pipedrive = await connected(t)
  await pipedrive.send('POST', '/messageLog', conversation([message(1)]))
  pipedrive.fake.editRecord('7001', () => '<p>I sorted the messages &amp; <i>threw them out</i></p>')
  await pipedrive.received()
  t.match((await pipedrive.send('POST', '/messageLog', conversation([message(2)]))).json, { successful: true, logIds: ['2'] })
  t.strictSame(await pipedrive.received(), ['GET /api/v2/activities/7001', 'PATCH /api/v2/activities/7001'])
  const [note = ''] = pipedrive.fake.held.activities.map(({ note }) => note ?? '')
  t.match(note, '<p>I sorted the messages &amp; <i>threw them out</i></p>')
  t.equal(note.split('Text 2 about messages').length, 2)
})

await t.test('D-18: a second voicemail and a second fax of a day are logged', async t => {
  for (const [type, attachment] of [['VoiceMail', 'AudioRecording'], ['Fax', 'RenderedDocument']]) {
    const pipedrive = await connected(t)
    const links = [1, 2].map(id => `https://example.com/${type}/${id}`)
    for (const [index, link] of links.entries()) {
      const { json } = await pipedrive.send('POST', '/messageLog', conversation([message(index + 1, { type, attachments: [{ type: attachment, link, uri: link }] })], { type, rcAccessToken: 'token' }))
      t.match(json, { successful: true, logIds: [String(index + 1)] }, `${type} ${index + 1}`)
    }
    const notes = pipedrive.fake.held.activities.map(({ note }) => note).join()
    for (const link of links) t.match(notes, link)
    t.equal(pipedrive.fake.held.activities.length, 1, 'in the record of that day')
  }
})

await t.test('C-12: a shared conversation is due when it began, not now', async t => {
  const pipedrive = await connected(t)
  const shared = conversation([message(1)], { owner: { name: 'Ann Agent' }, creationTime: Date.UTC(2026, 0, 15, 3, 30), entities: [{ recordType: 'AliveMessage', direction: 'Inbound', creationTime: Date.UTC(2026, 0, 15, 3, 30), text: 'Hi' }] })
  t.match((await pipedrive.send('POST', '/messageLog', shared)).json, { successful: true })
  t.match(pipedrive.fake.held.activities, [{ due_date: '2026-01-15', due_time: '03:30:00' }])
})

import t from 'tap'
import type { MessageLogChanges, NewMessageLog } from '../../../src/contract/operations.ts'
import { connected, type Connected } from './connected.ts'

const types = 'GET /api/v1/activityTypes'
const create = 'POST /api/v2/activities'
const activity = ({ fake }: Connected) => fake.held.activities.at(-1)

const aThread: NewMessageLog<{ deals?: number, leads?: string }> = {
  externalId: 'x',
  contact: { id: '1', type: '', name: 'John Smith', phoneNumber: '+16504445566' },
  subject: 'SMS conversation with John Smith - 26/03/01',
  body: '<br><b>SMS conversation</b><br>Conversation(1 messages)<br><ul><li>John 02:05 PM<br><b>2 messages for you &amp; me</b></li></ul>',
  startTime: Date.UTC(2026, 2, 1, 14, 5),
  direction: 'Inbound',
  messages: [],
  media: [],
  additionalSubmission: { leads: 'adf21080-0e10-11eb-879b-05d71fb426ec' },
  ownerId: '11'
}

await t.test('P-02: a conversation is one activity: one request, and one for each change', async t => {
  const pipedrive = await connected(t)
  await pipedrive.get('/contact?phoneNumber=+16504445566')
  await pipedrive.received()
  const { connector: { operations }, context } = await pipedrive.caller()
  t.strictSame(await operations.createMessageLog?.(context, aThread), { logId: '7001' })
  t.match(activity(pipedrive), {
    type: 'sms_text',
    done: true,
    due_date: '2026-03-01',
    due_time: '14:05:00',
    duration: null,
    person_id: 1,
    org_id: 9,
    lead_id: 'adf21080-0e10-11eb-879b-05d71fb426ec',
    note: aThread.body
  })
  t.strictSame(await pipedrive.received(), [types, create], 'neither user nor person are asked for')
  await operations.createMessageLog?.(context, { ...aThread, additionalSubmission: { deals: 42 } })
  t.match(activity(pipedrive), { deal_id: 42, lead_id: null })
  t.strictSame(await pipedrive.received(), [create])

  const changes: MessageLogChanges<{ deals?: number }> = { logId: '7001', messages: [], media: [], body: '<p>two</p>', additionalSubmission: { deals: 43 } }
  await operations.updateMessageLog?.(context, changes)
  t.match(pipedrive.fake.held.activities[0], { note: '<p>two</p>', deal_id: 43, lead_id: null })
  await operations.updateMessageLog?.(context, { logId: '7001', messages: [], media: [] })
  t.strictSame(await pipedrive.received(), ['PATCH /api/v2/activities/7001'], 'nothing to change is nothing to send')
  t.strictSame(await operations.getMessageLog?.(context, { logId: '7001', contactId: '1' }), { subject: aThread.subject, body: '<p>two</p>' })
})

await t.test('a lost conversation is found by subject, start and text', async t => {
  const pipedrive = await connected(t)
  const { connector: { operations }, context } = await pipedrive.caller()
  const lost = { ...aThread, since: Date.now(), others: [] }
  await operations.createMessageLog?.(context, { ...aThread, subject: 'Another' })
  t.equal(await operations.findMessageLog?.(context, lost), undefined)
  await operations.createMessageLog?.(context, aThread)
  t.strictSame(await operations.findMessageLog?.(context, lost), { logId: '7002' })
})

await t.test('a company without a type for messages is told what to do; an admin can choose any', async t => {
  const pipedrive = await connected(t)
  pipedrive.fake.held.activityTypes = pipedrive.fake.held.activityTypes.filter(({ key_string: key }) => key !== 'sms_text')
  const { connector: { operations }, context } = await pipedrive.caller()
  await t.rejects(async () => await operations.createMessageLog?.(context, aThread), { code: 'prerequisite', message: /activity type for messages/ })
  const chosen = { ...context, accountSettings: { pipedriveSMSActivityType: { value: 'meeting' } } }
  await operations.createMessageLog?.(chosen, aThread)
  t.match(activity(pipedrive), { type: 'meeting' })
})

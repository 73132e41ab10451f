import t from 'tap'
import { composeSharedSms, mergeSharedSms, type SharedConversation } from '../../../src/calls/body/shared-sms.ts'
import type { BodyFormat } from '../../../src/calls/body/values.ts'
import { formats } from './golden.ts'

const conversation: SharedConversation = {
  contactName: 'Ann & Co',
  creationTime: Date.parse('2026-01-15T10:30:00Z'),
  owner: { name: 'Support Queue', extensionType: 'User' },
  messages: [{ lastModifiedTime: Date.parse('2026-01-16T14:16:00Z') }, { lastModifiedTime: Date.parse('2026-01-15T10:31:00Z') }],
  entities: [
    { id: 'e0', recordType: 'ThreadCreatedHint', creationTime: '2026-01-15T10:29:00Z', initiator: { name: 'Init A' } },
    { id: 'e1', recordType: 'AliveMessage', direction: 'Inbound', creationTime: '2026-01-15T10:30:00Z', from: { name: 'Cust' }, text: 'Hi <b>' },
    { id: 'e2', recordType: 'ThreadAssignedHint', creationTime: '2026-01-15T10:32:00Z', assignee: { name: 'Bob' } },
    { id: 'e3', recordType: 'AliveNote', creationTime: '2026-01-15T10:33:00Z', author: { name: 'Cat' }, body: "it's" },
    { id: 'e4', recordType: 'AliveMessage', direction: 'Outbound', creationTime: '2026-01-16T14:16:00Z', author: { name: 'Bob' }, subject: 'Yo' }
  ]
}

const golden: Record<BodyFormat, string> = {
  'text/plain': `Conversation summary
Started: Thursday, January 15, 2026 at 03:30 AM
Ended: Friday, January 16, 2026 at 07:16 AM
Duration: 1 d 3 h 

Participants
* Ann & Co (customer)
* Init A
* Cust
* Bob
* Cat

Receiving call queue: Support Queue

Conversation (2 messages, 1 note)
BEGIN
------------
Bob said on 2026-01-16 07:16 AM:
Yo

Cat left a note on 2026-01-15 03:33 AM:
it's

Conversation assigned to Bob

Ann & Co said on 2026-01-15 03:30 AM:
Hi <b>

------------
END`,
  'text/html': [
    '<div><b>Conversation summary</b><br>Started: Thursday, January 15, 2026 at 03:30 AM<br>',
    'Ended: Friday, January 16, 2026 at 07:16 AM<br>Duration: 1 d 3 h<br></div><br>',
    '<div><b>Participants</b><ul><li>Ann &amp; Co (customer)</li><li>Init A</li><li>Cust</li><li>Bob</li><li>Cat</li></ul></div>',
    '<div>Receiving call queue: <b>Support Queue</b></div><br>',
    '<div><b>Conversation (2 messages, 1 note)</b></div><div>BEGIN</div><hr>',
    '<p><b>Bob</b> said on 2026-01-16 07:16 AM:<br>Yo</p><p><b>Cat</b> left a note on 2026-01-15 03:33 AM:<br>it&#039;s</p>',
    '<p><i>Conversation assigned to <b>Bob</b></i></p><p><b>Ann &amp; Co</b> said on 2026-01-15 03:30 AM:<br>Hi &lt;b&gt;</p>',
    '<hr><div>END</div>'
  ].join(''),
  'text/markdown': `## Conversation summary
Started: Thursday, January 15, 2026 at 03:30 AM
Ended: Friday, January 16, 2026 at 07:16 AM
Duration: 1 d 3 h 

### Participants
* Ann & Co (customer)
* Init A
* Cust
* Bob
* Cat

Receiving call queue: **Support Queue**

### Conversation (2 messages, 1 note)
BEGIN
---
**Bob** said on 2026-01-16 07:16 AM:
Yo

**Cat** left a note on 2026-01-15 03:33 AM:
it's

*Conversation assigned to **Bob***

**Ann & Co** said on 2026-01-15 03:30 AM:
Hi \\<b>

---
END`
}

const upTo = (count: number): SharedConversation => ({
  ...conversation, entities: conversation.entities.slice(0, count), messages: count < 5 ? conversation.messages?.slice(1) : conversation.messages
})

for (const format of formats) {
  const context = { format, timeZoneOffset: '-420' }

  await t.test(`${format}: the digest reads like the sample, whether it grew or was made at once`, async t => {
    const whole = composeSharedSms(conversation, context)
    t.equal(whole.body, golden[format])
    t.equal(whole.subject, format === 'text/markdown' ? '**SMS conversation with Ann & Co**' : 'SMS conversation with Ann & Co')
    let grown = mergeSharedSms('', {}, upTo(0), context)
    grown = composeSharedSms(upTo(1), context)
    for (const count of [2, 3, 4, 5, 5]) grown = mergeSharedSms(grown.body, grown.fingerprints, upTo(count), context)
    t.equal(grown.body, golden[format])
    t.same(grown.fingerprints, whole.fingerprints)
  })
}

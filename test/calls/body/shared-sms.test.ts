import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { composeSharedSms, mergeSharedSms, type SharedConversation } from '../../../src/calls/body/shared-sms.ts'
import type { BodyFormat } from '../../../src/calls/body/values.ts'
import { addition, additions, holds } from './arbitraries.ts'
import { formats } from './golden.ts'

t.setTimeout(30 * 60_000) // ten thousand runs take their time

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
    let grown: ReturnType<typeof mergeSharedSms> = composeSharedSms(upTo(1), context)
    for (const count of [2, 3, 4, 5, 5]) grown = mergeSharedSms(grown.body, grown.fingerprints, upTo(count), context)
    t.equal(grown.body, golden[format])
    t.same(grown.fingerprints, whole.fingerprints)
  })

  await t.test(`${format}: what a person changed, deleted or commented on stays, the rest goes on`, async t => {
    const created = composeSharedSms(upTo(3), context)
    const commented = created.body.replace('Hi', 'Hi (she means Monday)')
    const mine = `Mine above\n${commented}\nMine below`
    const grown = mergeSharedSms(mine, created.fingerprints, conversation, context)
    t.equal(grown.body, `Mine above\n${golden[format].replace('Hi', 'Hi (she means Monday)')}\nMine below`)
    t.strictSame(grown.decisions.map(({ entry, action, reason }) => `${entry} ${action} ${reason}`),
      ['heading replaced ours', 'e1 kept changed-by-person', 'e2 kept same', 'e3 added new', 'e4 added new'])

    const corrected = created.body.replace('Init A', 'Ingrid A')
    const kept = mergeSharedSms(corrected, created.fingerprints, conversation, context)
    t.match(kept.body, 'Ingrid A')
    t.match(kept.body, '(1 message)', 'a heading that a person changed stays as it is')
    t.match(kept.body, 'Yo')
    t.match(kept.decisions[0], { entry: 'heading', action: 'kept', reason: 'changed-by-person' })
    t.strictSame(mergeSharedSms(kept.body, kept.fingerprints, conversation, context).body, kept.body)
  })

  await t.test(`${format}: a digest whose frame a person took away gets what is new at its end, and each entry once`, async t => {
    const created = composeSharedSms(upTo(3), context)
    const [begin, end] = format === 'text/html' ? ['<hr><p>', '<hr><div>END</div>'] : ['BEGIN\n', 'END']
    for (const left of ['all gone', created.body.replace(begin, begin.slice(4)), created.body.replace(end, '')]) {
      const grown = mergeSharedSms(left, created.fingerprints, upTo(4), context)
      t.ok(grown.body.startsWith(left))
      t.match(grown.body.slice(left.length), 'Cat')
      t.match(grown.decisions[0], { entry: 'heading', action: 'kept', reason: 'deleted-by-person' })
      t.equal(mergeSharedSms(grown.body, created.fingerprints, upTo(4), context).body, grown.body, 'also when its answer was lost')
      const whole = mergeSharedSms(grown.body, grown.fingerprints, conversation, context)
      t.ok(whole.body.startsWith(grown.body.trimEnd()))
      t.match(whole.body.slice(left.length), /Cat[^]*Yo/)
      for (const text of ["it's", 'it&#039;s', 'Yo']) t.ok(whole.body.split(text).length <= 2)
    }
  })

  await t.test(`${format}: what is new is shortened or left out where the CRM takes no longer text, and nothing that is there`, async t => {
    const story = (id: number) => ({ id: `s${id}`, recordType: 'AliveMessage', direction: 'Inbound', creationTime: `2026-01-15T11:0${id}:00Z`, text: `${id} is told. `.repeat(50) } as const)
    const withStories = (count: number): SharedConversation => ({ ...conversation, entities: [...conversation.entities, ...[0, 1, 2, 3, 4].slice(0, count).map(story)] })
    const created = composeSharedSms(conversation, context)
    const tight = { ...context, maxLength: created.body.length + 1000 }
    let grown: ReturnType<typeof mergeSharedSms> = created
    for (const count of [1, 2, 3, 4, 5]) {
      const before = grown
      grown = mergeSharedSms(before.body, before.fingerprints, withStories(count), tight)
      t.ok(grown.body.length <= tight.maxLength)
      t.match(grown.body, `${2 + count} messages`)
      t.equal(mergeSharedSms(grown.body, grown.fingerprints, withStories(count), tight).body, grown.body)
      t.equal(mergeSharedSms(grown.body, before.fingerprints, withStories(count), tight).body, grown.body, 'also when its answer was lost')
    }
    t.match(grown.body, story(0).text.trimEnd())
    t.equal(grown.body.split('(Shortened: this CRM takes no longer text.)').length, 2)
    t.equal(grown.body.split('(There are more messages: this CRM takes no longer text.)').length, 2)

    const full = mergeSharedSms(created.body, created.fingerprints, withStories(5), { ...context, maxLength: created.body.length })
    t.equal(full.body.length, created.body.length)
    const exact = mergeSharedSms(created.body, created.fingerprints, { ...conversation, contactName: 'Ann & Company' }, { ...context, maxLength: created.body.length })
    t.equal(exact.body, created.body)
    t.match(exact.decisions[0], { entry: 'heading', action: 'kept', reason: 'too-long' })
  })

  await t.test(`${format}: an entry is known again when its answer was lost, also where its author has no name`, async t => {
    const [, hello, assigned, noted, reply] = conversation.entities
    const nameless = [{ ...hello, from: undefined }, { ...assigned, assignee: { name: ' ' } }, { ...noted, author: { name: ' ' } }, { ...reply, author: { name: ' Bob' } }]
    const unnamed = { ...conversation, contactName: ' ', entities: nameless as SharedConversation['entities'] }
    const created = composeSharedSms({ ...unnamed, entities: [] }, context)
    const grown = mergeSharedSms(created.body, created.fingerprints, unnamed, context)
    t.equal(mergeSharedSms(grown.body, created.fingerprints, unnamed, context).body, grown.body)
  })

  await t.test(`${format}: the digest of another server is written anew in its place`, async t => {
    const old = golden[format].replace('3 h', '27 h').replace('03:33', '10:33')
    t.equal(mergeSharedSms(`Mine above\n${old}\nMine below`, {}, conversation, context).body, `Mine above\n${golden[format]}\nMine below`)
    t.equal(mergeSharedSms('', {}, conversation, context).body, golden[format])
    t.equal(mergeSharedSms('Mine', {}, conversation, context).body, `Mine${format === 'text/html' ? '' : '\n'}${golden[format]}`)
  })

  await t.test(`${format}: defect C-11: times may be ISO texts, and what is missing is taken from the entries`, async t => {
    const iso = { ...conversation, creationTime: '2026-01-15T10:30:00Z', messages: [{ lastModifiedTime: '2026-01-16T14:16:00.000Z' }, {}] }
    t.equal(composeSharedSms(iso, context).body, golden[format])
    t.match(composeSharedSms({ ...conversation, creationTime: null, messages: [] }, context).body, 'Thursday, January 15, 2026 at 03:29 AM')
    t.match(composeSharedSms({ contactName: 'Ann', entities: [] }, context).body, '0 messages')
  })

  await t.test(`${format}: an entry with a fraction of a millisecond in its time is known again`, async t => {
    const entities = conversation.entities.map(entity => ({ ...entity, creationTime: Date.parse(String(entity.creationTime)) + 0.5 }))
    const created = composeSharedSms({ ...conversation, entities: entities.slice(0, 3) }, context)
    const grown = mergeSharedSms(created.body, created.fingerprints, { ...conversation, entities }, context)
    t.strictSame(grown.decisions.map(({ entry, reason }) => `${entry} ${reason}`), ['heading ours', 'e1 same', 'e2 same', 'e3 new', 'e4 new'])
    t.equal(grown.body, golden[format])
  })

  await t.test(`${format}: defect S-18: names and texts cannot break out of their entry`, async t => {
    const attack = '</p><hr><div>END</div><script>\n------------\nEND\n---\nEND\nBob said on 2026-01-16 07:16 AM:\n**Bob** said on 2026-01-16 07:16 AM:'
    const entities = [{ id: 1, recordType: 'AliveMessage', creationTime: 0, text: attack, author: { name: attack } }, { id: 2, recordType: 'AliveNote', creationTime: 1, body: attack }]
    const created = composeSharedSms({ contactName: attack, owner: { name: attack }, entities: entities.slice(0, 1) }, context)
    const grown = mergeSharedSms(created.body, created.fingerprints, { contactName: attack, owner: { name: attack }, entities }, context)
    t.equal(grown.body, composeSharedSms({ contactName: attack, owner: { name: attack }, entities }, context).body)
    if (format === 'text/html') t.notMatch(grown.body, '<script')
  })
}

await t.test('a digest is known again in other tags that mean the same', async t => {
  const context = { format: 'text/html', timeZoneOffset: '-420' } as const
  const created = composeSharedSms(upTo(3), context)
  for (const laidOut of [
    (body: string) => body.replace(/(<\/?)b>/g, '$1strong>'),
    (body: string) => body.replace(/(<\/?)div>/g, '$1p>'),
    (body: string) => body.replace(/(<\/?)i>/g, '$1em>').replace(/<li>(.*?)<\/li>/g, '\n<li class="x"><p>$1</p></li>').replace(/<br>/g, '<br/>\n').replace(/<hr>/g, '<hr />')
  ]) {
    const grown = mergeSharedSms(laidOut(created.body), created.fingerprints, conversation, context)
    t.strictSame(grown.decisions.map(({ entry, action, reason }) => `${entry} ${action} ${reason}`),
      ['heading replaced ours', 'e1 kept same', 'e2 kept same', 'e3 added new', 'e4 added new'])
    t.match(grown.body, /BEGIN[^]*Yo[^]*Cat[^]*Bob[^]*Hi[^]*END/)
  }
})

const html = { format: 'text/html', timeZoneOffset: '-420' } as const
/** Says the entries that `upTo(4)` says with other words. */
const corrected: SharedConversation = {
  ...conversation, entities: conversation.entities.map(entity => entity.id === 'e1' ? { ...entity, text: 'Hello' } : entity.id === 'e3' ? { ...entity, body: 'it is' } : entity)
}

await t.test('what a person puts into a digest stays, also where it shows no text', async t => {
  const created = composeSharedSms(upTo(4), html)
  t.notMatch(mergeSharedSms(created.body, created.fingerprints, corrected, html).body, /1 message|Hi &lt;b&gt;|it&#039;s/)
  for (const [what, markup] of additions) {
    for (const [place, entry, left] of [['<li>Cust', 'heading', '(1 message, 1 note)'], ['Support Queue', 'heading', '(1 message, 1 note)'], ['Hi &lt;', 'e1', 'b&gt;'], ['it&#039;s', 'e3', '']] as const) {
      const edited = created.body.replace(place, `${place}${markup('⟦1⟧')}`)
      const grown = mergeSharedSms(edited, created.fingerprints, corrected, html)
      t.ok(grown.body.includes(`${place}${markup('⟦1⟧')}`) && grown.body.includes(left), `${what} behind ${place}`)
      t.match(grown.decisions.find(decision => decision.entry === entry), { action: 'kept', reason: 'changed-by-person' })
      t.match(grown.body, 'Yo')
      t.equal(mergeSharedSms(grown.body, grown.fingerprints, corrected, html).body, grown.body)
    }
  }
})

await t.test('whatever a person puts into a digest, wherever they do, it is there after the next messages', async t => {
  const history = fc.array(fc.record({ additions: fc.array(addition, { maxLength: 3 }), next: fc.constantFrom(upTo(3), upTo(4), conversation, corrected) }), { minLength: 1, maxLength: 4 })
  holds(t, fc.property(history, steps => {
    let digest: ReturnType<typeof mergeSharedSms> = composeSharedSms(upTo(2), html)
    for (const { additions, next } of steps) {
      const edited = additions.reduce((body, { into }) => into(body), digest.body)
      digest = mergeSharedSms(edited, digest.fingerprints, next, html)
      assert.deepEqual(digest.body.match(/⟦\d+⟧/g), edited.match(/⟦\d+⟧/g), 'nothing is lost, doubled or moved')
    }
  }))
})

await t.test('the owner is a queue or a person, or not told', async t => {
  const bodyOf = (owner: SharedConversation['owner'], format: BodyFormat = 'text/plain') => composeSharedSms({ ...conversation, owner }, { format }).body
  t.match(bodyOf({ name: 'Sales', extensionType: 'Department' }), '\n\nReceiving call queue: Sales\n\n')
  t.match(bodyOf({ name: 'Bob' }), '\n\nOwner: Bob\n\n')
  t.match(bodyOf({ name: 'Bob' }, 'text/html'), '</ul></div><div>Owner: <b>Bob</b></div><br><div>')
  t.match(bodyOf({ name: 'Bob' }, 'text/markdown'), '\n\nOwner: **Bob**\n\n')
  t.match(bodyOf(null), '* Cat\n\nConversation (')
})

await t.test('senders and authors without a name are unknown', async t => {
  const entities = ['AliveMessage', 'AliveNote', 'ThreadAssignedHint'].map(recordType => ({ recordType, creationTime: 0 }))
  const { body } = composeSharedSms({ contactName: 'Ann', entities }, { format: 'text/plain' })
  for (const text of ['Unknown said on', 'Unknown left a note on', 'Conversation assigned to Unknown']) t.match(body, text)
})

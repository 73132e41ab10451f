import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { composeMessageLog, mergeMessages, type Message, type MessageContext } from '../../../src/calls/body/message-log.ts'
import type { BodyFormat } from '../../../src/calls/body/values.ts'
import { addition, additions, holds, typedText } from './arbitraries.ts'
import { formats } from './golden.ts'

t.setTimeout(30 * 60_000) // ten thousand runs take their time

const contextOf = (format: BodyFormat): MessageContext =>
  ({ format, contact: { name: 'Ann <A>', phoneNumber: '+14155550100' }, userName: 'Bob', timeZone: 'America/Denver' })

const first: Message = { id: 1, direction: 'Inbound', creationTime: '2026-01-15T10:30:00Z', text: 'hi' }
const second: Message = { id: '2', direction: 'Outbound', creationTime: Date.parse('2026-01-15T20:31:00Z'), text: 'yo <b>\nmessages' }
const third: Message = { id: 3, direction: 'Inbound', creationTime: '2026-01-15T20:32:00Z', text: '$& Conversation(9 messages)' }
const footer = '--- Created via RingCentral App Connect'

const smsOf = (format: BodyFormat, count: number, entries: string): string => ({
  'text/html': '<br><b>SMS conversation with Ann &lt;A&gt; - 26/01/15</b><br><b>Conversation summary</b><br>Thursday, January 15, 2026<br>Participants<br>' +
    `<ul><li><b>Bob</b><br></li><li><b>Ann &lt;A&gt;</b></li></ul><br>Conversation(${count} messages)<br>BEGIN<br>------------<br>` +
    `<ul>${entries}</ul>------------<br>END<br><br>${footer}`,
  'text/plain': '\nConversation summary\nThursday, January 15, 2026\nParticipants\n    Bob\n    Ann <A>\n\n' +
    `Conversation(${count} messages)\nBEGIN\n------------\n${entries}------------\nEND\n\n${footer}`,
  'text/markdown': '## SMS conversation with Ann \\<A> - 01/15/2026\n### Conversation summary\nThursday, January 15, 2026\n\nParticipants\n* Bob\n* Ann \\<A>\n\n' +
    `### Conversation(${count} messages)\nBEGIN\n\n---\n\n${entries}---\nEND\n\n${footer}`
})[format]

const entriesOf = (format: BodyFormat): string[] => ({
  'text/html': ['<li>Ann &lt;A&gt; (+14155550100) 03:30 AM<br><b>hi</b></li>', '<li>Bob 01:31 PM<br><b>yo &lt;b&gt;<br>messages</b></li>',
    '<li>Ann &lt;A&gt; (+14155550100) 01:32 PM<br><b>$&amp; Conversation(9 messages)</b></li>'],
  'text/plain': ['Ann <A> (+14155550100) 03:30 AM\nhi\n', 'Bob 01:31 PM\nyo <b>\nmessages\n\n', 'Ann <A> (+14155550100) 01:32 PM\n$& Conversation(9 messages)\n\n'],
  'text/markdown': ['**Ann \\<A> (+14155550100)** 03:30 AM\nhi\n\n', '**Bob** 01:31 PM\nyo \\<b>\nmessages\n\n',
    '**Ann \\<A> (+14155550100)** 01:32 PM\n$& Conversation(9 messages)\n\n']
})[format]

for (const format of formats) {
  const context = contextOf(format)
  const entries = entriesOf(format)
  const whole = smsOf(format, 3, entries.join(''))

  await t.test(`${format}: the log of a conversation reads like the sample and grows message by message`, async t => {
    const created = composeMessageLog([first], context)
    t.equal(created.body, smsOf(format, 1, entries.slice(0, 1).join('')))
    t.equal(created.subject, `SMS conversation with Ann <A> - ${format === 'text/html' ? '26/01/15' : '01/15/2026'}`)
    const grown = mergeMessages(created.body, created.fingerprints, [second], context)
    t.equal(grown.body, smsOf(format, 2, entries.slice(0, 2).join('')))
    const more = mergeMessages(grown.body, grown.fingerprints, [first, second, third], context)
    t.equal(more.body, whole)
    t.strictSame(more.decisions.map(({ action, reason }) => `${action} ${reason}`), ['kept same', 'kept same', 'added new'])
  })

  await t.test(`${format}: defect D-18: only the counter counts, whatever the messages say`, async t => {
    const text = 'all messages<br>Conversation(7 messages)\nEND of messages'
    let log = composeMessageLog([{ ...first, text }], context)
    const { body } = log
    log = { ...log, ...mergeMessages(log.body, log.fingerprints, [second, third], context) }
    t.equal(log.body, composeMessageLog([{ ...first, text }, second, third], context).body)
    t.ok(body.includes('Conversation(1 messages)') && log.body.includes('Conversation(3 messages)'))
  })

  await t.test(`${format}: defect D-18: a second voicemail or fax goes behind the first`, async t => {
    for (const [one, other, word] of [
      [{ ...first, recordingLink: 'https://v/1' }, { ...second, recordingLink: 'https://v/2' }, 'Voicemail recording link'],
      [{ ...first, faxDocLink: 'https://f/1' }, { ...second, faxDocLink: 'https://f/2' }, 'Fax document link']
    ] as const) {
      const created = composeMessageLog([one], context)
      const grown = mergeMessages(created.body, created.fingerprints, [other, one, other], context)
      t.match(grown.body, new RegExp(`${word}: https://./1[^]*${word}: https://./2[^]*${footer}$`))
      t.equal(grown.body.split(word).length, 3)
      t.equal(grown.body, composeMessageLog([other, one], context).body)
    }
  })

  await t.test(`${format}: defect D-22: messages stand in the order of their time, and the list given is left as it was`, async t => {
    const messages = Object.freeze([third, first, second])
    t.equal(composeMessageLog(messages, context).body, whole)
    let log: ReturnType<typeof mergeMessages> = composeMessageLog([third], context)
    for (const message of [second, first, second]) log = mergeMessages(log.body, log.fingerprints, [message], context)
    t.equal(log.body, whole)
  })

  await t.test(`${format}: a message is known again when its answer was lost, also where its sender has no name`, async t => {
    for (const [contact, userName, written] of [
      [{ name: '', phoneNumber: '+14155550100' }, '', /\+14155550100[*]* 03:30[^]*Unknown[*]* 01:31/],
      [{ name: ' \n' }, ' ', /Unknown[*]* 03:30[^]*Unknown[*]* 01:31/],
      [{ name: ' Ann', phoneNumber: '+14155550100' }, ' Bob', /Ann \(\+14155550100\)[*]* 03:30[^]*Bob[*]* 01:31/]
    ] as const) {
      const unnamed = { ...context, contact, userName }
      const created = composeMessageLog([third], unnamed)
      const grown = mergeMessages(created.body, created.fingerprints, [first, second], unnamed)
      t.match(grown.body, written)
      t.equal(mergeMessages(grown.body, created.fingerprints, [first, second], unnamed).body, grown.body)
    }
  })

  await t.test(`${format}: a message that a person deleted or commented on stays so`, async t => {
    const created = composeMessageLog([first, second], context)
    const [one = '', two = ''] = entries
    const deleted = created.body.replace(one, '')
    const afterDeletion = mergeMessages(deleted, created.fingerprints, [first, second, third], context)
    t.notOk(afterDeletion.body.includes(one.trim()))
    t.ok(afterDeletion.body.includes(entries[2] ?? ''))
    t.strictSame(afterDeletion.decisions[0], { entry: '1', action: 'kept', reason: 'changed-by-person' })
    const comment = two.replace('yo ', 'yo (promised!) ')
    const commented = created.body.replace(two, comment)
    const afterComment = mergeMessages(commented, created.fingerprints, [first, second, third], context)
    t.equal(afterComment.body, whole.replace(two, comment))
  })

  await t.test(`${format}: a log of another server goes on, each new message once`, async t => {
    const old = smsOf(format, 1, entries.slice(0, 1).join(''))
    const grown = mergeMessages(old, {}, [first, second], context)
    t.equal(grown.body, smsOf(format, 2, entries.slice(0, 2).join('')))
    t.equal(mergeMessages(grown.body, grown.fingerprints, [first, second], context).body, grown.body)
  })

  await t.test(`${format}: two equal messages of one minute are two messages`, async t => {
    const twin = { ...first, id: 7, creationTime: '2026-01-15T10:30:20Z' }
    const created = composeMessageLog([first], context)
    const both = mergeMessages(created.body, created.fingerprints, [first, twin], context)
    t.equal(both.body.split('03:30 AM').length, 3)
    t.equal(mergeMessages(both.body, both.fingerprints, [twin, first], context).body, both.body)
  })

  await t.test(`${format}: a message whose text changed is replaced where it stands`, async t => {
    const created = composeMessageLog([{ ...first, text: 'ho' }, second], context)
    const repaired = mergeMessages(created.body, created.fingerprints, [first], context)
    t.equal(repaired.body, created.body.replace('ho', 'hi'))
    t.match(repaired.decisions, [{ entry: '1', action: 'replaced', reason: 'ours' }])
  })

  await t.test(`${format}: a body whose frame a person took away gets new messages at its end`, async t => {
    const created = composeMessageLog([first], context)
    const grown = mergeMessages('only my words', created.fingerprints, [first, second], context)
    t.ok(grown.body.startsWith('only my words'))
    t.match(grown.body, 'Bob')
    t.equal(mergeMessages(grown.body, grown.fingerprints, [first, second], context).body, grown.body)
  })

  await t.test(`${format}: what is new is shortened where the CRM takes no longer text, and nothing that is there`, async t => {
    const told: Message = { ...second, text: 'Once upon a time. '.repeat(30), imageLink: 'https://i/1' }
    const created = composeMessageLog([first], context)
    const whole = mergeMessages(created.body, created.fingerprints, [told, third], context)
    t.strictSame(mergeMessages(created.body, created.fingerprints, [told, third], { ...context, maxLength: whole.body.length }), whole)

    const tight = { ...context, maxLength: whole.body.length - 100 }
    const cut = mergeMessages(created.body, created.fingerprints, [told, third], tight)
    t.ok(cut.body.length <= tight.maxLength)
    for (const text of [entries[0]?.trim(), entries[2]?.trim(), 'https://i/1']) t.match(cut.body, text)
    t.match(cut.body, /time\.(?:\n|<br>)\(Shortened: this CRM takes no longer text\.\)/)
    t.equal(mergeMessages(cut.body, cut.fingerprints, [first, told, third], context).body, cut.body)
    t.equal(mergeMessages(cut.body, created.fingerprints, [told, third], tight).body, cut.body, 'also when its answer was lost')
    t.equal(composeMessageLog([first, told, third], tight).body, cut.body)
  })

  await t.test(`${format}: what does not fit at all is left out, and one line says so where that fits`, async t => {
    const created = composeMessageLog([first], context)
    const mine = created.body.replace('hi', 'hi (my words)')
    const more = Array.from({ length: 9 }, (_, index): Message => ({ ...second, id: `n${index}`, text: `${index} is told. `.repeat(50) }))
    const tight = { ...context, maxLength: mine.length + 300 }
    const full = mergeMessages(mine, created.fingerprints, more, tight)
    t.ok(full.body.length <= tight.maxLength)
    t.match(full.body, 'hi (my words)')
    t.equal(full.body.split('(There are more messages: this CRM takes no longer text.)').length, 2)
    const later = mergeMessages(full.body, full.fingerprints, [...more, { ...third, text: 'later '.repeat(90) }], tight)
    t.equal(later.body, full.body)
    t.equal(Object.keys(later.fingerprints).length, 11, 'all of them count as logged')
    t.equal(mergeMessages(mine, created.fingerprints, more, { ...context, maxLength: mine.length }).body, mine)
  })

  await t.test(`${format}: whatever comes, the body never grows longer than the CRM takes, and an attempt may be made again`, async t => {
    const messages = fc.uniqueArray(fc.record({
      creationTime: fc.integer({ min: 0, max: 200 }).map(minutes => 1768473000000 + minutes * 60_000),
      text: fc.array(typedText, { maxLength: 20 }).map(texts => texts.join('. ')),
      direction: fc.constantFrom('Inbound', 'Outbound')
    }), { selector: ({ creationTime }) => creationTime, minLength: 1, maxLength: 6 }).map(messages => messages.map((message, id) => ({ ...message, id }) as Message))
    holds(t, fc.property(messages, fc.nat(1500), (messages, room) => {
      const created = composeMessageLog([{ ...first, id: 'first', creationTime: 1768472000000 }], context)
      const tight = { ...context, maxLength: created.body.length + room }
      let log: ReturnType<typeof mergeMessages> = created
      for (const message of messages) {
        const next = mergeMessages(log.body, log.fingerprints, [message], tight)
        assert.ok(next.body.length <= tight.maxLength)
        for (const line of log.body.split(/\n|<\/?li>/).filter(line => !line.includes('Conversation('))) assert.ok(next.body.includes(line.trim()))
        assert.equal(mergeMessages(next.body, log.fingerprints, [message], tight).body.split('(There are more messages').length <= 2, true)
        assert.equal(mergeMessages(next.body, next.fingerprints, messages.slice(0, messages.indexOf(message) + 1), tight).body, next.body)
        log = next
      }
    }))
  })

  await t.test(`${format}: a voicemail in a conversation, and a message in a log of voicemails, are kept too`, async t => {
    const conversation = composeMessageLog([first, { ...second, recordingLink: 'https://v/2' }], context)
    t.match(conversation.body, /Bob[*]* 01:31 PM(?:\n|<br><b>)Voicemail recording link: https:\/\/v\/2/)
    const voicemails = composeMessageLog([{ ...first, recordingLink: 'https://v/1' }, third], context)
    t.match(voicemails.body, /link: https:\/\/v\/1[^]*01:32 PM[^]*Created via/)
    t.equal(mergeMessages(voicemails.body, voicemails.fingerprints, [third], context).body, voicemails.body)
  })

  await t.test(`${format}: whatever people write, their messages stay apart and each is there once`, async t => {
    const messages = fc.uniqueArray(fc.record({
      id: fc.nat(1000), creationTime: fc.integer({ min: 0, max: 200 }).map(minutes => 1768473000000 + minutes * 20_000), text: typedText, direction: fc.constantFrom('Inbound', 'Outbound')
    }), { selector: ({ id }) => id, minLength: 1, maxLength: 6 })
    holds(t, fc.property(messages, fc.infiniteStream(fc.nat()), (messages, order) => {
      const [oldest, ...rest] = messages.toSorted((one, other) => one.creationTime - other.creationTime) as [Message, ...Message[]]
      let log: ReturnType<typeof mergeMessages> = composeMessageLog([oldest], context)
      const shuffled = [...rest, ...rest].map(message => ({ message, key: order.next().value })).sort((one, other) => one.key - other.key)
      for (const { message } of shuffled) log = mergeMessages(log.body, log.fingerprints, [message], context)
      const times = new Set(messages.map(({ creationTime }) => creationTime))
      if (times.size === messages.length) assert.equal(log.body, composeMessageLog(messages as Message[], context).body)
      assert.match(log.body, new RegExp(`Conversation\\(${messages.length} messages\\)`))
      assert.equal(Object.keys(log.fingerprints).length, messages.length)
    }))
  })
}

const html = contextOf('text/html')
/** Messages, and what they say later. */
const said = {
  conversation: [first, { ...second, imageLink: 'https://i/1' }],
  voicemails: [{ ...first, recordingLink: 'https://v/1' }, { ...second, faxDocLink: 'https://f/1' }, third]
} satisfies Record<string, Message[]>
const corrected = (message: Message): Message =>
  ({ ...message, text: `${message.text}!`, recordingLink: message.recordingLink && `${message.recordingLink}/2`, faxDocLink: message.faxDocLink && `${message.faxDocLink}/2` })

for (const [kind, messages] of Object.entries(said)) {
  await t.test(`what a person puts into a log that began with a ${kind} stays, also where it shows no text`, async t => {
    const created = composeMessageLog(messages, html)
    const updated = mergeMessages(created.body, created.fingerprints, messages.map(corrected), html)
    t.strictSame(updated.decisions.map(({ action }) => action), messages.map(() => 'replaced'))
    for (const [what, markup] of additions) {
      for (const place of ['hi</b>', 'messages<br>[Link]: ', '>open</a>', 'https://v/1', 'https://f/1', '9 messages)'].filter(place => created.body.includes(place))) {
        const edited = created.body.replace(place, `${place}${markup('⟦1⟧')}`)
        const merged = mergeMessages(edited, created.fingerprints, messages.map(corrected), html)
        t.ok(merged.body.includes(`${place}${markup('⟦1⟧')}`), `${what} behind ${place}`)
        t.equal(merged.decisions.filter(({ reason }) => reason === 'changed-by-person').length, 1)
      }
    }
  })

  await t.test(`what editors make of the letters in a log that began with a ${kind} is no change of a person's`, async t => {
    const created = composeMessageLog(messages, html)
    for (const tag of ['b', 'strong', 'i', 'em', 'p']) {
      const edited = created.body.replace('hi</b>', `<${tag}>hi</${tag}></b>`)
      const merged = mergeMessages(edited, created.fingerprints, messages.map(corrected), html)
      t.strictSame(merged.decisions.map(({ action }) => action), messages.map(() => 'replaced'), tag)
    }
  })

  await t.test(`whatever a person puts into a log that began with a ${kind}, wherever they do, it is there after the next messages`, async t => {
    const history = fc.array(fc.record({ additions: fc.array(addition, { maxLength: 3 }), next: fc.subarray([...messages, ...messages.map(corrected)]) }), { minLength: 1, maxLength: 4 })
    holds(t, fc.property(history, steps => {
      let log: ReturnType<typeof mergeMessages> = composeMessageLog(messages.slice(0, 1), html)
      for (const { additions, next } of steps) {
        const edited = additions.reduce((body, { into }) => into(body), log.body)
        log = mergeMessages(edited, log.fingerprints, next, html)
        assert.deepEqual(log.body.match(/⟦\d+⟧/g), edited.match(/⟦\d+⟧/g), 'nothing is lost, doubled or moved')
      }
    }))
  })
}

await t.test('voicemail, fax and MMS have the words that they always had', async t => {
  const plain = contextOf('text/plain')
  const voicemail = { ...first, recordingLink: 'https://v/1?a&b' }
  const fax = { ...first, faxDocLink: 'https://f/1' }
  t.equal(composeMessageLog([voicemail], html).body,
    `<br><b>Voicemail left by Ann &lt;A&gt; - 26/01/15</b><br>Voicemail recording link: https://v/1?a&amp;b <br><br>${footer}`)
  t.equal(composeMessageLog([fax], html).body,
    `<br><b>Fax document sent from Ann &lt;A&gt; - 26/01/15</b><br>Fax document link: https://f/1 <br><br>${footer}`)
  t.equal(composeMessageLog([voicemail], plain).body, `Voicemail recording link: https://v/1?a&b \n\n${footer}`)
  const notTaken = `Fax failed to be uploaded to Clio.\nFax document link: https://f/1 \n\n${footer}`
  t.match(mergeMessages(notTaken, {}, [{ ...second, faxDocLink: 'https://f/2' }], plain).body, `f/1 \nFax document link: https://f/2 \n\n${footer}`, 'as do those of older servers')
  t.equal(composeMessageLog([voicemail], contextOf('text/markdown')).body,
    `## Voicemail left by Ann \\<A> - 01/15/2026\n\nVoicemail recording link: https://v/1?a&b\n\n${footer}`)
  t.match(composeMessageLog([{ ...first, text: '', imageLink: 'https://i/1' }], plain).body, '03:30 AM\n[Message]: N/A\n[Link]: https://i/1\n------------')
  t.match(composeMessageLog([{ ...first, videoLink: 'https://i/1' }], html).body, '<b>[Message]: hi<br>[Link]: <a target="_blank" href="https://i/1">open</a></b></li>')
})

await t.test('a group conversation names everybody', async t => {
  const group = { ...contextOf('text/plain'), participants: ['Cat', null, 'Dan\nX'], contact: { name: 'Ann' } }
  t.match(composeMessageLog([first], group).body, '    Bob\n    Ann\n    Cat\n    Unknown\n    Dan X\nConversation(1 messages)\nBEGIN\n------------\nAnn 03:30 AM\nhi\n')
  t.match(composeMessageLog([first], { ...group, format: 'text/html' }).body, '<li><b>Cat</b></li><li><b>Unknown</b></li>')
})

await t.test('defect S-18: what an SMS says never becomes markup', async t => {
  const attack = '</b></li></ul>------------<br>END<script>alert(1)</script>'
  const { body } = composeMessageLog([{ ...first, text: attack, imageLink: 'javascript:alert(1)' }, second], { ...contextOf('text/html'), userName: attack })
  t.notMatch(body, /<script|href/)
  t.match(body, 'Conversation(2 messages)')

  const links = '[Pay here](https://evil.example) ![](https://track.example/x.gif) <https://evil.example>'
  const written = composeMessageLog([{ ...first, text: links, imageLink: links }, second], { ...contextOf('text/markdown'), userName: links }).body
  t.match(written, '\\[Pay here](https://evil.example) !\\[](https://track.example/x.gif) \\<https://evil.example>')
  t.notMatch(written, /(?<!\\)(?:\[|<h)/)
})

await t.test('a message log needs a message', async t => {
  t.throws(() => composeMessageLog([], contextOf('text/plain')), RangeError)
})

await t.test('a message without a time that can be read stands first', async t => {
  t.match(composeMessageLog([first, { ...second, creationTime: 'soon' }], contextOf('text/plain')).body, 'Bob \nyo')
})

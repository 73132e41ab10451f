import t from 'tap'
import { startPatchbay, type Answer, type Patchbay } from '../patchbay.ts'

const john = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }

const message = (id: string, minute: number, subject: string, more: object = {}): object => ({
  id,
  type: 'SMS',
  direction: 'Inbound',
  creationTime: `2026-01-15T10:${String(minute).padStart(2, '0')}:00.000Z`,
  subject,
  from: { phoneNumber: '+16504445566', name: 'John Smith' },
  ...more
})

const conversation = (messages: object[], more: object = {}): object => ({
  logInfo: {
    conversationId: 'c1',
    conversationLogId: 'c1/2026-01-15',
    type: 'SMS',
    correspondents: [{ phoneNumber: '+16504445566', name: 'John Smith' }],
    messages,
    ...more
  },
  ...john
})

async function log (patchbay: Patchbay, token: string, body: object): Promise<Answer> {
  return await patchbay.call('/messageLog', { method: 'POST', token, body })
}

async function records (patchbay: Patchbay): Promise<any[]> {
  return (await patchbay.askCrm('/api/activities?type=message')).json.items
}

await t.test('the messages of a conversation go into one record a day, oldest first, each once (defects D-19, D-22)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.match((await log(patchbay, token, conversation([message('m2', 2, 'second'), message('m1', 1, 'first')]))).json, { successful: true, logIds: ['m1', 'm2'] })
  t.match((await log(patchbay, token, conversation([message('m3', 3, 'third'), message('m2', 2, 'second'), message('m1', 1, 'first')]))).json, { successful: true, logIds: ['m3'] })
  const repeat = await log(patchbay, token, conversation([message('m3', 3, 'third')]))
  t.strictSame(repeat.json, { successful: true, returnMessage: null, logIds: [] })
  const [record, ...others] = await records(patchbay)
  t.strictSame(others, [])
  t.match(record, { subject: 'SMS conversation with John Smith - 26/01/15', contactId: 1, body: /Conversation\(3 messages\).*first.*second.*third/s })
  for (const text of ['first', 'second', 'third']) t.equal(record.body.split(text).length, 2, `${text} is there once`)

  await log(patchbay, token, conversation([message('n1', 1, 'next day')], { conversationLogId: 'c1/2026-01-16' }))
  t.equal((await records(patchbay)).length, 2)
})

await t.test('a message is in one record only, also when another record begins with it', async t => {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now })
  const token = await patchbay.signIn()
  const group = { correspondents: [{ phoneNumber: '+16504445566', name: 'John Smith' }, { phoneNumber: '+18662019834', name: 'Jane Smith' }] }
  for (const more of [{}, group]) {
    const suffix = more === group ? '-1' : ''
    const id = (name: string): string => `${name}${suffix}`
    await log(patchbay, token, conversation([message('m1', 1, 'first')], { ...more, conversationLogId: 'c1/2026-01-16' }))
    const other = conversation([message('m2', 2, 'second'), message('m1', 1, 'first')], { ...more, conversationLogId: 'c1/2026-01-15' })
    await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: 'POST', path: '/api/activities*', times: 1, drop: 'after' }] } })
    t.match((await log(patchbay, token, other)).json, { successful: false, error: { code: 'outcome-unknown' } })
    now += 60_000
    t.strictSame((await log(patchbay, token, other)).json.logIds, [id('m2')], 'and its repeat is known for the same')
    const [record, ...others] = await records(patchbay)
    t.equal(others.length, more === group ? 3 : 1)
    t.match(record.body, /Conversation\(1 messages\).*second/s)
    t.notMatch(record.body, /first/)
  }
})

await t.test('a conversation without ids is known by its first message, also when that is logged elsewhere', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await log(patchbay, token, conversation([message('m1', 1, 'first')]))
  const nameless = (messages: object[]): object => conversation(messages, { conversationId: undefined, conversationLogId: undefined })
  t.strictSame((await log(patchbay, token, nameless([message('m1', 1, 'first'), message('m2', 2, 'second')]))).json.logIds, ['m2'])
  t.strictSame((await log(patchbay, token, nameless([message('m1', 1, 'first'), message('m3', 3, 'third')]))).json.logIds, ['m3'])
  const [record, ...others] = await records(patchbay)
  t.equal(others.length, 1)
  t.match(record.body, /second.*third/s)
})

await t.test('a text that speaks of messages is not taken for the header of the record (defect D-18)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await log(patchbay, token, conversation([message('m1', 1, 'Conversation(7 messages) about messages <br>Conversation'), message('m2', 2, 'keep me')]))
  await log(patchbay, token, conversation([message('m3', 3, 'no more messages')]))
  const voicemail = { attachments: [{ type: 'AudioRecording', link: 'https://example.com/v/1' }] }
  await log(patchbay, token, conversation([message('v1', 1, '', voicemail)], { conversationLogId: 'v' }))
  t.match((await log(patchbay, token, conversation([message('v2', 2, '', { attachments: [{ type: 'AudioRecording', link: 'https://example.com/v/2' }] })], { conversationLogId: 'v' }))).json, { successful: true })
  const [voicemails, messages] = await records(patchbay) as [any, any]
  t.match(messages.body, /Conversation\(3 messages\)/)
  for (const text of ['about messages', 'keep me', 'no more messages']) t.equal(messages.body.split(text).length, 2, text)
  t.match(voicemails.body, /v\/1.*v\/2/s)
})

await t.test('simultaneous requests for one conversation write one record with every message once', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const answers = await Promise.all(Array.from({ length: 12 }, async (_, index) =>
    await log(patchbay, token, conversation([message(`m${index % 4}`, index % 4, `text-${index % 4}`)]))))
  for (const answer of answers) t.match(answer.json, { successful: true })
  const [record, ...others] = await records(patchbay)
  t.strictSame(others, [])
  for (const index of [0, 1, 2, 3]) t.equal(record.body.split(`text-${index}`).length, 2)
})

await t.test('a request for known messages asks the CRM nothing; a new one costs a read and a write (defect P-02)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await patchbay.crmRequests()
  await log(patchbay, token, conversation([message('m1', 1, 'a'), message('m2', 2, 'b'), message('m3', 3, 'c')]))
  t.strictSame(await patchbay.crmRequests(), ['POST /api/activities'])
  await log(patchbay, token, conversation([message('m4', 4, 'd'), message('m5', 5, 'e')]))
  t.strictSame((await patchbay.crmRequests()).map(request => request.split(' ')[0]), ['GET', 'PATCH'])
  await log(patchbay, token, conversation([message('m4', 4, 'd')]))
  t.strictSame(await patchbay.crmRequests(), [])
})

await t.test('what a person wrote into the record stays, and so does a message that they deleted', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await log(patchbay, token, conversation([message('m1', 1, 'private number'), message('m2', 2, 'see you')]))
  const [{ id, body }] = await records(patchbay) as [any]
  const edited = body.replace('private number', '').replace('see you', 'see you (he means Tuesday)')
  await patchbay.askCrm(`/api/activities/${id}`, { method: 'PATCH', body: { body: edited } })
  t.match((await log(patchbay, token, conversation([message('m3', 3, 'bye')]))).json, { successful: true, logIds: ['m3'] })
  const [after] = await records(patchbay) as [any]
  t.match(after.body, /see you \(he means Tuesday\).*bye/s)
  t.notMatch(after.body, /private number/)
})

await t.test('voicemail, fax and pictures are logged with links for people, and their tokens are not kept', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const table: Array<[kind: string, attachment: object, subject: RegExp, body: RegExp]> = [
    ['VoiceMail', { type: 'AudioRecording', link: 'https://example.com/v/1' }, /^Voicemail left by John Smith/, /Voicemail recording link: .*https:\/\/example.com\/v\/1/],
    ['Fax', { type: 'RenderedDocument', link: 'https://example.com/f/1', uri: 'https://media.example.com/f' }, /^Fax document sent from John Smith/, /Fax document link: .*https:\/\/example.com\/f\/1/],
    ['SMS', { type: 'MmsAttachment', contentType: 'image/png', uri: 'https://media.example.com/i?x=1' }, /^SMS conversation/, /media=https%3A%2F%2Fmedia.example.com%2Fi%3Fx%3D1/]
  ]
  for (const [kind, attachment, subject, body] of table) {
    const answer = await log(patchbay, token, conversation([message(`m-${kind}`, 1, 'text', { attachments: [attachment] })],
      { conversationLogId: `c-${kind}`, type: kind, rcAccessToken: 'a-media-token' }))
    t.match(answer.json, { successful: true }, kind)
    const [record] = await records(patchbay) as [any]
    t.match(record, { subject, body }, kind)
    t.notMatch(record.body, /a-media-token/)
  }
})

await t.test('in a group each contact has a record of its own', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const group = { correspondents: [{ phoneNumber: '+16504445566', name: 'John Smith' }, { phoneNumber: '+18662019834', name: 'Jane Smith' }] }
  t.match((await log(patchbay, token, conversation([message('m1', 1, 'hello all')], group))).json, { successful: true, logIds: ['m1-1'] })
  const jane = { ...conversation([message('m1', 1, 'hello all')], group), contactId: 2, contactName: 'Jane Smith' }
  t.match((await log(patchbay, token, jane)).json, { successful: true, logIds: ['m1-2'] })
  t.equal((await records(patchbay)).length, 2)
  t.match((await records(patchbay)).at(-1).body, /Jane Smith/)
})

await t.test('the record of somebody in a group has their own number, and names all others', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const bodyOf = async (correspondents: object[], contactName: string, id: string): Promise<string> => {
    const answer = await log(patchbay, token, { ...conversation([message(id, 1, 'hello all')], { correspondents, conversationLogId: id }), contactName })
    t.match(answer.json, { successful: true })
    return (await records(patchbay))[0].body
  }
  const [cat, john] = [{ phoneNumber: '+16501110001', name: 'Cat' }, { phoneNumber: '+16504445566', name: 'John Smith' }]
  const second = await bodyOf([cat, john], 'John Smith', 'g1')
  t.match(second, /John Smith \(\+16504445566\).*hello all/)
  t.match(second, /<b>John Smith<\/b><\/li><li><b>Cat<\/b>/)
  const unnamed = await bodyOf([john, { phoneNumber: '+16501110001' }], 'Johnny', 'g2')
  t.match(unnamed, /<b>Johnny<\/b><\/li><li><b>John Smith<\/b><\/li><li><b>\+16501110001<\/b><\/li><\/ul>/, 'and all where none has the name of the contact')
  const empty = await bodyOf([john, { phoneNumber: '+16501110001', name: '' }, { phoneNumber: '+16501110002', name: ' ' }], 'John Smith', 'g3')
  t.match(empty, /<b>John Smith<\/b><\/li><li><b>\+16501110001<\/b><\/li><li><b>\+16501110002<\/b><\/li><\/ul>/, 'who has no name has a number')
  const byMessage = await bodyOf([{ phoneNumber: '+16501110001' }, { phoneNumber: '+1 650 444 5566', name: '' }], 'John Smith', 'g4')
  t.match(byMessage, /<b>John Smith<\/b><\/li><li><b>\+16501110001<\/b><\/li><\/ul>.*John Smith \(\+16504445566\)/, 'and may be named by what they have written')
  const nameless = await bodyOf([{ phoneNumber: '+16501110001', name: '' }, { phoneNumber: '+16501110002', name: '' }], '', 'g5')
  t.match(nameless, /<li><b>\+16501110001<\/b><\/li><li><b>\+16501110002<\/b><\/li><\/ul>/, 'nobody is the contact for having no name')
})

await t.test('in a group, each says their own words', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const correspondents = [{ phoneNumber: '+16504445566', name: 'John Smith' }, { phoneNumber: '+16501110001', name: 'Mary' }, { phoneNumber: '+16501110002' }]
  await log(patchbay, token, conversation([
    message('m1', 1, 'in', { from: { phoneNumber: '+16504445566' } }),
    message('m2', 2, 'not in', { from: { phoneNumber: '+16501110001' } }),
    message('m3', 3, 'perhaps', { from: { phoneNumber: '+16501110002' } }),
    message('m4', 4, 'by name', { from: { name: 'Mary' } }),
    message('m5', 5, 'who knows', { from: undefined }),
    message('m6', 6, 'mine', { direction: 'Outbound' })
  ], { correspondents }))
  const [{ body }] = await records(patchbay) as [any]
  for (const [sender, text] of [
    ['John Smith (+16504445566)', 'in'], ['Mary (+16501110001)', 'not in'], ['+16501110002', 'perhaps'], ['Mary (+16501110001)', 'by name'], ['Unknown', 'who knows'], ['Ann Agent', 'mine']
  ] as const) t.match(body.replace(/ \d\d:\d\d [AP]M/g, ''), `<li>${sender}<br><b>${text}</b></li>`, text)
})

await t.test('the number of a contact is never our own', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const outbound = message('m2', 2, 'hello', { direction: 'Outbound', from: { phoneNumber: '+18662019834' } })
  await log(patchbay, token, conversation([outbound, message('m1', 1, 'hi')], { correspondents: undefined }))
  t.match((await records(patchbay))[0].body, /John Smith \(\+16504445566\).*hi/)
})

await t.test('a shared conversation is one digest, which grows', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const entity = (id: number, text: string): object => ({ id, recordType: 'AliveMessage', direction: 'Outbound', creationTime: `2026-01-15T10:0${id}:00Z`, author: { name: 'Bob' }, text })
  const shared = (entities: object[]): object => conversation([message('m1', 1, 'x')], { owner: { name: 'Support Queue' }, creationTime: 1768473000000, entities })
  t.match((await log(patchbay, token, shared([entity(1, 'first')]))).json, { successful: true, logIds: ['c1/2026-01-15'] })
  t.match((await log(patchbay, token, shared([entity(1, 'first'), entity(2, 'second & last')]))).json, { successful: true, logIds: [] })
  const [record, ...others] = await records(patchbay)
  t.strictSame(others, [])
  t.match(record, { subject: 'SMS conversation with John Smith', body: /Receiving call queue.*Support Queue.*second &amp; last.*first/s })
})

await t.test('what a shared conversation brings is in the digest, also when a person took its end away', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const entity = (id: number, text: string): object => ({ id, recordType: 'AliveMessage', creationTime: `2026-01-15T10:0${id}:00Z`, text })
  const shared = (entities: object[]): object => conversation([message('m1', 1, 'x')], { owner: { name: 'Support Queue' }, entities })
  await log(patchbay, token, shared([entity(1, 'first')]))
  const [{ id, body }] = await records(patchbay)
  await patchbay.askCrm(`/api/activities/${id}`, { method: 'PATCH', body: { body: body.replace('<hr><div>END</div>', '') } })
  t.match((await log(patchbay, token, shared([entity(1, 'first'), entity(2, 'second')]))).json, { successful: true, returnMessage: { message: 'Message logged.' } })
  t.match((await records(patchbay))[0].body, /first.*second/s)
})

await t.test('no message is refused because the record is full: the text is shortened, and says so', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const story = (name: string): string => `${name} ${'told at length. '.repeat(1300)}`
  for (const name of ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']) {
    t.match((await log(patchbay, token, conversation([message(name, Number(name[1]), story(name))]))).json, { successful: true, logIds: [name] })
  }
  const [{ id, body }] = await records(patchbay)
  for (const name of ['m1', 'm2', 'm3']) t.match(body, story(name).trimEnd())
  t.match(body, /m4 told at length\.[^(]*\(Shortened: this CRM takes no longer text\.\).*There are more messages/s)
  await patchbay.askCrm(`/api/activities/${id}`, { method: 'PATCH', body: { body: `Mine<br>${body.replace(story('m3').trimEnd(), 'm3')}` } })
  t.match((await log(patchbay, token, conversation([message('m7', 7, 'room again')]))).json, { successful: true, logIds: ['m7'] })
  t.match((await records(patchbay))[0].body, /^Mine<br>.*room again/s)

  const entity = (id: number): object => ({ id, recordType: 'AliveMessage', creationTime: `2026-01-15T10:0${id}:00Z`, text: story(`e${id}`) })
  for (let count = 1; count <= 6; count++) {
    const entities = Array.from({ length: count }, (_, index) => entity(index + 1))
    const digest = conversation([message('m1', 1, 'x')], { conversationLogId: 's1', owner: { name: 'Support Queue' }, entities })
    t.match((await log(patchbay, token, digest)).json, { successful: true })
  }
  t.match((await records(patchbay))[0].body, /6 messages.*There are more messages.*e4 told.*Shortened.*e3 told.*e2 told.*e1 told/s)
})

await t.test('a lost answer never makes a second record, and an outage loses no message', async t => {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now, recoverEvery: 20 })
  const token = await patchbay.signIn()
  const fault = async (rule: object): Promise<void> => { await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ path: '/api/activities*', times: 1, ...rule }] } }) }
  await fault({ method: 'POST', drop: 'after' })
  t.match((await log(patchbay, token, conversation([message('m1', 1, 'one')]))).json, { successful: false, error: { code: 'outcome-unknown' } })
  t.match((await log(patchbay, token, conversation([message('m1', 1, 'one')]))).json, { successful: true })
  await fault({ method: 'PATCH', drop: 'after' })
  t.match((await log(patchbay, token, conversation([message('m2', 2, 'two')]))).json, { successful: false, error: { code: 'waiting' } })
  await fault({ method: 'GET', status: 503, times: 9 })
  t.match((await log(patchbay, token, conversation([message('m3', 3, 'three')]))).json, { successful: false, error: { code: 'waiting' } })
  await patchbay.askCrm('/_faults', { method: 'DELETE' })
  // A connection lost on top of these faults opens the breaker for half a minute.
  for (let attempt = 0; attempt < 1_800 && !(await records(patchbay))[0].body.includes('three'); attempt++) {
    now += 60_000
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const [record, ...others] = await records(patchbay)
  t.strictSame(others, [])
  for (const text of ['one', 'two', 'three']) t.equal(record.body.split(`>${text}<`).length, 2, text)
  t.strictSame((await log(patchbay, token, conversation([message('m2', 2, 'two'), message('m3', 3, 'three')]))).json.logIds, [])
})

await t.test('what is chosen with a later message of the day is set, also where the text stays as it is', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const choosing = (body: object, deals: unknown): object => ({ ...body, additionalSubmission: { deals } })
  await log(patchbay, token, conversation([message('m1', 1, 'one')]))
  t.match((await log(patchbay, token, choosing(conversation([message('m2', 2, 'two')]), '1'))).json, { successful: true })
  t.match(await records(patchbay), [{ dealId: 1, body: /one.*two/ }])
  t.match((await log(patchbay, token, choosing(conversation([message('m3', 3, 'three')]), 'none'))).json, { successful: false, error: { code: 'invalid', field: 'deals' } })
  await log(patchbay, token, conversation([message('m4', 4, 'four')]))
  t.match(await records(patchbay), [{ dealId: 1, body: /two.*four/ }], 'it stays where nothing is chosen')
  const [{ id }] = await records(patchbay)
  await patchbay.askCrm(`/api/activities/${id}`, { method: 'PATCH', body: { dealId: 2 } })
  await log(patchbay, token, choosing(conversation([message('m5', 5, 'five')]), '1'))
  t.match(await records(patchbay), [{ dealId: 2, body: /four.*five/ }], 'what a person has changed is not undone by the same choice')

  const digest = conversation([message('m1', 1, 'x')], { conversationLogId: 's1', owner: { name: 'Support Queue' }, entities: [] })
  await log(patchbay, token, digest)
  t.match((await log(patchbay, token, choosing(digest, 1))).json, { successful: true })
  t.match((await records(patchbay)).find(({ body }) => body.includes('Support Queue')), { dealId: 1 })
})

await t.test('what cannot be logged says why', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.match((await log(patchbay, token, conversation([]))).json, { successful: false, error: { code: 'no-message' }, returnMessage: { message: 'No message to log.' } })
  t.match((await log(patchbay, token, { ...conversation([message('m1', 1, 'x')]), contactId: '' })).json, { successful: false, error: { code: 'no-contact' } })
  t.match((await log(patchbay, token, conversation([message('m1', 1, 'x', { creationTime: 'yesterday' })]))).json, { successful: false, error: { code: 'invalid-request', field: 'logInfo.messages.creationTime' } })
})

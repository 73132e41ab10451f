import t from 'tap'
import { callRecord, startPatchbay } from '../patchbay.ts'

await t.test('the token of another user gets what an unknown id gets, and changes nothing', async t => {
  const patchbay = await startPatchbay(t)
  const ann = await patchbay.signIn('example-key-ann')
  const bob = await patchbay.signIn('example-key-bob')
  const contact = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
  const conversation = {
    conversationId: 'c1',
    conversationLogId: 'c1/2018-09-11',
    type: 'SMS',
    correspondents: [{ phoneNumber: '+16504445566' }],
    messages: [{ id: 'm1', type: 'SMS', direction: 'Inbound', creationTime: '2018-09-11T13:24:09.000Z', subject: 'Hello', from: { phoneNumber: '+16504445566' } }]
  }
  const logged = await patchbay.call('/callLog', { method: 'POST', token: ann, body: { logInfo: callRecord(), ...contact, hashedExtensionId: 'anns' } })
  t.match(logged.json, { successful: true })
  t.match((await patchbay.call('/messageLog', { method: 'POST', token: ann, body: { logInfo: conversation, ...contact } })).json, { successful: true, logIds: ['m1'] })
  await patchbay.call('/user/settings', { method: 'POST', token: ann, body: { userSettings: { mine: { value: 'secret' } } } })
  const before = (await patchbay.askCrm('/api/activities')).json

  const id = '4503991004'
  for (const mount of ['', '/connectors/example']) {
    const requests = (session: string): Array<{ method?: string, path: string, body?: unknown }> => [
      { path: `${mount}/callLog?sessionIds=${session}` },
      { path: `${mount}/callLog?sessionIds=${session}&requireDetails=true` },
      { path: `${mount}/callLog?sessionIds=${session}&hashedExtensionId=anns` },
      { method: 'PATCH', path: `${mount}/callLog`, body: { sessionId: session, note: 'not yours' } },
      { method: 'PATCH', path: `${mount}/callLog`, body: { sessionId: session, note: 'not yours', hashedExtensionId: 'anns' } },
      { method: 'PUT', path: `${mount}/callDisposition`, body: { sessionId: session, dispositions: { deals: 1 } } }
    ]
    for (const [index, request] of requests(id).entries()) {
      const unknown = requests('unknown-id')[index] ?? request
      const [theirs, nobodys] = await Promise.all([patchbay.call(request.path, { ...request, token: bob }), patchbay.call(unknown.path, { ...unknown, token: bob })])
      t.strictSame([theirs.status, theirs.text.replaceAll(id, 'ID')], [nobodys.status, nobodys.text.replaceAll('unknown-id', 'ID')], `${request.method ?? 'GET'} ${request.path}`)
    }
  }
  t.strictSame((await patchbay.call('/user/settings', { token: bob })).json, {})
  t.strictSame((await patchbay.askCrm('/api/activities')).json, before)

  const own = await patchbay.call('/callLog', { method: 'POST', token: bob, body: { logInfo: callRecord(), ...contact } })
  t.match(own.json, { successful: true }, 'the same call can be logged by another user')
  t.not(own.json.logId, logged.json.logId)
  t.match((await patchbay.call('/messageLog', { method: 'POST', token: bob, body: { logInfo: conversation, ...contact } })).json,
    { successful: true, logIds: ['m1'] }, 'and so can the same message (defect D-20)')
})

await t.test('the routes of a connector refuse a token of another platform', async t => {
  const patchbay = await startPatchbay(t)
  const token = patchbay.app.signSession({ userId: '1-other', platform: 'other', signIn: undefined })
  const answer = await patchbay.call('/connectors/example/callLog?sessionIds=1', { token })
  t.equal(answer.status, 403)
  t.match(answer.json, { successful: false, error: { code: 'wrong-platform' } })
})

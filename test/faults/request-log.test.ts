import t from 'tap'
import { callRecord, startPatchbay } from '../patchbay.ts'

await t.test('the log holds neither addresses with their query, nor what a person typed, nor what a CRM said', async t => {
  const patchbay = await startPatchbay(t, { logLevel: 'trace' })
  const token = await patchbay.signIn()
  const john = { contactId: 1, contactType: 'Contact', contactName: 'John Canary' }
  await patchbay.call(`/contact?phoneNumber=%2B16504445566&jwtToken=${token}`)
  await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), note: 'a note of canaries', ...john } })
  await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', note: 'another canary' } })
  // Refused with a message that names what was sent.
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: { ...callRecord(), sessionId: '2' }, ...john, additionalSubmission: { deals: 99 } } })).json,
    { successful: false, returnMessage: { message: /no such deal/ } })
  await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: 'GET', path: '*', times: 1, status: 400 }] } })
  await patchbay.call('/callLog?sessionIds=4503991004&requireDetails=true', { token })

  t.ok(patchbay.logged.length >= 6)
  const log = patchbay.logged.join('')
  for (const word of [token, '6504445566', 'phoneNumber', 'Canary', 'canaries', 'canary', 'no such deal', 'As asked for', 'example-key-ann']) t.notOk(log.includes(word), word)
})

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { callRecord, startPatchbay, type Patchbay } from '../patchbay.ts'

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

/** The line of a request is written when its answer is gone. */
async function requestLine ({ logged }: Patchbay) {
  while (true) {
    const line = logged.map(text => JSON.parse(text)).find(({ msg }) => msg === 'request')
    if (line !== undefined) return line
    await pause(2)
  }
}

/** Its address is what clients say. */
const hosted = `
  import { apiKey, connector, oauth, path, Type } from 'patchbay'
  const address = ({ hostname }) => 'https://' + hostname
  export default connector({
    platform: 'hosted', title: 'Hosted', hosts: ['*.tenants.example.com'], baseUrl: address, logFormat: 'none', dedupe: 'none', additionalSubmission: Type.Object({}),
    auth: [apiKey(), oauth({ server: address, authorizeUrl: '/authorize', tokenUrl: '/token', client: { id: 'x' } })],
    manifest: { name: 'hosted', displayName: 'Hosted', auth: { type: 'apiKey' } }
  }, {
    async getUserInfo ({ crm }) { return { crmUserId: '1', name: (await crm.get(path\`/me\`, { answer: Type.String() })) } },
    async createCallLog () { return { logId: '1' } },
    async updateCallLog () { return {} }
  })`

await t.test('a host that is none of the CRM is named, and nothing else that somebody wrote in its place', async t => {
  const folder = t.testdir({ connectors: { 'hosted.ts': hosted } })
  const patchbay = await startPatchbay(t, { folder, logLevel: 'trace', config: { connectorsDir: join(folder, 'connectors') } })
  for (const [hostname, host] of [
    ['login.example', 'login.example'],
    ['login.example:8443', 'login.example:8443'],
    ['login.example/canary?canary#canary', 'login.example'],
    ['canary:canary@login.example', 'login.example'],
    ['canary', undefined],
    ['1000.8cb99dcanary9be93.9b8canary42f', undefined],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U', undefined],
    ['not a canary', undefined]
  ] as const) {
    for (const signIn of [
      async () => await patchbay.call('/apiKeyLogin', { method: 'POST', body: { platform: 'hosted', apiKey: 'canary', hostname } }),
      async () => await patchbay.call(`/oauth-callback?${new URLSearchParams({ code: 'canary', state: 'platform=hosted', hostname })}`)
    ]) {
      patchbay.logged.length = 0
      t.match((await signIn()).text, /is not at the address that was given|without its address/, hostname)
      const line = await requestLine(patchbay)
      t.match(line, { level: 30, error: /prerequisite|login-refused/ }, hostname)
      t.equal(line.err?.host, host, hostname)
      t.notMatch(patchbay.logged.join(''), /canary/)
    }
  }
})

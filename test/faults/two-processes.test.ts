import t from 'tap'
import { ask, callRecord, type Answer, type Call } from '../patchbay.ts'
import { startTwoPatchbays } from './two-patchbays.ts'

const { crm, servers } = await startTwoPatchbays(t)
const annsKey = { authorization: `Basic ${Buffer.from('example-key-ann:').toString('base64')}` }
const { json: { jwtToken: token } } = await ask(servers[0], '/apiKeyLogin', { method: 'POST', body: { platform: 'example', apiKey: 'example-key-ann' } })
const john = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }

/** Sends requests at the same time, to one process and the other by turns. */
const atBoth = async (path: string, requests: Call[]): Promise<Answer[]> =>
  await Promise.all(requests.map(async (request, index) => await ask(servers[index % 2] ?? '', path, { token, ...request })))

const activities = async (type: string): Promise<any[]> => (await ask(crm, `/api/activities?type=${type}`, { headers: annsKey })).json.items

/** What the CRM received since the last time, in that order. */
async function received (): Promise<string[]> {
  const { json } = await ask(crm, '/_requests')
  await ask(crm, '/_requests', { method: 'DELETE' })
  return json.items.filter(({ path }: { path: string }) => path.startsWith('/api/activities')).map(({ method }: { method: string }) => method)
}

await t.test('fifty first requests at two processes write one record and get equal answers', async t => {
  await received()
  await ask(crm, '/_faults', { method: 'PUT', body: { rules: [{ method: 'POST', path: '/api/activities', times: 1, delayMs: 200 }] } })
  const body = { logInfo: callRecord(), note: 'Wants a quote', ...john }
  const answers = await atBoth('/callLog', Array.from({ length: 50 }, () => ({ method: 'POST', body })))
  t.match(answers[0]?.json, { successful: true, logId: String })
  for (const { json } of answers) t.strictSame(json, answers[0]?.json)
  t.strictSame(await received(), ['POST'])
  t.equal((await activities('call')).length, 1)
})

await t.test('updates at two processes are done one after another, and none is lost', async t => {
  await received()
  const parts = [{ note: 'edited' }, { recordingLink: 'https://example.com/r/1' }, { duration: 61 }, { result: 'Hang-Up' }, { aiNote: 'They agreed.' }, { transcript: 'Hello. Goodbye.' }]
  const answers = await atBoth('/callLog', parts.map(part => ({ method: 'PATCH', body: { sessionId: '4503991004', ...part } })))
  for (const { json } of answers) t.match(json, { successful: true })
  t.strictSame(await received(), parts.flatMap(() => ['GET', 'PATCH']), 'the record is written before it is read for the next one')
  const [{ body }] = await activities('call')
  for (const text of ['edited', 'https://example.com/r/1', '1 minute, 1 second', 'Hang-Up', 'They agreed.', 'Hello. Goodbye.']) t.ok(body.includes(text), text)
})

await t.test('messages of one conversation that come to two processes are in one record, each once', async t => {
  await received()
  const message = (index: number): object => ({ id: `m${index}`, type: 'SMS', direction: 'Inbound', creationTime: Date.UTC(2026, 0, 15, 10, index), subject: `text-${index}-end` })
  const logInfo = { conversationId: 'c1', conversationLogId: 'c1/2026-01-15', type: 'SMS', correspondents: [{ phoneNumber: '+16504445566', name: 'John Smith' }] }
  const answers = await atBoth('/messageLog', Array.from({ length: 20 }, (_, index) =>
    ({ method: 'POST', body: { logInfo: { ...logInfo, messages: [message(index % 5), message((index + 1) % 5)] }, ...john } })))
  for (const { json } of answers) t.match(json, { successful: true })
  const methods = await received()
  const [record, ...others] = await activities('message')
  t.strictSame(others, [])
  for (const index of [0, 1, 2, 3, 4]) t.equal(record.body.split(`text-${index}-end`).length, 2)
  t.equal(methods.filter(method => method === 'POST').length, 1)
  t.ok(methods.filter(method => method === 'PATCH').length <= 4, 'and nobody writes what is there already')
})

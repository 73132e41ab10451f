/** What docs/crm/pipedrive.md says about costs is measured here. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Answer } from '../../patchbay.ts'
import { aCall, connected } from './connected.ts'

const page = readFileSync(new URL('../../../docs/crm/pipedrive.md', import.meta.url), 'utf8')
const documented = new Map([...page.matchAll(/^\| ([^|]+) \| (\d+)(?: more)? \| (\d+)(?: more)? \|$/gm)].map(([, title = '', requests, tokens]) => [title, [Number(requests), Number(tokens)]]))

await t.test('each step costs what the page says', async t => {
  const { get, send, fake } = await connected(t)
  const sessionId = '4503991004'
  const conversation = (...ids: number[]) => ({
    logInfo: {
      conversationId: 'c',
      conversationLogId: 'c-1',
      type: 'SMS',
      correspondents: [{ phoneNumber: '+16504445566' }],
      messages: ids.map(id => ({ id: String(id), type: 'SMS', direction: 'Inbound', creationTime: `2026-03-01T14:0${id}:00Z`, subject: `Text ${id}` }))
    },
    contactId: 1,
    contactName: 'John Smith'
  })
  const nothing = [0, 0]
  const measured = new Set<string>()
  const rows: Array<[what: string, row: string, run: () => Promise<Answer>]> = [
    ['a match', 'a caller is matched, with open deals and leads', async () => await get('/contact?phoneNumber=+16504445566')],
    ['the same match again', '', async () => await get('/contact?phoneNumber=+16504445566')],
    ['activity types', 'activity types, once a day for all users of a company', async () => await get('/accountData?keys=activityTypes')],
    ['a call', 'a call or conversation is logged', async () => await send('POST', '/callLog', aCall())],
    ['the same call again', '', async () => await send('POST', '/callLog', aCall())],
    ['an update', 'it changes later (read, then written)', async () => await send('PATCH', '/callLog', { sessionId, duration: 421, recordingLink: 'https://example.com/r' })],
    ['a deal', 'deal or lead is chosen', async () => await send('PUT', '/callDisposition', { sessionId, dispositions: { deals: 42 } })],
    ['a deal, in an update', 'deal or lead is chosen', async () => await send('PATCH', '/callLog', { sessionId, additionalSubmission: { deals: 43 } })],
    ['a conversation', 'a call or conversation is logged', async () => await send('POST', '/messageLog', conversation(1))],
    ['more messages', 'it changes later (read, then written)', async () => await send('POST', '/messageLog', conversation(3, 2, 1))],
    ['the same messages again', '', async () => await send('POST', '/messageLog', conversation(3, 2, 1))]
  ]
  for (const [what, row, run] of rows) {
    const before = fake.spent()
    t.match((await run()).json, { successful: true }, what)
    const after = fake.spent()
    t.strictSame([after.requests - before.requests, after.units - before.units], row === '' ? nothing : documented.get(row), what)
    measured.add(row)
  }

  const more = 'a contact that was found by name, not by number, is logged against'
  const before = fake.spent()
  t.match((await send('POST', '/callLog', { ...aCall({ sessionId: 'other', from: { phoneNumber: '' } }), contactId: 3 })).json, { successful: true }, more)
  const [requests = 0, tokens = 0] = documented.get('a call or conversation is logged') ?? []
  t.strictSame([fake.spent().requests - before.requests - requests, fake.spent().units - before.units - tokens], documented.get(more), more)
  t.strictSame([...documented.keys()].filter(row => !measured.has(row) && row !== more), [], 'no row is left out')
})

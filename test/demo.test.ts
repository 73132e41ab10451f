import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { fakeCrms } from '../demo/fake-crms.ts'
import { startPatchbay } from './patchbay.ts'
import { typescript, uncounted } from './typescript.ts'

t.setTimeout(10 * 60_000) // Each play starts a process, which makes JavaScript of the whole server.

const root = resolve(import.meta.dirname, '..')

interface Played { code: number, text: string }

/** Plays the demo as `npm run demo` does, with the same variables and arguments that a person would give. */
async function play (urls: { PATCHBAY_URL?: string, EXAMPLE_CRM_URL?: string, CONNECTORS_DIR?: string } = {}, ...args: string[]): Promise<Played> {
  return await new Promise((resolve, reject) => {
    const env = { ...process.env, ...uncounted, ...urls }
    const child = execFile(process.execPath, [...typescript, 'demo/demo.ts', ...args], { cwd: root, env }, (error, stdout, stderr) => {
      if (error !== null && child.exitCode === null) reject(error)
      else resolve({ code: child.exitCode ?? -1, text: stdout + stderr })
    })
  })
}

/** The CRM behind somebody who loses words: what it answers lacks every text that matches. */
async function forgetful (t: Test, crm: string, words: RegExp): Promise<string> {
  const pass = async ({ method = 'GET', url = '/', headers: { authorization = '' } }: IncomingMessage, sent: string): Promise<Response> => {
    const headers = { authorization, ...(sent !== '' && { 'content-type': 'application/json' }) }
    return await fetch(`${crm}${url}`, { method, headers, ...(sent !== '' && { body: sent }) })
  }
  const server = createServer((request, response) => {
    text(request)
      .then(async sent => await pass(request, sent))
      .then(async answer => response.writeHead(answer.status).end((await answer.text()).replace(words, '')))
      .catch((error: Error) => response.destroy(error))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

await t.test('The demo plays through, again and again on the same server', async t => {
  const { url, crm } = await startPatchbay(t)
  for (const time of ['first', 'second']) {
    const { code, text } = await play({ PATCHBAY_URL: url, EXAMPLE_CRM_URL: crm.url })
    if (code !== 0) t.comment(text)
    t.equal(code, 0, `the ${time} time`)
    t.match(text, 'Everything is as it should be.')
    t.notMatch(text, /WRONG/)
    t.notMatch(text, /eyJ|example-key/, 'neither the session token nor the API key is printed')
    // eslint-disable-next-line no-control-regex -- the beginning of every colour
    t.notMatch(text, /\u001b/, 'no colours where nobody sees them')
  }
})

await t.test('The demo names what is not as it should be', async t => {
  const { url, crm } = await startPatchbay(t)
  const { code, text } = await play({ PATCHBAY_URL: url, EXAMPLE_CRM_URL: await forgetful(t, crm.url, /<p>Ann: .*?<\/p>/g) })
  t.equal(code, 1)
  t.match(text, "WRONG Ann's words at the end are untouched: expected true, found false\n")
  t.notMatch(text, 'Everything is as it should be.')
})

await t.test('The demo does not take another CRM for the one that Patchbay writes to', async t => {
  const folder = t.testdir({ one: {}, other: {} })
  const { url } = await startPatchbay(t, { folder: join(folder, 'one') })
  const other = await startPatchbay(t, { folder: join(folder, 'other') })
  const { code, text } = await play({ PATCHBAY_URL: url, EXAMPLE_CRM_URL: other.crm.url })
  t.equal(code, 1)
  t.match(text, /The demo stopped\. The Example CRM answered GET \/api\/activities\/1 with 404/)
})

await t.test('The demo says how to start the servers when they are not there', async t => {
  const nobody = 'http://127.0.0.1:9'
  const { url, crm } = await startPatchbay(t)
  const withoutPatchbay = await play({ PATCHBAY_URL: nobody, EXAMPLE_CRM_URL: crm.url })
  t.equal(withoutPatchbay.code, 1)
  t.match(withoutPatchbay.text, `Patchbay is not running at ${nobody}. Start it in another terminal with: npm start`)

  const withoutCrm = await play({ PATCHBAY_URL: url, EXAMPLE_CRM_URL: nobody })
  t.equal(withoutCrm.code, 1)
  t.match(withoutCrm.text, `The Example CRM is not running at ${nobody}.`)
})

for (const platform of fakeCrms()) {
  await t.test(`The demo plays through on the fake of ${platform}, with nothing else running, and tells what each step costs`, async t => {
    const nobody = 'http://127.0.0.1:9'
    const { code, text } = await play({ PATCHBAY_URL: nobody, EXAMPLE_CRM_URL: nobody }, '--crm', platform)
    if (code !== 0) t.comment(text)
    t.equal(code, 0)
    t.match(text, 'Everything is as it should be.')
    t.notMatch(text, /WRONG/)
    t.notMatch(text, /eyJ|code=/, 'neither the session token nor the authorization code is printed')

    const costs = [...text.matchAll(/^ +This took (\d+) requests? to the CRM and (\d+) of its \w+$/gm)].map(([, requests, units]) => [Number(requests), Number(units)] as const)
    const steps = text.match(/^\d+\. /gm)?.length
    t.equal(costs.length, steps, 'for each step')
    const [, requests, units] = /^ +Everything together took (\d+) requests to the CRM and (\d+) of its \w+$/m.exec(text) ?? []
    t.equal(Number(requests), costs.reduce((sum, [requests]) => sum + requests, 0))
    t.equal(Number(units), costs.reduce((sum, [, units]) => sum + units, 0))
  })
}

const [tinydesk = '', fakeTinydesk = ''] = [...readFileSync(join(root, 'docs', 'add-a-crm.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)

for (const format of ['text/plain', 'text/html', 'text/markdown']) {
  await t.test(`The demo plays through on a connector of one's own, whose CRM takes ${format} and a key, and leaves out what it cannot do`, async t => {
    const folder = t.testdir({ 'tinydesk.ts': tinydesk.replace("logFormat: 'text/plain'", `logFormat: '${format}'`), tinydesk: { 'fake.ts': fakeTinydesk } })
    const { code, text } = await play({ CONNECTORS_DIR: folder }, '--crm', 'tinydesk')
    if (code !== 0) t.comment(text)
    t.equal(code, 0)
    t.match(text, 'Everything is as it should be.')
    t.notMatch(text, /eyJ|key-of-ann/, 'neither the session token nor the API key is printed')
    t.notMatch(text, /deal|text message|placeholder/)
  })
}

await t.test('The demo fills in a login form of several fields, and the host of the CRM', async t => {
  const connector = tinydesk.replace('async getUserInfo ({ crm }) {', `async getUserInfo ({ crm }, { apiKey, fields, hostname }) {
    if (apiKey !== fields.apiKey || fields.user !== 'ann' || fields.password !== 'of-ann' || hostname !== 'ann.tinydesk.example') throw new CrmError('auth-expired')`)
  const fake = fakeTinydesk.replace('    apiKey,\n', "    apiKey,\n    fields: { user: 'ann', password: 'of-ann' },\n    hostname: 'ann.tinydesk.example',\n")
  t.not(connector, tinydesk)
  t.not(fake, fakeTinydesk)
  const folder = t.testdir({ 'tinydesk.ts': connector, tinydesk: { 'fake.ts': fake } })
  const { code, text } = await play({ CONNECTORS_DIR: folder }, '--crm', 'tinydesk')
  if (code !== 0) t.comment(text)
  t.equal(code, 0)
  t.match(text, 'Everything is as it should be.')
  t.notMatch(text, /key-of-ann|of-ann/, 'what is filled in is not printed')
})

await t.test('The demo names what a connector does wrong', async t => {
  const table = [
    ['loses sight of its record', 'return note && { logId: note.id }', 'return undefined', 'WRONG there is one record of it'],
    ['cannot look for its record', 'return note && { logId: note.id }', "throw new CrmError('permission')", 'WRONG there is one record of it'],
    ['takes the newest record for the one it looks for', 'notes.filter(({ reference }) => reference === query.reference)', 'notes.slice(-1)', 'WRONG there is one record of it'],
    ['finds somebody for every number', 'people.filter(({ phone }) => phone === query.phone)', 'people', 'WRONG a fictitious number belongs to nobody'],
    ['empties a subject that does not change', 'body: { title: subject, text', "body: { title: subject ?? '', text", 'WRONG the subject still stands'],
    ['takes somebody else for the owner', "kind: 'call',", "kind: 'call', ownerId: 'u2',", 'WRONG it is of who logged it: expected "u1", found "u2"\n'],
    ['turns the direction', "kind: 'call',", "kind: 'call', direction: 'outbound',", 'WRONG its direction is right: expected "inbound", found "outbound"\n']
  ] as const
  for (const [title, right, wrong, problem] of table) {
    await t.test(title, async t => {
      t.ok(`${tinydesk}${fakeTinydesk}`.includes(right))
      const folder = t.testdir({ 'tinydesk.ts': tinydesk.replace(right, wrong), tinydesk: { 'fake.ts': fakeTinydesk.replace(right, wrong) } })
      const { code, text } = await play({ CONNECTORS_DIR: folder }, '--crm', 'tinydesk')
      t.equal(code, 1)
      t.match(text, problem)
    })
  }
})

await t.test('The demo says which CRMs there are when there is no such one', async t => {
  for (const crm of ['nowhere', '../example']) {
    const { code, text } = await play({}, '--crm', crm)
    t.equal(code, 1)
    t.match(text, `The demo stopped. There is no CRM "${crm}" to play with. There are: ${['example', ...fakeCrms()].join(', ')}.\n`)
  }
  const folder = t.testdir({ tinydesk: { 'fake.ts': '' }, 'zohodesk.ts': '' })
  t.match((await play({ CONNECTORS_DIR: folder }, '--crm', 'nowhere')).text, `There are: ${['example', ...fakeCrms(), 'tinydesk'].join(', ')}.\n`)
  t.match((await play({ CONNECTORS_DIR: join(folder, 'gone') }, '--crm', 'nowhere')).text, 'The demo stopped. The folder of connectors cannot be read. ENOENT')
  const { code, text } = await play({}, '--crm')
  t.equal(code, 1)
  t.match(text, 'The demo stopped. The only option is --crm <platform>.')
})

/** What the documentation says is tried here, word for word. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { Value } from '../src/contract/type.ts'
import { PlatformManifest } from '../src/contract/manifest.ts'
import { operationNames } from '../src/contract/operations.ts'
import { startPatchbay } from './patchbay.ts'

const root = resolve(import.meta.dirname, '..')
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]
const read = (page: string): string => readFileSync(join(root, page), 'utf8')

/** The fenced blocks of one language. */
const blocks = (page: string, language: string): string[] =>
  [...read(page).matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, found]) => found === language).map(([, , code = '']) => code)

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined
const run = promisify(execFile)

await t.test('Every link between the pages leads somewhere', async t => {
  for (const page of pages) {
    for (const [, link = ''] of read(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (!/^https?:/.test(link)) t.ok(existsSync(resolve(root, dirname(page), link)), `${page} -> ${link}`)
    }
  }
})

await t.test('The curl examples work as they stand', { skip: !has('curl') && 'there is no curl here' }, async t => {
  const { url, askCrm } = await startPatchbay(t)
  const commands = ['README.md', 'docs/operations.md']
    .flatMap(page => blocks(page, 'sh'))
    .filter(block => block.includes('curl '))
    .map(block => block.trimEnd().replaceAll('http://127.0.0.1:6066', url))
  // One shell runs them all, as a reader would; each answer on a line of its own.
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', commands.join('\necho\n')])
  const [signedIn, contact, logged, updated, ready] = stdout.split('\n')
  t.equal(signedIn, '', 'the token is kept')
  t.match(JSON.parse(contact ?? ''), { successful: true, contact: [{ id: 1, name: 'John Smith' }] })
  t.match(JSON.parse(logged ?? ''), { successful: true, logId: '1' })
  t.match(JSON.parse(updated ?? ''), { successful: true, logId: '1' })
  t.match(JSON.parse(ready ?? ''), { status: 'ok' })

  const { json: { items } } = await askCrm('/api/activities')
  t.match(items, [{ contactId: 1, durationSeconds: 7, outcome: 'Accepted', body: /Wants the annual licence\..*recordings\/4503991004/s }])
  t.equal(items.length, 1)
})

await t.test('Every variable of the configuration is explained', async t => {
  const documented = read('docs/operations.md')
  const source = read('src/config.ts')
  const variables = [...source.matchAll(/^ {2}([A-Z_]+): Type\./gm)].map(([, name = '']) => `| \`${name}\``)
  const ofConnectors = [...source.matchAll(/(?:url|value)\('([A-Z_]+)'[,)]/g)].map(([, name = '']) => `\`<PLATFORM>_${name}\``)
  t.ok(variables.length > 10 && ofConnectors.length > 2)
  for (const name of [...variables, ...ofConnectors]) t.ok(documented.includes(name), name)
})

await t.test('The command that backs up the database makes a whole copy, whatever is written meanwhile', async t => {
  const folder = t.testdir()
  const { signIn, app: { repositories } } = await startPatchbay(t, { folder })
  await signIn()
  const [command = ''] = blocks('docs/operations.md', 'sh').filter(block => block.includes('VACUUM'))
  const backup = join(folder, 'patchbay-backup.db')
  const here = command.replace('data/patchbay.db', join(folder, 'patchbay.db')).replace('patchbay-backup.db', backup)
  const ended = new AbortController()
  const ending = run('bash', ['-c', here], { cwd: root }).finally(() => { ended.abort() })
  let written = 0
  while (!ended.signal.aborted) {
    await repositories.callLogs.reserve({ userId: '1-example', accountId: '', platform: 'example' }, { sessionId: String(written++), leaseUntil: 1, pending: 'x'.repeat(1_000) })
    await new Promise(resolve => { setImmediate(resolve) })
  }
  await ending
  t.equal(statSync(backup).mode & 0o777, 0o600)
  await t.rejects(run('bash', ['-c', here], { cwd: root }), /exists/, 'a good backup is not overwritten')

  mkdirSync(join(folder, 'restored'))
  writeFileSync(join(folder, 'restored', 'patchbay.db'), readFileSync(backup))
  const { app } = await startPatchbay(t, { folder: join(folder, 'restored') })
  const { handle, tables } = app.database
  t.match(await handle.select().from(tables.users), [{ name: 'Ann Agent', platform: 'example' }])
  const numbers = (await handle.select({ sessionId: tables.callLogs.sessionId }).from(tables.callLogs)).map(({ sessionId }) => Number(sessionId)).sort((one, other) => one - other)
  t.strictSame(numbers, Array.from(numbers.keys()), 'all that was written until one moment')
})

await t.test('The command that makes a key makes one that the server takes', async t => {
  const [command = ''] = blocks('docs/operations.md', 'sh').filter(block => block.includes('randomBytes'))
  t.match(execFileSync('bash', ['-c', command], { encoding: 'utf8' }), /^k2:[\w+/]{43}=\n$/)
})

await t.test('The page about connectors', async t => {
  const page = 'docs/add-a-crm.md'
  const [source = '', fake = ''] = blocks(page, 'ts')
  const [saysNo = '', takesNo = ''] = blocks(page, 'js')
  const created = 'return { logId: note.id }'

  await t.test('names every operation and every member', async t => {
    const text = read(page)
    for (const name of operationNames) t.ok(text.includes(`\`${name}\``), name)
    const [, info = ''] = /export interface ConnectorInfo.*?\{\n(.*?)^\}/ms.exec(read('src/contract/connector.ts')) ?? []
    const members = [...info.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name = '']) => name)
    t.ok(members.length > 10)
    for (const member of members) t.ok(text.includes(`| \`${member}\``), member)
    const [, union = ''] = /type CrmErrorKind =(.*?)\n\n/s.exec(read('src/contract/crm.ts')) ?? []
    const kinds = [...union.matchAll(/'([\w-]+)'/g)].map(([, kind = '']) => kind)
    t.ok(kinds.length > 5)
    for (const kind of kinds) t.ok(text.includes(`| \`${kind}\``), kind)
  })

  await t.test('has examples whose types are right, with the settings that it recommends', async t => {
    t.strictSame(problemsOf(t, { 'tinydesk.ts': source, 'fake.ts': fake }), [])
  })

  await t.test('has an example that works, dropped into a folder', async t => {
    const folder = t.testdir({ connectors: { 'tinydesk.ts': source } })
    const crm = await tinydesk(t)
    const patchbay = await startPatchbay(t, {
      folder,
      config: { connectorsDir: join(folder, 'connectors') },
      connector: { tinydesk: { url: crm.url } }
    })
    const { call } = patchbay

    const { json: { platforms } } = await call('/crmManifest')
    t.ok(Value.Check(PlatformManifest, platforms.tinydesk))
    t.match((await call('/implementedInterfaces?platform=tinydesk')).json, { createCallLog: true, findContact: true, createContact: false })
    const { json: openapi } = await call('/connectors/tinydesk/openapi.json')
    const { schema } = openapi.paths['/connectors/tinydesk/callLog'].post.requestBody.content['application/json']
    t.strictSame(Object.keys(schema.properties.additionalSubmission.properties), ['project'])

    const signIn = async (apiKey: string) => await call('/apiKeyLogin', { method: 'POST', body: { platform: 'tinydesk', apiKey } })
    t.match(await signIn('free-key'), { status: 400, text: /Tinydesk keeps notes only in its paid plan\./ })
    t.match(await signIn('wrong-key'), { status: 400, json: { error: { code: 'login-refused' } } })
    const { json: { jwtToken: token } } = await signIn('good-key')

    const { json: { contact: [ann] } } = await call('/contact?phoneNumber=+14155550100', { token })
    t.match(ann, { id: 'p1', name: 'Ann' })
    const logInfo = { sessionId: '1', direction: 'Inbound', from: { phoneNumber: '+14155550100' }, startTime: 1768473005000 }
    const log = { logInfo, note: 'Likes it.', contactId: 'p1', contactName: 'Ann', additionalSubmission: { project: 'House' } }
    for (const route of ['/callLog', '/connectors/tinydesk/callLog']) {
      t.match((await call(route, { method: 'POST', token, body: log })).json, { successful: true, logId: 'n1' }, route)
    }
    t.equal(crm.notes.length, 1)
    const [note] = crm.notes as [TinydeskNote]
    t.match(note, { title: 'Inbound Call from Ann', project: 'House', text: /Likes it\./ })

    note.text += '\nWritten in Tinydesk.'
    t.match((await call('/callLog', { method: 'PATCH', token, body: { sessionId: '1', duration: 90 } })).json, { successful: true })
    t.match(note.text, /Likes it\..*1 minute, 30 seconds.*Written in Tinydesk\./s)

    const refused = { ...log, logInfo: { ...logInfo, sessionId: '2' }, note: 'refuse me' }
    t.match((await call('/callLog', { method: 'POST', token, body: refused })).json, {
      successful: false, error: { code: 'invalid' }, returnMessage: { message: 'Tinydesk refused: no such word' }
    })
  })

  await t.test('has a "no" within a success, after which the call can be logged with other values', async t => {
    t.ok(source.includes(created))
    const folder = t.testdir({ connectors: { 'tinydesk.ts': source.replace(created, `if (note.id === '') ${saysNo}\n${created}`) } })
    const crm = await tinydesk(t)
    const { call, signIn } = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') }, connector: { tinydesk: { url: crm.url } } })
    const token = await signIn('good-key', 'tinydesk')
    const log = async (project: string) => (await call('/callLog', {
      method: 'POST', token, body: { logInfo: { sessionId: '1', direction: 'Inbound', from: { phoneNumber: '+14155550100' } }, contactId: 'p1', additionalSubmission: { project } }
    })).json
    t.match(await log('Nowhere'), { successful: false, error: { code: 'invalid' }, returnMessage: { message: 'Tinydesk has no project of this name.' } })
    t.match(await log('House'), { successful: true, logId: 'n1' })
    t.match(crm.notes, [{ project: 'House' }])
  })

  await t.test('has a failure that is none, which the connector knows by its reason', async t => {
    const patch = /^ *await crm\.patch\(.*$/m
    t.match(source, patch)
    const tolerant = source.replace(patch, () => takesNo)
    t.strictSame(problemsOf(t, { 'tinydesk.ts': tolerant }), [])
    const folder = t.testdir({ connectors: { 'tinydesk.ts': tolerant } })
    const crm = await tinydesk(t)
    const { call, signIn } = await startPatchbay(t, { folder, config: { connectorsDir: join(folder, 'connectors') }, connector: { tinydesk: { url: crm.url } } })
    const token = await signIn('good-key', 'tinydesk')
    await call('/callLog', { method: 'POST', token, body: { logInfo: { sessionId: '1', direction: 'Inbound', from: { phoneNumber: '+14155550100' } }, contactId: 'p1' } })
    const update = async (note: string) => (await call('/callLog', { method: 'PATCH', token, body: { sessionId: '1', note } })).json
    t.match(await update('fails: already there'), { successful: true, logId: 'n1' })
    t.match(await update('fails: no room'), { successful: false, error: { code: 'waiting' } })
  })
})

/** What the compiler finds wrong with modules, with the settings that the page recommends. */
function problemsOf (t: Test, modules: Record<string, string>): string[] {
  const folder = t.testdir(modules)
  const files = Object.keys(modules).map(name => join(folder, name))
  const [config = ''] = blocks('docs/add-a-crm.md', 'json')
  const { compilerOptions } = JSON.parse(config)
  const fromHere = { paths: { patchbay: [join(root, 'src', 'patchbay.ts')], 'patchbay/testing': [join(root, 'src', 'testing.ts')] }, typeRoots: [join(root, 'node_modules', '@types')], types: ['node'] }
  const { options, errors } = ts.convertCompilerOptionsFromJson({ ...compilerOptions, ...fromHere }, folder)
  t.strictSame(errors, [])
  const program = ts.createProgram(files, options)
  const found = files.flatMap(file => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)!))
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

await t.test('By the name patchbay, a connector has all of the contract that the built-in ones use, and the types to say it', async t => {
  const files = readdirSync(join(root, 'src/connectors'), { recursive: true, encoding: 'utf8' }).filter(name => /^\w+\/(index|api|mapping)\.ts$/.test(name))
  const imports = files.flatMap(name => [...read(`src/connectors/${name}`).matchAll(/^import (type )?\{ (.*) \} from '.*\/contract\/.*'$/gm)])
  t.ok(imports.length > 10)
  const names = imports.flatMap(([, type = '', list = '']) => list.split(', ').map(name => name.startsWith('type ') ? name : `${type}${name}`))
  t.strictSame(problemsOf(t, { 'connector.ts': `export { ${[...new Set([...names, ...['Auth', 'CrmRequest', 'Path', 'RateLimit'].map(name => `type ${name}`)])].join(', ')} } from 'patchbay'` }), [])
})

interface TinydeskNote { id: string, reference: string, title: string, text: string, project?: string }

/** The CRM of the example: as much of it as the example uses. */
async function tinydesk (t: Test): Promise<{ url: string, notes: TinydeskNote[] }> {
  const notes: TinydeskNote[] = []
  const answer = (method: string, { pathname, searchParams }: URL, key: string, body: TinydeskNote): [number, unknown] => {
    if (key !== 'Bearer good-key' && key !== 'Bearer free-key') return [401, { reason: 'no such key' }]
    const note = notes.find(({ id }) => pathname === `/notes/${id}`)
    switch (`${method} ${note === undefined ? pathname : '/notes/:id'}`) {
      case 'GET /me': return [200, { id: 'u1', name: 'Tina', plan: key === 'Bearer free-key' ? 'free' : 'paid' }]
      case 'GET /people': return [200, searchParams.get('phone') === '+14155550100' ? [{ id: 'p1', name: 'Ann', phone: '+14155550100' }] : []]
      case 'GET /notes': return [200, notes.filter(({ reference }) => reference === searchParams.get('reference'))]
      case 'GET /notes/:id': return [200, note]
      case 'PATCH /notes/:id': {
        const [, reason] = /fails: (.*)/.exec(body.text) ?? []
        return reason === undefined ? [200, Object.assign(note!, body)] : [500, { reason }]
      }
      case 'POST /people/p1/notes':
        if (body.text.includes('refuse me')) return [422, { reason: 'no such word' }]
        if (body.project === 'Nowhere') return [200, { id: '', title: '', text: '' }]
        return [201, notes[notes.push({ ...body, id: `n${notes.length + 1}` }) - 1]]
      default: return [404, { reason: 'nothing here' }]
    }
  }
  const server = createServer((request, response) => {
    const { method = '', url = '', headers: { authorization = '', host } } = request
    Promise.resolve(method === 'GET' ? {} : json(request))
      .then(body => answer(method, new URL(url, `http://${host}`), authorization, body as TinydeskNote))
      .then(([status, content]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content)))
      .catch((error: Error) => response.destroy(error))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, notes }
}

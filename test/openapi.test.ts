import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import openapiTypescript, { astToString } from 'openapi-typescript'
import t from 'tap'
import ts from 'typescript'
import { callRecord, startPatchbay } from './patchbay.ts'

const documents = ['/openapi.json', '/connectors/example/openapi.json']

await t.test('the documents lint clean by the recommended rules', async t => {
  const patchbay = await startPatchbay(t)
  const config = await createConfig({ extends: ['recommended'] })
  for (const path of documents) {
    const problems = await lintFromString({ source: (await patchbay.call(path)).text, config })
    t.strictSame(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`), [], path)
  }
})

await t.test('every operation has an id of its own, tags, a summary and a schema for every status', async t => {
  const patchbay = await startPatchbay(t)
  for (const path of documents) {
    const document = (await patchbay.call(path)).json
    t.equal(document.openapi, '3.1.0')
    const operations: any[] = Object.values(document.paths).flatMap((item: any) => Object.values(item))
    const ids = operations.map(({ operationId }) => operationId)
    t.equal(new Set(ids).size, ids.length)
    const explained = new Set(document.tags.map(({ name }: { name: string }) => name))
    t.strictSame(operations.flatMap(({ tags }) => tags).filter((tag: string) => !explained.has(tag)), [], 'the document says what its tags mean')
    for (const { operationId, tags, summary, responses } of operations) {
      t.ok(operationId && tags.length > 0 && summary, operationId)
      for (const [status, response] of Object.entries<any>(responses)) {
        if (status.startsWith('3')) continue // A redirect has no body.
        t.ok(Object.values<any>(response.content ?? {}).every(({ schema }) => schema !== undefined) && response.content !== undefined, `${operationId} ${status}`)
      }
    }
  }
})

await t.test('a connector\'s document has its own fields and types, and the root has those of no connector', async t => {
  const patchbay = await startPatchbay(t)
  const [root, example] = await Promise.all(documents.map(async path => (await patchbay.call(path)).json))
  t.strictSame(Object.keys(root.paths).filter(path => path.startsWith('/connectors')), [])
  t.ok(Object.keys(example.paths).every(path => path.startsWith('/connectors/example/')))
  t.strictSame(root.paths['/callLog'].post.requestBody.content['application/json'].schema.properties.additionalSubmission, { $ref: '#/components/schemas/AdditionalSubmission' })
  const body = example.paths['/connectors/example/callLog'].post.requestBody.content['application/json'].schema
  t.match(body.properties.additionalSubmission, { type: 'object', properties: { deals: { type: 'integer' } } })
  t.strictSame(example.paths['/connectors/example/contact'].post.requestBody.content['application/json'].schema.properties.newContactType.enum, ['Contact', 'Lead'])
})

const program = `
import createClient from 'openapi-fetch'
import type { paths } from './api.js'

export async function logACall (baseUrl: string, record: { sessionId: string }): Promise<string> {
  const client = createClient<paths>({ baseUrl })
  const login = await client.POST('/apiKeyLogin', { body: { platform: 'example', apiKey: 'example-key-ann' } })
  const jwtToken = login.data?.jwtToken
  if (jwtToken === undefined) throw new Error(JSON.stringify(login.error))
  client.use({ onRequest ({ request }) { request.headers.set('authorization', 'Bearer ' + jwtToken) } })

  const { data: found } = await client.GET('/contact', { params: { query: { phoneNumber: '+16504445566' } } })
  const contact = found?.contact?.[0]
  if (contact === undefined) throw new Error('nobody')
  const { data: logged } = await client.POST('/callLog', {
    body: { logInfo: record, note: 'by a generated client', contactId: contact.id, contactName: contact.name }
  })
  if (logged?.successful !== true) throw new Error(logged?.error?.code)
  const code: 'waiting' | undefined = logged.error?.code === 'waiting' ? logged.error.code : undefined
  return logged.logId ?? code ?? ''
}
`

await t.test('a client generated from the document compiles in strict mode and logs a call', async t => {
  const patchbay = await startPatchbay(t)
  const folder = t.testdir({ client: { 'client.ts': program } })
  const file = (name: string): string => join(folder, 'client', name)
  writeFileSync(file('api.d.ts'), astToString(await openapiTypescript((await patchbay.call('/openapi.json')).text)))
  const compiler = ts.createProgram([file('client.ts')], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true
  })
  const problems = ts.getPreEmitDiagnostics(compiler).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  t.strictSame(problems, [])
  compiler.emit()
  const { logACall } = await import(pathToFileURL(file('client.js')).href)
  const logId = await logACall(patchbay.url, callRecord())
  t.match((await patchbay.askCrm(`/api/activities/${logId}`)).json, { type: 'call', body: /by a generated client/ })
})

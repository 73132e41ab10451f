import t from 'tap'
import { callRecord, startPatchbay, type Answer } from '../patchbay.ts'
import { filled, readDocument, type Document, type Operation } from '../promises/json-schema.ts'

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

await t.test('on every route somebody else gets for an id what they get for an unknown one, and changes nothing', async t => {
  const patchbay = await startPatchbay(t, { config: { trustProxy: ['127.0.0.1'] } })
  const { database: { handle, tables } } = patchbay.app
  const known = (id: string): Record<string, unknown> => ({
    ...Object.fromEntries(['sessionId', 'sessionIds', 'telephonySessionId', 'conversationId', 'conversationLogId', 'id', 'extensionNumber', 'hashedExtensionId', 'rcExtensionId', 'extensionId', 'accountId', 'rcAccountId'].map(name => [name, `${id}-${name.replace(/s$/, '')}`])),
    platform: 'example',
    platformName: 'example',
    apiKey: 'example-key-bob',
    state: 'platform=example',
    hostname: 'undefined',
    callbackUri: 'undefined',
    type: 'SMS',
    newContactType: 'Contact',
    contactId: '1',
    startTime: '2018-09-11T13:24:09.000Z',
    creationTime: '2018-09-11T13:24:09.000Z',
    requireDetails: 'true',
    isExtension: 'false',
    deals: 1,
    phoneNumber: '+16504445566',
    redirect_uri: `${patchbay.url}/oauth-callback`,
    keys: 'x'
  })
  let callers = 0
  const send = async (document: Document, { method, path, query, body }: Operation, token: string, id: string): Promise<Answer> => {
    const filling = { known: known(id), text: () => 'text' }
    const members = query.map(({ name, schema }): [string, string] => [name, String(filled(document, schema, filling, name))])
    return await patchbay.call(`${path}?${new URLSearchParams(members)}`, {
      method, token, headers: { 'x-forwarded-for': `192.0.2.${callers++ % 250}` }, redirect: 'manual', ...(body !== undefined && { body: filled(document, body, filling) })
    })
  }
  /** Without what differs from one answer to the next. */
  const told = ({ status, text }: Answer, id: string): unknown =>
    [status, text.replaceAll(id, 'ID').replace(/[0-9a-f]{64}/g, 'HASH').replace(/"jwtToken":"[^"]*"/, 'TOKEN').replace(/"(logId|id)":"?\d+"?/g, 'RECORD')]
  const documents = await Promise.all(['/openapi.json', '/connectors/example/openapi.json'].map(async path => readDocument((await patchbay.call(path)).json)))

  const ann = await patchbay.connectUser('example')
  for (const operation of ['createCallLog', 'createMessageLog', 'updateCallLog', 'updateUserSettings', 'cacheCallNote']) {
    const [document] = documents
    const found = document?.operations.find(({ operationId }) => operationId === operation)
    if (document === undefined || found === undefined) throw new Error(operation)
    t.notMatch((await send(document, found, ann, 'anns')).json, { successful: false }, `Ann: ${operation}`)
  }
  const state = async (): Promise<unknown> => {
    const rows = await Promise.all([tables.callLogs, tables.messageLogs, tables.messages, tables.noteCache, tables.users, tables.accountData].map(async table => await handle.select().from(table)))
    return { rows: rows.map(all => (all as object[]).filter(row => JSON.stringify(row).includes('1-example'))), records: (await patchbay.askCrm('/api/activities')).json.items.filter(({ ownerId }: { ownerId: number }) => ownerId === 1) }
  }
  const before = await state()
  t.match(before, { rows: [[{}], [{}]], records: [{}, {}] })

  // What makes records of Bob's own comes last.
  const creates = ({ operation: { operationId } }: { operation: Operation }): boolean => /^(create|cache)/.test(operationId)
  const all = documents.flatMap(document => document.operations.map(operation => ({ document, operation })))
  for (const { document, operation } of [...all.filter(one => !creates(one)), ...all.filter(creates)]) {
    const asBob = async (id: string): Promise<unknown> =>
      told(await send(document, operation, await patchbay.connectUser('example', 'example-key-bob'), id), id)
    const title = `${operation.method} ${operation.path}`
    t.strictSame(await asBob('anns'), await asBob('nobodys'), title)
    t.strictSame(await state(), before, `${title} changes nothing of Ann's`)
  }
})

await t.test('the routes of a connector refuse a token of another platform', async t => {
  const patchbay = await startPatchbay(t)
  const token = patchbay.app.signSession({ userId: '1-other', platform: 'other', signIn: undefined })
  const answer = await patchbay.call('/connectors/example/callLog?sessionIds=1', { token })
  t.equal(answer.status, 403)
  t.match(answer.json, { successful: false, error: { code: 'wrong-platform' } })
})

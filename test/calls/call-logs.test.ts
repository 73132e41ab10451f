import t from 'tap'
import { callRecord, startPatchbay, type Answer, type Patchbay } from '../patchbay.ts'

const john = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
const logOf = (more: object = {}): object => ({ logInfo: callRecord(), note: 'Wants a quote', ...john, ...more })

async function activities (patchbay: Patchbay): Promise<any[]> {
  return (await patchbay.askCrm('/api/activities')).json.items
}

/** Waits for something that happens without a request. */
async function eventually (condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await condition()) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('It did not happen within ten seconds')
}

async function faults (patchbay: Patchbay, ...rules: object[]): Promise<void> {
  const answer = await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules } })
  if (answer.status >= 300) throw new Error(answer.text)
}

await t.test('fifty simultaneous first requests write one record and get equal answers', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await faults(patchbay, { method: 'POST', path: '/api/activities', times: 1, delayMs: 100 })
  const answers = await Promise.all(Array.from({ length: 50 }, async () => await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })))
  const [first] = answers as [Answer]
  t.match(first.json, { successful: true, logId: String })
  for (const answer of answers) t.strictSame(answer.json, first.json)
  t.strictSame((await patchbay.crmRequests()).filter(request => request.startsWith('POST')), ['POST /api/activities'], 'the CRM has nothing to refuse')
  t.equal((await activities(patchbay)).length, 1)
})

await t.test('a repeat of a logged call gets the first answer and asks the CRM nothing', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const first = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  await patchbay.crmRequests()
  const repeat = await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ note: 'another', contactId: '' }) })
  t.strictSame(repeat.json, first.json)
  t.strictSame(await patchbay.crmRequests(), [])
})

await t.test('a record whose answer was lost is found again, and not written twice', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await faults(patchbay, { method: 'POST', path: '/api/activities', times: 1, drop: 'after' })
  const lost = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  t.match(lost.json, { successful: false, error: { code: 'outcome-unknown', retryable: true }, returnMessage: { message: String } })
  t.match((await patchbay.call('/callLog?sessionIds=4503991004', { token })).json.logs, [{ matched: false }], 'nothing is claimed that is not known')
  const retried = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  const [record, ...others] = await activities(patchbay)
  t.match(retried.json, { successful: true, logId: String(record.id) })
  t.strictSame(others, [])
})

await t.test('a log that surely did not reach the CRM is kept, and the next attempt of the user writes it once', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await faults(patchbay, { method: 'POST', path: '/api/activities', times: 9, status: 503 })
  const refused = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  t.match(refused.json, { successful: false, returnMessage: { messageType: 'warning', message: /kept and will be written/ }, error: { code: 'waiting', retryable: true, retryAfter: Number } })
  t.match((await patchbay.call('/callLog?sessionIds=4503991004', { token })).json.logs, [{ matched: false }])
  await patchbay.askCrm('/_faults', { method: 'DELETE' })
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })).json, { successful: true })
  t.equal((await activities(patchbay)).length, 1)
})

await t.test('what waits is written without the client when the CRM is back, the updates after the log', async t => {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now, recoverEvery: 20 })
  const token = await patchbay.signIn()
  await faults(patchbay, { method: 'POST', path: '/api/activities', times: 9, status: 503 })
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })).json, { error: { code: 'waiting' } })
  const early = await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', duration: 75, recordingLink: 'https://example.com/r/1' } })
  t.match(early.json, { successful: false, error: { code: 'waiting' } })
  await patchbay.askCrm('/_faults', { method: 'DELETE' })
  await patchbay.crmRequests()
  now += 60_000
  await eventually(async () => (await activities(patchbay))[0]?.durationSeconds === 75)
  const [record, ...others] = await activities(patchbay)
  t.strictSame(others, [])
  for (const text of ['Wants a quote', '1 minute, 15 seconds', 'https://example.com/r/1']) t.ok(record.body.includes(text), text)
  t.match((await patchbay.call('/callLog?sessionIds=4503991004', { token })).json.logs, [{ matched: true, logId: String(record.id) }])
  const row = await patchbay.app.repositories.callLogs.find({ userId: '1-example', accountId: '', platform: 'example' }, '4503991004', { extensionNumber: '', hashedExtensionId: '' })
  t.match(row, { state: 'logged', sealedPending: '', nextAttemptAt: null }, 'nothing is kept that is written')
})

await t.test('an update that gets no answer is kept, and applied once', async t => {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now, recoverEvery: 20 })
  const token = await patchbay.signIn()
  await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  for (const [index, drop] of (['before', 'after'] as const).entries()) {
    await faults(patchbay, { method: 'PATCH', path: '/api/activities/*', times: 1, drop })
    const lost = await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', duration: 100 + index } })
    t.match(lost.json, { successful: false, error: { code: 'waiting' } }, drop)
    // Another value for the same section, before the first was confirmed.
    t.match((await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', duration: 110 + index } })).json, { successful: true })
    t.match((await activities(patchbay))[0], { durationSeconds: 110 + index, body: new RegExp(`1 minute, ${50 + index} seconds`) }, drop)
  }
  await faults(patchbay, { method: 'GET', path: '/api/activities/*', times: 3, status: 503 })
  t.match((await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', result: 'Voicemail' } })).json, { error: { code: 'waiting' } })
  now += 60_000
  await eventually(async () => (await activities(patchbay))[0].outcome === 'Voicemail')
  t.pass('and an update that could not be based on the record, without the client')
})

await t.test('a record that a person deleted in the CRM is gone, and can be logged again', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const first = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  await patchbay.askCrm(`/api/activities/${first.json.logId}`, { method: 'DELETE' })
  t.match((await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', note: 'x' } })).json,
    { successful: false, error: { code: 'gone', retryable: false }, returnMessage: { message: /deleted/ } })
  const second = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  t.match(second.json, { successful: true })
  t.not(second.json.logId, first.json.logId)
})

await t.test('a record that is found to be deleted when it is read is told so, and can be logged again', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const first = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  const read = async (): Promise<any> => (await patchbay.call('/callLog?sessionIds=4503991004&requireDetails=true', { token })).json
  await faults(patchbay, { method: 'GET', path: '/api/activities/*', times: 1, status: 404 })
  t.match((await read()).logs, [{ matched: true, logId: first.json.logId }], 'one that the CRM misses for a moment is not deleted')

  await patchbay.askCrm(`/api/activities/${first.json.logId}`, { method: 'DELETE' })
  t.match(await read(), { logs: [{ matched: false }], returnMessage: { messageType: 'warning', message: /deleted.*Log it again/ } })
  t.match((await patchbay.call('/callLog?sessionIds=4503991004', { token })).json.logs, [{ matched: false }])
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ note: 'again' }) })).json, { successful: true })
  t.match((await read()).logs, [{ matched: true, logData: { note: 'again' } }])
})

await t.test('a record is not gone because something that an update refers to is', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const first = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  await faults(patchbay, { method: 'PATCH', path: '/api/activities/*', times: 1, status: 404 })
  t.match((await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', note: 'x', additionalSubmission: { deals: 1 } } })).json,
    { successful: false, error: { code: 'not-found', retryable: false } })
  t.strictSame((await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })).json, first.json, 'it is still known, and not logged twice')
})

await t.test('a disposition that names something missing does not make the record gone, a deleted record does', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const first = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  const setDeal = async () => (await patchbay.call('/callDisposition', { method: 'PUT', token, body: { sessionId: '4503991004', dispositions: { deals: '1' } } })).json
  await faults(patchbay, { method: 'PATCH', path: '/api/activities/*', times: 1, status: 404 })
  t.match(await setDeal(), { successful: false, error: { code: 'not-found', retryable: false } })
  t.strictSame((await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })).json, first.json, 'it is still known, and not logged twice')

  await faults(patchbay, { method: 'PATCH', path: '/api/activities/*', times: 1, status: 404 }, { method: 'GET', path: '/api/activities/*', times: 1, status: 400 })
  t.match(await setDeal(), { error: { code: 'not-found' } }, 'nor does one that cannot be looked at')

  await patchbay.askCrm(`/api/activities/${first.json.logId}`, { method: 'DELETE' })
  t.match(await setDeal(), { successful: false, error: { code: 'gone', retryable: false } })
})

await t.test('what has waited for three days is given up', async t => {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now, recoverEvery: 20 })
  const token = await patchbay.signIn()
  await faults(patchbay, { method: 'POST', path: '/api/activities', times: 1_000_000, status: 503, retryAfter: 60 })
  await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  const row = async () => await patchbay.app.repositories.callLogs.find({ userId: '1-example', accountId: '', platform: 'example' }, '4503991004', { extensionNumber: '', hashedExtensionId: '' })
  now += 73 * 60 * 60_000
  await eventually(async () => (await row())?.attempts === 1)
  now += 60 * 60_000
  await eventually(async () => (await row())?.state === 'failed')
  t.match(await row(), { sealedPending: '' })
})

await t.test('a longer delay than can be waited out is told, and the CRM is left alone meanwhile', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await faults(patchbay, { method: 'POST', path: '/api/activities', times: 1, status: 429, retryAfter: 11 })
  await patchbay.crmRequests()
  for (let attempt = 0; attempt < 2; attempt++) {
    const refused = await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
    t.match(refused.json, { successful: false, error: { code: 'waiting', retryable: true, retryAfter: Number } })
  }
  t.strictSame(await patchbay.crmRequests(), ['POST /api/activities'])
})

await t.test('a refusal of the CRM names the reason and the field, and a new attempt may start', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const refused = await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ contactId: 4711 }) })
  t.match(refused.json, { successful: false, error: { code: 'invalid', retryable: false, field: 'contactId' }, returnMessage: { message: /contactId/ } })
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })).json, { successful: true })
})

await t.test('a call without a contact is not logged', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  for (const contactId of ['', 0, '0', null]) {
    const answer = await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ contactId }) })
    t.match(answer.json, { successful: false, returnMessage: { messageType: 'warning', message: /\+16504445566/ }, error: { code: 'no-contact' } })
  }
  t.strictSame(await activities(patchbay), [])
})

await t.test('two extensions of one user each log the same session, and each is answered with its own log', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const one = await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ hashedExtensionId: 'one' }) })
  const two = await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ hashedExtensionId: 'two' }) })
  t.not(one.json.logId, two.json.logId)
  const asked = await patchbay.call('/callLog?sessionIds=4503991004&hashedExtensionId=two', { token })
  t.equal(asked.json.logs[0].logId, two.json.logId)
})

await t.test('any number of sessions is answered, in the order in which they were asked', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  const ids = [...Array.from({ length: 12 }, (_, index) => `unknown-${index}`), '4503991004', 'last']
  const { json } = await patchbay.call(`/callLog?sessionIds=${ids.join(',')}`, { token })
  t.strictSame(json.logs.map((log: any) => log.sessionId), ids)
  t.strictSame(json.logs.filter((log: any) => log.matched).map((log: any) => log.sessionId), ['4503991004'])
})

await t.test('a lookup that names no call says so', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  for (const query of ['', '?sessionIds=', '?sessionIds=,', '?requireDetails=true']) {
    const answer = await patchbay.call(`/callLog${query}`, { token })
    t.match([answer.status, answer.json], [200, { successful: false, returnMessage: { message: /./ }, error: { code: 'no-session' } }], query)
  }
})

await t.test('records are read in parallel, and one that cannot be read does not hide the others (defect P-01)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const ids = ['a', 'b', 'c']
  for (const sessionId of ids) await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ logInfo: { ...callRecord(), sessionId } }) })
  const [record] = await activities(patchbay)
  await patchbay.askCrm(`/api/activities/${record.id}`, { method: 'DELETE' })
  const { json } = await patchbay.call('/callLog?requireDetails=true&sessionIds=a,b,c', { token })
  t.equal(json.successful, true)
  t.equal(json.logs.filter((log: any) => log.matched).length, 2)
  t.match(json.returnMessage, { messageType: 'warning', message: /deleted/ })
})

await t.test('what a client does not know may be empty, and a score may be a structure', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const unknown = { extensionNumber: '', rcExtensionId: '', hashedExtensionId: '', voicemailMessageId: '' }
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ ...unknown, ringSenseAIScore: { overall: 92 } }) })).json, { successful: true })
  t.match((await activities(patchbay))[0].body, /Call score[^<]*<\/b>: 92/)
  t.match((await patchbay.call('/callLog?sessionIds=4503991004&extensionNumber=', { token })).json.logs, [{ matched: true }])
  t.match((await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', ...unknown, ringSenseAIScore: { a: 1, b: 2 } } })).json, { successful: true })
})

await t.test('a note that waits for the log of the server-side service is used once, by that service only', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.match((await patchbay.call('/callLog/cacheNote', { method: 'POST', token, body: { sessionId: 'x', note: 'typed during the call' } })).json,
    { successful: true, returnMessage: /./ })
  await patchbay.call('/callLog', { method: 'POST', token, body: logOf({ logInfo: { ...callRecord(), sessionId: 'x' }, note: '' }), headers: { 'user-agent': 'SSCL' } })
  const [record] = await activities(patchbay)
  t.match(record.body, /typed during the call/)
})

await t.test('a note is for the log of the user whom the server-side service names by their session', async t => {
  const patchbay = await startPatchbay(t)
  const service = { 'user-agent': 'SSCL' }
  const [ann, bob, ended] = [await patchbay.signIn(), await patchbay.signIn('example-key-bob'), await patchbay.signIn('example-key-bob')]
  const keep = async (token: string, sessionId: string, note: string): Promise<unknown> =>
    await patchbay.call('/callLog/cacheNote', { method: 'POST', token, body: { sessionId, note } })
  const logged = async (sessionId: string, additionalSubmission: object, token = ann): Promise<string> => {
    const body = logOf({ logInfo: { ...callRecord(), sessionId }, note: 'From auto logging (Pending)', additionalSubmission })
    const { json } = await patchbay.call('/callLog', { method: 'POST', token, headers: service, body })
    return (await patchbay.askCrm(`/api/activities/${json.logId}`)).json.body
  }
  const forBob = { isAssignedToUser: true, adminAssignedUserToken: bob, adminAssignedUserRcId: '102' }

  await keep(bob, 's1', 'typed by Bob')
  await keep(ann, 's1', 'typed by Ann')
  t.match(await logged('s1', forBob), /typed by Bob/)
  t.match(await logged('s1', {}, bob), /From auto logging/, 'it is used once')
  await keep(ann, 's2', 'typed by Ann')
  t.notMatch(await logged('s2', forBob), /typed by Ann/, 'what others in the call have typed is for logs of their own')

  await logged('s3', forBob)
  await keep(bob, 's3', 'typed by Bob')
  t.match((await patchbay.call('/callLog', { method: 'PATCH', token: ann, headers: service, body: { sessionId: 's3', duration: 9, additionalSubmission: forBob } })).json,
    { successful: true, updatedNote: 'typed by Bob' })

  await patchbay.call('/unAuthorize', { method: 'POST', token: ended })
  const bobAgain = await patchbay.signIn('example-key-bob')
  await keep(bobAgain, 's4', 'typed by Bob')
  for (const named of [{ ...forBob, adminAssignedUserToken: '' }, { ...forBob, adminAssignedUserToken: ended }, { ...forBob, isAssignedToUser: false, adminAssignedUserToken: bobAgain }]) {
    t.match(await logged('s4', named), /From auto logging/, 'who is not named so is not asked')
  }
})

await t.test('a note that comes with an ended session is in no log, although its client is told nothing', async t => {
  const patchbay = await startPatchbay(t)
  const first = await patchbay.signIn()
  const unnamed = patchbay.app.signSession({ userId: '1-example', platform: 'example', signIn: undefined })
  const keep = async (token: string): Promise<unknown> => (await patchbay.call('/callLog/cacheNote', { method: 'POST', token, body: { sessionId: '4503991004', note: 'typed' } })).json
  const saved = { successful: true, returnMessage: 'Note cache saved' }
  await patchbay.call('/unAuthorize', { method: 'POST', token: first })
  t.strictSame([await keep(first), await keep(unnamed)], [saved, saved])
  const second = await patchbay.signIn()
  t.strictSame(await keep(first), saved)
  await patchbay.call('/callLog', { method: 'POST', token: second, headers: { 'user-agent': 'SSCL' }, body: logOf({ note: 'From auto logging (Pending)' }) })
  t.match(await activities(patchbay), [{ body: /From auto logging/ }])
})

await t.test('a disposition sets the deal; without anything to set nothing is shown, and without a log it says so', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  t.match((await patchbay.call('/callDisposition', { method: 'PUT', token, body: { sessionId: '4503991004', dispositions: { deals: 1 } } })).json,
    { successful: false, error: { code: 'no-log' }, returnMessage: { message: /./ } })
  await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  t.match((await patchbay.call('/callDisposition', { method: 'PUT', token, body: { sessionId: '4503991004', dispositions: { deals: '1', note: 'x' } } })).json, { successful: true })
  t.equal((await activities(patchbay))[0].dealId, 1)
  t.strictSame((await patchbay.call('/callDisposition', { method: 'PUT', token, body: { sessionId: '4503991004', dispositions: {} } })).json, { successful: false })
  t.match((await patchbay.call('/callDisposition', { method: 'PUT', token, body: { sessionId: '4503991004', dispositions: { deals: 'none' } } })).json,
    { successful: false, error: { code: 'invalid', field: 'deals' } })
})

await t.test('an update of a call that is not logged says so', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const answer = await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: 'nobody', note: 'x' } })
  t.match(answer.json, { successful: false, error: { code: 'no-log' }, returnMessage: { message: /./ } })
})

await t.test('an update whose record cannot be read writes nothing (defect D-01)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  const [before] = await activities(patchbay)
  for (const rule of [{ status: 500 }, { status: 403 }, { status: 429 }, { drop: 'before' }, { garbage: true }]) {
    await faults(patchbay, { method: 'GET', path: '/api/activities/*', times: 3, ...rule })
    const answer = await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', note: 'changed' } })
    t.match(answer.json, { successful: false, error: { code: String } }, JSON.stringify(rule))
    t.strictSame((await activities(patchbay))[0], before)
  }
  await faults(patchbay)
  // Limits hold for what authorizes, so she asks with something else.
  const again = await patchbay.signInByOAuth()
  t.match((await patchbay.call('/callLog', { method: 'PATCH', token: again, body: { sessionId: '4503991004', note: 'changed' } })).json, { successful: true, updatedNote: 'changed' })
})

await t.test('simultaneous updates are done one after another, and none is lost (defect D-04)', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  await patchbay.call('/callLog', { method: 'POST', token, body: logOf() })
  const parts = [{ note: 'edited' }, { recordingLink: 'https://example.com/r/1' }, { duration: 61 }, { result: 'Hang-Up' }, { aiNote: 'They agreed.' }]
  const answers = await Promise.all(parts.map(async part => await patchbay.call('/callLog', { method: 'PATCH', token, body: { sessionId: '4503991004', ...part } })))
  for (const answer of answers) t.match(answer.json, { successful: true })
  const [{ body }] = await activities(patchbay) as [any]
  for (const text of ['edited', 'https://example.com/r/1', '1 minute, 1 second', 'Hang-Up', 'They agreed.']) t.ok(body.includes(text), text)
})

/** What other servers get wrong with a log that is written several times, end to end against a real CRM, in every format. */
import { join } from 'node:path'
import t from 'tap'
import { callRecord, startPatchbay, uniqueId } from '../patchbay.ts'

type Format = 'html' | 'plain' | 'markdown'

/** The Example CRM's connector with another format of the text. */
const connectorOf = (platform: string): string => `
  import { connector } from 'patchbay'
  import example from ${JSON.stringify(new URL('../../src/connectors/example/index.ts', import.meta.url).pathname)}
  const { info, operations } = example.connector
  export default connector({
    ...info,
    platform: '${platform}',
    logFormat: 'text/${platform}',
    contactTypes: undefined,
    manifest: { name: '${platform}', displayName: '${platform}', auth: { type: 'apiKey' } }
  }, operations)`

interface Log {
  create: (body?: { logInfo?: object, [part: string]: unknown }) => Promise<void>
  update: (body: object) => Promise<void>
  body: () => Promise<string>
  /** A person changes the text in the CRM. */
  edit: (change: (body: string) => string) => Promise<void>
  /** What the form of the extension shows. */
  read: () => Promise<any>
}

const folder = t.testdir({ connectors: { 'plain.ts': connectorOf('plain'), 'markdown.ts': connectorOf('markdown') } })
const patchbay = await startPatchbay(t, { folder, onExampleCrm: ['example', 'plain', 'markdown'], config: { connectorsDir: join(folder, 'connectors') } })

const tokens = {
  html: await patchbay.signIn(),
  plain: await patchbay.signIn('example-key-ann', 'plain'),
  markdown: await patchbay.signIn('example-key-ann', 'markdown')
}

/** A log of a call of its own. */
async function aLog (format: Format, settings: object = {}): Promise<Log> {
  const token = tokens[format]
  await patchbay.call('/user/settings', { method: 'POST', token, body: { userSettings: settings, settingKeysToRemove: ['addCallLogContactNumber', 'addRingCentralNumber'].filter(id => !(id in settings)) } })
  const record = { ...callRecord(), sessionId: uniqueId() }
  let logId = ''
  const activity = async (): Promise<any> => (await patchbay.askCrm(`/api/activities/${logId}`)).json
  const succeed = async (method: string, body: object): Promise<void> => {
    const answer = await patchbay.call('/callLog', { method, token, body })
    if (answer.json?.successful !== true) throw new Error(answer.text)
    logId = answer.json.logId
  }
  return {
    create: async ({ logInfo = {}, ...body } = {}) => await succeed('POST', { logInfo: { ...record, ...logInfo }, contactId: 1, contactName: 'John Smith', ...body }),
    update: async body => await succeed('PATCH', { sessionId: record.sessionId, ...body }),
    body: async () => (await activity()).body,
    edit: async change => {
      const answer = await patchbay.askCrm(`/api/activities/${logId}`, { method: 'PATCH', body: { body: change((await activity()).body) } })
      if (answer.status !== 200) throw new Error(answer.text)
    },
    read: async () => (await patchbay.call(`/callLog?requireDetails=true&sessionIds=${record.sessionId}`, { token })).json.logs[0].logData
  }
}

const formats: readonly Format[] = ['html', 'plain', 'markdown']
/** A call that goes on. */
const withoutEnd = { duration: undefined, result: undefined }
const times = (text: string, part: string): number => text.split(part).length - 1

await t.test('defect D-05: what looks like a replacement pattern stays what a person typed', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    for (const note of ['cost $100', '$& and $1 and $` and $\'', '$$']) {
      await (note === 'cost $100' ? log.create({ note }) : log.update({ note }))
      await log.update({ recordingLink: 'https://example.com/r/$1' })
      t.equal((await log.read()).note, note, `${format}: ${note}`)
    }
  }
})

await t.test('defects D-06 and D-07: updating a block touches neither the lines behind it nor leaves its old lines', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    await log.create({ ringSenseSummary: 'old summary\nof two lines', ringSenseAIScore: 92, ringSenseBulletedSummary: '- old a\n- old b\n- old c', ringSenseLink: 'https://example.com/ace' })
    for (const round of [1, 2]) await log.update({ ringSenseSummary: `summary ${round}`, ringSenseBulletedSummary: `- point ${round}` })
    const body = await log.body()
    for (const kept of ['92', 'https://example.com/ace', 'summary 2', '- point 2']) t.ok(body.includes(kept), `${format}: ${kept}`)
    for (const gone of ['old', 'of two lines', 'summary 1', 'point 1']) t.notOk(body.includes(gone), `${format}: ${gone}`)
  }
})

await t.test('defect D-08: a value with a hyphen is found again', async t => {
  for (const format of formats) {
    const log = await aLog(format, { addCallLogContactNumber: { value: true } })
    await log.create({ logInfo: { result: 'Hang-Up', from: { phoneNumber: '+1-650-444-5566' } } })
    await log.update({ result: 'Call-Back' })
    const body = await log.body()
    t.equal(times(body, 'Result'), 1, format)
    t.ok(body.includes('Call-Back') && !body.includes('Hang-Up'), format)
  }
})

await t.test('defect D-09: a note that looks like a part of the log stays one note', async t => {
  const notes = ['Ask about:\n- Todo: call back\n- Duration: 5 minutes', 'Call details</b> and <b>Agent notes</b>', '## Call details\n### Transcript\nx', 'a\n--- END\nb', '<script>alert(1)</script>']
  for (const format of formats) {
    const log = await aLog(format)
    await log.create({ note: 'first' })
    for (const note of notes) {
      await log.update({ note })
      await log.update({ duration: 61, transcript: 'Ann: Hello' })
      t.equal((await log.read()).note, note, `${format}: ${note}`)
    }
    const body = await log.body()
    t.equal(times(body, '1 minute, 1 second'), 1, format)
    t.equal(times(body, 'Ann: Hello'), 1, format)
    if (format === 'html') t.notOk(body.includes('<script'))
  }
})

await t.test('defect D-11: an update that brings a note changes only the note', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    await log.create({ note: 'first', aiNote: 'They met.', voicemailLink: 'https://example.com/vm' })
    await log.update({ subject: 'Renewal', result: 'Voicemail' })
    await log.update({ note: 'second' })
    const body = await log.body()
    for (const kept of ['second', 'Renewal', 'Voicemail', 'They met.', 'https://example.com/vm']) t.ok(body.includes(kept), `${format}: ${kept}`)
    t.equal((await log.read()).subject, 'Renewal', format)
  }
})

await t.test('defect D-26: number and extension are those of the same party', async t => {
  for (const format of formats) {
    const log = await aLog(format, { addRingCentralNumber: { value: true } })
    await log.create({ logInfo: { from: { phoneNumber: '+16504445566', extensionNumber: '999' }, to: { phoneNumber: '+18662019834', extensionNumber: '101' } } })
    const body = await log.body()
    t.ok(body.includes('+18662019834 101'), format)
    t.notOk(body.includes('999'), format)
  }
})

await t.test('defect C-10: the time is that of the user\'s zone, and UTC where none is known', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    await log.create()
    t.ok((await log.body()).includes('2018-09-11 01:24:09 PM'), format)
  }
})

await t.test('defect C-13: a note that the user empties is cleared', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    await log.create({ note: 'by mistake' })
    await log.update({ note: '' })
    t.notOk((await log.body()).includes('by mistake'), format)
    t.equal((await log.read()).note, '', format)
  }
})

await t.test('a person\'s words in the CRM survive every later update', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    await log.create({ logInfo: withoutEnd, note: 'as it rang' })
    await log.update({ duration: 75, result: 'Accepted' })
    await log.edit(body => `A person was here.\n${body.replace('as it rang', 'as it rang, says the person')}\nAnd at the end.`)
    await log.update({ recordingLink: 'https://example.com/r/1', duration: 76, note: 'as it rang' })
    await log.update({ transcript: 'Ann: Hello', aiNote: 'They met.' })
    const body = await log.body()
    for (const kept of ['A person was here.', 'as it rang, says the person', 'And at the end.', 'https://example.com/r/1', '1 minute, 16 seconds', 'They met.']) {
      t.equal(times(body, kept), 1, `${format}: ${kept}`)
    }
    await log.update({ note: 'a new note from the extension' })
    t.equal((await log.read()).note, 'a new note from the extension', format)
  }
})

await t.test('a section that a person deleted stays deleted', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    await log.create({ logInfo: { recording: { link: 'https://example.com/r/1' } } })
    await log.edit(body => format === 'html' ? body.replace(/<li><b>Call recording link<\/b>.*?<\/li>/, '') : body.replace(/^.*Call recording link.*\n/m, ''))
    await log.update({ recordingLink: 'https://example.com/r/2' })
    t.notOk((await log.body()).includes('/r/'), format)
  }
})

await t.test('the parts of a call may come in any order and more than once: the record is the same in the end', async t => {
  const parts = [{ recordingLink: 'https://example.com/r/1' }, { duration: 75, result: 'Accepted' }, { aiNote: 'They met.' }, { note: 'Wants a quote' }]
  for (const format of formats) {
    const bodies = new Set<string>()
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2, 1, 0, 3, 2]]) {
      const log = await aLog(format)
      await log.create({ logInfo: withoutEnd })
      for (const index of order) await log.update(parts[index] ?? {})
      bodies.add(await log.body())
    }
    t.equal(bodies.size, 1, `${format}: ${[...bodies].join('\n---\n')}`)
  }
})

await t.test('a new start of the call is in the text, too, however it is written', async t => {
  for (const format of formats) {
    const log = await aLog(format)
    await log.create()
    await log.update({ startTime: 'Thu, 15 Jan 2026 08:30:00 GMT' })
    t.ok((await log.body()).includes('2026-01-15 08:30:00 AM'), format)
  }
})

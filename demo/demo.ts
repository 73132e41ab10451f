/**
 * `npm run demo`: one call, from the first ring to the finished record in the CRM, as the browser extension plays it.
 *
 * Patchbay has to be running (`npm start`), with the Example CRM beside it. PATCHBAY_URL and EXAMPLE_CRM_URL say where, when it is not
 * this machine's usual ports. `npm run demo -- --crm <platform>` needs nothing: it starts both, with the fake of that CRM, and tells
 * what each step costs there. CONNECTORS_DIR says where there are more connectors with fakes.
 */
import { parseArgs } from 'node:util'
import { connected, newCall, newConversation } from './calls.ts'
import { checks } from './checks.ts'
import type { CrmRecord, Losable, Stage } from './crm.ts'
import { exampleStage } from './example-crm.ts'
import { extension } from './extension.ts'
import { fakeCrms } from './fake-crms.ts'
import { wordsIn } from './formats.ts'
import { DemoStopped } from './http.ts'
import { meter } from './meter.ts'
import { narrator } from './narrator.ts'

const say = narrator(process.stdout)
const { expect, failures } = checks(say)

/** What a CRM has no field for is only in the text. */
function expectField (title: string, record: CrmRecord, field: keyof CrmRecord, expected: unknown): void {
  if (record[field] !== undefined) expect(title, record[field], expected)
}

/** @throws {DemoStopped} when the arguments are not understood */
function platformOf (args: string[]): string {
  try {
    return parseArgs({ args, options: { crm: { type: 'string', default: 'example' } } }).values.crm
  } catch (cause) {
    throw new DemoStopped(`The only option is --crm <platform>. ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** @throws {DemoStopped} when there is no such CRM, or it is not there */
async function stageOf (platform: string): Promise<Stage> {
  const fakes = fakeCrms()
  if (fakes.includes(platform)) {
    // Loads the whole server, which the demo can do without when one is running.
    const { startOnFake } = await import('./fake-stage.ts')
    return await startOnFake(platform)
  }
  if (platform !== 'example') throw new DemoStopped(`There is no CRM "${platform}" to play with. There are: ${['example', ...fakes].join(', ')}.`)
  return await exampleStage(process.env.PATCHBAY_URL || 'http://127.0.0.1:6066', process.env.EXAMPLE_CRM_URL || 'http://127.0.0.1:6067')
}

async function play ({ patchbayUrl, crm, spent }: Stage): Promise<void> {
  const patchbay = extension(patchbayUrl, say)
  const costSoFar = spent && meter(spent)
  const endStep = (): void => { if (costSoFar !== undefined) say.cost('This took', costSoFar()) }
  const step = (title: string): void => {
    endStep()
    say.step(title)
  }
  if (crm.logFormat === 'none') throw new DemoStopped(`The connector of ${crm.title} lays out its text itself, so the demo does not know what to look for.`)
  const words = wordsIn(crm.logFormat)
  await patchbay.isThere()
  const { operations, fields } = await patchbay.abilities(crm.platform)

  say.step(`Ann signs in to ${crm.title}`)
  await crm.signIn(patchbay)

  step('The telephone rings: who is calling?')
  const call = newCall()
  const john = await patchbay.match(call.from.phoneNumber)
  expect('the caller is John Smith', john?.name, 'John Smith')
  if (john === undefined) throw new DemoStopped(`${crm.title} does not know ${call.from.phoneNumber}.`)

  step('A number that nobody has: who is that?')
  const stranger = await patchbay.unknownCaller()
  expect('a fictitious number belongs to nobody', stranger !== undefined, true)
  if (stranger === undefined) throw new DemoStopped(`${crm.title} knows every fictitious number. If that is from earlier demos, delete the folder "data" to begin anew.`)

  step('The call connects and is logged at once: how long it takes and how it ends is not known yet')
  const contact = { contactId: john.id, contactType: john.type, contactName: john.name }
  const first = { logInfo: connected(call), note: 'Asks about the annual licence.', ...contact }
  const logId = await patchbay.logCall(first)
  let record = await crm.record(logId)
  say.record(record)
  expect('the record has the subject', record.subject, call.customSubject)
  expect('the record belongs to John Smith', record.contactId, String(john.id))
  expectField('the duration is open', record, 'durationSeconds', null)
  expect('the text keeps a place for the duration', record.body.includes('pending'), true)

  step('The same request once more, as browsers send it after a hiccup')
  const state = async () => ({ records: await crm.logsOf(john.id), spent: spent?.() })
  const before = await state()
  const repeated = await patchbay.logCall(first)
  expect('a repeat gets the same logId', repeated, logId)
  expect('a repeat writes nothing into the CRM', await state(), before)

  step('The call ends: duration and result arrive')
  const { sessionId, startTime, duration, result, legs } = call
  await patchbay.updateCall({ sessionId, startTime, duration, result, legs })
  record = await crm.record(logId)
  say.record(record)
  expectField('the CRM has the duration', record, 'durationSeconds', duration)
  expectField('the CRM has the outcome', record, 'outcome', result)
  expect('the text has the outcome', words.fact(record.body, 'Result'), result)
  expect('the text has the duration', record.body.includes(`${duration} seconds`), true)
  expect('the subject still stands', record.subject, call.customSubject)

  step('Ann opens the record in the CRM and adds words of her own, in front and at the end')
  await crm.editAsPerson(logId, words.around)
  say.record(await crm.record(logId))

  step('The recording is ready')
  const recordingLink = `https://app.ringcentral.com/recordings/${sessionId}`
  await patchbay.updateCall({ sessionId, recordingLink })
  record = await crm.record(logId)
  say.record(record)
  expect('the link is in the record', record.body.includes(recordingLink), true)
  expect("Ann's words in front are untouched", record.body.startsWith(words.inFront), true)
  expect("Ann's words at the end are untouched", record.body.includes(words.atTheEnd), true)
  expect('the subject still stands', record.subject, call.customSubject)

  step('Ann opens "edit" in the extension: it shows what the CRM holds')
  const shown = await patchbay.openCall(sessionId)
  expect('the form shows the note', shown?.note, first.note)
  expect('the form shows the subject of the record', shown?.subject, record.subject)

  step('She changes note and subject there')
  const note = 'Wants the annual licence for 12 people.'
  const subject = 'John Smith: annual licence'
  await patchbay.updateCall({ sessionId, note, subject })
  record = await crm.record(logId)
  say.record(record)
  expect('the CRM has the new subject', record.subject, subject)
  expect('the CRM has the new note', record.body.includes(note), true)
  expect('the old note is gone', record.body.includes(first.note), false)

  const deal = fields.has('deals') ? patchbay.dealOf(john) : undefined
  if (deal !== undefined) {
    step(`She chooses the deal "${deal.title}"`)
    await patchbay.setDisposition({ sessionId, dispositions: { deals: String(deal.const), note } })
    record = await crm.record(logId)
    say.record(record)
    expectField('the record hangs on the deal', record, 'dealId', String(deal.const))
  }

  const newSince = async (earlier: readonly CrmRecord[]): Promise<CrmRecord[]> => {
    const found = (await crm.logsOf(john.id)).filter(({ id }) => !earlier.some(before => before.id === id))
    for (const one of found) say.record(one)
    return found
  }

  if (operations.has('createMessageLog')) {
    step('John sends a text message, Ann answers: two messages on one day are one record')
    const recordsBefore = await crm.logsOf(john.id)
    const [question, answer] = newConversation(call.from)
    const firstIds = await patchbay.logMessages({ ...contact, logInfo: question })
    expect('the first message is new', firstIds.length, 1)
    const secondIds = await patchbay.logMessages({ ...contact, logInfo: answer })
    expect('the second message is new', secondIds.length, 1)
    const after = await state()
    const threads = await newSince(recordsBefore)
    expect('both messages are in one record', threads.length, 1)
    for (const { subject: text } of answer.messages) {
      expect(`"${text}" is in it once`, occurrences(threads[0]?.body ?? '', text), 1)
    }

    step('The same messages again')
    const repeatedIds = await patchbay.logMessages({ ...contact, logInfo: answer })
    expect('nothing is new', repeatedIds, [])
    expect('the record is as it was', await state(), after)
  }

  const { losing } = crm
  const tryWhileLosing = async (what: Losable, logInfo: object): Promise<void> => {
    const recordsBefore = await crm.logsOf(john.id)
    const log = { logInfo, note: 'Asked whether there is a trial.', ...contact }
    const isLost = await losing?.(what, async () => await patchbay.tryToLogCall(log))
    expect(`the ${what} got lost`, isLost, true)
    const lostLogId = await patchbay.tryToLogCall(log)
    const written = await newSince(recordsBefore)
    expect('there is one record of it', written.map(({ id }) => id), [lostLogId])
  }
  if (losing !== undefined) {
    step('A call of an hour ago is logged, too, and the answer of the CRM gets lost: the extension tries again')
    await tryWhileLosing('answer', { ...newCall(), startTime: startTime - 3_600_000 })
    step('The same with a call of two hours ago, but now the request itself gets lost: no other record is taken for its own')
    await tryWhileLosing('request', { ...newCall(), startTime: startTime - 7_200_000 })
  }

  const logged = [{ sessionId, logId }]
  if (operations.has('createContact')) {
    step('Somebody calls whom the CRM does not know: a placeholder contact is made, and the call logged against it')
    const strangersCall = newCall({ phoneNumber: stranger })
    const contactType = john.type ?? ''
    const placeholder = await patchbay.createContact({ phoneNumber: stranger, newContactName: `Caller ${stranger}`, newContactType: contactType })
    const { id: contactId, name: contactName } = placeholder
    const strangersLogId = await patchbay.logCall({ logInfo: strangersCall, note: 'Will call again.', contactId, contactType, contactName })
    say.record(await crm.record(strangersLogId))
    expect('the next call from there is matched', (await patchbay.match(stranger))?.id, contactId)
    const strangersRecords = await crm.logsOf(contactId)
    expect('the placeholder has one record', strangersRecords.map(({ id }) => id), [strangersLogId])
    logged.push({ sessionId: strangersCall.sessionId, logId: strangersLogId })
  }

  step('What the CRM holds in the end')
  const finished = await crm.record(logId)
  say.record(finished)
  const { startTime: start, body } = finished
  expect('it is a call', finished.kind, 'call')
  expect('the subject is right', finished.subject, subject)
  expect('it is with John Smith', finished.contactId, String(john.id))
  expectField('it is of who logged it', finished, 'ownerId', crm.userId)
  expectField('its direction is right', finished, 'direction', 'inbound')
  expectField('its duration is right', finished, 'durationSeconds', duration)
  expectField('its outcome is right', finished, 'outcome', result)
  if (deal !== undefined) expectField('it hangs on the deal', finished, 'dealId', String(deal.const))
  expect('its start is right', Date.parse(start), startTime)
  expect('nothing is pending any more', body.includes('pending'), false)
  expect("all of Ann's words are there", body.startsWith(words.inFront) && body.includes(words.atTheEnd), true)
  expect('each part is there once', [note, recordingLink, `${duration} seconds`].map(part => occurrences(body, part)), [1, 1, 1])
  const found = await patchbay.loggedCalls(logged.map(({ sessionId }) => sessionId))
  expect('the extension finds what was logged', found, logged.map(({ logId }) => logId))
  endStep()
  if (spent !== undefined) say.cost('Everything together took', spent())
}

const occurrences = (text: string, part: string): number => text.split(part).length - 1

try {
  const stage = await stageOf(platformOf(process.argv.slice(2)))
  try {
    await play(stage)
    say.end(failures, stage.crm.page)
    process.exitCode = failures.length === 0 ? 0 : 1
  } finally {
    await stage.close()
  }
} catch (error) {
  if (!(error instanceof DemoStopped)) throw error
  say.stopped(error.message, failures)
  process.exitCode = 1
}

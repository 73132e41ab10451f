/**
 * `npm run demo`: one call, from the first ring to the finished record in the CRM, as the browser extension plays it.
 *
 * Patchbay has to be running (`npm start`). PATCHBAY_URL and EXAMPLE_CRM_URL say where, when it is not this machine's usual ports.
 */
import { connected, newCall, newConversation } from './calls.ts'
import { checks } from './checks.ts'
import { exampleCrm } from './example-crm.ts'
import { extension } from './extension.ts'
import { DemoStopped } from './http.ts'
import { narrator } from './narrator.ts'

const patchbayUrl = process.env.PATCHBAY_URL || 'http://127.0.0.1:6066'
const say = narrator(process.stdout)
const crm = exampleCrm(process.env.EXAMPLE_CRM_URL || 'http://127.0.0.1:6067')
const patchbay = extension(patchbayUrl, say)
const { expect, failures } = checks(say)

async function play (): Promise<void> {
  await patchbay.isThere()
  await crm.isThere()

  say.step(`Ann signs in to ${crm.title}`)
  await patchbay.signIn({ platform: crm.platform, apiKey: crm.apiKey })

  say.step('The telephone rings: who is calling?')
  const call = newCall()
  const john = await patchbay.match(call.from.phoneNumber)
  expect('the caller is John Smith', john?.name, 'John Smith')
  if (john === undefined) throw new DemoStopped(`${crm.title} does not know ${call.from.phoneNumber}.`)
  const deal = patchbay.dealOf(john)

  say.step('The call connects and is logged at once: how long it takes and how it ends is not known yet')
  const contact = { contactId: john.id, contactType: john.type, contactName: john.name }
  const first = { logInfo: connected(call), note: 'Asks about the annual licence.', ...contact }
  const logId = await patchbay.logCall(first)
  let record = await crm.record(logId)
  say.record(record)
  expect('the record has the subject', record.subject, call.customSubject)
  expect('the record belongs to John Smith', record.contactId, String(john.id))
  expect('the duration is open', record.durationSeconds, null)
  expect('the text keeps a place for the duration', record.body.includes('pending'), true)

  say.step('The same request once more, as browsers send it after a hiccup')
  const before = await crm.logsOf(john.id)
  const repeated = await patchbay.logCall(first)
  expect('a repeat gets the same logId', repeated, logId)
  expect('a repeat writes nothing into the CRM', await crm.logsOf(john.id), before)

  say.step('The call ends: duration and result arrive')
  const { sessionId, startTime, duration, result, legs } = call
  await patchbay.updateCall({ sessionId, startTime, duration, result, legs })
  record = await crm.record(logId)
  say.record(record)
  expect('the CRM has the duration', record.durationSeconds, duration)
  expect('the CRM has the outcome', record.outcome, result)
  expect('the text has the duration', record.body.includes(`${duration} seconds`), true)

  say.step('Ann opens the record in the CRM and adds words of her own, in front and at the end')
  const wordsInFront = '<p>VIP! Ask R&amp;D first, costs $100 &amp; up.</p>'
  const wordsAtTheEnd = '<p>Ann: he sounded happy, <i>call back on Monday</i>.</p>'
  await crm.editAsPerson(logId, body => `${wordsInFront}${body}${wordsAtTheEnd}`)
  say.record(await crm.record(logId))

  say.step('The recording is ready')
  const recordingLink = `https://app.ringcentral.com/recordings/${sessionId}`
  await patchbay.updateCall({ sessionId, recordingLink })
  record = await crm.record(logId)
  say.record(record)
  expect('the link is in the record', record.body.includes(recordingLink), true)
  expect("Ann's words in front are untouched", record.body.startsWith(wordsInFront), true)
  expect("Ann's words at the end are untouched", record.body.includes(wordsAtTheEnd), true)

  say.step('Ann opens "edit" in the extension: it shows what the CRM holds')
  const shown = await patchbay.openCall(sessionId)
  expect('the form shows the note', shown?.note, first.note)
  expect('the form shows the subject of the record', shown?.subject, record.subject)

  say.step('She changes note and subject there')
  const note = 'Wants the annual licence for 12 people.'
  const subject = 'John Smith: annual licence'
  await patchbay.updateCall({ sessionId, note, subject })
  record = await crm.record(logId)
  say.record(record)
  expect('the CRM has the new subject', record.subject, subject)
  expect('the CRM has the new note', record.body.includes(note), true)
  expect('the old note is gone', record.body.includes(first.note), false)

  say.step(`She chooses the deal "${deal.title}"`)
  await patchbay.setDisposition({ sessionId, dispositions: { deals: String(deal.const), note } })
  record = await crm.record(logId)
  say.record(record)
  expect('the record hangs on the deal', record.dealId, String(deal.const))

  say.step('John sends a text message, Ann answers: two messages on one day are one record')
  const recordsBefore = await crm.logsOf(john.id)
  const [question, answer] = newConversation(call.from)
  const firstIds = await patchbay.logMessages({ ...contact, logInfo: question })
  expect('the first message is new', firstIds.length, 1)
  const secondIds = await patchbay.logMessages({ ...contact, logInfo: answer })
  expect('the second message is new', secondIds.length, 1)
  const recordsAfter = await crm.logsOf(john.id)
  const threads = recordsAfter.filter(({ id }) => !recordsBefore.some(before => before.id === id))
  for (const thread of threads) say.record(thread)
  expect('both messages are in one record', threads.length, 1)
  for (const { subject: text } of answer.messages) {
    expect(`"${text}" is in it once`, occurrences(threads[0]?.body ?? '', text), 1)
  }

  say.step('The same messages again')
  const repeatedIds = await patchbay.logMessages({ ...contact, logInfo: answer })
  expect('nothing is new', repeatedIds, [])
  expect('the record is as it was', await crm.logsOf(john.id), recordsAfter)

  say.step('Somebody calls whom the CRM does not know: a placeholder contact is made, and the call logged against it')
  const stranger = await patchbay.unknownCaller()
  const strangersCall = newCall({ phoneNumber: stranger })
  const contactType = crm.contactType
  const placeholder = await patchbay.createContact({ phoneNumber: stranger, newContactName: `Caller ${stranger}`, newContactType: contactType })
  const { id: contactId, name: contactName } = placeholder
  const strangersLogId = await patchbay.logCall({ logInfo: strangersCall, note: 'Will call again.', contactId, contactType, contactName })
  say.record(await crm.record(strangersLogId))
  expect('the next call from there is matched', (await patchbay.match(stranger))?.id, contactId)

  say.step('What the CRM holds in the end')
  const finished = await crm.record(logId)
  say.record(finished)
  const { id, startTime: start, updatedAt, body, ...fields } = finished
  expect('the fields of the call are right', fields, {
    kind: 'call',
    subject,
    contactId: String(john.id),
    durationSeconds: duration,
    direction: 'inbound',
    outcome: result,
    dealId: String(deal.const)
  })
  expect('its start is right', Date.parse(start), startTime)
  expect('nothing is pending any more', body.includes('pending'), false)
  expect("all of Ann's words are there", body.startsWith(wordsInFront) && body.includes(wordsAtTheEnd), true)
  expect('each part is there once', [note, recordingLink, `${duration} seconds`].map(part => occurrences(body, part)), [1, 1, 1])
  const strangersRecords = await crm.logsOf(contactId)
  expect('the placeholder has one record', strangersRecords.map(({ id }) => id), [strangersLogId])
  const found = await patchbay.loggedCalls([sessionId, strangersCall.sessionId])
  expect('the extension finds both calls', found, [logId, strangersLogId])
}

const occurrences = (text: string, part: string): number => text.split(part).length - 1

try {
  await play()
  say.end(failures, crm.url)
  process.exitCode = failures.length === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof DemoStopped)) throw error
  if (failures.length > 0) say.end(failures, crm.url)
  say.stopped(error.message)
  process.exitCode = 1
}

/**
 * What logging a call costs at each CRM, in requests and in the units in which the CRM counts: for every connector that has a fake.
 * The numbers do not depend on the machine.
 */
import { newCall, newConversation } from '../demo/calls.ts'
import { extension } from '../demo/extension.ts'
import { fakeCrms } from '../demo/fake-crms.ts'
import { startOnFake } from '../demo/fake-stage.ts'
import { DemoStopped } from '../demo/http.ts'
import { meter } from '../demo/meter.ts'
import type { Spent } from '../src/testing/fake-crm.ts'

type Cost = readonly [what: string, spent: Spent]

async function costsAt (platform: string): Promise<Cost[]> {
  const stage = await startOnFake(platform)
  try {
    const patchbay = extension(stage.patchbayUrl, { exchange () {} })
    await stage.crm.signIn(patchbay)
    const { operations, fields } = await patchbay.abilities(platform)

    const call = newCall()
    const { sessionId, startTime, result, from: { phoneNumber } } = call
    const caller = await patchbay.match(phoneNumber)
    if (caller === undefined) throw new DemoStopped(`The fake of ${platform} does not know ${phoneNumber}.`)
    const contact = { contactId: caller.id, contactType: caller.type, contactName: caller.name }
    const [question, answer] = newConversation(call.from)
    // What is remembered for long, such as lists of types, is there from now on.
    await patchbay.logCall({ logInfo: newCall(), note: '', ...contact })
    if (operations.has('createMessageLog')) await patchbay.logMessages({ logInfo: newConversation(call.from)[0], ...contact })

    const costSoFar = meter(stage.spent)
    const costOf = async (what: string, done: Promise<unknown>): Promise<Cost> => {
      await done
      return [what, costSoFar()]
    }
    const matched = await costOf('the caller is matched', patchbay.match(phoneNumber, { afresh: true }))
    const created = await costOf('the call is logged', patchbay.logCall({ logInfo: call, note: 'Asks about the annual licence.', ...contact }))
    const updated = await costOf('recording and duration come', patchbay.updateCall({ sessionId, startTime, duration: 420, result, recordingLink: 'https://example.com/recording' }))
    const costs: Cost[] = [
      matched,
      created,
      updated,
      ['a logged call, altogether', [matched, created, updated].map(([, spent]) => spent).reduce(sum)],
      await costOf('the same caller again', patchbay.match(phoneNumber)),
      await costOf('the same call again', patchbay.logCall({ logInfo: call, note: 'Asks about the annual licence.', ...contact }))
    ]
    if (fields.has('deals')) {
      costs.push(await costOf('a deal is chosen', patchbay.setDisposition({ sessionId, dispositions: { deals: String(patchbay.dealOf(caller).const) } })))
    }
    if (operations.has('createMessageLog')) {
      costs.push(await costOf('a first text message', patchbay.logMessages({ logInfo: question, ...contact })))
      costs.push(await costOf('one more of that day', patchbay.logMessages({ logInfo: answer, ...contact })))
    }
    return costs
  } finally {
    await stage.close()
  }
}

const sum = (one: Spent, other: Spent): Spent => ({ ...one, requests: one.requests + other.requests, units: one.units + other.units })

console.log('\nWhat the CRM is asked (on its fake)')
for (const platform of fakeCrms()) {
  for (const [what, { requests, units, unit }] of await costsAt(platform)) {
    console.log(`${platform.padEnd(14)}${what.padEnd(30)}${String(requests).padStart(3)} requests${String(units).padStart(6)} ${unit}`)
  }
}

/** What waits with a log: what an attempt has sent, and what others bring before it is written. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { AssignedUser, Caller } from '../../src/calls/caller.ts'
import { pendingText } from '../../src/calls/pending.ts'
import { recovery } from '../../src/calls/recover.ts'
import { readNote } from '../../src/calls/body/merge.ts'
import type { CreateCallLogBody } from '../../src/contract/call-log.ts'
import type { CreateMessageLogBody } from '../../src/contract/message-log.ts'
import type { Connector } from '../../src/contract/connector.ts'
import { CrmError } from '../../src/contract/crm.ts'
import type { NewCallLog, NewMessageLog } from '../../src/contract/operations.ts'
import type { CallLog } from '../../src/db/call-logs.ts'
import type { MessageLog } from '../../src/db/message-logs.ts'
import { connectorWith } from '../faults/connectors.ts'
import { openCrm, type Activity, type Failing } from '../faults/crm.ts'
import { startInstance, tenant, type Instance } from '../faults/instance.ts'

const callOf = (note: string, more: object = {}): CreateCallLogBody =>
  ({ logInfo: { sessionId: 's1', direction: 'Inbound', startTime: '2026-01-15T08:00:00Z' }, contactId: 1, contactName: 'John', note, ...more })
const conversation = {
  logInfo: { conversationLogId: 'c1', conversationId: 'c', messages: [{ id: 'm1', direction: 'Inbound' as const, subject: 'Hello', creationTime: '2026-01-15T08:00:00Z' }] },
  correspondents: [{ phoneNumber: '+16504445566' }],
  contactId: 1
}
const messageOf = (id: string, more: object = {}): CreateMessageLogBody => ({
  ...conversation,
  logInfo: { ...conversation.logInfo, messages: [{ id, direction: 'Inbound', subject: `Words of ${id}`, creationTime: '2026-01-15T08:00:00Z', ...more }] }
})
const create = { withCachedNote: false }

interface World {
  instance: Instance
  /** Another process on the same database. */
  restart: () => Promise<Instance>
  pass: (milliseconds: number) => void
  /** How requests to the CRM fail from now on. */
  fail: (method: string, how: Failing | undefined) => void
  records: () => Activity[]
  note: () => string
  crm: ReturnType<typeof openCrm>
  /** The methods of the requests that the CRM got. */
  asked: string[]
  /** The rows of calls, as they are. */
  rows: () => Promise<CallLog[]>
}

async function world (t: Test, connector: (now: () => number) => Connector = now => connectorWith('native', now)): Promise<World> {
  let time = Date.UTC(2026, 0, 15, 9)
  const now = (): number => time
  const crm = openCrm(now)
  const failing = new Map<string, Failing>()
  const asked: string[] = []
  const meets = (method: string): Failing | undefined => {
    asked.push(method)
    return failing.get(method)
  }
  const url = `file:${join(t.testdir(), 'patchbay.db')}`
  t.teardown(crm.close)
  const restart = async (): Promise<Instance> => {
    const instance = await startInstance({ url, clock: now, crm, connector: connector(now), meets })
    t.teardown(instance.stop)
    return instance
  }
  const instance = await restart()
  return {
    instance,
    restart,
    crm,
    asked,
    pass: milliseconds => { time += milliseconds },
    fail: (method, how) => { how === undefined ? failing.delete(method) : failing.set(method, how) },
    records: crm.records,
    note: () => readNote(crm.records()[0]?.body ?? '', 'text/html'),
    rows: async () => await instance.rows() as unknown as CallLog[]
  }
}

const bob: AssignedUser = { tenant: { userId: '2-example', accountId: '', platform: 'example' }, crmUserId: '2' }

/** Somebody else's settings, time zone and owner: of them a text is composed, and a record is looked for. */
const changed = ({ caller }: Instance): Caller => ({
  ...caller,
  context: { ...caller.context, settings: { addCallSessionId: { value: true } } as never, user: { ...caller.context.user, timeZone: 'Asia/Tokyo' } },
  assignedTo: async () => bob
})

/** A CRM that never answers: the last attempt is one after 72 hours. */
async function tooLong (instance: Instance, pass: World['pass']): Promise<void> {
  for (const hours of [73, 1]) {
    pass(hours * 3_600_000)
    await instance.recover()
  }
}

/** A connector whose answers to new records are lost, and which notes what it sends and what it looks for. */
function losing (now: () => number): { connector: Connector, sent: unknown[], sought: unknown[], search: { works: boolean } } {
  const { info, operations } = connectorWith('search', now, 0)
  const [sent, sought]: [unknown[], unknown[]] = [[], []]
  const search = { works: true }
  const facts = ({ subject, body, ownerId }: NewCallLog<any> | NewMessageLog<any>): object => ({ subject, body, ownerId })
  const lost = async (_context: unknown, log: NewCallLog<any> | NewMessageLog<any>): Promise<never> => {
    sent.push(facts(log))
    throw new CrmError('unavailable', { outcome: 'unknown' })
  }
  const look = async (_context: unknown, log: NewCallLog<any> | NewMessageLog<any>): Promise<{ logId: string }> => {
    if (!search.works) throw new CrmError('unavailable', { outcome: 'unknown' })
    sought.push(facts(log))
    return { logId: '1' }
  }
  return { sent, sought, search, connector: { info, operations: { ...operations, createCallLog: lost, createMessageLog: lost, findCallLog: look, findMessageLog: look } } }
}

/** What an update brings, and what another one does not know yet. */
const knowsMore = { note: 'typed', duration: 30, result: 'Voicemail' }
const knowsLess = { note: 'From auto logging (Pending)', duration: 'pending', result: 'pending' }

/** A connector that lays out the text itself, and notes what it is given to write. */
function layingOut (): { connector: Connector, given: Array<{ note?: string }> } {
  const { info, operations } = connectorWith('native', () => 0)
  const given: Array<{ note?: string }> = []
  const { createCallLog, updateCallLog }: Pick<typeof operations, 'createCallLog' | 'updateCallLog'> = {
    createCallLog: async (context, log) => {
      given.push(log)
      return await operations.createCallLog(context, log)
    },
    updateCallLog: async (context, changes) => {
      given.push(changes)
      return await operations.updateCallLog(context, changes)
    }
  }
  return { given, connector: { info: { ...info, logFormat: 'none' }, operations: { ...operations, createCallLog, updateCallLog } } }
}

await t.test('a record is looked for as it was sent, whatever has changed since', async t => {
  const { connector, sent, sought } = losing(() => 0)
  const { instance, pass } = await world(t, () => connector)
  await t.rejects(instance.callLogs.create(instance.caller, callOf('as sent'), create), { code: 'outcome-unknown' })
  await t.rejects(instance.messageLogs.log(instance.caller, conversation), { code: 'outcome-unknown' })
  pass(1)
  await instance.callLogs.create(changed(instance), callOf('as sent'), create)
  await instance.messageLogs.log(changed(instance), { ...conversation, additionalSubmission: { isAssignedToUser: true } }).catch(() => {})
  t.equal(sought.length, 2)
  t.strictSame(sought, sent)
})

await t.test('and so is one that was given up, when somebody logs the call with other words', async t => {
  const { connector, sent, sought, search } = losing(() => 0)
  const { instance, pass, rows } = await world(t, () => ({ ...connector, operations: { ...connector.operations } }))
  await t.rejects(instance.callLogs.create(instance.caller, callOf('as sent'), create), { code: 'outcome-unknown' })
  search.works = false
  await tooLong(instance, pass)
  search.works = true
  t.match(await rows(), [{ state: 'needs-user', nextAttemptAt: null }])
  await instance.callLogs.create(instance.caller, callOf('other words'), create)
  t.strictSame(sought, sent)
})

await t.test('what is said to be kept is kept: the words of a second request, while nobody knows what became of the first', async t => {
  for (const look of ['not yet', 'fails', 'fails after it was given up'] as const) {
    const lag = look === 'not yet' ? 10_000 : 0
    const { instance, pass, fail, note, rows, records } = await world(t, now => connectorWith('search', now, lag))
    fail('POST', 'after')
    await t.rejects(instance.callLogs.create(instance.caller, callOf('first'), create), { code: 'outcome-unknown' }, look)
    fail('POST', undefined)
    pass(1)
    if (look !== 'not yet') fail('GET', 503)
    if (look === 'fails after it was given up') await tooLong(instance, pass)
    await t.rejects(instance.callLogs.create(instance.caller, callOf('second'), create), { code: 'outcome-unknown' }, look)
    fail('GET', undefined)
    pass(15 * 60_000)
    await instance.recover()
    t.equal(records().length, 1, look)
    t.equal(note(), 'second', look)
    t.match(await rows(), [{ state: 'logged', nextAttemptAt: null, sealedPending: '' }], look)
  }
})

await t.test('a log with nothing to write is not looked at for ever', async t => {
  const { instance, fail, pass, rows } = await world(t)
  fail('POST', 'after')
  await t.rejects(instance.callLogs.create(instance.caller, callOf('first'), create), { code: 'outcome-unknown' })
  const [row] = await rows()
  // As servers before this one left it, when they had given it up and the next look failed.
  await instance.forgetPending(row as CallLog)
  pass(3_600_000)
  t.equal(await instance.recover(), 1)
  t.match(await rows(), [{ state: 'needs-user' }])
  pass(3_600_000)
  t.equal(await instance.recover(), 0)
})

await t.test('the last words win, over an update that came before them, too', async t => {
  for (const way of ['while the log waits', 'after the log was refused'] as const) {
    const { instance, pass, fail, note } = await world(t)
    fail('POST', 503)
    await t.rejects(instance.callLogs.create(instance.caller, callOf('first'), create), { code: 'waiting' })
    await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', note: 'second', result: 'Voicemail' }), { code: 'waiting' })
    if (way === 'after the log was refused') {
      fail('POST', 400)
      pass(60_000)
      await instance.recover()
    }
    fail('POST', undefined)
    pass(1)
    await instance.callLogs.create(instance.caller, callOf('third'), create)
    await instance.recover()
    t.equal(note(), 'third', way)
  }
})

await t.test('a placeholder takes the place of nothing that somebody wrote', async t => {
  const placeholder = 'From auto logging (Pending)'
  const { instance, fail, note, crm, records } = await world(t)
  fail('POST', 503)
  await t.rejects(instance.callLogs.create(instance.caller, callOf('typed'), create), { code: 'waiting' })
  fail('POST', undefined)
  await instance.callLogs.create(instance.caller, callOf(placeholder), create)
  t.equal(note(), 'typed')
  const [{ id, body } = { id: 0, body: '' }] = records()
  crm.edit(id, body.replace('typed', 'typed in the CRM'))
  await instance.callLogs.update(instance.caller, { sessionId: 's1', note: placeholder, result: 'Voicemail' })
  t.equal(note(), 'typed in the CRM')
})

await t.test('a request that knows less takes nothing from one that knew more', async t => {
  const known = callOf('typed', {
    logInfo: {
      sessionId: 's1',
      direction: 'Inbound',
      startTime: '2026-01-15T08:00:00Z',
      duration: 30,
      result: 'Voicemail',
      customSubject: 'Renewal of licence',
      recording: { link: 'https://recordings.example/1' }
    },
    voicemailLink: 'https://recordings.example/2'
  })
  const less = callOf('', { logInfo: { sessionId: 's1', direction: 'Inbound', startTime: '2026-01-15T08:00:00Z', duration: 'pending', result: 'pending', recording: { link: '(pending...)' } }, voicemailLink: '(pending...)', aiNote: 'They met.' })
  for (const how of [503, 'after'] as const) {
    const { instance, fail, pass, note, records } = await world(t)
    fail('POST', how)
    await t.rejects(instance.callLogs.create(instance.caller, known, create), { code: how === 503 ? 'waiting' : 'outcome-unknown' })
    fail('POST', undefined)
    pass(1)
    await instance.callLogs.create(instance.caller, less, create)
    await instance.recover()
    t.equal(note(), 'typed', `the note, ${how}`)
    t.match(records(), [{ subject: 'Renewal of licence', outcome: 'Voicemail', body: /recordings\.example\/1.*recordings\.example\/2/ }], `subject, result and recordings, ${how}`)
    t.match(records()[0]?.body, /They met\./, `what is new, ${how}`)
    t.match(records()[0]?.body, /30 sec/, `the duration, ${how}`)
  }
})

await t.test('nor does an update that knows less, while both wait', async t => {
  const { instance, fail, pass, records } = await world(t)
  await instance.callLogs.create(instance.caller, callOf('typed'), create)
  fail('PATCH', 503)
  for (const known of [{ duration: 30, result: 'Voicemail' }, { duration: 'pending', result: 'pending' }]) {
    await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', ...known }), { code: 'waiting' })
  }
  fail('PATCH', undefined)
  pass(3_600_000)
  await instance.recover()
  t.match(records(), [{ outcome: 'Voicemail', durationSeconds: 30 }])
})

await t.test('not even where nobody knows whether both were written', async t => {
  for (const how of [500, 'before', 'after'] as const) {
    const { instance, fail, pass, note, records } = await world(t)
    await instance.callLogs.create(instance.caller, callOf(''), create)
    for (const [meets, update] of [[503, knowsMore], [503, knowsLess], [how, { aiNote: 'They met.' }]] as const) {
      fail('PATCH', meets)
      await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', ...update }), { code: 'waiting' })
      pass(60_000)
    }
    fail('PATCH', undefined)
    pass(3_600_000)
    await instance.recover()
    t.equal(note(), 'typed', `the note, ${how}`)
    t.match(records(), [{ outcome: 'Voicemail', durationSeconds: 30, body: /30 sec/ }], `result and duration, ${how}`)
  }
})

await t.test('nor where the connector lays out the text itself', async t => {
  const { connector, given } = layingOut()
  const { instance, fail, pass } = await world(t, () => connector)
  const update = async (body: object): Promise<unknown> => await instance.callLogs.update(instance.caller, { sessionId: 's1', ...body })
  await instance.callLogs.create(instance.caller, callOf(''), create)
  fail('PATCH', 503)
  for (const body of [knowsMore, knowsLess]) await t.rejects(update(body), { code: 'waiting' })
  fail('PATCH', undefined)
  pass(3_600_000)
  await instance.recover()
  t.match(given.at(-1), { note: 'typed', result: 'Voicemail', duration: 30 })
  t.match(await update({ ...knowsLess, aiNote: 'They met.' }), { updatedNote: undefined })
  t.strictSame(given.at(-1), { logId: '1', aiNote: 'They met.' }, 'absent means unchanged')
  await update({ note: '' })
  t.match(given.at(-1), { note: '' }, 'an empty note clears')
})

await t.test('what was chosen later counts', async t => {
  const chosen = async (first: object, second: object): Promise<object | undefined> => {
    const { instance, fail, records } = await world(t)
    fail('POST', 503)
    await t.rejects(instance.callLogs.create(instance.caller, callOf('typed', first), create), { code: 'waiting' })
    fail('POST', undefined)
    await instance.callLogs.create(instance.caller, callOf('typed', second), create)
    return records()[0]
  }
  t.match(await chosen({ additionalSubmission: { deals: 1 } }, { additionalSubmission: {} }), { dealId: null }, 'a choice that is taken back')
  t.match(await chosen({ additionalSubmission: { deals: 1 } }, {}), { dealId: 1 }, 'a request without the form')
  t.match(await chosen({ contactName: 'Ann', additionalSubmission: { deals: 1 } }, { contactId: 2, contactName: undefined }), { contactId: 2, dealId: null, subject: 'Inbound Call from' }, 'another contact')
})

await t.test('what a person chose stays, although the server-side service, which has no form, follows while it waits', async t => {
  const nobody = { isAssignedToUser: false, adminAssignedUserToken: '', adminAssignedUserRcId: '' }
  const [byPerson, byService] = [{ additionalSubmission: { deals: 1 } }, { additionalSubmission: nobody }]
  const assigned = (opened: World): Caller => ({ ...opened.instance.caller, assignedTo: async named => named?.['isAssignedToUser'] === true ? bob : undefined })
  for (const failing of [503, 'after'] as const) {
    for (const contact of [{ contactId: 1, contactName: 'John' }, { contactId: 2, contactName: 'Jane' }]) {
      const opened = await world(t)
      const { instance: { callLogs }, fail, pass, records } = opened
      fail('POST', failing)
      await t.rejects(callLogs.create(assigned(opened), callOf('typed', byPerson), create), { code: failing === 503 ? 'waiting' : 'outcome-unknown' })
      fail('POST', undefined)
      pass(60_000)
      await callLogs.create(assigned(opened), callOf('From auto logging (Pending)', { ...contact, additionalSubmission: { ...nobody, isAssignedToUser: true } }), { withCachedNote: true })
      pass(3_600_000)
      await opened.instance.recover()
      t.match(records(), [{ contactId: 1, dealId: 1, ...(failing === 503 && { ownerId: 2 }), body: /typed/ }], `${failing}, contact ${contact.contactId}`)
    }
  }

  for (const failing of [undefined, 500] as const) {
    const { instance: { callLogs, caller, recover }, fail, pass, records } = await world(t)
    await callLogs.create(caller, callOf('typed'), create)
    fail('PATCH', 503)
    await t.rejects(callLogs.update(caller, { sessionId: 's1', ...byPerson }), { code: 'waiting' })
    fail('PATCH', failing)
    const later = callLogs.update(caller, { sessionId: 's1', duration: 9, ...byService }, { withCachedNote: true })
    if (failing === undefined) t.match(await later, { successful: true })
    else await t.rejects(later, { code: 'waiting' })
    fail('PATCH', undefined)
    pass(3_600_000)
    await recover()
    t.match(records(), [{ dealId: 1, body: /9 seconds/ }], `an update, ${failing ?? 'written'}`)
  }

  const { connector, given } = layingOut()
  const { instance: { callLogs, caller } } = await world(t, () => connector)
  await callLogs.create(caller, callOf('typed'), create)
  await callLogs.update(caller, { sessionId: 's1', duration: 9, ...byService }, { withCachedNote: true })
  t.strictSame(given.at(-1), { logId: '1', duration: 9 }, 'absent means unchanged')
})

await t.test('whose a log is stays, although a request that names nobody follows while it waits', async t => {
  const { instance, fail, pass, records } = await world(t)
  const caller: Caller = { ...instance.caller, assignedTo: async chosen => chosen?.['isAssignedToUser'] === true ? bob : undefined }
  const additionalSubmission = { isAssignedToUser: true }
  fail('POST', 503)
  await t.rejects(instance.callLogs.create(caller, callOf('', { additionalSubmission }), create), { code: 'waiting' })
  await t.rejects(instance.messageLogs.log(caller, { ...conversation, additionalSubmission }), { code: 'waiting' })
  fail('POST', undefined)
  pass(60_000)
  await instance.callLogs.create(caller, callOf('typed'), create)
  await instance.messageLogs.log(caller, messageOf('m2'))
  t.match(records(), [{ ownerId: 2 }, { ownerId: 2 }])
})

await t.test('a repeat brings nothing back that an update has replaced since', async t => {
  const { instance, fail, pass, note } = await world(t)
  fail('POST', 'after')
  await t.rejects(instance.callLogs.create(instance.caller, callOf('first'), create), { code: 'outcome-unknown' })
  fail('GET', 503)
  pass(1)
  await t.rejects(instance.callLogs.create(instance.caller, callOf('second'), create), { code: 'outcome-unknown' })
  await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', note: 'third' }), { code: 'waiting' })
  pass(60_000)
  await t.rejects(instance.callLogs.create(instance.caller, callOf('second'), create), { code: 'outcome-unknown' })
  fail('GET', undefined)
  fail('POST', undefined)
  pass(15 * 60_000)
  await instance.recover()
  t.equal(note(), 'third')
})

await t.test('72 hours begin with the last promise, and end with an attempt', async t => {
  const begun = async (): Promise<World> => {
    const opened = await world(t)
    opened.fail('POST', 503)
    await t.rejects(opened.instance.callLogs.create(opened.instance.caller, callOf('first'), create), { code: 'waiting' })
    return opened
  }
  await t.test('a server that was off tries what nobody could', async t => {
    const { instance, pass, fail, note } = await begun()
    fail('POST', undefined)
    pass(100 * 3_600_000)
    await instance.recover()
    t.equal(note(), 'first')
  })
  await t.test('an update of the third day', async t => {
    const { instance, pass, fail, note } = await begun()
    fail('POST', undefined)
    await instance.callLogs.create(instance.caller, callOf('first'), create)
    fail('PATCH', 503)
    await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', result: 'Voicemail' }), { code: 'waiting' })
    pass(71 * 3_600_000)
    await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', note: 'important' }), { code: 'waiting' })
    pass(2 * 3_600_000)
    await instance.recover()
    fail('PATCH', undefined)
    pass(3_600_000)
    await instance.recover()
    t.equal(note(), 'important')
  })
  await t.test('a request after a refusal', async t => {
    const { instance, pass, fail, note } = await begun()
    await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', result: 'Voicemail' }), { code: 'waiting' })
    fail('POST', 400)
    pass(3_600_000)
    await instance.recover()
    pass(73 * 3_600_000)
    fail('POST', 503)
    await t.rejects(instance.callLogs.create(instance.caller, callOf('later'), create), { code: 'waiting' })
    pass(3_600_000)
    await instance.recover()
    fail('POST', undefined)
    pass(3_600_000)
    await instance.recover()
    t.equal(note(), 'later')
  })
  await t.test('and a message', async t => {
    const { instance, pass, fail, records } = await world(t)
    fail('POST', 503)
    await t.rejects(instance.messageLogs.log(instance.caller, conversation), { code: 'waiting' })
    pass(71 * 3_600_000)
    const next = { ...conversation, logInfo: { ...conversation.logInfo, messages: [{ id: 'm2', direction: 'Inbound' as const, subject: 'Again', creationTime: '2026-01-15T08:01:00Z' }] } }
    await t.rejects(instance.messageLogs.log(instance.caller, next), { code: 'waiting' })
    pass(2 * 3_600_000)
    await instance.recover()
    fail('POST', undefined)
    pass(3_600_000)
    await instance.recover()
    t.match(records(), [{ body: /Hello/ }])
    t.match(records(), [{ body: /Again/ }])
  })
})

await t.test('a disposition comes after the updates that waited before it', async t => {
  const { instance, pass, fail, records } = await world(t)
  const setDeal = async (deals: number): Promise<unknown> => await instance.callLogs.setDisposition(instance.caller, { sessionId: 's1', dispositions: { deals } })
  await instance.callLogs.create(instance.caller, callOf('first'), create)
  fail('PATCH', 503)
  await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', additionalSubmission: { deals: 1 } }), { code: 'waiting' })
  await t.rejects(setDeal(2), { code: 'unavailable' }, 'it is not kept, so it is not said to be')
  fail('PATCH', undefined)
  await setDeal(2)
  t.match(records(), [{ dealId: 2 }])
  pass(3_600_000)
  await instance.recover()
  t.match(records(), [{ dealId: 2 }])
})

await t.test('what a person makes of a note stays, although the server died when it had written the note', async t => {
  const { instance, pass, crm, note, records } = await world(t)
  await instance.callLogs.create(instance.caller, callOf('first'), create)
  const [{ id } = { id: 0 }] = records()
  instance.effects.arm({ at: 'PATCH', mode: 'crash', moment: 'after' })
  await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', note: 'second' }))
  instance.effects.dead = false
  t.equal(note(), 'second')
  crm.edit(id, records()[0]?.body.replace('second', 'second, and the words of a person') ?? '')
  pass(3_600_000)
  await instance.recover()
  t.equal(note(), 'second, and the words of a person')
})

await t.test('a log that is resumed is the one that was due, whatever others are like it', async t => {
  const { instance, pass, fail, rows } = await world(t)
  fail('POST', 503)
  for (const identity of [{ extensionNumber: '101' }, { extensionNumber: '101', hashedExtensionId: 'h' }, { hashedExtensionId: 'h' }]) {
    await t.rejects(instance.callLogs.create(instance.caller, callOf('first', identity), create), { code: 'waiting' })
  }
  fail('POST', undefined)
  pass(3_600_000)
  await instance.recover()
  t.match(await rows(), [{ state: 'logged', nextAttemptAt: null }, { state: 'logged', nextAttemptAt: null }])
})

await t.test('what a record holds is remembered as it was sent, whatever has changed when it is found', async t => {
  const { instance, pass, fail, records } = await world(t)
  fail('POST', 'after')
  await t.rejects(instance.callLogs.create(instance.caller, callOf('first'), create), { code: 'outcome-unknown' })
  fail('POST', undefined)
  pass(60_000)
  await instance.callLogs.create(changed(instance), callOf('first'), create)
  await instance.callLogs.update(changed(instance), { sessionId: 's1', startTime: '2026-01-15T09:30:00Z' })
  t.match(records(), [{ body: /06:30/ }], 'so that a later time takes its place')
})

await t.test('a log that nobody will look for keeps nothing', async t => {
  const { instance, fail, rows } = await world(t, now => connectorWith('none', now))
  fail('POST', 'after')
  await t.rejects(instance.callLogs.create(instance.caller, callOf('first'), create), { code: 'needs-user' })
  t.match(await rows(), [{ state: 'needs-user', sealedPending: '' }])
})

await t.test('a fraction of a millisecond is taken', async t => {
  const { instance, rows } = await world(t)
  await instance.callLogs.create(instance.caller, callOf('first', { logInfo: { sessionId: 's1', direction: 'Inbound', startTime: 1768464000000.6 } }), create)
  t.match(await rows(), [{ startTime: 1768464000001 }])
})

await t.test('a note that was kept for a call comes into its log, where somebody without it has logged the call before', async t => {
  const { instance, note } = await world(t)
  const byServer = async (): Promise<unknown> => await instance.callLogs.create(instance.caller, callOf(''), { withCachedNote: true })
  await byServer()
  await instance.callLogs.cacheNote(tenant, 's1', 'typed during the call')
  await byServer()
  t.equal(note(), 'typed during the call')
  await instance.callLogs.cacheNote(tenant, 's1', 'older words')
  await byServer()
  t.equal(note(), 'typed during the call', 'and takes the place of none')
})

await t.test('and takes the place of none that waits, nor does it decide what a repeat is answered', async t => {
  for (const waiting of [true, false]) {
    const { instance, note, fail, pass } = await world(t)
    const byServer = async (): Promise<{ successful: boolean }> => await instance.callLogs.create(instance.caller, callOf(''), { withCachedNote: true })
    await byServer()
    await instance.callLogs.cacheNote(tenant, 's1', 'older words')
    fail('PATCH', waiting ? 503 : 400)
    if (waiting) await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', note: 'newer words' }), { code: 'waiting' })
    t.match(await byServer(), { successful: true })
    fail('PATCH', undefined)
    pass(3_600_000)
    await instance.recover()
    t.equal(note(), waiting ? 'newer words' : '')
  }
})

await t.test('a note that is kept for a call is forgotten only when it is in the log, or waits with it', async t => {
  const placeholder = 'From auto logging (Pending)'
  const kept = async (opened: World): Promise<void> => { await opened.instance.callLogs.cacheNote(tenant, 's1', 'typed during the call') }
  const byServer = async ({ instance }: World, note = ''): Promise<unknown> => await instance.callLogs.create(instance.caller, callOf(note), { withCachedNote: true })

  await t.test('where somebody without it logs the call at the same time', async t => {
    let meanwhile: Promise<unknown> | undefined
    const opened: World = await world(t, now => {
      const { info, operations } = connectorWith('native', now)
      return {
        info,
        operations: {
          ...operations,
          createCallLog: async (context, log) => {
            meanwhile = byServer(opened)
            await new Promise(resolve => setImmediate(resolve))
            return await operations.createCallLog(context, log)
          }
        }
      }
    })
    await kept(opened)
    await opened.instance.callLogs.create(opened.instance.caller, callOf(''), create)
    await meanwhile
    t.equal(opened.note(), 'typed during the call')
  })

  await t.test('where the log has a placeholder, or one waits', async t => {
    for (const waiting of [false, true]) {
      const opened = await world(t)
      const { instance: { callLogs, caller, recover }, fail, pass, note } = opened
      await byServer(opened, waiting ? '' : placeholder)
      await kept(opened)
      if (waiting) {
        fail('PATCH', 503)
        await t.rejects(callLogs.update(caller, { sessionId: 's1', note: placeholder }), { code: 'waiting' })
      }
      t.match(await byServer(opened, placeholder), { successful: true })
      fail('PATCH', undefined)
      pass(3_600_000)
      await recover()
      t.equal(note(), 'typed during the call')
    }
  })

  await t.test('where the CRM refuses it at first', async t => {
    const opened = await world(t)
    await byServer(opened)
    await kept(opened)
    opened.fail('PATCH', 400)
    t.match(await byServer(opened), { successful: true })
    opened.fail('PATCH', undefined)
    await byServer(opened)
    t.equal(opened.note(), 'typed during the call')
  })

  await t.test('and an update of the service brings it, too', async t => {
    const opened = await world(t)
    const { instance: { callLogs, caller } } = opened
    await kept(opened)
    const update = { sessionId: 's1', note: placeholder, result: 'Voicemail' }
    await t.rejects(callLogs.update(caller, update, { withCachedNote: true }), { code: 'no-log' })
    await callLogs.create(caller, callOf(''), create)
    t.match(await callLogs.update(caller, update, { withCachedNote: true }), { updatedNote: 'typed during the call' })
    t.equal(opened.note(), 'typed during the call')
    await callLogs.update(caller, { sessionId: 's1', note: '', duration: 30 }, { withCachedNote: true })
    t.equal(opened.note(), 'typed during the call', 'the service clears no note, because nobody types there')
    await callLogs.update(caller, { sessionId: 's1', note: '' })
    t.equal(opened.note(), '')
  })

  await t.test('where the connector lays out the text itself', async t => {
    const updated = async ({ instance: { callLogs, caller } }: World): Promise<unknown> =>
      await callLogs.update(caller, { sessionId: 's1', note: placeholder }, { withCachedNote: true })
    for (const [way, bring] of [['a repeat', byServer], ['an update', updated]] as const) {
      for (const note of ['', placeholder, 'typed before']) {
        const { connector, given } = layingOut()
        const opened = await world(t, () => connector)
        await byServer(opened, note)
        await updated(opened)
        await kept(opened)
        await bring(opened)
        const notes = given.flatMap(({ note }) => note ?? [])
        t.strictSame(notes, note === 'typed before' ? [note] : [note, 'typed during the call'], `${way}, after '${note}'`)
      }
    }
  })

  await t.test('where such a connector has it with the log, or after it', async t => {
    for (const first of ['the log', 'an update'] as const) {
      const { connector, given } = layingOut()
      const opened = await world(t, () => connector)
      if (first === 'the log') await kept(opened)
      await byServer(opened)
      if (first === 'an update') await opened.instance.callLogs.update(opened.instance.caller, { sessionId: 's1', note: 'typed during the call' })
      await opened.instance.callLogs.cacheNote(tenant, 's1', 'older words')
      await byServer(opened)
      t.strictSame(given.flatMap(({ note }) => note || []), ['typed during the call'], first)
    }
  })

  await t.test('also where nobody knows what became of it', async t => {
    const opened = await world(t)
    const { instance: { callLogs, caller, recover }, fail, pass, note } = opened
    await callLogs.create(caller, callOf(''), create)
    await kept(opened)
    fail('PATCH', 500)
    await t.rejects(callLogs.update(caller, { sessionId: 's1', note: placeholder }, { withCachedNote: true }), { code: 'waiting' })
    fail('PATCH', undefined)
    pass(3_600_000)
    await recover()
    t.equal(note(), 'typed during the call')
  })
})

await t.test('recovery goes on with a log as it is now, not as it was when it was found due', async t => {
  const waiting = async (): Promise<World & { due: CallLog }> => {
    const opened = await world(t)
    opened.fail('POST', 503)
    await t.rejects(opened.instance.callLogs.create(opened.instance.caller, callOf('first'), create), { code: 'waiting' })
    const [due] = await opened.rows()
    return { ...opened, due: due as CallLog }
  }

  await t.test('its user has other words by now', async t => {
    const { instance, fail, note, due } = await waiting()
    await t.rejects(instance.callLogs.create(instance.caller, callOf('second'), create), { code: 'waiting' })
    fail('POST', undefined)
    await instance.callLogs.resume(instance.caller, due)
    t.equal(note(), 'second')
  })

  await t.test('its user has logged it, and somebody has deleted the record', async t => {
    const { instance, fail, records, crm, due } = await waiting()
    fail('POST', undefined)
    await instance.callLogs.create(instance.caller, callOf('second'), create)
    crm.remove(records()[0]?.id ?? 0)
    await t.rejects(instance.callLogs.update(instance.caller, { sessionId: 's1', note: 'third' }), { code: 'gone' })
    await instance.callLogs.resume(instance.caller, due)
    t.strictSame(records(), [])
  })

  await t.test('its user was told that it is refused', async t => {
    const { instance, fail, records, due } = await waiting()
    fail('POST', 400)
    await t.rejects(instance.callLogs.create(instance.caller, callOf('second'), create), { code: 'invalid' })
    fail('POST', undefined)
    await instance.callLogs.resume(instance.caller, due)
    t.strictSame(records(), [])
  })

  await t.test('a conversation, likewise', async t => {
    const { instance, fail, records } = await world(t)
    fail('POST', 503)
    await t.rejects(instance.messageLogs.log(instance.caller, conversation), { code: 'waiting' })
    const [due] = await instance.rows() as unknown as MessageLog[]
    fail('POST', 400)
    await t.rejects(instance.messageLogs.log(instance.caller, conversation), { code: 'invalid' })
    fail('POST', undefined)
    await instance.messageLogs.resume(instance.caller, due as MessageLog)
    t.strictSame(records(), [])
  })
})

await t.test('a note that waits for its call is there until the call is logged', async t => {
  const { instance, fail, note } = await world(t)
  await instance.callLogs.cacheNote(tenant, 's1', 'typed during the call')
  fail('POST', 400)
  await t.rejects(instance.callLogs.create(instance.caller, callOf(''), { withCachedNote: true }), { code: 'invalid' })
  fail('POST', undefined)
  await instance.callLogs.create(instance.caller, callOf(''), { withCachedNote: true })
  t.equal(note(), 'typed during the call')
})

await t.test('a message that was promised is written, although the one before it is refused', async t => {
  const { instance, fail, pass, records, rows } = await world(t)
  fail('POST', 503)
  for (const id of ['m1', 'm2', 'm3']) await t.rejects(instance.messageLogs.log(instance.caller, messageOf(id)), { code: 'waiting' })
  fail('POST', 400)
  await t.rejects(instance.messageLogs.log(instance.caller, messageOf('m4')), { code: 'invalid' })
  fail('POST', undefined)
  pass(60_000)
  for (let look = 0; look < 3; look++) await instance.recover()
  const [record, ...others] = records()
  t.strictSame(others, [])
  t.notMatch(record?.body, /Words of m1/, 'the CRM has refused it')
  t.match(record?.body, /Words of m2/)
  t.match(record?.body, /Words of m3/)
  t.notMatch(record?.body, /Words of m4/, 'its sender was told that it is not kept')
  t.match(await rows(), [{ state: 'logged', nextAttemptAt: null }])
})

await t.test('what waits with a record that may not be read is tried once, and goes on waiting', async t => {
  const written = async (kind: 'call' | 'conversation', words: string): Promise<World> => {
    const opened = await world(t)
    const { instance: { callLogs, messageLogs, caller }, fail, asked } = opened
    if (kind === 'call') await callLogs.create(caller, callOf(''), create)
    else await messageLogs.log(caller, messageOf('m1'))
    fail('GET', 503)
    await t.rejects(kind === 'call' ? callLogs.update(caller, { sessionId: 's1', note: words }) : messageLogs.log(caller, messageOf(words)), { code: 'waiting' })
    fail('GET', 400)
    asked.length = 0
    return opened
  }

  for (const kind of ['call', 'conversation'] as const) {
    await t.test(`of a ${kind}, by the recovery`, { timeout: 20_000 }, async t => {
      const { instance, fail, pass, records, asked } = await written(kind, 'm2')
      pass(60_000)
      await instance.recover()
      t.strictSame(asked, ['GET'])
      fail('GET', undefined)
      pass(3_600_000)
      await instance.recover()
      t.match(records()[0]?.body, /m2/)
    })
  }

  await t.test('of a call whose disposition is set, which does not go before what waits for the same fields', { timeout: 20_000 }, async t => {
    const { instance: { callLogs, caller, recover }, fail, pass, records } = await world(t)
    await callLogs.create(caller, callOf(''), create)
    fail('GET', 503)
    await t.rejects(callLogs.update(caller, { sessionId: 's1', note: 'waits', additionalSubmission: { deals: 1 } }), { code: 'waiting' })
    fail('GET', 400)
    await t.rejects(callLogs.setDisposition(caller, { sessionId: 's1', dispositions: { deals: 2 } }), { code: 'invalid' })
    fail('GET', undefined)
    pass(3_600_000)
    await recover()
    t.match(records(), [{ dealId: 1, body: /waits/ }])
  })

  await t.test('of a call whose disposition is set', { timeout: 20_000 }, async t => {
    const { instance: { callLogs, caller }, asked } = await written('call', 'waits')
    await callLogs.setDisposition(caller, { sessionId: 's1', dispositions: { note: 'x' } } as never)
    t.strictSame(asked.filter(method => method === 'GET'), ['GET'])
  })
})

await t.test('the contact that a later request names for a conversation that waits is the one that counts', async t => {
  const first = messageOf('m1', { from: { phoneNumber: '+16504445566' } })
  const [john, jane, gone] = [{ contactId: 1, contactName: 'John Smith' }, { contactId: 2, contactName: 'Jane Smith' }, { contactId: 999, contactName: 'Gone' }]
  const deal = (deals: number): object => ({ additionalSubmission: { deals } })
  const both = { ...first, logInfo: { ...first.logInfo, messages: [...first.logInfo.messages ?? [], ...messageOf('m2').logInfo.messages ?? []] } }
  const table: Array<[title: string, requests: CreateMessageLogBody[], record: object]> = [
    ['the same message for somebody else', [{ ...first, ...john }, { ...first, ...jane }], { contactId: 2, subject: /Jane Smith/, body: /Jane Smith.*Words of m1/ }],
    ['and with a further one', [{ ...first, ...john }, { ...both, ...jane }], { contactId: 2, subject: /Jane Smith/, body: /2 messages.*Jane Smith.*Words of m1.*Jane Smith.*Words of m2/ }],
    ['of whom others were told, too', [{ ...first, ...john }, { ...messageOf('m2'), ...john }, { ...messageOf('m3'), ...jane }], { contactId: 2, body: /3 messages/ }],
    ['the first is none', [{ ...first, ...gone }, { ...both, ...jane }], { contactId: 2, body: /Jane Smith.*Words of m1.*Words of m2/ }],
    ['what was chosen for the first is nothing for the second', [{ ...first, ...john, ...deal(1) }, { ...messageOf('m2'), ...john, ...deal(1) }, { ...first, ...jane }], { contactId: 2, dealId: null }],
    ['what was chosen later', [{ ...first, ...john, ...deal(1) }, { ...first, ...john, ...deal(2) }], { contactId: 1, dealId: 2 }],
    ['a request that chooses nothing', [{ ...first, ...john, ...deal(1) }, { ...messageOf('m2'), ...john }], { contactId: 1, dealId: 1 }]
  ]
  for (const [title, requests, expected] of table) {
    for (const last of ['answered', 'kept']) {
      await t.test(`${title}, ${last}`, async t => {
        const { instance, fail, pass, records } = await world(t)
        const [kept, answered] = last === 'answered' ? [requests.slice(0, -1), requests.at(-1)] : [requests]
        fail('POST', 503)
        for (const request of kept) await t.rejects(instance.messageLogs.log(instance.caller, request), { code: 'waiting' })
        fail('POST', undefined)
        pass(60_000)
        if (answered !== undefined) t.match(await instance.messageLogs.log(instance.caller, answered), { successful: true })
        else await instance.recover()
        const [record, ...others] = records()
        t.match(record, expected)
        t.strictSame(others, [])
        for (const id of ['m1', 'm2']) t.ok((record?.body.split(`Words of ${id}<`).length ?? 0) <= 2, 'each message is in it once')
      })
    }
  }
})

await t.test('a contact that the CRM refuses costs nobody else their message', async t => {
  const { instance, fail, pass, records } = await world(t)
  fail('POST', 503)
  for (const id of ['m1', 'm2']) await t.rejects(instance.messageLogs.log(instance.caller, messageOf(id)), { code: 'waiting' })
  fail('POST', undefined)
  await t.rejects(instance.messageLogs.log(instance.caller, { ...messageOf('m3'), contactId: 999 }))
  pass(60_000)
  await instance.recover()
  t.match(records(), [{ contactId: 1, body: /Words of m1.*Words of m2/ }])
  t.notMatch(records(), [{ body: /m3/ }], 'its sender was told that it is not kept')
})

await t.test('a contact or a choice that was kept, and that the CRM then refuses, costs nobody their message', async t => {
  const deal = (deals: number): object => ({ additionalSubmission: { deals } })
  const table: Array<[title: string, requests: object[], record: object]> = [
    ['a contact', [{}, { contactId: 999 }], { contactId: 1, dealId: null }],
    ['a choice', [{}, deal(999)], { contactId: 1, dealId: null }],
    ['a choice in place of another', [deal(1), deal(999)], { contactId: 1, dealId: 1 }],
    ['two of them', [deal(1), deal(998), { contactId: 999 }], { contactId: 1, dealId: 1 }],
    ['one between two that are right', [deal(1), deal(999), { contactId: 2 }], { contactId: 2, dealId: null }]
  ]
  for (const [title, requests, expected] of table) {
    const { instance, fail, pass, records, rows } = await world(t)
    fail('POST', 503)
    for (const [index, choice] of requests.entries()) await t.rejects(instance.messageLogs.log(instance.caller, { ...messageOf(`m${index + 1}`), ...choice }), { code: 'waiting' })
    fail('POST', undefined)
    for (let look = 0; look < 5; look++) {
      pass(60_000)
      await instance.recover()
    }
    t.match(records(), [expected], title)
    t.equal(records().length, 1)
    for (const index of requests.keys()) t.equal(records()[0]?.body.split(`Words of m${index + 1}<`).length, 2, `${title}: m${index + 1} is in it once`)
    t.match(await rows(), [{ state: 'logged', nextAttemptAt: null }])
  }
})

await t.test('a message that two requests brought in other words is in the record once, also when the answer to both was lost', async t => {
  const { instance, fail, pass, records } = await world(t)
  const from = { from: { phoneNumber: '+16504445566' } }
  await instance.messageLogs.log(instance.caller, { ...messageOf('m1', from), contactName: 'Ann' })
  fail('GET', 503)
  for (const contactName of ['Ann', 'Anna']) await t.rejects(instance.messageLogs.log(instance.caller, { ...messageOf('m2', from), contactName }), { code: 'waiting' })
  fail('GET', undefined)
  fail('PATCH', 'after')
  pass(60_000)
  await instance.recover()
  fail('PATCH', undefined)
  pass(3_600_000)
  await instance.recover()
  t.equal(records()[0]?.body.split('Words of m2<').length, 2)
})

await t.test('a conversation of which nobody knows whether it was written stays as it was sent', async t => {
  const { instance, fail, pass, records } = await world(t)
  fail('POST', 'after')
  await t.rejects(instance.messageLogs.log(instance.caller, { ...messageOf('m1'), contactName: 'John Smith' }), { code: 'outcome-unknown' })
  fail('POST', undefined)
  pass(60_000)
  t.match(await instance.messageLogs.log(instance.caller, { ...messageOf('m2'), contactId: 2, contactName: 'Jane Smith' }), { successful: true })
  t.match(records(), [{ contactId: 1, subject: /John Smith/, body: /Words of m1.*Words of m2/ }])
  t.equal(records().length, 1)
})

await t.test('a message that was promised is written although its record is deleted meanwhile: into a new one', async t => {
  const entity = (id: number): object => ({ id, recordType: 'AliveMessage', creationTime: `2026-01-15T08:0${id}:00Z`, text: `Words of m${id}` })
  const digestOf = (...ids: number[]): CreateMessageLogBody =>
    ({ ...conversation, logInfo: { ...conversation.logInfo, owner: { name: 'Support Queue' }, entities: ids.map(entity) } })
  const table: Array<[kind: string, requests: [first: CreateMessageLogBody, ...others: CreateMessageLogBody[]], held: string[], lost: string[]]> = [
    ['one message', [messageOf('m1'), messageOf('m2')], ['m2'], ['m1']],
    ['several', [messageOf('m1'), messageOf('m2'), messageOf('m3')], ['m2', 'm3'], ['m1']],
    ['a digest, which shows all', [digestOf(1), digestOf(1, 2)], ['m1', 'm2'], []]
  ]
  for (const [kind, [first, ...others], held, lost] of table) {
    for (const finder of ['recovery', 'somebody else']) {
      await t.test(`${kind}, found by ${finder}`, async t => {
        const { instance, fail, pass, records, crm, rows } = await world(t)
        await instance.messageLogs.log(instance.caller, first)
        fail('GET', 503)
        for (const other of others) await t.rejects(instance.messageLogs.log(instance.caller, other), { code: 'waiting' })
        fail('GET', undefined)
        crm.remove(records()[0]?.id ?? 0)
        pass(60_000)
        if (finder === 'somebody else') await t.rejects(instance.messageLogs.log(instance.caller, messageOf('m4')), { code: 'gone' })
        for (let look = 0; look < 3; look++) await instance.recover()
        const [record, ...more] = records()
        t.strictSame(more, [])
        for (const id of held) t.equal(record?.body.split(`Words of ${id}<`).length, 2, `${id} is there once`)
        for (const id of [...lost, 'm4']) t.notMatch(record?.body, `Words of ${id}<`, `${id} was promised to nobody`)
        t.match(await rows(), [{ state: 'logged', nextAttemptAt: null, sealedPending: '' }])
        t.match(await instance.messageLogs.log(instance.caller, messageOf('m1')), { successful: true, logIds: lost }, 'what went with the record may be logged again')
      })
    }
  }
})

await t.test('and once, whenever the process dies on the way', async t => {
  for (const dedupe of ['native', 'search'] as const) {
    for (const moment of ['before', 'after'] as const) {
      await t.test(`dedupe ${dedupe}, ${moment} an effect`, async t => {
        const deaths: string[] = []
        // There is nothing after the request that tells that the record is gone: of two effects in a row one is spoiled until the end.
        for (let at = 1, spared = 0; spared < 2; at++) {
          const { instance, restart, fail, pass, records, crm, rows } = await world(t, now => connectorWith(dedupe, now))
          await instance.messageLogs.log(instance.caller, messageOf('m1'))
          fail('GET', 503)
          for (const id of ['m2', 'm3']) await t.rejects(instance.messageLogs.log(instance.caller, messageOf(id)), { code: 'waiting' })
          fail('GET', undefined)
          crm.remove(records()[0]?.id ?? 0)
          pass(60_000)
          instance.effects.arm({ at, mode: 'crash', moment })
          for (let look = 0; look < 3; look++) await instance.recover().catch(() => {})
          const next = await restart()
          do pass(3_600_000)
          while (await next.recover() > 0)
          const { spoiled = 'no death' } = instance.effects
          const [record, ...others] = records()
          t.strictSame(others, [], spoiled)
          for (const id of ['m2', 'm3']) t.equal(record?.body.split(`Words of ${id}<`).length, 2, `${spoiled}: ${id} is there once`)
          t.match(await rows(), [{ state: 'logged', nextAttemptAt: null, sealedPending: '' }], spoiled)
          spared = instance.effects.spoiled === undefined ? spared + 1 : 0
          deaths.push(spoiled)
        }
        for (const effect of ['message_logs.startAnew', 'POST /api/activities', 'PATCH /api/activities/']) {
          t.ok(deaths.some(name => name.startsWith(`${moment} ${effect}`)), `dies ${moment} ${effect}`)
        }
      })
    }
  }
})

/** A day of a conversation, sent anew with each further message, as the extension does. */
const days: Array<[kind: string, dayOf: (count: number) => CreateMessageLogBody]> = (() => {
  const text = (index: number): string => `Words of m${index} ${'x'.repeat(150)}`
  const time = (index: number): number => Date.UTC(2026, 0, 15, 8, index)
  const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
  const dayOf = (more: object) => (count: number): CreateMessageLogBody => ({
    ...conversation,
    logInfo: { ...conversation.logInfo, messages: ids(count).map(id => ({ id: `m${id}`, direction: 'Inbound', subject: text(id), creationTime: time(id) })), ...more }
  })
  return [
    ['a single conversation', dayOf({})],
    ['a group', dayOf({ correspondents: [{ name: 'John' }, { name: 'Mary' }] })],
    ['a shared conversation', count => dayOf({
      owner: { name: 'Support Queue' },
      entities: ids(count).map(id => ({ id, recordType: 'AliveMessage', direction: 'Inbound', creationTime: time(id), text: text(id) }))
    })(count)]
  ]
})()

await t.test('what waits grows with the messages, not with the square of them', async t => {
  for (const [kind, dayOf] of days) {
    for (const [state, method] of [['not written yet', 'POST'], ['written', 'GET']] as const) {
      await t.test(`${kind}, ${state}`, async t => {
        const { instance, fail, pass, records, rows } = await world(t)
        if (state === 'written') await instance.messageLogs.log(instance.caller, dayOf(1))
        fail(method, 503)
        const waits = async (): Promise<number> => (await rows())[0]?.sealedPending.length ?? 0
        const after = new Map<number, number>()
        for (let count = 1; count <= 40; count++) {
          if (count > 1 || state === 'not written yet') await t.rejects(instance.messageLogs.log(instance.caller, dayOf(count)), { code: 'waiting' })
          after.set(count, await waits())
        }
        const [twenty = 0, forty = 0] = [after.get(20), after.get(40)]
        t.ok(twenty > 0 && forty < twenty * 2.5, `${twenty} characters with 20 messages, ${forty} with 40`)
        await t.rejects(instance.messageLogs.log(instance.caller, dayOf(40)), { code: 'waiting' })
        t.equal(await waits(), forty, 'a repeat adds nothing')
        fail(method, undefined)
        pass(3_600_000)
        await instance.recover()
        const [record, ...others] = records()
        t.strictSame(others, [])
        for (let id = 1; id <= 40; id++) t.equal(record?.body.split(`Words of m${id} `).length, 2, `m${id} is there once`)
        t.match(record?.body, kind === 'a shared conversation' ? /40 messages.*Words of m40 .*Words of m1 /s : /\(40 messages\).*Words of m1 .*Words of m40 /s)
        t.match(await rows(), [{ state: 'logged', nextAttemptAt: null, sealedPending: '' }])
      })
    }
  }
})

await t.test('what is chosen last counts, also where its messages wait already', async t => {
  const deal = (deals: number): object => ({ additionalSubmission: { deals } })
  const john = { ...messageOf('m2'), contactId: 1 }
  const other = { ...messageOf('m3'), contactId: 1 }
  const table: Array<[title: string, requests: CreateMessageLogBody[], dealId: number]> = [
    ['another choice', [{ ...john, ...deal(1) }, { ...john, ...deal(2) }], 2],
    ['and the first one again', [{ ...john, ...deal(1) }, { ...john, ...deal(2) }, { ...john, ...deal(1) }], 1],
    ['and none', [{ ...john, ...deal(1) }, { ...john, ...deal(2) }, john], 2],
    ['the same, after messages without one', [{ ...john, ...deal(1) }, other, { ...john, ...deal(1) }], 1]
  ]
  for (const [title, requests, dealId] of table) {
    await t.test(title, async t => {
      const { instance, fail, pass, records } = await world(t)
      await instance.messageLogs.log(instance.caller, messageOf('m1'))
      fail('GET', 503)
      for (const request of requests) await t.rejects(instance.messageLogs.log(instance.caller, request), { code: 'waiting' })
      fail('GET', undefined)
      pass(3_600_000)
      await instance.recover()
      t.match(records(), [{ dealId }])
      t.equal(records()[0]?.body.split('Words of m2<').length, 2)
    })
  }
})

await t.test('a digest that waits does not take the place of one that shows or chooses something else', async t => {
  const entity = (id: number | undefined, text: string): object => ({ id, recordType: 'AliveMessage', creationTime: `2026-01-15T08:0${text.length}:00Z`, text })
  const digest = (entities: object[], more: object = {}): CreateMessageLogBody => ({ ...conversation, logInfo: { ...conversation.logInfo, owner: { name: 'Queue' }, entities }, ...more })
  const [one, two, three] = [entity(1, 'a'), entity(2, 'bb'), entity(3, 'ccc')]
  const table: Array<[title: string, requests: CreateMessageLogBody[], record: object]> = [
    ['others', [digest([one, two]), digest([one, three])], { body: />a<.*/ }],
    ['without ids', [digest([entity(undefined, 'a')]), digest([entity(undefined, 'bb')])], { body: /bb.*a/ }],
    ['a choice', [digest([one], { additionalSubmission: { deals: 1 } }), digest([one, two])], { dealId: 1, body: /bb.*a/ }],
    ['an edited text', [digest([one]), digest([entity(1, 'dddd'), two])], { body: /dddd/ }]
  ]
  for (const [title, requests, expected] of table) {
    await t.test(title, async t => {
      const { instance, fail, pass, records } = await world(t)
      await instance.messageLogs.log(instance.caller, digest([]))
      fail('GET', 503)
      for (const request of requests) await t.rejects(instance.messageLogs.log(instance.caller, request), { code: 'waiting' })
      fail('GET', undefined)
      pass(3_600_000)
      await instance.recover()
      t.match(records(), [expected])
      if (title === 'others') t.match(records(), [{ body: /ccc.*bb.*a/ }])
    })
  }
})

await t.test('a refused contact takes no message along that another request was promised for somebody else', async t => {
  const [gone, jane] = [{ contactId: 999 }, { contactId: 2 }]
  const all = { ...messageOf('m1'), logInfo: { ...conversation.logInfo, messages: ['m1', 'm2', 'm3'].flatMap(id => messageOf(id).logInfo.messages ?? []) } }
  const { instance, fail, pass, records } = await world(t)
  fail('POST', 'before')
  await t.rejects(instance.messageLogs.log(instance.caller, { ...messageOf('m1'), ...gone }), { code: 'outcome-unknown' })
  for (const body of [{ ...messageOf('m2'), ...gone }, { ...all, ...jane }]) await t.rejects(instance.messageLogs.log(instance.caller, body), { code: 'outcome-unknown' })
  fail('POST', undefined)
  for (let look = 0; look < 4; look++) {
    pass(3_600_000)
    await instance.recover()
  }
  t.match(records(), [{ contactId: 2, body: /Words of m1.*Words of m2.*Words of m3/ }])
})

await t.test('a fax that had to wait has its link', async t => {
  const { instance, fail, pass, records } = await world(t)
  const fax = messageOf('f1', { attachments: [{ type: 'RenderedDocument', link: 'https://app.ringcentral.com/fax/1', uri: 'https://media.ringcentral.com/1' }] })
  fail('POST', 503)
  await t.rejects(instance.messageLogs.log(instance.caller, { ...fax, logInfo: { ...fax.logInfo, rcAccessToken: 'token' } }), { code: 'waiting' })
  fail('POST', undefined)
  pass(60_000)
  await instance.recover()
  t.match(records()[0]?.body, /https:\/\/app\.ringcentral\.com\/fax\/1/)
})

await t.test('a look for what waits ends when all of its rows have ended, whatever the database does', async t => {
  const rows = Array.from({ length: 12 }, (_, index) => ({ id: String(index), userId: 'u', accountId: '', platform: 'x', state: 'waiting', attempts: 0 }) as CallLog)
  const [begun, ended]: [string[], string[]] = [[], []]
  const warned: string[] = []
  const { look, settled } = recovery({
    kind: 'call',
    rows: {
      due: async () => rows,
      advance: async () => { throw new Error('The database is away') },
      pendingOf: () => pendingText({ since: 0, create: {}, updates: [] })
    },
    async resume (_caller, row) {
      begun.push(row.id)
      await new Promise(resolve => { setTimeout(resolve, row.id === '0' ? 1 : 20) })
      ended.push(row.id)
      throw new Error('The database is away')
    }
  }, { callerOf: async () => ({}) as Caller, clock: () => 0, random: () => 0, log: { info: () => {}, warn: (_facts, message) => { warned.push(message) } } })
  t.equal(await look(), 12)
  await settled()
  t.equal(begun.length, 12)
  t.strictSame(ended.toSorted(), begun.toSorted())
  t.equal(warned.filter(message => message.includes('could not be noted')).length, 12)
})

await t.test('a CRM that is slow holds up its own logs only', async t => {
  const of = (platform: string, count: number): CallLog[] =>
    Array.from({ length: count }, (_, index) => ({ id: `${platform} ${index}`, userId: 'u', accountId: '', platform, state: 'waiting', attempts: 0 }) as CallLog)
  let waiting = [...of('slow', 60), ...of('fast', 6)]
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const { look, settled } = recovery({
    kind: 'call',
    rows: {
      due: async (_now, limit, except) => waiting.filter(({ platform }) => !except.includes(platform)).slice(0, limit),
      advance: async row => row,
      pendingOf: () => pendingText({ since: 0, create: {}, updates: [] })
    },
    async resume (_caller, row) {
      if (row.platform === 'slow') await held
      waiting = waiting.filter(one => one !== row)
    }
  }, { callerOf: async () => ({}) as Caller, clock: () => 0, random: () => 0, log: { info: () => {}, warn: () => {} } })
  t.equal(await look(), 50, 'all of them of the slow one')
  t.equal(await look(), 6)
  await new Promise(resolve => { setTimeout(resolve, 20) })
  t.equal(waiting.length, 60)
  t.equal(await look(), 0, 'and nothing is begun twice')
  release()
  await settled()
  t.equal(await look(), 10)
  await settled()
  t.strictSame(waiting, [])
})

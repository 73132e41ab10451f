/**
 * The fault loop: a scenario in which the first effect fails, then one in which the second does, and so on until there are no more.
 * An effect is a statement of the database or a request to the CRM.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readNote } from '../../src/calls/body/merge.ts'
import { PatchbayError } from '../../src/contract/errors.ts'
import { connectorWith, type Dedupe } from './connectors.ts'
import { openCrm, type Activity, type Crm } from './crm.ts'
import type { Mode, Moment, Spoiling } from './effects.ts'
import { startInstance, type Instance } from './instance.ts'

const start = Date.UTC(2026, 0, 15, 9)
const minute = 60_000
/** Longer than a lease and than any delay between two attempts. */
const longPause = 13 * minute

interface Answered { successful: boolean, logId?: string }
type Step =
  | { client: string, send: (instance: Instance) => Promise<Answered> }
  | { person: string, edit: (crm: Crm) => void }

const call = {
  logInfo: { sessionId: 's1', direction: 'Inbound' as const, startTime: start - 10 * minute, duration: 30, result: 'Connected' },
  contactId: 1,
  contactName: 'John',
  note: 'Wants a licence.'
}

const conversation = (...texts: string[]) => ({
  logInfo: {
    conversationId: 'c1',
    conversationLogId: 'c1/2026-01-15',
    type: 'SMS',
    correspondents: [{ phoneNumber: '+16504445566', name: 'John' }],
    messages: texts.map((subject, index) => ({ id: subject, direction: 'Inbound', creationTime: start + index * minute, subject }))
  },
  contactId: 1,
  contactName: 'John'
})

const isCall = ({ type }: Activity): boolean => type === 'call'

const steps: Step[] = [
  { client: 'create', send: async ({ callLogs, caller }) => await callLogs.create(caller, call, { withCachedNote: false }) },
  { client: 'repeat', send: async ({ callLogs, caller }) => await callLogs.create(caller, call, { withCachedNote: false }) },
  { client: 'recording', send: async ({ callLogs, caller }) => await callLogs.update(caller, { sessionId: 's1', duration: 61, recordingLink: 'https://example.com/recording' }) },
  {
    person: 'edits the note and writes a paragraph',
    edit: crm => {
      for (const { id, body } of crm.records().filter(isCall)) crm.edit(id, `${body.replace('Wants a licence.', 'Wants two licences.')}<p>Call her on Monday.</p>`)
    }
  },
  { client: 'AI note', send: async ({ callLogs, caller }) => await callLogs.update(caller, { sessionId: 's1', aiNote: 'A licence was spoken of.', result: 'Voicemail' }) },
  { client: 'disposition', send: async ({ callLogs, caller }): Promise<Answered> => await callLogs.setDisposition(caller, { sessionId: 's1', dispositions: { deals: 1 } }) },
  { client: 'message', send: async ({ messageLogs, caller }) => await messageLogs.log(caller, conversation('hello')) },
  {
    person: 'writes into the conversation',
    edit: crm => {
      for (const { id, body } of crm.records().filter(record => !isCall(record))) crm.edit(id, `${body}<p>A friendly one.</p>`)
    }
  },
  { client: 'further message', send: async ({ messageLogs, caller }) => await messageLogs.log(caller, conversation('hello', 'goodbye')) }
]

interface Played {
  /** The effect that failed; undefined when the scenario has fewer of them. */
  spoiled: string | undefined
  /** What clients were told in the end, by step. */
  told: Map<string, Answered | 'waiting' | 'needs-user'>
  records: Activity[]
  states: string[]
  /** Whether nothing waits any more. */
  atRest: boolean
  found: { matched: boolean, logId?: string } | undefined
}

/** Plays the scenario. What fails is taken up again at once: by a new process after a crash, by the recovery, and by the client. */
async function play (crm: Crm, clock: { now: number }, dedupe: Dedupe, file: string, spoiling: Spoiling): Promise<Played> {
  crm.clear()
  clock.now = start
  const now = (): number => clock.now
  const begin = async (): Promise<Instance> => await startInstance({ url: `file:${file}`, clock: now, crm, connector: connectorWith(dedupe, now), meets: () => undefined })
  let instance = await begin()
  let spoiled: string | undefined
  instance.effects.arm(spoiling)
  const told: Played['told'] = new Map()

  const recover = async (): Promise<void> => {
    spoiled ??= instance.effects.spoiled
    if (instance.effects.dead) {
      await instance.stop()
      instance = await begin()
    }
    do clock.now += longPause
    while (await instance.recover() > 0)
  }

  for (const step of steps) {
    if ('person' in step) {
      step.edit(crm)
      continue
    }
    for (let attempt = 0; !told.has(step.client) && attempt < 5; attempt++) {
      try {
        told.set(step.client, await step.send(instance))
      } catch (error) {
        if (error instanceof PatchbayError && (error.code === 'waiting' || error.code === 'needs-user')) told.set(step.client, error.code)
        await recover()
      }
    }
  }
  spoiled ??= instance.effects.spoiled
  instance.effects.arm(undefined)
  await recover()
  const rows = await instance.rows()
  const { logs: [found] = [] } = await instance.callLogs.find(instance.caller.tenant, ['s1'], {})
  await instance.stop()
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  return {
    spoiled,
    told,
    records: crm.records(),
    states: rows.map(({ state }) => state),
    atRest: rows.every(({ sealedPending, leaseUntil, nextAttemptAt, state }) =>
      state === 'needs-user' || (sealedPending === '' && (leaseUntil ?? 0) <= clock.now && nextAttemptAt === null)),
    found
  }
}

/** @returns what is wrong after the scenario */
function * problemsOf ({ told, records, states, atRest, found }: Played, dedupe: Dedupe): Generator<string> {
  const calls = records.filter(isCall)
  const conversations = records.filter(record => !isCall(record))
  if (calls.length > 1 || conversations.length > 1) yield `${calls.length} records of the call, ${conversations.length} of the conversation`
  const asking = states.filter(state => state === 'needs-user').length
  if (asking > (dedupe === 'none' ? 1 : 0)) yield `${asking} logs ask the user to look`
  for (const step of steps) if ('client' in step && !told.has(step.client)) yield `${step.client} never came to an end`
  const needUser = [...told].filter(([, answer]) => answer === 'needs-user').map(([client]) => client)
  if (asking === 0 && needUser.length > 0) yield `${needUser.join()} told to look, though everything is known`
  if (!atRest) yield 'something still waits'

  const ofCall = !(['create', 'repeat'].some(client => needUser.includes(client)))
  const ofConversation = !(['message', 'further message'].some(client => needUser.includes(client)))
  const [record] = calls
  const [messages] = conversations
  if (record !== undefined && !record.body.includes('<p>Call her on Monday.</p>')) yield `a person's paragraph is lost: ${record.body}`
  if (messages !== undefined && !messages.body.includes('<p>A friendly one.</p>')) yield `a person's paragraph is lost: ${messages.body}`
  if (ofCall) {
    const created = told.get('create')
    if (record === undefined) yield 'the call is lost'
    else if (found?.matched !== true || found.logId !== String(record.id)) yield 'the call is said not to be logged'
    else if (typeof created === 'object' && created.logId !== String(record.id)) yield 'the client was told another record'
    if (record !== undefined) {
      const { body, durationSeconds, outcome, dealId } = record
      const note = readNote(body, 'text/html')
      if (note !== 'Wants two licences.') yield `the note that a person edited is "${note}"`
      if (!body.includes('https://example.com/recording') || !body.includes('A licence was spoken of.')) yield `an update is lost: ${body}`
      if (durationSeconds !== 61 || outcome !== 'Voicemail' || dealId !== 1) yield `a field is lost: ${JSON.stringify({ durationSeconds, outcome, dealId })}`
    }
  }
  if (ofConversation && messages === undefined) yield 'the conversation is lost'
  if (ofConversation && messages !== undefined) {
    for (const text of ['hello', 'goodbye']) if (messages.body.split(text).length !== 2) yield `"${text}" is not there once: ${messages.body}`
  }
}

const modes: Mode[] = ['throw', 'crash']
const moments: Moment[] = ['before', 'after']

for (const dedupe of ['native', 'search', 'none'] as const) {
  for (const mode of modes) {
    for (const moment of moments) {
      const how = mode === 'throw' ? `an effect fails ${moment} it is done` : `the process dies ${moment} an effect`
      const promise = dedupe === 'none' ? 'is logged at most once, and a person is asked to look where nobody can know' : 'is logged once and nothing is lost'
      await t.test(`dedupe ${dedupe}: when ${how}, whichever one, each call and conversation ${promise}`, async t => {
        const clock = { now: start }
        const crm = openCrm(() => clock.now)
        t.teardown(crm.close)
        const folder = t.testdir()
        const spoiled: string[] = []
        let asked = false
        for (let at = 1; ; at++) {
          const played = await play(crm, clock, dedupe, join(folder, `${at}.db`), { at, mode, moment })
          const problems = [...problemsOf(played, dedupe)]
          asked ||= played.states.includes('needs-user')
          if (problems.length > 0) t.fail(`effect ${at}: ${played.spoiled ?? 'none'}`, { problems })
          if (played.spoiled === undefined) break
          spoiled.push(played.spoiled)
        }
        t.ok(spoiled.length >= 25, `${spoiled.length} effects`)
        t.equal(asked, dedupe === 'none', 'a person is asked where nothing else can tell, and nowhere else')
        for (const effect of ['call_logs.reserve', 'call_logs.advance', 'POST /api/activities', 'PATCH /api/activities/', 'message_logs.recordMessages']) {
          t.ok(spoiled.some(name => name.startsWith(`${moment} ${effect}`)), effect)
        }
      })
    }
  }
}

/**
 * Runs a history: clients, a person in the CRM, a network and a process that fail, and checks at every step and at the end that no
 * call has two records, that nothing which was promised is missing, and that no word of a person is lost.
 */
import { rmSync } from 'node:fs'
import { readNote, readSection } from '../../src/calls/body/merge.ts'
import { PatchbayError, type ErrorCode } from '../../src/contract/errors.ts'
import { connectorWith, type Dedupe } from './connectors.ts'
import { openCrm, type Activity, type Crm, type Failing } from './crm.ts'
import { CallModel, ConversationModel, type Outcome } from './history-model.ts'
import { callNames, conversationNames, type CallName, type ConversationName, type Field, type Name, type Op, type Request } from './history-ops.ts'
import { startInstance, type Instance } from './instance.ts'

const start = Date.UTC(2026, 0, 15, 9)
const minute = 60_000

/** Codes of answers that say that nothing was done and nothing will be. */
const nothingDone = new Set<string>(['no-log', 'gone', 'needs-user', 'invalid', 'no-message'] satisfies ErrorCode[])

/** Where a history may go on, of those that share the CRM. */
export interface Ground {
  crm: Crm
  clock: { now: number }
}

export function openGround (): Ground {
  const clock = { now: start }
  return { clock, crm: openCrm(() => clock.now) }
}

/** @throws an error that says which promise was broken, and what had happened until then */
export async function runHistory (ground: Ground, dedupe: Dedupe, file: string, ops: readonly Op[]): Promise<void> {
  ground.crm.clear()
  ground.clock.now = start
  const world = await World.open(ground, dedupe, file)
  try {
    for (const op of ops) await world.run(op)
    await world.settle()
    await world.checkEnd()
  } catch (error) {
    if (!(error instanceof BrokenPromise)) throw error
    throw new Error(`${error.message}\n${world.story.join('\n')}`, { cause: error })
  } finally {
    await world.close()
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  }
}

class BrokenPromise extends Error {}

interface Sent {
  outcome: Outcome
  code: string
  /** Of the record. */
  id: number | undefined
  /** The messages that the answer named. */
  noted: string[]
}

/** A request with all its content, so that it can be sent again. */
interface Prepared {
  request: Request
  values: Map<Field, string>
  messages: string[]
  send: (instance: Instance) => Promise<Answered>
}

interface Answered { successful: boolean, logId?: string, logIds?: string[] }

class World {
  readonly story: string[] = []
  readonly #ground: Ground
  readonly #dedupe: Dedupe
  readonly #file: string
  #instance: Instance
  readonly #calls = new Map(callNames.map(name => [name, new CallModel()]))
  readonly #conversations = new Map(conversationNames.map(name => [name, new ConversationModel()]))
  /** The last request about each of them that was not confirmed. */
  readonly #open = new Map<Name, Prepared>()
  #failing: { method: string, how: Failing } | undefined
  #outage: Failing | undefined
  #spoiling: Op & { do: 'spoil' } | undefined
  #words = 0

  private constructor (ground: Ground, dedupe: Dedupe, file: string, instance: Instance) {
    this.#ground = ground
    this.#dedupe = dedupe
    this.#file = file
    this.#instance = instance
  }

  static async open (ground: Ground, dedupe: Dedupe, file: string): Promise<World> {
    const world: World = new World(ground, dedupe, file, await World.#start(ground, dedupe, file, method => world.#meets(method)))
    return world
  }

  static async #start ({ crm, clock }: Ground, dedupe: Dedupe, file: string, meets: (method: string) => Failing | undefined): Promise<Instance> {
    const now = (): number => clock.now
    return await startInstance({ url: `file:${file}`, clock: now, crm, connector: connectorWith(dedupe, now), meets })
  }

  #meets (method: string): Failing | undefined {
    if (this.#outage !== undefined) return this.#outage
    if (this.#failing?.method !== method) return undefined
    const { how } = this.#failing
    this.#failing = undefined
    return how
  }

  async run (op: Op): Promise<void> {
    switch (op.do) {
      case 'create': case 'update': case 'disposition': case 'messages':
        await this.#send([this.#prepare(op)])
        break
      case 'at once': {
        const prepared = op.requests.map(request => this.#prepare(request))
        // An effect that throws may leave a lease behind, for which the others would wait in real time.
        if (this.#spoiling?.mode === 'throw') for (const each of prepared) await this.#send([each])
        else await this.#send(prepared)
        break
      }
      case 'again': {
        const open = this.#open.get(op.what)
        if (open !== undefined) await this.#send([open])
        break
      }
      case 'find':
        await this.#find(op.what)
        break
      case 'fail':
        this.#failing = op
        this.#note(op)
        break
      case 'refuse':
        this.#failing = { method: op.method, how: 400 }
        this.#note(op)
        break
      case 'outage':
        this.#outage = op.how
        this.#note(op)
        break
      case 'calm':
        this.#outage = undefined
        this.#failing = undefined
        this.#note(op)
        break
      case 'spoil':
        this.#spoiling = op
        this.#note(op)
        break
      case 'pass':
        this.#ground.clock.now += op.seconds * 1000
        this.#note(op)
        break
      case 'recover':
        await this.#recover()
        break
      case 'restart':
        await this.#restart()
        break
      default:
        this.#person(op)
    }
    this.#checkRecords()
  }

  #note (what: unknown): void {
    this.story.push(`${((this.#ground.clock.now - start) / 1000).toFixed(0)} s: ${typeof what === 'string' ? what : JSON.stringify(what)}`)
  }

  #word (): string {
    return `w${++this.#words}z`
  }

  #prepare (request: Request): Prepared {
    const values = new Map<Field, string>()
    const base = { request, values, messages: [] }
    if (request.do === 'messages') {
      const { messages } = this.#conversation(request.what)
      const known = [...messages.keys()]
      const fresh = Array.from({ length: request.fresh }, () => this.#word())
      for (const each of fresh) messages.set(each, 'may')
      const sent = request.all ? [...known, ...fresh] : fresh.length > 0 ? fresh : known.slice(-1)
      const body = messageBody(request.what, sent)
      return { ...base, messages: sent, send: async ({ messageLogs, caller }) => await messageLogs.log(caller, body) }
    }
    const sessionId = request.what
    const fields: readonly Field[] = request.do === 'create' ? [...request.blank === true ? [] : ['note'] as const, 'duration', 'result'] : request.do === 'update' ? request.fields : ['deal']
    for (const field of fields) values.set(field, this.#valueFor(field))
    const note = values.get('note')
    const recordingLink = values.get('recordingLink')
    const aiNote = values.get('aiNote')
    const result = values.get('result')
    const duration = values.get('duration')
    const deal = values.get('deal')
    const facts = { ...(result !== undefined && { result }), ...(duration !== undefined && { duration: Number(duration) }) }
    switch (request.do) {
      case 'create': {
        const body = { logInfo: { sessionId, direction: 'Inbound' as const, startTime: startTimeOf(sessionId), ...facts }, contactId: 1, contactName: 'John', note: note ?? '' }
        return { ...base, send: async ({ callLogs, caller }) => await callLogs.create(caller, body, { withCachedNote: false }) }
      }
      case 'update': {
        const body = { sessionId, ...facts, ...(note !== undefined && { note }), ...(recordingLink !== undefined && { recordingLink }), ...(aiNote !== undefined && { aiNote }), ...(deal !== undefined && { additionalSubmission: { deals: Number(deal) } }) }
        return { ...base, send: async ({ callLogs, caller }) => await callLogs.update(caller, body) }
      }
      case 'disposition': {
        const body = { sessionId, dispositions: { deals: Number(deal) } }
        return { ...base, send: async ({ callLogs, caller }): Promise<Answered> => await callLogs.setDisposition(caller, body) }
      }
    }
  }

  #valueFor (field: Field): string {
    const word = this.#word()
    if (field === 'duration') return String(1_000 + this.#words)
    if (field === 'deal') return String(1 + this.#words % 2)
    return field === 'recordingLink' ? `https://example.com/${word}` : word
  }

  /** Sends requests at the same time, and notes what their answers say. */
  async #send (prepared: readonly Prepared[]): Promise<void> {
    await this.#comeBack()
    // A disposition brings the updates that wait, too, and only who waits for an answer is refused.
    if (this.#failing?.how === 400 && prepared.some(({ request }) => request.do === 'disposition') && await this.#somethingWaits()) this.#failing = undefined
    const spoiling = this.#spoiling
    this.#spoiling = undefined
    this.#instance.effects.arm(spoiling)
    const sent = await Promise.all(prepared.map(async each => await this.#ask(each)))
    this.#instance.effects.arm(undefined)
    // Only who waits for an answer is refused: what is refused later, nobody can be told.
    if (this.#failing?.how === 400) this.#failing = undefined
    for (const [index, { request, values, messages }] of prepared.entries()) {
      const spoiled = this.#instance.effects.spoiled
      this.#note(`${JSON.stringify(request)} ${[...values.values(), ...messages].join(' ')} -> ${sent[index]?.code ?? ''}${spoiled === undefined ? '' : ` (${spoiled} spoiled)`}`)
    }
    const named = grouped(prepared.map((each, index) => ({ ...each, sent: sent[index] as Sent })), each => each.request.what)
    for (const [name, requests] of named) this.#learn(name, requests)
  }

  async #somethingWaits (): Promise<boolean> {
    return (await this.#instance.rows()).some(({ sealedPending }) => sealedPending !== '')
  }

  async #ask ({ send }: Prepared): Promise<Sent> {
    try {
      const { logId, logIds = [] } = await send(this.#instance)
      return { outcome: 'done', code: `done ${logId ?? logIds.join(' ')}`, id: logId === undefined ? undefined : Number(logId), noted: logIds }
    } catch (error) {
      const code = error instanceof PatchbayError ? error.code : 'lost'
      if (code === 'lost' && !this.#instance.effects.dead && this.#instance.effects.spoiled === undefined) throw error
      return { outcome: code === 'waiting' ? 'kept' : nothingDone.has(code) ? 'nothing' : 'open', code, id: undefined, noted: [] }
    }
  }

  #learn (name: Name, requests: ReadonlyArray<Prepared & { sent: Sent }>): void {
    const [last] = requests.slice(-1)
    if (last === undefined) return
    // Who is told that the record is gone may log again what they have.
    const open = requests.findLast(({ sent: { outcome, code } }) => outcome === 'open' || (isConversation(name) && code === 'gone'))
    if (open === undefined) this.#open.delete(name)
    else this.#open.set(name, open)
    if (isConversation(name)) {
      const model = this.#conversation(name)
      for (const { sent, messages } of requests) {
        model.sent(sent.outcome, messages, sent.noted)
        model.needsUser ||= sent.code === 'needs-user'
        if (sent.code === 'invalid') model.refused()
      }
      return
    }
    const model = this.#call(name)
    if (requests.length > 1) model.atOnce(requests.map(({ request, sent, values }) => ({ create: request.do === 'create', outcome: sent.outcome, values })))
    else if (last.request.do === 'create') model.create(last.sent.outcome, last.values)
    else model.update(last.sent.outcome, last.values)
    for (const { sent } of requests) {
      model.needsUser ||= sent.code === 'needs-user'
      if (sent.code === 'lost') model.maybeWritten()
      if (sent.code === 'invalid') model.refused()
      if (sent.id !== undefined && model.deleted.has(sent.id)) model.existence = 'possible'
    }
  }

  async #find (what: CallName): Promise<void> {
    await this.#comeBack()
    const { logs = [] } = await this.#instance.callLogs.find(this.#instance.caller.tenant, [what], {})
    const [found] = logs
    this.#checkRecords()
    if (found?.matched === true && !this.#call(what).ids.has(Number(found.logId))) this.#fail(`${what} is said to be record ${found.logId ?? ''}, which is not its`)
    if (found?.matched === false && this.#call(what).existence === 'written' && this.#call(what).deleted.size === 0) this.#fail(`${what} is logged, but said not to be`)
  }

  /** A crashed process is started again. Nobody waits in real time for a lease or a look that is due soon. */
  async #comeBack (): Promise<void> {
    if (this.#instance.effects.dead) await this.#restart()
    for (const { leaseUntil, nextAttemptAt } of await this.#instance.rows()) {
      const { clock } = this.#ground
      if (leaseUntil !== null && leaseUntil > clock.now) clock.now = leaseUntil + 1
      if (nextAttemptAt !== null && nextAttemptAt > clock.now && nextAttemptAt <= clock.now + 3_000) clock.now = nextAttemptAt + 1
    }
  }

  async #restart (): Promise<void> {
    await this.#instance.stop()
    this.#instance = await World.#start(this.#ground, this.#dedupe, this.#file, method => this.#meets(method))
    this.#note('started again')
  }

  async #recover (): Promise<number> {
    if (this.#instance.effects.dead) await this.#restart()
    const spoiling = this.#spoiling
    this.#spoiling = undefined
    const { effects } = this.#instance
    if (this.#failing?.how === 400) this.#failing = undefined
    effects.arm(spoiling)
    let due = 1
    try {
      due = await this.#instance.recover()
    } catch (error) {
      if (effects.spoiled === undefined) throw error
    }
    effects.arm(undefined)
    const waits = await this.#somethingWaits()
    for (const call of this.#calls.values()) {
      if (due === 0 && !waits) call.atRest()
      call.maybeWritten()
    }
    this.#note(`recovery met ${due} rows${effects.spoiled === undefined ? '' : ` (${effects.spoiled} spoiled)`}`)
    return due
  }

  #person (op: Extract<Op, { what: Name }>): void {
    const record = this.#recordOf(op.what)
    if (record === undefined) return
    const { id, body } = record
    const { crm } = this.#ground
    switch (op.do) {
      case 'paragraph': {
        const word = this.#word()
        crm.edit(id, op.at === 'top' ? `<p>${word}</p>${body}` : `${body}<p>${word}</p>`)
        const { paragraphs } = this.#modelOf(op.what)
        paragraphs.set(id, [...paragraphs.get(id) ?? [], word])
        break
      }
      case 'edit note': {
        const note = readNote(body, 'text/html')
        if (note === '') return
        const edited = `${note}-${this.#word()}`
        crm.edit(id, body.replace(`<br>${note}<br>`, `<br>${edited}<br>`))
        this.#call(op.what).edited('note', note, edited)
        break
      }
      case 'delete note': {
        const note = readNote(body, 'text/html')
        if (note === '') return
        crm.edit(id, body.replace(`<b>Agent notes</b><br>${note}<br><br>`, ''))
        this.#call(op.what).edited('note', note, null)
        break
      }
      case 'delete message': {
        const { messages } = this.#conversation(op.what)
        const found = [...messages].find(([word, presence]) => presence === 'must' && body.includes(word))
        if (found === undefined) return
        crm.edit(id, body.replace(found[0], ''))
        messages.set(found[0], 'must not')
        break
      }
      case 'delete record':
        crm.remove(id)
        this.#modelOf(op.what).gone(id)
        break
    }
    this.#note(op)
  }

  #recordOf (name: Name): Activity | undefined {
    return this.#ground.crm.records().find(record => nameOf(record) === name)
  }

  #checkRecords (): void {
    const records = grouped(this.#ground.crm.records(), nameOf)
    for (const [name, { ids, deleted, paragraphs }] of [...this.#calls, ...this.#conversations]) {
      const live = records.get(name) ?? []
      for (const { id, body } of live) {
        ids.add(id)
        for (const word of paragraphs.get(id) ?? []) if (!body.includes(word)) this.#fail(`a person's ${word} is lost from record ${id}:\n${body}`)
      }
      if (live.length > 1 || ids.size > 1 + deleted.size) this.#fail(`${name} has ${live.length} records, and had ${ids.size}`)
    }
  }

  /** The CRM is well again, time passes, and the clients send again what was not confirmed. */
  async settle (): Promise<void> {
    await this.run({ do: 'calm' })
    this.#spoiling = undefined
    await this.#quiet()
    for (const name of [...callNames, ...conversationNames]) {
      for (let attempt = 0; this.#open.has(name) && attempt < 5; attempt++) {
        this.#ground.clock.now += minute
        await this.run({ do: 'again', what: name })
        if (this.#instance.effects.dead) this.#fail('a process died in calm times')
        await this.#quiet()
      }
    }
  }

  async #quiet (): Promise<void> {
    for (let round = 0; round < 20; round++) {
      this.#ground.clock.now += 13 * minute
      if (await this.#recover() === 0) break
    }
    this.#checkRecords()
  }

  async checkEnd (): Promise<void> {
    for (const row of await this.#instance.rows()) {
      if ((row.leaseUntil ?? 0) > this.#ground.clock.now || row.nextAttemptAt !== null) this.#fail(`a row is not at rest: ${JSON.stringify(row)}`)
      if (row.state === 'logged' && row.sealedPending !== '') this.#fail(`something still waits: ${JSON.stringify(row)}`)
      if (row.state === 'sending' || row.state === 'unknown' || row.state === 'waiting') this.#fail(`a row is half done: ${JSON.stringify(row)}`)
      if (row.state !== 'needs-user') continue
      if (this.#dedupe !== 'none') this.#fail(`somebody has to look after what can be found: ${JSON.stringify(row)}`)
      const name = [...callNames, ...conversationNames].find(name => JSON.stringify(row).includes(name))
      if (name !== undefined) this.#modelOf(name).needsUser = true
    }
    for (const name of callNames) {
      await this.#find(name)
      this.#checkCall(name, this.#call(name), this.#recordOf(name))
    }
    for (const name of conversationNames) this.#checkConversation(name, this.#conversation(name), this.#recordOf(name))
    for (const [name, { request }] of this.#open) this.#fail(`${name}: ${JSON.stringify(request)} never came to an end`)
  }

  #checkCall (name: CallName, model: CallModel, record: Activity | undefined): void {
    const { existence, needsUser, anything, deleted } = model
    if (record === undefined) {
      if ((existence === 'kept' || existence === 'written') && !needsUser && (deleted.size === 0 || existence === 'written')) this.#fail(`${name} is promised, but not in the CRM`)
      return
    }
    if (anything || needsUser) return
    const { body, durationSeconds, outcome, dealId } = record
    const actual: Record<Field, string | null> = {
      note: readNote(body, 'text/html') || null,
      recordingLink: /href="([^"]*)"/.exec(body)?.[1] ?? null,
      aiNote: readSection(body, 'text/html', 'aiNote') ?? null,
      duration: durationSeconds === null ? null : String(durationSeconds),
      result: outcome,
      deal: dealId === null ? null : String(dealId)
    }
    for (const [field, possible] of model.fields) {
      if (!possible.has(actual[field])) this.#fail(`${name}: the ${field} is ${actual[field] ?? 'absent'}, not ${[...possible].join(' or ')}:\n${body}`)
    }
  }

  #checkConversation (name: ConversationName, { messages, existence, needsUser }: ConversationModel, record: Activity | undefined): void {
    if (record === undefined) {
      if ((existence === 'kept' || existence === 'written') && !needsUser) this.#fail(`${name} is promised, but not in the CRM`)
      return
    }
    for (const [word, presence] of messages) {
      const count = record.body.split(word).length - 1
      if (count > 1) this.#fail(`${name}: ${word} is there ${count} times:\n${record.body}`)
      if (count === 0 && presence === 'must' && !needsUser) this.#fail(`${name}: ${word} is promised, but not there:\n${record.body}`)
      if (count === 1 && presence === 'must not') this.#fail(`${name}: ${word} is back, though a person deleted it:\n${record.body}`)
    }
  }

  #modelOf (name: Name): CallModel | ConversationModel {
    return isConversation(name) ? this.#conversation(name) : this.#call(name)
  }

  #call (name: CallName): CallModel {
    return this.#calls.get(name) as CallModel
  }

  #conversation (name: ConversationName): ConversationModel {
    return this.#conversations.get(name) as ConversationModel
  }

  #fail (message: string): never {
    throw new BrokenPromise(message)
  }

  async close (): Promise<void> {
    await this.#instance.stop()
  }
}

function grouped<Item, Key> (items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) groups.set(keyOf(item), [...groups.get(keyOf(item)) ?? [], item])
  return groups
}

const isConversation = (name: Name): name is ConversationName => (conversationNames as readonly string[]).includes(name)

/** Every call and every conversation has its own time, by which its records are told. */
const startTimeOf = (name: Name): number => start - 1_000 * minute - [...callNames, ...conversationNames].indexOf(name as CallName) * 100 * minute
const nameOf = ({ startTime }: Activity): Name | undefined =>
  [...callNames, ...conversationNames].find(name => Date.parse(startTime) >= startTimeOf(name) && Date.parse(startTime) < startTimeOf(name) + 90 * minute)

const messageBody = (name: ConversationName, words: readonly string[]) => ({
  logInfo: {
    conversationId: name,
    conversationLogId: `${name}/2026-01-15`,
    type: 'SMS',
    correspondents: [{ phoneNumber: '+16504445566', name: 'John' }],
    messages: words.map(word => ({ id: word, direction: 'Inbound', creationTime: startTimeOf(name) + Number(word.slice(1, -1)) * 1_000, subject: word }))
  },
  contactId: 1,
  contactName: 'John'
})

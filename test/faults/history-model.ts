/**
 * What may be true after a history, told from the answers alone. Where an answer did not say what happened, several things may be
 * true: `unknown` is an outcome like the others.
 */
import { fieldNames, type Field } from './history-ops.ts'

/**
 * - done: the answer said so
 * - kept: the answer promised that it will be done
 * - open: it may have been done, or be done later
 * - nothing: the answer said that nothing was done
 */
export type Outcome = 'done' | 'kept' | 'open' | 'nothing'

/** A value that a record may have; null where it has none. */
type Value = string | null

/** What may be in the record of a call. */
export class CallModel {
  /** Every record of it that there ever was. */
  readonly ids = new Set<number>()
  readonly deleted = new Set<number>()
  /** What a person wrote beside our sections, by record. */
  readonly paragraphs = new Map<number, string[]>()
  existence: 'none' | 'possible' | 'kept' | 'written' = 'none'
  needsUser = false
  /** Nothing is known of the fields any more: a person deleted the record. */
  anything = false
  readonly fields = new Map<Field, Set<Value>>(fieldNames.map(field => [field, new Set<Value>([null])]))
  /** What clients have sent, and a person's edits with what had been sent by then: a value that comes once more is only an echo. */
  readonly #sent = new Map<Field, Set<Value>>(fieldNames.map(field => [field, new Set<Value>()]))
  /** The last that was sent, where it is known which one was. Nothing older is written after it. */
  readonly #newest = new Map<Field, Value>()
  /** What there was before it, while nobody knows whether it was written. */
  readonly #before = new Map<Field, Set<Value>>()
  readonly #edits: Array<{ field: Field, value: Value, after: Set<Value>, of: Value | undefined }> = []
  /** Fields of updates that came after the log and may be written after it. */
  #later = new Set<Field>()
  #maybeWritten = false
  /** Nothing waits any more. */
  atRest (): void {
    this.#before.clear()
  }

  /** What was not confirmed may have been written meanwhile: a further request to log it may be a repeat. */
  maybeWritten (): void {
    this.#maybeWritten = true
  }

  /** The CRM did not take the record that was kept. */
  refused (): void {
    if (this.existence === 'kept') this.existence = 'possible'
  }

  create (outcome: Outcome, values: ReadonlyMap<Field, string>): void {
    if (outcome === 'nothing') return
    if (this.existence === 'written') return // A repeat, answered with the first answer.
    const surely = outcome !== 'open' && (this.existence === 'none' || !this.#maybeWritten)
    for (const [field, value] of values) {
      this.#write(field, [value], surely && !this.#later.has(field))
      this.#sent.get(field)?.add(value)
      this.#newest.set(field, value)
    }
    if (this.existence === 'none') this.#maybeWritten = false
    if (outcome === 'done') this.existence = 'written'
    else if (outcome === 'kept') this.existence = 'kept'
    else if (this.existence === 'none') this.existence = 'possible'
  }

  update (outcome: Outcome, values: ReadonlyMap<Field, string>): void {
    if (outcome === 'nothing') return
    for (const [field, value] of values) {
      if (outcome === 'done') this.#before.delete(field)
      else this.#before.set(field, new Set([...this.#before.get(field) ?? [], ...this.#valuesOf(field)]))
      this.#later.add(field)
      this.#write(field, [value], outcome !== 'open')
      this.#sent.get(field)?.add(value)
      this.#newest.set(field, value)
    }
  }

  /** Requests that were sent at the same time: nobody knows which one was first. */
  atOnce (requests: ReadonlyArray<{ create: boolean, outcome: Outcome, values: ReadonlyMap<Field, string> }>): void {
    const before = new Map([...this.fields].map(([field, values]) => [field, new Set(values)]))
    for (const { create, outcome, values } of requests) {
      if (create) this.create(outcome, values)
      else this.update(outcome, values)
    }
    for (const { create, outcome, values } of requests) {
      if (outcome === 'nothing') continue
      for (const [field, value] of values) {
        this.#write(field, [value], false)
        const surely = requests.some(other => !other.create && other.values.has(field) && (other.outcome === 'done' || other.outcome === 'kept'))
        if (create || !surely) this.#write(field, before.get(field) ?? [], false)
        this.#newest.delete(field)
      }
    }
  }

  /** A person changed a field of the record. */
  edited (field: Field, current: Value, next: Value): void {
    const possible = this.#valuesOf(field)
    // A record that is as it was before tells nobody that something was written in between.
    const settled = possible.has(current) && (possible.size === 1 || this.#newest.get(field) === current) && this.#before.get(field)?.has(next) !== true
    this.#edits.push({ field, value: next, after: new Set(this.#sent.get(field)), of: settled ? this.#newest.get(field) : undefined })
    this.#write(field, [next], settled)
  }

  gone (id: number): void {
    this.deleted.add(id)
    this.anything = true
    this.existence = 'possible'
  }

  #write (field: Field, values: Iterable<Value>, surely: boolean): void {
    const possible = this.#valuesOf(field)
    for (const value of values) {
      if (this.#edits.some(edit => edit.field === field && edit.of === value && possible.size === 1 && possible.has(edit.value))) continue
      const kept = this.#edits.filter(edit => edit.field === field && edit.after.has(value) && possible.has(edit.value))
      if (surely) possible.clear()
      for (const edit of kept) possible.add(edit.value)
      possible.add(value)
    }
  }

  #valuesOf (field: Field): Set<Value> {
    const values = this.fields.get(field)
    if (values === undefined) throw new RangeError(field)
    return values
  }
}

/** What may be in the record of a conversation. */
export class ConversationModel {
  readonly ids = new Set<number>()
  readonly deleted = new Set<number>()
  readonly paragraphs = new Map<number, string[]>()
  needsUser = false
  existence: 'none' | 'possible' | 'kept' | 'written' = 'none'
  /** Whether each message is in the record: it must, it may, it must not because a person deleted it. */
  readonly messages = new Map<string, 'must' | 'may' | 'must not'>()

  /** The CRM did not take the record that was kept. */
  refused (): void {
    if (this.existence !== 'kept') return
    this.existence = 'possible'
    for (const [message, presence] of this.messages) if (presence === 'must') this.messages.set(message, 'may')
  }

  /** @param noted those that the answer named as new */
  sent (outcome: Outcome, messages: readonly string[], noted: readonly string[]): void {
    if (outcome === 'nothing') return
    const wasDeleted = this.deleted.size > 0
    for (const message of messages) {
      const known = this.messages.get(message)
      if (known === 'must not' || known === 'must') continue
      // After a person deleted the record, only what is new is surely in another one.
      const surely = wasDeleted ? noted.includes(message) : outcome !== 'open'
      this.messages.set(message, surely ? 'must' : 'may')
    }
    if (outcome === 'done' && (!wasDeleted || noted.length > 0)) this.existence = 'written'
    // What is on its way into a record that a person deleted is written into another one, of which no answer has told.
    else if (outcome === 'kept' && this.existence !== 'written' && !wasDeleted) this.existence = 'kept'
    else if (this.existence === 'none') this.existence = 'possible'
  }

  gone (id: number): void {
    this.deleted.add(id)
    this.existence = 'possible'
    for (const message of this.messages.keys()) this.messages.set(message, 'may')
  }
}

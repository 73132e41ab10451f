/**
 * What has been asked for and is not written yet, kept with the row of its log (encrypted there) until it is: so that neither a
 * crash nor an outage loses it, and the next one who gets through brings it along.
 */
import { Type, TypeCompiler } from '../contract/type.ts'

export interface Pending<Create, Update> {
  /** Since when something waits, in epoch milliseconds. */
  readonly since: number
  readonly create?: Create
  /** The oldest first. */
  readonly updates: readonly Update[]
}

const Shape = TypeCompiler.Compile(Type.Object({
  since: Type.Number(),
  create: Type.Optional(Type.Object({}, { additionalProperties: true })),
  updates: Type.Array(Type.Object({}, { additionalProperties: true }))
}))

/** @throws an error when the text is not what {@link pendingText} made */
export function readPending<Create, Update> (text: string, now: number): Pending<Create, Update> {
  if (text === '') return { since: now, updates: [] }
  const pending: unknown = JSON.parse(text)
  if (!Shape.Check(pending)) throw new TypeError('What waits with this log cannot be read')
  return pending as unknown as Pending<Create, Update>
}

/** Empty when nothing waits. */
export function pendingText<Create, Update> (pending: Pending<Create, Update>): string {
  return pending.create === undefined && pending.updates.length === 0 ? '' : JSON.stringify(pending)
}

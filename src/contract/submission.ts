/** Values of additional fields, as clients send them for whatever CRM, made fit for one connector. */
import type { ConnectorInfo } from './connector.ts'
import { PatchbayError } from './errors.ts'
import { KindGuard, Value, type TObject, type TSchema } from './type.ts'

type Fields = Readonly<Record<string, unknown>>

/** What is said among the additional fields. */
export interface SubmissionParts {
  /** The fields of the form. */
  readonly form?: Fields
  /** Whose the log is. */
  readonly assignment?: Fields
}

/** A page of the manifest that has additional fields. */
export type Page = 'callLog' | 'messageLog' | 'newContact'

/** The additional fields of one page of a connector. */
export function submissionOf ({ additionalSubmission, submissionOfPage }: Pick<ConnectorInfo, 'additionalSubmission' | 'submissionOfPage'>, page: Page): TObject {
  return (page === 'callLog' ? undefined : submissionOfPage?.[page]) ?? additionalSubmission
}

/**
 * The members that the connector declares, in their types. Fields of other kinds are left out, empty ones are absent, and what a
 * form sends as text is converted where nothing of it is lost.
 * @throws {PatchbayError} `invalid` naming the field: a person chose the value, so it is told as the CRM's own refusal would be
 */
export function readSubmission (schema: TObject, given: Fields | undefined): Record<string, unknown> {
  const submission = Object.fromEntries(Object.entries(given ?? {}).flatMap(([name, value]) => {
    const field = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    return field === undefined || value === null || value === '' ? [] : [[name, converted(field, value)]]
  }))
  const problem = Value.Errors(schema, submission).First()
  if (problem === undefined) return submission
  const field = problem.path.slice(1).replaceAll('/', '.')
  throw new PatchbayError('invalid', { field, message: `The field ${field} is not valid: ${problem.message}.` })
}

/** A value in the type of its field, or as it is where that would make another value of it: the check refuses that. */
function converted (schema: TSchema, value: unknown): unknown {
  // A number that has lost digits when it was read is none.
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) return converted(schema, String(value))
  if (KindGuard.IsArray(schema)) return [value].flat().map(member => converted(schema.items, member))
  if (KindGuard.IsUnion(schema)) {
    const fitting = schema.anyOf.map(variant => converted(variant, value)).filter(candidate => Value.Check(schema, candidate))
    return fitting.includes(value) ? value : fitting[0] ?? value
  }
  if (isNumeric(schema)) return typeof value === 'string' && isDecimal(value.trim()) ? Number(value) : value
  return KindGuard.IsBoolean(schema) || KindGuard.IsString(schema) || KindGuard.IsLiteral(schema) ? Value.Convert(schema, value) : value
}

const isNumeric = (schema: TSchema): boolean =>
  KindGuard.IsInteger(schema) || KindGuard.IsNumber(schema) || (KindGuard.IsLiteral(schema) && typeof schema.const === 'number')

/** A number as people write it, with no more digits than a number holds, or a fraction as a program writes it. */
const isDecimal = (text: string): boolean =>
  /^[-+]?(\d+\.?\d*|\.\d+)$/.test(text) && (Number.isSafeInteger(Number(text.replace('.', ''))) || (text.includes('.') && String(Number(text)) === text))

/**
 * What the form says apart from whose the log is: the service that logs without a browser says that alone, as it has no form. Who sends
 * nothing at all has one, and has left it empty.
 */
export function partsOfSubmission (given: Fields | undefined): SubmissionParts {
  if (given === undefined) return {}
  const fields = Object.entries(given)
  const assignment = fields.filter(([name]) => isAssignment(name))
  return {
    ...((fields.length === 0 || fields.length > assignment.length) && { form: Object.fromEntries(fields.filter(([name]) => !isAssignment(name))) }),
    ...(assignment.length > 0 && { assignment: Object.fromEntries(assignment) })
  }
}

const isAssignment = (name: string): boolean => name === 'isAssignedToUser' || name.startsWith('adminAssigned')

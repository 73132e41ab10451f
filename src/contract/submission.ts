/** Values of additional fields, as clients send them for whatever CRM, made fit for one connector. */
import type { ConnectorInfo } from './connector.ts'
import { PatchbayError } from './errors.ts'
import { Value, type TObject } from './type.ts'

/** A page of the manifest that has additional fields. */
export type Page = 'callLog' | 'messageLog' | 'newContact'

/** The additional fields of one page of a connector. */
export function submissionOf ({ additionalSubmission, submissionOfPage }: Pick<ConnectorInfo, 'additionalSubmission' | 'submissionOfPage'>, page: Page): TObject {
  return (page === 'callLog' ? undefined : submissionOfPage?.[page]) ?? additionalSubmission
}

/**
 * The members that the connector declares, in their types. Fields of other kinds are left out, empty ones are absent, and what a
 * form sends as text is converted.
 * @throws {PatchbayError} `invalid-request` naming the field
 */
export function readSubmission (schema: TObject, given: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  const known = Object.entries(given ?? {}).filter(([name, value]) => name in schema.properties && value !== null && value !== '')
  const submission = Value.Convert(schema, Object.fromEntries(known))
  const problem = Value.Errors(schema, submission).First()
  if (problem === undefined) return submission as Record<string, unknown>
  const field = problem.path.slice(1).replaceAll('/', '.')
  throw new PatchbayError('invalid-request', { field, message: `The field ${field} is not valid: ${problem.message}.` })
}

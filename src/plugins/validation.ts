/**
 * The door for what clients send. Bodies are taken as they really come: a `null` where the contract has an optional member is the
 * same as no member, extra members pass. What no database and no CRM can hold (U+0000, lone surrogates) is mended in the texts of a
 * body, and refused in its names and in the query.
 */
import fp from 'fastify-plugin'
import { components } from '../contract/components.ts'
import { PatchbayError } from '../contract/errors.ts'
import { isText, mended } from '../contract/mended.ts'
import type { TSchema } from '../contract/type.ts'

/** For Fastify's `ajv.customOptions`: what arrives is checked, not changed. */
export const ajvOptions = { coerceTypes: false, removeAdditional: false, useDefaults: false } as const

/** No record of a call is nested like this, and what walks through it must not run out of stack. */
const deepest = 64

const byReference = new Map(components.map(schema => [`${schema.$id}#`, schema]))

export default fp(async fastify => {
  fastify.addHook('preValidation', (request, _reply, done) => {
    refuseBroken(request.query, isText)
    refuseBroken(request.body, () => true)
    request.body = mended(request.body)
    done()
  })
  fastify.addHook('onRoute', route => {
    const schema = route.schema?.body as TSchema | undefined
    const removeNulls = schema && nullRemover(schema)
    if (removeNulls === undefined) return
    route.preValidation = [(request, _reply, done) => {
      removeNulls(request.body)
      done()
    }, ...[route.preValidation ?? []].flat()]
  })
}, { name: 'validation', dependencies: ['session'] })

/** @throws {PatchbayError} `invalid-request`, naming the place, for broken names and for texts that cannot be taken */
function refuseBroken (data: unknown, isTaken: (text: string) => boolean): void {
  const at = brokenPlace(data, isTaken, 0)?.join('.')
  if (at !== undefined) throw new PatchbayError('invalid-request', { message: `The request is not valid: ${at || 'it'} holds characters that are not text.`, field: at })
}

/** The way to a text that is not taken, or to an object with a broken name in it. */
function brokenPlace (value: unknown, isTaken: (text: string) => boolean, depth: number): string[] | undefined {
  if (typeof value === 'string') return isTaken(value) ? undefined : []
  if (value === null || typeof value !== 'object') return undefined
  if (depth > deepest) throw new PatchbayError('invalid-request', { message: 'The request is not valid: it is nested too deeply.' })
  const members = value as Record<string, unknown>
  for (const name of Object.keys(members)) {
    if (!isText(name)) return []
    const way = brokenPlace(members[name], isTaken, depth + 1)
    if (way !== undefined) return [name, ...way]
  }
  return undefined
}

/**
 * Removes the members that are `null` where the schema has an optional member of another type. Where to look is found out once
 * for a route.
 * @returns undefined when there are none
 */
function nullRemover (schema: TSchema): ((data: unknown) => void) | undefined {
  const { properties, patternProperties, items, required } = schema.$ref === undefined ? schema : byReference.get(schema.$ref) ?? schema
  if (items !== undefined) {
    const fromItem = nullRemover(items)
    return fromItem && (data => { if (Array.isArray(data)) data.forEach(fromItem) })
  }
  const ruleOf = (member: TSchema, isOptional: boolean): NullRule => ({ isRemoved: isOptional && !takesNull(member), inside: nullRemover(member) })
  const named = Object.entries<TSchema>(properties ?? {}).map(([name, member]) => ({ name, ...ruleOf(member, required?.includes(name) !== true) })).filter(changes)
  // A schema has either names or, of a record, one rule for all members.
  const ofRecord = Object.values<TSchema>(patternProperties ?? {}).map(member => ruleOf(member, true)).find(changes)
  if (named.length === 0 && ofRecord === undefined) return undefined
  return data => {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return
    const record = data as Record<string, unknown>
    for (const rule of named) apply(rule, record, rule.name)
    if (ofRecord !== undefined) for (const name of Object.keys(record)) apply(ofRecord, record, name)
  }
}

/** What happens to a member. */
interface NullRule { readonly isRemoved: boolean, readonly inside: ((data: unknown) => void) | undefined }

const changes = ({ isRemoved, inside }: NullRule): boolean => isRemoved || inside !== undefined

function apply ({ isRemoved, inside }: NullRule, record: Record<string, unknown>, name: string): void {
  if (isRemoved && record[name] === null) delete record[name]
  else inside?.(record[name])
}

/** A schema of any value takes `null` as it is. */
const takesNull = (schema: TSchema): boolean => schema.type === undefined && schema.anyOf === undefined && schema.$ref === undefined

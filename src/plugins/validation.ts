/**
 * The door for what clients send. Bodies are taken as they really come: a `null` where the contract has an optional member is the
 * same as no member, extra members pass. Text that no database and no CRM can hold (U+0000, lone surrogates) is refused.
 */
import fp from 'fastify-plugin'
import { components } from '../contract/components.ts'
import { PatchbayError } from '../contract/errors.ts'
import type { TSchema } from '../contract/type.ts'

/** For Fastify's `ajv.customOptions`: what arrives is checked, not changed. */
export const ajvOptions = { coerceTypes: false, removeAdditional: false, useDefaults: false } as const

/** No record of a call is nested like this, and what walks through it must not run out of stack. */
const deepest = 64

const byReference = new Map(components.map(schema => [`${schema.$id}#`, schema]))

export default fp(async fastify => {
  fastify.addHook('preValidation', async request => {
    refuseBrokenText(request.query, '', 0)
    refuseBrokenText(request.body, '', 0)
    const schema = request.routeOptions.schema?.body as TSchema | undefined
    if (schema !== undefined) dropNulls(schema, request.body)
  })
}, { name: 'validation', dependencies: ['session'] })

/** @throws {PatchbayError} `invalid-request`, naming the place */
function refuseBrokenText (value: unknown, at: string, depth: number): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) {
      throw new PatchbayError('invalid-request', { message: `The request is not valid: ${at} holds characters that are not text.`, field: at })
    }
  } else if (value !== null && typeof value === 'object') {
    if (depth > deepest) throw new PatchbayError('invalid-request', { message: 'The request is not valid: it is nested too deeply.' })
    for (const [key, member] of Object.entries(value)) {
      refuseBrokenText(key, at, depth)
      refuseBrokenText(member, at === '' ? key : `${at}.${key}`, depth + 1)
    }
  }
}

/** Removes the members that are `null` where the schema has an optional member of another type. */
function dropNulls (schema: TSchema, data: unknown): void {
  const { properties, items, required } = schema.$ref === undefined ? schema : byReference.get(schema.$ref) ?? schema
  if (Array.isArray(data)) {
    if (items !== undefined) for (const item of data) dropNulls(items, item)
  } else if (data !== null && typeof data === 'object' && properties !== undefined) {
    const record = data as Record<string, unknown>
    for (const [key, member] of Object.entries(properties as Record<string, TSchema>)) {
      if (record[key] === null && !takesNull(member) && !required?.includes(key)) delete record[key]
      else dropNulls(member, record[key])
    }
  }
}

/** A schema of any value takes `null` as it is. */
const takesNull = (schema: TSchema): boolean => schema.type === undefined && schema.anyOf === undefined && schema.$ref === undefined

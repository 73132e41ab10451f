/** The JSON Schema that our OpenAPI documents are written in: values made from it, and values judged by it. */
import fc from 'fast-check'

export interface Schema {
  $ref?: string
  type?: string
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  patternProperties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  minLength?: number
  maxLength?: number
  minimum?: number
  description?: string
}

export interface Operation {
  method: string
  path: string
  operationId: string
  security: Array<Record<string, unknown>>
  query: Array<{ name: string, required?: boolean, schema: Schema }>
  body: Schema | undefined
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

export interface Document {
  operations: Operation[]
  resolve: (schema: Schema) => Schema
}

export function readDocument ({ paths, components }: any): Document {
  return {
    operations: Object.entries<any>(paths).flatMap(([path, item]) => Object.entries<any>(item).map(([method, operation]): Operation => ({
      method: method.toUpperCase(),
      path,
      operationId: operation.operationId,
      security: operation.security ?? [],
      query: (operation.parameters ?? []).filter((parameter: any) => parameter.in === 'query'),
      body: operation.requestBody?.content['application/json']?.schema,
      responses: operation.responses
    }))),
    resolve: schema => schema.$ref === undefined ? schema : components.schemas[schema.$ref.slice('#/components/schemas/'.length)]
  }
}

/** What is wrong with a value, by its place; undefined when it matches. */
export function mismatch ({ resolve }: Document, schema: Schema, value: unknown, at = ''): string | undefined {
  const { type, properties = {}, required = [], items, anyOf, additionalProperties, patternProperties = {}, ...rest } = resolve(schema)
  const document = { resolve } as Document
  if (anyOf !== undefined) return anyOf.some(one => mismatch(document, one, value) === undefined) ? undefined : `${at}: none of anyOf`
  if ('const' in rest && rest.const !== value) return `${at}: not the constant`
  if (rest.enum !== undefined && !rest.enum.includes(value)) return `${at}: not in the enum`
  if (type !== undefined && !isOfType(type, value)) return `${at}: no ${type}`
  if (Array.isArray(value)) {
    return items && value.map((item, index) => mismatch(document, items, item, `${at}/${index}`)).find(problem => problem !== undefined)
  }
  if (typeof value !== 'object' || value === null) return undefined
  const missing = required.find(name => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${at}: ${missing} is missing`
  for (const [name, member] of Object.entries(value)) {
    const pattern = Object.entries(patternProperties).find(([source]) => new RegExp(source).test(name))?.[1]
    const known = Object.hasOwn(properties, name) ? properties[name] : pattern ?? additionalProperties
    if (known === false) return `${at}: ${name} is not known`
    const problem = known === undefined || known === true ? undefined : mismatch(document, known, member, `${at}/${name}`)
    if (problem !== undefined) return problem
  }
  return undefined
}

function isOfType (type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return type === (typeof value as string)
}

export interface Filling {
  /** Values by the name of the member, wherever it is. */
  known: Readonly<Record<string, unknown>>
  /** Any other text. */
  text: () => string
}

/** A value of a schema in which every member is there. */
export function filled (document: Document, schema: Schema, filling: Filling, name = ''): unknown {
  const { known, text } = filling
  if (name in known) return known[name]
  const { type, properties = {}, items, anyOf, patternProperties, enum: values } = document.resolve(schema)
  const inner = (one: Schema, name = ''): unknown => filled(document, one, filling, name)
  if (anyOf !== undefined) return inner(anyOf.find(one => one.type === 'string') ?? anyOf[0] ?? {}, name)
  if (values !== undefined) return values[0]
  switch (type) {
    case undefined: return { text: text() }
    case 'string': return text()
    case 'array': return [inner(items ?? {})]
    case 'boolean': return true
    case 'object': {
      const members = Object.entries(properties).map(([name, member]) => [name, inner(member, name)])
      const more = Object.values(patternProperties ?? {}).map(member => ['deals', inner(member, 'deals')])
      return Object.fromEntries([...members, ...more])
    }
    default: return 7
  }
}

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', ' ', '\0', 'a\0b', '\ud800', '\udfff\ud800', '💥', '\u202e', '%00', '../..', "'; drop table users; --", '<script>', '{{7*7}}', '__proto__', 'constructor', 'NaN', 'undefined', 'null', '-1', '1e999', '2018-99-99', '\r\nx: y'),
  fc.constantFrom(300, 5_000, 70_000).map(length => 'x'.repeat(length))
)

/** What no schema asks for. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, -0, Number.MAX_SAFE_INTEGER + 2, [], {}, [[]], [null], { toString: 'x' }, { constructor: { prototype: {} } }, { length: -1 }, JSON.parse('{"__proto__":{"polluted":true}}')),
  fc.anything({ maxDepth: 2, maxKeys: 3 }).map(value => JSON.parse(JSON.stringify(value, (_, member) => typeof member === 'bigint' ? String(member) : member) ?? 'null'))
)

const words = fc.constantFrom('true', '1', '4503991004', '+16504445566', 'Inbound', 'Contact', 'example', 'SMS', 'VoiceMail', 'Fax', '2018-09-11T13:24:09.000Z', 'https://example.com/a?b=c', '(pending...)', 'John Smith', 'Yes, please')

/**
 * Values of a schema.
 * @param oddness of a hundred places, how many hold what the schema does not ask for
 */
export function valueOf (document: Document, schema: Schema, oddness: number, depth = 0): fc.Arbitrary<unknown> {
  const usual = usualValueOf(document, document.resolve(schema), oddness, depth)
  return oddness === 0 ? usual : fc.oneof({ weight: 100 - oddness, arbitrary: usual }, { weight: oddness, arbitrary: odd })
}

function usualValueOf (document: Document, schema: Schema, oddness: number, depth: number): fc.Arbitrary<unknown> {
  const { type, properties = {}, required = [], items, anyOf, minLength = 0, maxLength = 40, minimum = -10, patternProperties } = schema
  const inner = (one: Schema): fc.Arbitrary<unknown> => valueOf(document, one, oddness, depth + 1)
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(inner))
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if ('const' in schema) return fc.constant(schema.const)
  switch (type) {
    case 'string': return fc.oneof(words, fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 40) }))
    case 'number': return fc.oneof(fc.integer({ min: minimum }), fc.double({ noNaN: true, noDefaultInfinity: true }))
    case 'integer': return fc.integer({ min: minimum })
    case 'boolean': return fc.boolean()
    case 'null': return fc.constant(null)
    case 'array': return fc.array(inner(items ?? {}), { maxLength: 3 })
    case 'object': {
      const [entries = {}] = Object.values(patternProperties ?? {})
      const more = depth > 3 ? fc.constant({}) : fc.dictionary(fc.oneof(words, fc.constantFrom('note', 'deals', 'addCallLogDuration', 'value')), inner(entries), { maxKeys: 2, noNullPrototype: true })
      const declared = fc.record(Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, inner(member)])), { requiredKeys: required, noNullPrototype: true })
      return patternProperties === undefined ? declared : fc.tuple(declared, more).map(([one, other]) => ({ ...one, ...other }))
    }
    default: return depth > 3 ? fc.constant('deep') : odd
  }
}

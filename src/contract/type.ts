/**
 * The only import of TypeBox in the project (lint keeps it), with the few helpers that make its schemas read well both in
 * TypeScript and in OpenAPI 3.1.
 */
import {
  FormatRegistry, Kind, KindGuard, Type, TypeRegistry, type SchemaOptions, type Static, type TNull, type TObject, type TProperties, type TSchema, type TUnion,
  type TUnsafe
} from '@sinclair/typebox'
import { TypeCompiler as Compiler, type TypeCheck } from '@sinclair/typebox/compiler'
import type { ValueError, ValueErrorIterator } from '@sinclair/typebox/errors'
import { Value } from '@sinclair/typebox/value'
import { formats } from './formats.ts'

export { KindGuard, Type, Value }
export type { SchemaOptions, Static, TSchema, TypeCheck }
export type { TObject, TProperties } from '@sinclair/typebox'

// TypeBox's own checks have to be told what a plain `enum` takes.
TypeRegistry.Set<{ enum: readonly string[] }>('OneOf', (schema, value) => schema.enum.some(member => member === value))

for (const [name, fits] of Object.entries(formats)) FormatRegistry.Set(name, fits)

/** Refuses a format that nobody can check with the schema, where TypeBox refuses every value. */
export const TypeCompiler = {
  /** @throws {TypeError} for a format that is not known, TypeBox's own error for what is no schema */
  Compile<Schema extends TSchema> (schema: Schema): TypeCheck<Schema> {
    const unknown = unknownFormat(schema)
    if (unknown !== undefined) throw new TypeError(`There is no format "${unknown}"; those are ${Object.keys(formats).join(', ')}`)
    return Compiler.Compile(schema)
  }
}

/** The first one in a schema. What is in it and has no kind is a list of schemas, their names, or a plain value, such as a default. */
function unknownFormat (part: unknown): string | undefined {
  if (typeof part !== 'object' || part === null) return undefined
  // A number's says how large it may be, and is not checked.
  if (KindGuard.IsString(part) && part.format !== undefined && !FormatRegistry.Has(part.format)) return part.format
  for (const inner of Object.values(part)) {
    const unknown = unknownFormat(inner)
    if (unknown !== undefined) return unknown
  }
  return undefined
}

/** A function, whatever it takes and gives. */
export const Code = Type.Function([], Type.Unknown())

/** A string out of a fixed set, as a plain `enum` (TypeBox's own union of literals becomes an `anyOf` of constants). */
export function OneOf<const Values extends readonly string[]> (values: Values, options: SchemaOptions = {}): TUnsafe<Values[number]> {
  return Type.Unsafe<Values[number]>({ [Kind]: 'OneOf', type: 'string', enum: [...values], ...options })
}

/** A reference to a named component, which keeps the static type that `Type.Ref` loses. The component needs an `$id`. */
export function ref<Schema extends TSchema> (schema: Schema): TUnsafe<Static<Schema>> {
  if (schema.$id === undefined) throw new TypeError('A component that is referred to needs an $id')
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` })
}

/** A value that may be `null`, written the way OpenAPI 3.1 tools understand. */
export function Nullable<Schema extends TSchema> (schema: Schema): TUnion<[Schema, TNull]> {
  return Type.Union([schema, Type.Null()])
}

/**
 * The first thing that is wrong with a value, at its innermost place: of a value that may be null and is not, what the other schema
 * says, in place of "Expected union value".
 */
export function firstProblem (errors: ValueErrorIterator): Pick<ValueError, 'path' | 'message'> | undefined {
  const problem = errors.First()
  const variants: readonly TSchema[] = problem?.schema['anyOf'] ?? []
  const others = problem?.errors.filter((_, index) => variants[index]?.['type'] !== 'null') ?? []
  const [only] = others
  return only !== undefined && others.length === 1 && variants.length === 2 ? firstProblem(only) : problem
}

/** An object that may have further members, which the static type allows as well. */
export function Open<Properties extends TProperties> (
  properties: Properties, options: SchemaOptions = {}
): TUnsafe<Static<TObject<Properties>> & Record<string, unknown>> {
  return Type.Unsafe<Static<TObject<Properties>> & Record<string, unknown>>(Type.Object(properties, { ...options, additionalProperties: true }))
}

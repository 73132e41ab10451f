/**
 * Writes answers as their schemas say. Making a serializer costs milliseconds, and most routes share the schemas of their answers, the
 * errors above all: each schema is compiled once.
 */
import serializerSelector, { type RouteDefinition, type Serializer, type SerializerFactory } from '@fastify/fast-json-stringify-compiler'

const compile = serializerSelector()
/** By the components that schemas refer to, then by schema; both as JSON. */
const compiled = new Map<string, Map<string, Serializer>>()

/** For Fastify's `schemaController.compilersFactory`. */
export const buildSerializer: SerializerFactory = (components, options) => {
  const compileRoute = compile(components, options)
  const named = JSON.stringify(components)
  const known = compiled.get(named) ?? new Map<string, Serializer>()
  compiled.set(named, known)
  return (route: RouteDefinition) => {
    const schema = JSON.stringify(route.schema)
    const serializer = known.get(schema) ?? compileRoute(route)
    known.set(schema, serializer)
    return serializer
  }
}

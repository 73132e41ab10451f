/**
 * Compiles the schemas of requests and answers. That costs milliseconds each, and routes share most of them, the errors above all:
 * every schema is compiled once.
 */
import validatorSelector from '@fastify/ajv-compiler'
import serializerSelector from '@fastify/fast-json-stringify-compiler'
import type { FastifyServerOptions } from 'fastify'

/** @param build makes a compiler from the components that schemas refer to, and options */
function compilingOnce<Components, Options, Route, Compiled> (
  build: (components: Components, options: Options) => (route: Route) => Compiled
): (components: Components, options: Options) => (route: Route) => Compiled {
  /** By components and options, then by schema; both as JSON. */
  const compilers = new Map<string, Map<string, Compiled>>()
  return (components, options) => {
    const compile = build(components, options)
    const name = JSON.stringify([components, options])
    const compiled = compilers.get(name) ?? new Map<string, Compiled>()
    compilers.set(name, compiled)
    return route => {
      // What else is said of a route makes no difference. A schema may come alone by the types of one library, and never does.
      const schema = JSON.stringify(typeof route === 'object' && route !== null && 'schema' in route ? route.schema : route)
      const known = compiled.get(schema) ?? compile(route)
      compiled.set(schema, known)
      return known
    }
  }
}

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>

export const compilersFactory: NonNullable<SchemaController['compilersFactory']> = {
  buildValidator: compilingOnce(validatorSelector()),
  buildSerializer: compilingOnce(serializerSelector())
}

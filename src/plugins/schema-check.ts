/** Whether the schemas of a connector can be used. Found out at the start: later there is no file and no field to name. */
import fastify from 'fastify'
import { components } from '../contract/components.ts'
import { Type, TypeCompiler, type TSchema } from '../contract/type.ts'
import { ajvOptions } from './validation.ts'

/** Why values cannot be checked against a schema; undefined when they can. */
export function problemOf (schema: TSchema): string | undefined {
  try {
    TypeCompiler.Compile(schema)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * The same for a schema in the body of routes, which Fastify checks, too.
 * @param at the name of the schema
 * @returns the innermost member that cannot be used, and why
 */
export async function problemInBody (schema: TSchema, at: string): Promise<{ at: string, why: string } | undefined> {
  const why = problemOf(schema) ?? await problemOnRoutes(schema)
  if (why === undefined) return undefined
  for (const [name, member] of Object.entries<TSchema>(Object(schema).properties ?? {})) {
    const inner = await problemInBody(member, `${at}.${name}`)
    if (inner !== undefined) return inner
  }
  return { at, why }
}

/** Those that were looked at, which takes a while: one process may start many servers. */
const good = new WeakSet<TSchema>()

/** A connector's schema is used on more than one route. */
async function problemOnRoutes (schema: TSchema): Promise<string | undefined> {
  if (good.has(schema)) return undefined
  const app = fastify({ ajv: { customOptions: ajvOptions } })
  for (const component of components) app.addSchema(component)
  for (const url of ['/1', '/2']) app.post(url, { schema: { body: Type.Object({ schema: Type.Optional(schema) }) } }, async () => {})
  try {
    await app.ready()
    good.add(schema)
    return undefined
  } catch (error) {
    return (error as Error).message.replace(/^Failed building .*? due to error /, '')
  } finally {
    await app.close()
  }
}

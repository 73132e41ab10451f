/**
 * One line per request, made of an allow-list: no query (it holds the token), no body, no header, no text of an error that a CRM
 * or a person may have written.
 */
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'

/** What may be logged of an error: its kind and where it came from. The first line of a stack repeats the message, so it goes. */
export function errorForLog (error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  return {
    type: error.name,
    ...('code' in error && { code: error.code }),
    stack: (error.stack ?? '').split('\n').filter(line => /^\s+at /.test(line)).slice(0, 12).map(line => line.trim()),
    ...(error.cause !== undefined && { cause: errorForLog(error.cause) })
  }
}

export const serializers = {
  err: errorForLog,
  req: (request: FastifyRequest) => ({ id: request.id, method: request.method }),
  res: (reply: { statusCode: number }) => ({ statusCode: reply.statusCode })
}

export default fp(async fastify => {
  fastify.addHook('onResponse', async (request, reply) => {
    const { failure } = request
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(request.session !== undefined && { platform: request.session.platform }),
      ...(failure !== undefined && { error: failure.code })
    }
    if (/^\/(isAlive|health\/)/.test(line.route)) request.log.debug(line, 'request')
    else request.log.info(line, 'request')
  })
}, { name: 'request-log', dependencies: ['errors', 'session'] })

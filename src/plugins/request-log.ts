/**
 * One line per request, made of an allow-list: no query (it holds the token), no body, no header, no text of an error that a CRM
 * or a person may have written.
 */
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import { PatchbayError, errorCodes } from '../contract/errors.ts'
import { HostRefused } from '../crm/failure.ts'
import { CipherError } from '../db/cipher.ts'
import { StatementError } from '../db/quiet.ts'
import { ConnectorFailed } from './guarded-connector.ts'

/** What may be logged of an error: its kind and where it came from. The first line of a stack repeats the message, so it goes. */
export function errorForLog (error: unknown, depth = 0): Record<string, unknown> {
  try {
    if (!(error instanceof Error)) return { type: typeof error }
    return {
      ...(/^\w{1,60}$/.test(error.name) && { type: error.name }),
      ...('code' in error && isCode(error.code) && { code: error.code }),
      ...((error instanceof ConnectorFailed || error instanceof CipherError) && { place: error.place }),
      ...(error instanceof HostRefused && error.host !== undefined && { host: error.host }),
      stack: framesOf(error),
      ...(error.cause !== undefined && depth < 5 && { cause: errorForLog(error.cause, depth + 1) })
    }
  } catch {
    return { type: 'unreadable' } // Thrown by a connector, and made to be in the way.
  }
}

/** Ours, those of Node.js and its modules (`ECONNRESET`), and those of databases (`23505`). Anything else may be somebody's words. */
const isCode = (code: unknown): boolean => typeof code === 'string' && (Object.hasOwn(errorCodes, code) || /^([A-Z][A-Z0-9_]+|[0-9A-Z]{5})$/.test(code))

/** A stack begins with the message, which may have lines that look like frames. */
function framesOf ({ stack = '', message }: Error): string[] {
  const frames = stack.slice(Math.max(0, stack.indexOf(message)) + message.length)
  return frames.split('\n').filter(line => /^\s+at .*(:\d+|native|<anonymous>)\)?$/.test(line)).slice(0, 12).map(line => line.trim())
}

/** What is behind a failure and says where to look: in the code of a connector, in its list of hosts, or at the database. */
function traced (failure: unknown): ConnectorFailed | HostRefused | StatementError | undefined {
  let error = failure
  while (error instanceof PatchbayError && !(error instanceof ConnectorFailed)) error = error.cause
  return error instanceof ConnectorFailed || error instanceof HostRefused || error instanceof StatementError ? error : undefined
}

export const serializers = {
  err: errorForLog,
  req: (request: FastifyRequest) => ({ id: request.id, method: request.method }),
  res: (reply: { statusCode: number }) => ({ statusCode: reply.statusCode })
}

export default fp(async fastify => {
  fastify.addHook('onResponse', (request, reply, done) => {
    const { failure } = request
    const err = traced(failure)
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(request.session !== undefined && { platform: request.session.platform }),
      ...(failure !== undefined && { error: failure.code }),
      ...(err !== undefined && { err })
    }
    if (/^\/(isAlive|health\/)/.test(line.route)) request.log.debug(line, 'request')
    else if (err instanceof ConnectorFailed) request.log.error(line, 'request')
    else request.log.info(line, 'request')
    done()
  })
}, { name: 'request-log', dependencies: ['errors', 'session'] })

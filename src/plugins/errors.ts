/** Every failure becomes an answer here: coded, in the form that the table of codes says, and without internals. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { returnMessage, type ErrorAnswer, type ErrorAnswerDetail } from '../contract/answer.ts'
import { PatchbayError, errorKind } from '../contract/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Members that every JSON answer with status 200 has. */
    always?: Readonly<Record<string, unknown>>
  }
  interface FastifyRequest {
    /** The failure that was answered, or that an answer hides, for the request's log line. */
    failure: PatchbayError | undefined
  }
}

/** A failure as programs read it. */
export function errorDetail ({ code, message, retryAfter, field }: PatchbayError, requestId?: string): ErrorAnswerDetail {
  return {
    code,
    message,
    retryable: errorKind(code).retryable,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(field !== undefined && { field }),
    ...(requestId !== undefined && { requestId })
  }
}

/** The answer that a failure is told with, in the JSON form. */
export function errorAnswer (error: PatchbayError, requestId?: string): ErrorAnswer {
  return {
    successful: false,
    returnMessage: returnMessage('warning', error.message),
    error: errorDetail(error, requestId),
    ...(error.code === 'session-revoked' && { errorCode: 'CRM_SESSION_REVOKED' as const })
  }
}

/** The coded failure behind anything that was thrown. What the framework and its plugins throw is known by its code or status. */
export function toPatchbayError (thrown: unknown): PatchbayError {
  if (thrown instanceof PatchbayError) return thrown
  // Routes of connectors may throw whatever they like.
  return thrown instanceof Error ? codedError(thrown) : new PatchbayError('internal', { cause: thrown })
}

function codedError (error: FastifyError | Error): PatchbayError {
  const status = 'statusCode' in error ? error.statusCode : undefined
  if ('validation' in error && error.validation !== undefined) return invalidRequest(error)
  if (status === 413) return new PatchbayError('request-too-large', { cause: error })
  if (status === 415) return new PatchbayError('unsupported-media-type', { cause: error })
  if (status === 503) return new PatchbayError('not-ready', { cause: error })
  if (status !== undefined && status >= 400 && status < 500) return unreadableRequest(error)
  return new PatchbayError('internal', { cause: error })
}

/** The framework's own words quote what it could not read, which may hold a token. */
const unreadable: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'its address cannot be read',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'its body is empty',
  FST_ERR_CTP_INVALID_JSON_BODY: 'its body is not JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'its body is not as long as it says'
}

function unreadableRequest (error: FastifyError | Error): PatchbayError {
  const reason = error instanceof SyntaxError ? 'its body is not JSON' : 'code' in error ? unreadable[error.code] : undefined
  return new PatchbayError('invalid-request', { message: `The request is not valid${reason === undefined ? '' : `: ${reason}`}.`, cause: error })
}

function invalidRequest (error: FastifyError): PatchbayError {
  const [first] = error.validation ?? []
  const missing = first?.params['missingProperty']
  const at = (first?.instancePath ?? '').slice(1).replaceAll('/', '.')
  const field = typeof missing === 'string' ? [at, missing].filter(part => part !== '').join('.') : at
  const where = error.validationContext ?? 'request'
  return new PatchbayError('invalid-request', {
    message: `The ${where} is not valid: ${field === '' ? '' : `${field} `}${typeof missing === 'string' ? 'is missing' : first?.message ?? 'is refused'}.`,
    ...(field !== '' && { field }),
    cause: error
  })
}

export function sendError (request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = toPatchbayError(thrown)
  request.failure = error
  const status = statusOf(error, request)
  if (status >= 500) request.log.error({ err: error.cause instanceof Error ? error.cause : error }, 'request failed')
  reply.code(status)
  if (error.retryAfter !== undefined) reply.header('retry-after', Math.ceil(error.retryAfter))
  if (errorKind(error.code).as === 'text') return reply.type('text/plain; charset=utf-8').send(error.message)
  const always = status === 200 ? request.routeOptions.config.always : undefined
  return reply.type('application/json; charset=utf-8').send({ ...errorAnswer(error, status >= 500 ? request.id : undefined), ...always })
}

/** Where the answer of success has no place for an error, 200 would pass for success. */
function statusOf ({ code }: PatchbayError, request: FastifyRequest): number {
  const { status, retryable } = errorKind(code)
  if (status !== 200 || hasPlaceForError(request)) return status
  return retryable ? 503 : 400
}

function hasPlaceForError ({ server, routeOptions: { schema } }: FastifyRequest): boolean {
  const success = (schema?.response as Readonly<Record<number, SuccessSchema>> | undefined)?.[200]
  if (success === undefined) return true
  const { properties = {} } = success.$ref === undefined ? success : server.getSchema(success.$ref.replace(/#$/, '')) as SuccessSchema
  return 'successful' in properties && 'error' in properties
}

interface SuccessSchema {
  readonly $ref?: string
  readonly properties?: object
}

/** For Fastify's `frameworkErrors`: addresses that cannot be read fail before any hook runs, so CORS is added here. */
export function answerFrameworkError (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('access-control-allow-origin', '*')
  return sendError(request, reply, thrown)
}

/** For Fastify's `clientErrorHandler`: what is not HTTP, or does not end, never becomes a request. */
export function answerClientError (thrown: ConnectionError, socket: Socket): void {
  if (thrown.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const error = new PatchbayError(thrown.code === 'HPE_HEADER_OVERFLOW' ? 'headers-too-large' : 'invalid-request')
  const { status } = errorKind(error.code)
  const body = JSON.stringify(errorAnswer(error))
  socket.end([
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'access-control-allow-origin: *',
    'connection: close',
    '',
    body
  ].join('\r\n'))
}

export default fp(async fastify => {
  fastify.decorateRequest('failure', undefined)
  fastify.setErrorHandler<unknown>(async (error, request, reply) => await sendError(request, reply, error))
  fastify.setNotFoundHandler(async (request, reply) => await sendError(request, reply, new PatchbayError('no-such-route')))
}, { name: 'errors' })

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Failure } from './schemas.ts'

const codes: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'duplicate',
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'rate-limited',
  503: 'unavailable'
}

/** What the CRM answers when it does not do as asked; `details` go into the answer beside code and message. */
export class Refusal extends Error {
  readonly statusCode: number
  readonly details: { field?: string, existingId?: number }

  constructor (statusCode: number, message: string, details: Refusal['details'] = {}) {
    super(message)
    this.statusCode = statusCode
    this.details = details
  }
}

const failure = (status: number, message: string, details: Refusal['details'] = {}): Failure =>
  ({ error: { code: codes[status] ?? (status < 500 ? 'invalid' : 'internal'), message, ...details } })

/** Answers every error of the server, its own or Fastify's, as a `Failure`. */
export function answerError (error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof Refusal) return reply.code(error.statusCode).send(failure(error.statusCode, error.message, error.details))

  const [issue] = error.validation ?? []
  if (issue !== undefined) {
    const member = issue.params.missingProperty ?? issue.params.additionalProperty
    const field = [...issue.instancePath.split('/').slice(1), ...(member === undefined ? [] : [member])].join('.')
    const wrong = issue.keyword === 'pattern' ? 'is blank or not in the accepted form' : issue.message
    return reply.code(400).send(failure(400, `${field || 'body'}: ${wrong}`, field === '' ? {} : { field }))
  }

  const status = error.statusCode ?? 500
  if (status < 500) return reply.code(status).send(failure(status, error.message))
  request.log.error({ err: error }, 'The example CRM failed')
  return reply.code(status).send(failure(status, 'The CRM could not answer'))
}

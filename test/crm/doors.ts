/** The door on its own, and CRMs to knock at: real servers on real sockets. */
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import pino from 'pino'
import type { Test } from 'tap'
import type { CrmError } from '../../src/contract/crm.ts'
import { Type } from '../../src/contract/type.ts'
import type { Resolve } from '../../src/crm/lookups.ts'
import type { CrmAccount, CrmScope } from '../../src/crm/scope.ts'
import crm, { type CrmOptions } from '../../src/plugins/crm.ts'

export interface StartedDoor extends Pick<FastifyInstance, 'crm' | 'crmFetch'> {
  close: () => Promise<void>
  /** What was logged, a line each. */
  logged: string[]
}

/** A door whose retries do not wait, unless told otherwise. */
export async function startDoor (t: Test, options: CrmOptions = {}, logLevel = 'trace'): Promise<StartedDoor> {
  const logged: string[] = []
  const app = fastify({ loggerInstance: pino({ level: logLevel }, { write: line => { logged.push(line) } }) })
  await app.register(crm, { random: () => 0, ...options })
  await app.ready()
  t.teardown(async () => { await app.close() })
  return { crm: app.crm, crmFetch: app.crmFetch, close: async () => { await app.close() }, logged }
}

export const info: CrmAccount['info'] = { platform: 'test', title: 'Test CRM', hosts: ['api.example.com', '*.tenants.example.com'] }

export const scope = (more: Partial<CrmScope> = {}): CrmScope => ({ info, configuredByOperator: true, signal: new AbortController().signal, ...more })

export const account = (baseUrl: string, more: Partial<CrmAccount> = {}): CrmAccount => ({ ...scope(), baseUrl: async () => baseUrl, authorization: async () => 'Bearer token', ...more })

export const Anything = Type.Unknown()

/** What a promise is rejected with. */
export async function errorOf (promise: Promise<unknown>): Promise<CrmError> {
  return await promise.then(value => { throw new Error(`It did not fail but gave ${JSON.stringify(value)}`) }, error => error)
}

export interface Served {
  url: string
  port: number
  server: HttpServer
  /** `METHOD path` of each request, with the milliseconds at which it came. */
  received: Array<{ line: string, at: number, headers: IncomingMessage['headers'], body: string }>
  open: () => number
}

async function listening (t: Test, server: Server): Promise<{ url: string, port: number, open: () => number }> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => { server.close(resolve) })
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, open: () => sockets.size }
}

/** A CRM that answers as told; `number` counts its requests from 1. */
export async function serve (t: Test, answer: (response: ServerResponse, request: IncomingMessage, number: number) => void): Promise<Served> {
  const received: Served['received'] = []
  const server = createHttpServer((request, response) => {
    const at = performance.now()
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      received.push({ line: `${request.method} ${request.url}`, at, headers: request.headers, body: Buffer.concat(chunks).toString() })
      answer(response, request, received.length)
    })
  })
  return { ...await listening(t, server), server, received }
}

/** A CRM that speaks, or does not, in bytes. */
export async function serveBytes (t: Test, onConnection: (socket: Socket, number: number) => void): Promise<{ url: string, port: number, open: () => number, connections: () => number }> {
  let count = 0
  const server = createServer(socket => { onConnection(socket, ++count) })
  return { ...await listening(t, server), connections: () => count }
}

export function json (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Looks two names up at a time, as the system does; the others wait in line. */
export function twoAtATime (resolve: Resolve): Resolve {
  const waiting: Array<() => void> = []
  let free = 2
  const next = (): void => {
    if (free === 0 || waiting.length === 0) return
    free--
    waiting.shift()?.()
  }
  return (name, options, callback) => {
    waiting.push(() => {
      resolve(name, options, (error, addresses) => {
        free++
        callback(error, addresses)
        next()
      })
    })
    next()
  }
}

export const pass = async (milliseconds: number): Promise<void> => { await new Promise(resolve => { setTimeout(resolve, milliseconds) }) }

/** Until a CRM has received so many requests. */
export async function arrived (crm: Served, requests: number): Promise<void> {
  while (crm.received.length < requests) await pass(5)
}

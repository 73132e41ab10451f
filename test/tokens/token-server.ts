/** A token endpoint that answers what a test says and keeps what it received. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Received {
  method: string
  path: string
  query: Record<string, string>
  headers: IncomingHttpHeaders
  form: Record<string, string>
  body: string
}

export interface TokenServer {
  url: string
  received: Received[]
  /** What it answers from now on: an object as JSON, a text as it is. */
  answer: (body: object | string, status?: number, headers?: Record<string, string>) => void
  /** With which status it refuses a request, before all else. */
  refuse: (status: (request: Received) => number | undefined) => void
}

export async function tokenServer (t: Test): Promise<TokenServer> {
  const received: Received[] = []
  let refusal: Parameters<TokenServer['refuse']>[0] = () => undefined
  let next: { body: object | string, status: number, headers: Record<string, string> } = { body: {}, status: 200, headers: {} }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => { body += chunk })
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
      const asked: Received = {
        method: request.method ?? '',
        path: pathname,
        query: Object.fromEntries(searchParams),
        headers: request.headers,
        form: Object.fromEntries(new URLSearchParams(body)),
        body
      }
      received.push(asked)
      const refused = refusal(asked)
      if (refused !== undefined) return response.writeHead(refused).end()
      response.writeHead(next.status, { 'content-type': typeof next.body === 'string' ? 'text/plain' : 'application/json', ...next.headers })
      response.end(typeof next.body === 'string' ? next.body : JSON.stringify(next.body))
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (body, status = 200, headers = {}) => { next = { body, status, headers } },
    refuse: status => { refusal = status }
  }
}

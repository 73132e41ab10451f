/**
 * The part of the Example CRM's API that the operations use, as fast as Node can: records are kept in memory, nothing is checked.
 * A record that it was never given looks like the first one that it was.
 */
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

const contact = JSON.stringify({
  items: [{
    id: 1,
    type: 'Contact',
    name: 'John Smith',
    phone: '+16504445566',
    number: null,
    company: 'Smith & Sons',
    deals: [{ id: 1, title: 'Annual licence', status: 'open' }],
    createdAt: '2026-01-15T10:30:05.000Z',
    updatedAt: '2026-01-15T10:30:05.000Z'
  }]
})
const activities = new Map<number, object>()
const emptyActivity = { outcome: null, dealId: null, createdAt: '2026-01-15T10:30:05.000Z', updatedAt: '2026-01-15T10:30:05.000Z' }
let first: object | undefined
let requests = 0
let delay = 0

const activity = (id: number): object => ({ ...activities.get(id) ?? first, id })

/** The API key is the user's id. */
function me (authorization = ''): string {
  const id = Number(Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString().replace(':', ''))
  return JSON.stringify({ id, name: `User ${id}`, email: `user-${id}@example.com` })
}

function answer (method: string, path: string, authorization: string | undefined, body: string): string {
  if (path.startsWith('/api/contacts')) return contact
  if (path === '/api/me') return me(authorization)
  if (method === 'POST') {
    const id = activities.size + 1
    const made: object = { ...emptyActivity, ...JSON.parse(body) }
    first ??= made
    activities.set(id, made)
    return JSON.stringify(activity(id))
  }
  const id = Number(path.slice(path.lastIndexOf('/') + 1))
  if (method === 'PATCH') activities.set(id, { ...activity(id), ...JSON.parse(body) })
  return JSON.stringify(activity(id))
}

function send (response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) }).end(text)
}

const server = createServer((request, response) => {
  const { method = '', url = '', headers: { authorization } } = request
  if (url === '/isAlive') return send(response, 200, '"OK"')
  requests++
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  request.on('end', () => {
    const text = answer(method, url, authorization, Buffer.concat(chunks).toString())
    const status = method === 'POST' ? 201 : 200
    if (delay === 0) send(response, status, text)
    else pause(delay).then(() => { send(response, status, text) }, () => {})
  })
})
// A connection that is closed while a request is on its way would be a failure of the CRM.
server.keepAliveTimeout = 600_000
server.listen(Number(process.env['PORT']), '127.0.0.1')

process.on('message', (question: 'requests' | { delay: number }) => {
  if (typeof question === 'object') delay = question.delay
  process.send?.(requests)
})
process.on('disconnect', () => { process.exit() })

/**
 * The floor: routes of a bare Fastify that do what no server can leave out, and nothing else. As many requests to the CRM as the
 * operation needs, and one durable write, or one read by an index. No session, no validation, no log body, no promise.
 */
import Database from 'better-sqlite3'
import fastify from 'fastify'
import { Pool } from 'undici'

const database = new Database(process.env['DATABASE'] ?? '')
database.pragma('journal_mode = WAL')
database.pragma('synchronous = FULL')
database.exec('CREATE TABLE IF NOT EXISTS logs (id TEXT PRIMARY KEY, data TEXT NOT NULL)')
const write = database.prepare('INSERT INTO logs VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data')
const read = database.prepare<[string], { data: string }>('SELECT data FROM logs WHERE id = ?')

const crm = new Pool(`http://127.0.0.1:${process.env['CRM_PORT']}`)

interface Activity { id: number, body?: string }

async function ask (method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<Activity> {
  const response = await crm.request({
    method,
    path,
    headers: { authorization: 'Basic MTo=', accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) })
  })
  return await response.body.json() as Activity
}

const stored = (id: string): Activity => JSON.parse(read.get(id)?.data ?? '{}') as Activity

const app = fastify()

app.get('/isAlive', async () => 'OK')

app.get<{ Querystring: { phoneNumber: string } }>('/contact', async ({ query: { phoneNumber } }) => {
  const remembered = read.get(phoneNumber)
  if (remembered !== undefined) return { successful: true, contact: JSON.parse(remembered.data) }
  const contact = await ask('GET', `/api/contacts?phone=${encodeURIComponent(phoneNumber)}`)
  write.run(phoneNumber, JSON.stringify(contact))
  return { successful: true, contact }
})

app.get<{ Querystring: { sessionIds: string, requireDetails?: string } }>('/callLog', async ({ query: { sessionIds, requireDetails } }) => {
  const { id } = stored(sessionIds)
  const logData = requireDetails === 'true' ? await ask('GET', `/api/activities/${id}`) : undefined
  return { successful: true, logs: [{ sessionId: sessionIds, matched: id !== undefined, logId: String(id), logData }] }
})

app.post<{ Body: { logInfo: { sessionId: string }, note: string } }>('/callLog', async ({ body: { logInfo, note } }) => {
  const { id } = await ask('POST', '/api/activities', { type: 'call', contactId: 1, subject: 'Inbound Call', body: note, ...logInfo })
  write.run(logInfo.sessionId, JSON.stringify({ id }))
  return { successful: true, logId: String(id) }
})

app.patch<{ Body: { sessionId: string, note: string } }>('/callLog', async ({ body: { sessionId, note, ...call } }) => {
  const { id } = stored(sessionId)
  await ask('GET', `/api/activities/${id}`)
  await ask('PATCH', `/api/activities/${id}`, { ...call, body: note })
  // SQLite writes nothing where nothing changes.
  write.run(sessionId, JSON.stringify({ id, note }))
  return { successful: true, logId: String(id) }
})

await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })

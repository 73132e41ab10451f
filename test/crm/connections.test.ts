import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { connections } from '../../src/crm/connections.ts'
import { exchange } from '../../src/crm/exchange.ts'
import { defaultLimits } from '../../src/crm/limits.ts'
import type { Resolve } from '../../src/crm/lookups.ts'
import { json, serve, twoAtATime } from './doors.ts'

const ask = { path: '/', method: 'GET', headers: {}, body: null }
const bounds = { timeout: 3000, signal: new AbortController().signal, mostBytes: 1000 }

await t.test('an idle connection is closed in time, also where the CRM would keep it for longer', async t => {
  const crm = await serve(t, response => { json(response, 200, {}, { 'keep-alive': 'timeout=600' }) })
  crm.server.keepAliveTimeout = 0
  const connected = once(crm.server, 'connection') as Promise<[Socket]>
  const { chosen, close } = connections({ limits: { ...defaultLimits, idle: 20 }, allowPrivateNetworks: [], proxies: {} })
  t.teardown(close)
  t.match(await exchange(chosen, { ...ask, origin: crm.url }, bounds), { status: 200 })
  const [socket] = await connected
  if (!socket.closed) await once(socket, 'close')
  t.equal(crm.open(), 0)
})

/** Names below `dead.example` are never answered. */
const partlyDead: Resolve = (name, _options, callback) => {
  if (!name.endsWith('dead.example')) callback(null, [{ address: '127.0.0.1', family: 4 }])
}

await t.test('names without an answer hold up no connection to another CRM', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const { guarded, close } = connections({ limits: { ...defaultLimits, connect: 500 }, allowPrivateNetworks: ['127.0.0.1/32'], proxies: {}, resolve: twoAtATime(partlyDead) })
  t.teardown(close)
  const dead = ['dead.example', 'dead.example', 'one.dead.example', 'two.dead.example'].map(async host => await exchange(guarded, { ...ask, origin: `http://${host}` }, bounds))
  t.match(await exchange(guarded, { ...ask, origin: `http://crm.example.net:${crm.port}` }, bounds), { status: 200 })
  for (const ended of await Promise.all(dead)) t.match(ended, { why: 'failed', sent: false })
})

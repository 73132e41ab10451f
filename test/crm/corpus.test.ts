/** Nothing that a client or a CRM may name as a host makes the server connect to a private or foreign address. */
import { createServer, Socket, type AddressInfo } from 'node:net'
import { userInfo } from 'node:os'
import t from 'tap'
import { path } from '../../src/contract/crm.ts'
import type { Resolve } from '../../src/crm/lookups.ts'
import { Anything, account, errorOf, info, scope, startDoor } from './doors.ts'
import { hosts } from './host-forms.ts'

/** Names that are the connector's, but whose addresses are not public: all of them, or one, or not the same twice. */
const rebinding: Record<string, string[][]> = {
  'private.tenants.example.com': [['10.0.0.1']],
  'loopback.tenants.example.com': [['127.0.0.1'], ['127.0.0.1']],
  'metadata.tenants.example.com': [['169.254.169.254']],
  'six.tenants.example.com': [['::1'], ['fd00::1']],
  'mapped.tenants.example.com': [['::ffff:127.0.0.1']],
  'nat64.tenants.example.com': [['64:ff9b::7f00:1']],
  'mixed.tenants.example.com': [['8.8.8.8', '127.0.0.1']],
  'mixed-six.tenants.example.com': [['2606:4700::1111', '::1']],
  'nothing.tenants.example.com': [[]]
}

await t.test('a corpus of host forms leads to no connection', async t => {
  t.ok(new Set(hosts).size >= 200, `${new Set(hosts).size} forms`)
  let arrived = 0
  const listeners = await Promise.all(['127.0.0.1', '::1'].map(async host => {
    const server = createServer(socket => { arrived++; socket.destroy() })
    return await new Promise<typeof server | undefined>(resolve => { server.once('error', () => { resolve(undefined) }).listen({ host, port: 0 }, () => { resolve(server) }) })
  }))
  // Where it may, the corpus meets a listener on the port of https, too.
  if (userInfo().uid === 0) {
    const server = createServer(socket => { arrived++; socket.destroy() })
    listeners.push(await new Promise(resolve => { server.once('error', () => { resolve(undefined) }).listen(443, () => { resolve(server) }) }))
  }
  t.teardown(async () => { for (const server of listeners) server?.close() })
  const [port] = listeners.flatMap(server => server === undefined ? [] : [(server.address() as AddressInfo).port])

  const resolved: string[] = []
  const resolve: Resolve = (name, _options, callback) => {
    resolved.push(name)
    const answers = rebinding[name] ?? [['127.0.0.1']]
    const addresses = answers[resolved.filter(one => one === name).length % answers.length] ?? []
    callback(null, addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })))
  }
  const door = await startDoor(t, { resolve, limits: { talk: 1000, wait: 0 } })
  const bound = { configuredByOperator: false }

  /** Every place where a host can be put: a stored hostname that a connector makes its base URL of, a base URL, an address to fetch. */
  const places = (host: string): Array<[string, Promise<unknown>]> => [
    ...[`https://${host}/api`, `https://${host}`, `http://${host}:${port}`, `https://${host}:${port}`, host].map((baseUrl): [string, Promise<unknown>] =>
      [`base ${baseUrl}`, door.crm(account(baseUrl, bound)).get(path`/x`, { answer: Anything })]),
    ...[`https://${host}/x`, `http://${host}:${port}/x`, host].map((address): [string, Promise<unknown>] => [`fetch ${address}`, door.crmFetch(scope(bound))(address)]),
    // A connector whose list would let everything pass: the addresses are checked all the same.
    [`listed ${host}`, door.crm(account(`https://${host}/api`, { ...bound, info: { ...info, hosts: [host, URL.canParse(`https://${host}`) ? new URL(`https://${host}`).hostname : host] } })).get(path`/x`, { answer: Anything })]
  ]

  const dialled: unknown[] = []
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (this: Socket, ...call: Parameters<typeof connect>) {
    // Names are looked up by the socket, with our resolver, which gives nothing that is public.
    const [options] = (Array.isArray(call[0]) ? call[0] : call) as unknown as [{ host?: string, lookup?: unknown }]
    if (typeof options.lookup !== 'function') dialled.push(options)
    return connect.apply(this, call)
  } as typeof connect
  t.teardown(() => { Socket.prototype.connect = connect })

  for (const host of [...hosts, ...Object.keys(rebinding)]) {
    const results = await Promise.all(places(host).map(async ([place, asked]) => [place, await errorOf(asked)] as const))
    const wrong = results.filter(([, error]) => error.code !== 'prerequisite' || error.outcome !== 'not-received')
    t.strictSame(wrong.map(([place, error]) => [place, error.code, error.message]), [], JSON.stringify(host))
  }
  t.equal(arrived, 0, 'no listener was reached')
  t.strictSame(dialled, [], 'nothing was dialled that was not looked up and checked')
  t.ok(Object.keys(rebinding).every(name => resolved.includes(name)), 'names of the connector got as far as their addresses')
})

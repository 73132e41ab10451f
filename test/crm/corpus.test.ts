/** Nothing that a client or a CRM may name as a host makes the server connect to a private or foreign address. */
import { createServer, Socket, type AddressInfo } from 'node:net'
import { userInfo } from 'node:os'
import t from 'tap'
import { path } from '../../src/contract/crm.ts'
import type { Resolve } from '../../src/crm/addresses.ts'
import { Anything, account, errorOf, info, scope, startDoor } from './doors.ts'

const loopback = [
  '127.0.0.1', '127.0.0.2', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.0.0.1', '0x7f.1', '0X7F.0X0.0X0.0X1', '0177.0.0.1', '0177.0.0.01', '017700000001', '00000177.0.0.1',
  '0', '0.0.0.0', '0x0', '00', '127.0.0.1.', '127.0.0.1..', '127。0。0。1', '１２７.0.0.1', '①②⑦.⓪.⓪.①', '127%2e0%2e0%2e1', '%31%32%37.0.0.1', '0x7f.0x0.0x0.0x1', '127.0x1', '4294967297', '0100000000177',
  '[::1]', '[0:0:0:0:0:0:0:1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[::7f00:1]', '[0000::0001]', '[::1%25lo]', '[::1%lo]', '::1', '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::]',
  'localhost', 'LOCALHOST', 'localhost.', 'localhost.localdomain', 'localhost6', 'ip6-localhost', 'ip6-loopback', 'lOcAlHoSt', 'ⓛocalhost', 'foo.localhost'
]
const privates = [
  '10.0.0.1', '10.255.255.255', '012.0.0.1', '0xa.0.0.1', '167772161', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.1.254', '3232235521', '0xc0a80001', '0300.0250.0.1', '192.168.257', '100.64.0.1', '198.18.0.1', '192.0.0.192', '192.0.2.1', '198.51.100.7', '203.0.113.9', '240.0.0.1', '255.255.255.255', '224.0.0.1',
  '169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '169.254.170.2', '100.100.100.200', '[fd00:ec2::254]', '[fe80::1]', '[fe80::a9fe:a9fe]', '[fc00::1]', '[fdff::1]', '[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[100::1]',
  'metadata.google.internal', 'metadata', 'instance-data', 'kubernetes.default.svc', 'host.docker.internal', 'router.local', 'intranet', 'wpad', 'db.internal', '169.254.169.254.nip.io', '127.0.0.1.nip.io', 'localtest.me', '10-0-0-1.sslip.io', 'rebind.network'
]
/** Around hosts that the connector lists. */
const confusing = ['api.example.com', 'acme.tenants.example.com'].flatMap(good => [
  `evil.example@${good}`, `${good}@evil.example`, `${good}:443@evil.example`, `${good}%40evil.example`, `user:pass@${good}`, `@${good}`, `:@${good}`, `${good}\\@evil.example`, `evil.example\\@${good}`, `evil.example\\.${good}`, `evil.example/.${good}`, `evil.example?.${good}`, `evil.example#.${good}`,
  `evil.example%00.${good}`, `evil.example\u0000.${good}`, `evil.example%2f.${good}`, `evil.example%23.${good}`, `evil.example:443#@${good}`, `evil.example;${good}`, `evil.example,${good}`, `evil.example ${good}`, `${good} .evil.example`, `${good}.`, `${good}..`, `.${good}`, `..${good}`, `${good}.evil.example`, `${good}-evil.example`, `evil${good}`, `x.${good}`, `x.y.${good}`,
  `${good}:80`, `${good}:22`, `${good}:8443`, `${good}:0`, `${good}:65536`, `${good}:-1`, `${good}:443:443`, `${good}:４４３`, good.replace('example', 'exаmple'), good.replace('example', 'ｅxample'), good.replace('.com', '。com'), good.replace('.com', '.cоm'), good.replace('example', 'xn--exmple-4nf'), good.replace('.com', '.co'), good.replace('.com', '.com.co'), good.replace('e', '\u0435'),
  `\t${good}`, `${good}\r\n`, `${good}\r\nhost: evil.example`, `//${good}`, `///${good}`, `\\\\${good}`, `https://${good}`, `http://evil.example/${good}`, `[${good}]`, `[::1]${good}`, `*.${good}`, `${good}?x=`, `${good}#`, `${good}/#@evil.example`
])
const others = ['', ' ', '.', '..', '*', '@', ':', '/', '\\', '[', ']', '[]', '%', '%00', '\u0000', 'undefined', 'null', 'example.com', 'tenants.example.com', 'evil.example', 'a.b.tenants.example.com', '_.tenants.example.com', `${'a'.repeat(64)}.tenants.example.com`, '-', 'xn--', 'https://', 'file:///etc/passwd', 'gopher://127.0.0.1', 'data:,x', 'unix:/var/run/docker.sock', '1e3', '0x', '0xg.0.0.1', '256.256.256.256', '1.2.3.4.5']

const hosts = [...loopback, ...privates, ...confusing, ...others]

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

import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.ts'
import { path } from '../../src/contract/crm.ts'
import { connections } from '../../src/crm/connections.ts'
import { exchange } from '../../src/crm/exchange.ts'
import { defaultLimits } from '../../src/crm/limits.ts'
import { proxyFor, type Proxies } from '../../src/crm/proxies.ts'
import { Anything, account, errorOf, json, serve, serveBytes, startDoor, twoAtATime } from './doors.ts'

const both: Proxies = { httpProxy: 'http://plain.example:3128', httpsProxy: 'http://tls.example:3128' }

await t.test('which proxy a request goes through', async t => {
  const table: Array<[address: string, noProxy: string | undefined, proxy: string | undefined]> = [
    ['https://api.example.com', undefined, 'tls.example'],
    ['http://api.example.com', undefined, 'plain.example'],
    ['https://api.example.com', '', 'tls.example'],
    ['https://api.example.com', '*', undefined],
    ['https://api.example.com', 'other.com, *', undefined],
    ['https://api.example.com', 'example.com', undefined],
    ['https://api.example.com', '.example.com', undefined],
    ['https://api.example.com', '*.example.com', undefined],
    ['https://api.example.com', 'API.EXAMPLE.COM', undefined],
    ['https://api.example.com', 'other.com api.example.com', undefined],
    ['https://api.example.com', 'api.example.com:443', undefined],
    ['https://api.example.com', 'api.example.com:8443', 'tls.example'],
    ['https://api.example.com:8443', 'api.example.com:8443', undefined],
    ['https://api.example.com', 'ple.com', 'tls.example'],
    ['https://10.1.2.3', '10.0.0.0/8', undefined],
    ['https://11.1.2.3', '10.0.0.0/8', 'tls.example'],
    ['https://10.1.2.3', '10.1.2.3', undefined],
    ['https://[fd00::1]', 'fd00::/8,10.0.0.0/8', undefined],
    ['https://[fd00::1]', 'fd00:0::1', undefined],
    ['http://127.0.0.1:6067', undefined, undefined],
    ['http://127.8.9.1', undefined, undefined],
    ['http://localhost', undefined, undefined],
    ['http://[::1]:6067', undefined, undefined]
  ]
  for (const [address, noProxy, proxy] of table) {
    const { protocol, hostname, port } = new URL(address)
    const target = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port }
    t.equal(proxyFor(target, { ...both, ...(noProxy !== undefined && { noProxy }) })?.hostname, proxy, `${address} ${noProxy}`)
  }
  t.equal(proxyFor({ protocol: 'https:', hostname: 'api.example.com', port: '' }, { httpProxy: 'http://plain.example' }), undefined, 'https has a variable of its own')
})

await t.test('the environment names the proxies', async t => {
  t.strictSame(readConfig({}).proxies, {})
  t.strictSame(readConfig({ HTTP_PROXY: 'http://a:1', HTTPS_PROXY: 'b:2', NO_PROXY: 'c' }).proxies, { httpProxy: 'http://a:1', httpsProxy: 'http://b:2', noProxy: 'c' })
  t.strictSame(readConfig({ https_proxy: 'http://lower:1', HTTPS_PROXY: 'http://upper:1', no_proxy: '', NO_PROXY: 'x' }).proxies, { httpsProxy: 'http://lower:1', noProxy: 'x' })
  for (const value of ['socks5://user:secret@a', 'http://user:secret@:x']) {
    t.throws(() => readConfig({ HTTPS_PROXY: value }), { name: 'ConfigError', message: 'HTTPS_PROXY must be an http or https address' }, 'without repeating the password')
  }
})

/** A proxy that connects every target to one server, whatever name it is asked for. */
async function startProxy (t: Test, port: number, status = 200): Promise<{ url: string, asked: Array<Pick<IncomingMessage, 'url' | 'headers'>> }> {
  const asked: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const server = createServer().on('connect', (request, socket: Socket) => {
    asked.push(request)
    sockets.add(socket.on('error', () => {}))
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    sockets.add(target.on('error', () => { socket.destroy() }))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => { server.close(resolve) })
  })
  return { url: `http://us%65r:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

await t.test('requests go through the tunnel of a proxy, which resolves the names', async t => {
  const crm = await serve(t, response => { json(response, 200, { id: 1 }) })
  const proxy = await startProxy(t, crm.port)
  const door = await startDoor(t, { proxies: { httpProxy: proxy.url } })
  const client = door.crm(account('http://crm.invalid'))
  for (let i = 0; i < 5; i++) t.strictSame(await client.get(path`/x`, { answer: Anything }), { id: 1 })
  t.match(proxy.asked, [{ url: 'crm.invalid:80', headers: { 'proxy-authorization': `Basic ${Buffer.from('user:p@ss').toString('base64')}` } }])
  t.ok(proxy.asked.length < 3, 'and keeps the tunnel')
  for (const { headers } of crm.received) t.strictSame([headers.host, headers['proxy-authorization']], ['crm.invalid', undefined])
})

await t.test('https is spoken with the CRM itself, inside the tunnel', async t => {
  let hello: Buffer | undefined
  const crm = await serveBytes(t, socket => {
    socket.once('data', data => {
      hello = data
      socket.destroy()
    })
  })
  const proxy = await startProxy(t, crm.port)
  const door = await startDoor(t, { proxies: { httpsProxy: proxy.url }, resolve: (_name, _options, callback) => { callback(null, [{ address: '8.8.8.8', family: 4 }]) } })
  const error = await errorOf(door.crm(account('https://api.example.com', { configuredByOperator: false })).post(path`/x`, { answer: Anything }))
  t.match(error, { code: 'unavailable', outcome: 'not-received' })
  t.equal(proxy.asked[0]?.url, 'api.example.com:443')
  t.equal(hello?.[0], 0x16, 'a TLS handshake')
  t.ok(hello?.includes('api.example.com'), 'for the host of the CRM')
})

const ask = { path: '/', method: 'GET', headers: {}, body: null, origin: 'http://crm.example' }
const bounds = { timeout: 1000, signal: new AbortController().signal, mostBytes: 1000 }

await t.test('a name that resolves here to a private address is not asked of a proxy either', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const proxy = await startProxy(t, crm.port)
  const table: Array<[address: string | undefined, refused: boolean]> = [['10.0.0.1', true], ['127.0.0.1', true], ['8.8.8.8', false], [undefined, false]]
  for (const [address, refused] of table) {
    const { guarded, close } = connections({
      limits: defaultLimits,
      allowPrivateNetworks: [],
      proxies: { httpProxy: proxy.url },
      resolve: (_name, _options, callback) => {
        if (address === undefined) callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), [])
        else callback(null, [{ address, family: 4 }])
      }
    })
    t.teardown(close)
    t.match(await exchange(guarded, ask, bounds), refused ? { why: 'address-refused', sent: false } : { status: 200 }, String(address))
    t.match(await exchange(guarded, { ...ask, origin: 'http://10.0.0.1' }, bounds), { why: 'address-refused', sent: false })
  }
  t.equal(proxy.asked.length, 2)
})

await t.test('names that nobody here knows anything of are left to the proxy, also when nobody says so, and do not hide its own', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const proxy = await startProxy(t, crm.port)
  const resolve = twoAtATime((name, _options, callback) => { if (name === 'proxy.test') callback(null, [{ address: '127.0.0.1', family: 4 }]) })
  const { guarded, close } = connections({ limits: defaultLimits, allowPrivateNetworks: [], proxies: { httpProxy: proxy.url.replace('127.0.0.1', 'proxy.test') }, resolve })
  t.teardown(close)
  const hosts = ['a.example', 'b.example', 'c.example', 'd.example']
  for (const ended of await Promise.all(hosts.map(async host => await exchange(guarded, { ...ask, origin: `http://${host}` }, { ...bounds, timeout: 5_000 })))) t.match(ended, { status: 200 })
})

await t.test('a name that is silent keeps no other from being checked', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const proxy = await startProxy(t, crm.port)
  const addresses: Readonly<Record<string, string>> = { 'proxy.test': '127.0.0.1', 'known.example': '8.8.8.8', 'inside.example': '10.0.0.1' }
  const resolve = twoAtATime((name, _options, callback) => { if (addresses[name] !== undefined) callback(null, [{ address: addresses[name], family: 4 }]) })
  const { guarded, close } = connections({ limits: defaultLimits, allowPrivateNetworks: [], proxies: { httpProxy: proxy.url.replace('127.0.0.1', 'proxy.test') }, resolve })
  t.teardown(close)
  const asked = async (host: string): Promise<unknown> => await exchange(guarded, { ...ask, origin: `http://${host}` }, { ...bounds, timeout: 5_000 })
  t.match(await asked('known.example'), { status: 200 })
  const silent = asked('silent.other')
  t.match(await asked('inside.example'), { why: 'address-refused' })
  t.match(await silent, { status: 200 })
})

await t.test('a proxy that is spoken to by https has to prove its own name, not that of the CRM', async t => {
  const names: string[] = []
  // Without a certificate the handshake ends here; by then the name has been told.
  const server = createTlsServer({
    SNICallback: (name, callback) => {
      names.push(name)
      callback(new Error('no certificate'))
    }
  }).on('tlsClientError', () => {})
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const { port } = server.address() as AddressInfo
  for (const host of ['localhost', '127.0.0.1']) {
    const { chosen, close } = connections({ limits: defaultLimits, allowPrivateNetworks: [], proxies: { httpProxy: `https://${host}:${port}` } })
    t.teardown(close)
    t.match(await exchange(chosen, ask, bounds), { why: 'failed', sent: false })
  }
  t.strictSame(names, ['localhost'], 'and an address has no name')
})

await t.test('a proxy that refuses, closes, hangs or is not there is a CRM that cannot be reached', async t => {
  const closing = await serveBytes(t, socket => { socket.once('data', () => { socket.end() }) })
  const hanging = await serveBytes(t, () => {})
  const refusing = await startProxy(t, 1, 407)
  const proxies: Record<string, string> = { closes: closing.url, hangs: hanging.url, refuses: refusing.url, 'is not there': 'http://127.0.0.1:1', 'is none by https': closing.url.replace('http', 'https') }
  for (const [title, httpProxy] of Object.entries(proxies)) {
    const { chosen, close } = connections({ limits: { ...defaultLimits, connect: 100 }, allowPrivateNetworks: [], proxies: { httpProxy } })
    t.teardown(close)
    t.match(await exchange(chosen, ask, bounds), { why: 'failed', sent: false }, title)
  }
  await new Promise(resolve => { setTimeout(resolve, 50) })
  t.equal(closing.connections(), 2, 'and is not asked again and again')
})

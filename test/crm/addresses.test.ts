import type { LookupAddress } from 'node:dns'
import t from 'tap'
import { addressGuard, dialPolicy } from '../../src/crm/addresses.ts'
import { connections } from '../../src/crm/connections.ts'
import { exchange } from '../../src/crm/exchange.ts'
import { defaultLimits } from '../../src/crm/limits.ts'
import type { Resolve } from '../../src/crm/lookups.ts'
import { json, serve } from './doors.ts'

await t.test('only public addresses may be dialled', async t => {
  const mayDial = dialPolicy([])
  const refused = [
    '127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.0.1',
    '192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
    '::', '::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:7f00:1', '::7f00:1', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::a00:1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '64:ff9b:1::808:808', '64:ff9b::1:808:808', '2002:7f00:1::', '2002:a00:1::', '2001::1', '2001:db8::1',
    'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '100::1', '4000::1', '5f00::1', '3fff::1', '::ffff:0:7f00:1',
    '', 'localhost', 'example.com', '127.0.0.1 '
  ]
  for (const address of refused) t.equal(mayDial(address), false, address)
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '::ffff:8.8.8.8', '64:ff9b::808:808', '2606:4700::1111', '2a00:1450::1']) t.equal(mayDial(address), true, address)
})

await t.test('the operator may allow private networks', async t => {
  const mayDial = dialPolicy(['10.1.0.0/16', 'fd00::/8'])
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd12::1', '8.8.8.8']) t.equal(mayDial(address), true, address)
  for (const address of ['10.2.0.1', '127.0.0.1', 'fc00::1', '::1']) t.equal(mayDial(address), false, address)
})

const found = (...addresses: string[]): LookupAddress[] => addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
const answers = (...addresses: string[]): Resolve => (_name, _options, callback) => { callback(null, found(...addresses)) }

await t.test('every address of a name is checked', async t => {
  const table: Array<[addresses: string[], refused: boolean]> = [
    [['8.8.8.8'], false],
    [['8.8.8.8', '2606:4700::1111'], false],
    [['8.8.8.8', '64:ff9b::808:808'], false],
    [['8.8.8.8', '64:ff9b::7f00:1'], true],
    [['8.8.8.8', '127.0.0.1'], true],
    [['::1', '8.8.8.8'], true],
    [['169.254.169.254'], true],
    [[], true]
  ]
  for (const [addresses, refused] of table) {
    for (const all of [true, false]) {
      const { lookup } = addressGuard([], async () => found(...addresses))
      const given = await new Promise(resolve => { lookup('crm.example', { all }, (error, ...given) => { resolve(error?.name ?? given) }) })
      t.strictSame(given, refused ? 'AddressRefused' : all ? [found(...addresses)] : [addresses[0], 4], addresses.join())
    }
  }
  const { lookup } = addressGuard([], async () => { throw Object.assign(new Error('none'), { code: 'ENOTFOUND' }) })
  t.equal(await new Promise(resolve => { lookup('crm.example', {}, error => { resolve(error?.code) }) }), 'ENOTFOUND')
})

const ask = { path: '/', method: 'GET', headers: {}, body: null }
const bounds = { timeout: 3000, signal: new AbortController().signal, mostBytes: 1000 }

await t.test('a name that is rebound between the check and the connection gains nothing', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  let asked = 0
  const resolve: Resolve = (...call) => { answers(++asked === 1 ? '127.0.0.1' : '127.0.0.2')(...call) }
  const { guarded, close } = connections({ limits: defaultLimits, allowPrivateNetworks: ['127.0.0.1/32'], proxies: {}, resolve })
  t.teardown(close)
  t.match(await exchange(guarded, { ...ask, origin: `http://crm.example:${crm.port}` }, bounds), { status: 200 })
  t.equal(asked, 1, 'the address that was checked is the one that is dialled')
  await new Promise(resolve => { crm.server.close(resolve) })
  t.match(await exchange(guarded, { ...ask, origin: `http://crm.example:${crm.port}` }, bounds), { why: 'address-refused', sent: false })
})

await t.test('private addresses are refused when dialling, however they are named', async t => {
  const crm = await serve(t, response => { json(response, 200, {}) })
  const { guarded, chosen, close } = connections({ limits: defaultLimits, allowPrivateNetworks: [], proxies: {}, resolve: answers('127.0.0.1') })
  t.teardown(close)
  for (const host of ['127.0.0.1', 'crm.example', 'localhost', '127.1', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]', '[::]', '0.0.0.0']) {
    t.match(await exchange(guarded, { ...ask, origin: new URL(`http://${host}:${crm.port}`).origin }, bounds), { why: 'address-refused', sent: false }, host)
  }
  t.strictSame(crm.received, [])
  t.match(await exchange(chosen, { ...ask, origin: crm.url }, bounds), { status: 200 }, 'but where the operator chose one')
})

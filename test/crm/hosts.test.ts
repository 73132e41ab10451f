import t from 'tap'
import { covers, permittedUrl } from '../../src/crm/hosts.ts'
import { info } from './doors.ts'

await t.test('a star stands for exactly one label', async t => {
  const table: Array<[entry: string, host: string, covered: boolean]> = [
    ['api.example.com', 'api.example.com', true],
    ['api.example.com', 'example.com', false],
    ['api.example.com', 'x.api.example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a-1.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'aexample.com', false],
    ['*.example.com', 'a.example.com.', false],
    ['*.example.com', `${'a'.repeat(64)}.example.com`, false],
    ['*.example.com', 'a_b.example.com', false]
  ]
  for (const [entry, host, covered] of table) t.equal(covers(entry, host), covered, `${entry} ${host}`)
})

const connectors = (address: string): string | undefined => permittedUrl(address, { info, configuredByOperator: false }, [])?.href

await t.test('a connector may ask its own hosts by https', async t => {
  t.equal(connectors('https://api.example.com'), 'https://api.example.com/')
  t.equal(connectors('HTTPS://API.Example.COM/v1?x=1#y'), 'https://api.example.com/v1?x=1#y')
  t.equal(connectors('https://api.example.com:443/v1'), 'https://api.example.com/v1')
  t.equal(connectors('https://acme.tenants.example.com/v1'), 'https://acme.tenants.example.com/v1')
})

await t.test('and nothing else', async t => {
  const refused = [
    '', 'api.example.com', '//api.example.com', 'http://api.example.com', 'ftp://api.example.com', 'https://api.example.com:8443', 'https://api.example.com:80',
    'https://user@api.example.com', 'https://user:pass@api.example.com', 'https://@api.example.com', 'https://api.example.com@evil.example', 'https://api.example.com:443@evil.example',
    'https://evil.example/https://api.example.com', 'https://evil.example?api.example.com', 'https://evil.example#.tenants.example.com',
    'https://evil.example\\.tenants.example.com', 'https:\\\\api.example.com', 'https:/api.example.com', 'https:api.example.com', ' https://api.example.com', 'https://api.exa\tmple.com',
    'https://api.example.com.', 'https://api.example.com..', 'https://api%2eexample.com', 'https://api。example.com', 'https://ａpi.example.com', 'https://аpi.example.com',
    'https://tenants.example.com', 'https://a.b.tenants.example.com', 'https://*.tenants.example.com', 'https://[::1]', 'https://127.0.0.1', 'file:///etc/passwd', 'javascript:alert(1)'
  ]
  for (const address of refused) t.equal(connectors(address), undefined, address)
})

await t.test('the address that an operator chose is the only one then', async t => {
  const operators = (address: string): string | undefined => permittedUrl(address, { info, configuredByOperator: true }, ['http://127.0.0.1:6067', 'https://[::1]'])?.href
  t.equal(operators('http://127.0.0.1:6067/api'), 'http://127.0.0.1:6067/api')
  t.equal(operators('https://[::1]/api'), 'https://[::1]/api')
  for (const address of ['https://api.example.com', 'http://127.0.0.1', 'https://127.0.0.1:6067', 'http://localhost:6067', 'http://2130706433:6067', 'http://x@127.0.0.1:6067', 'http://127.1:6067', 'http://0x7f.0.0.1:6067']) {
    t.equal(operators(address), undefined, address)
  }
})

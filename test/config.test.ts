import t from 'tap'
import { readConfig } from '../src/config.ts'
import { permittedUrl } from '../src/crm/hosts.ts'
import { info } from './crm/doors.ts'

await t.test('without any variable the server runs on its embedded defaults', async t => {
  const { connector, ...config } = readConfig({})
  t.strictSame(config, {
    host: '127.0.0.1',
    port: 6066,
    databaseUrl: 'file:./data/patchbay.db',
    exampleCrmPort: 6067,
    allowPrivateNetworks: [],
    proxies: {},
    logLevel: 'info'
  })
  t.strictSame(connector('example'), {})
})

await t.test('an empty variable is one that is not set', async t => {
  t.strictSame(readConfig({ PORT: '', LOG_LEVEL: '', EXAMPLE_CRM: '' }).port, 6066)
})

await t.test('a wrong value is refused by the name of its variable', async t => {
  const table: Array<[variable: string, value: string, problem: RegExp]> = [
    ['PORT', 'http', /integer/],
    ['PORT', '65536', /65535/],
    ['PORT', '-1', />= 0/],
    ['PORT', '60.5', /integer/],
    ['PORT', ' ', /blanks/],
    ['EXAMPLE_CRM_PORT', '\t', /blanks/],
    ['PUBLIC_URL', 'patchbay.example.com', /http or https/],
    ['PUBLIC_URL', 'ftp://example.com', /http or https/],
    ['PUBLIC_URL', 'https://user:secret@example.com', /without credentials/],
    ['PUBLIC_URL', 'https://example.com/?a=b', /without a query/],
    ['PUBLIC_URL', 'https://example.com/#a', /without credentials and fragment/],
    ['DATABASE_URL', 'mysql://localhost/x', /file: .* or postgres:/],
    ['DATABASE_URL', 'data/patchbay.db', /file: .* or postgres:/],
    ['EXAMPLE_CRM', 'yes', /on, off/],
    ['EXAMPLE_CRM_PORT', 'x', /integer/],
    ['EXAMPLE_CRM_PORT', '99999', /65535/],
    ['CONNECTORS_DIR', '/there/is/no/such/folder', /folder/],
    ['MANIFESTS_DIR', '/there/is/no/such/folder', /folder/],
    ['CONNECTORS_DIR', `${import.meta.filename}/in-a-file`, /folder/],
    ['CONNECTORS_DIR', import.meta.filename, /folder/],
    ['ALLOW_PRIVATE_NETWORKS', '10.0.0.0/8, 10.0.0.0/99', /CIDR/],
    ['ALLOW_PRIVATE_NETWORKS', '10.0.0.1', /CIDR/],
    ['ALLOW_PRIVATE_NETWORKS', '10/8', /"10\/8" is none/],
    ['ALLOW_PRIVATE_NETWORKS', 'fd00::/8, 192.168/16', /"192\.168\/16" is none/],
    ['TRUST_PROXY', '10', /"10" is none/],
    ['TRUST_PROXY', '127.0.0.1, 10/8', /"10\/8" is none/],
    ['HTTPS_PROXY', 'http://u:50%off@proxy.example', /user and password/],
    ['HTTP_PROXY', 'u%ff:x@proxy.example', /user and password/],
    ['TRUST_PROXY', 'true', /addresses or CIDRs/],
    ['TRUST_PROXY', '10.0.0.0/8, proxy.example', /"proxy\.example" is none/],
    ['LOG_LEVEL', 'loud', /fatal, error, warn, info, debug, trace, silent/]
  ]
  for (const [variable, value, problem] of table) {
    t.throws(() => readConfig({ [variable]: value }), { name: 'ConfigError', message: new RegExp(`^${variable} .*${problem.source}`) }, `${variable}=${value}`)
  }
})

await t.test('what the operator says about a connector is named after its platform', async t => {
  const { connector } = readConfig({
    TINYDESK_CLIENT_ID: 'id',
    TINYDESK_CLIENT_SECRET: 'secret',
    TINYDESK_REDIRECT_URI: 'https://example.com/tinydesk-redirect',
    GOOGLE_SHEETS_URL: 'http://127.0.0.1:1234/',
    BROKEN_URL: 'nowhere'
  })
  t.strictSame(connector('tinydesk'), { clientId: 'id', clientSecret: 'secret', redirectUri: 'https://example.com/tinydesk-redirect' })
  t.strictSame(connector('googleSheets'), { url: 'http://127.0.0.1:1234' })
  t.throws(() => connector('broken'), { name: 'ConfigError', message: /^BROKEN_URL / })
})

await t.test('a setting of a region goes before the one of all, and a wrong one of any region stops the start', async t => {
  const { connector } = readConfig({ ACME_CLIENT_ID: 'main', ACME_TOKEN_URL: 'https://crm.example/token?p=policy', ACME_NORTH_EU_CLIENT_ID: 'european' })
  t.strictSame(connector('acme', 'north_eu'), { clientId: 'european', tokenUrl: 'https://crm.example/token?p=policy' })
  t.strictSame(connector('acme', 'us'), connector('acme'))
  for (const name of ['ACME_EU_URL', 'ACME_EU_TOKEN_URL', 'ACME_NORTH_EU_REDIRECT_URI']) {
    t.throws(() => readConfig({ [name]: 'nowhere' }).connector('acme'), { name: 'ConfigError', message: new RegExp(`^${name} `) })
  }
})

await t.test('the proxies in front of the server are addresses or networks', async t => {
  t.strictSame(readConfig({ TRUST_PROXY: '127.0.0.1, 10.0.0.0/8,::1' }).trustProxy, ['127.0.0.1', '10.0.0.0/8', '::1'])
})

await t.test('an address to which paths are added is what requests are made of', async t => {
  const table: Array<[value: string, url: string]> = [
    ['https://example.com/patchbay/', 'https://example.com/patchbay'],
    [' https://x.example', 'https://x.example'],
    ['https://münchen.example', 'https://xn--mnchen-3ya.example'],
    ['http://127.1:8080/', 'http://127.0.0.1:8080'],
    ['HTTPS://CRM.Example:443/Api', 'https://crm.example/Api']
  ]
  for (const [value, url] of table) {
    const config = readConfig({ PUBLIC_URL: value, ACME_URL: value })
    t.strictSame([config.publicUrl, config.connector('acme').url], [url, url], value)
    t.ok(permittedUrl(`${config.connector('acme').url}/me`, { info, configuredByOperator: true }, [new URL(value).origin]), `${value} is asked`)
  }
})

await t.test('a proxy may have a password with any letters, encoded', async t => {
  t.strictSame(readConfig({ HTTPS_PROXY: 'http://u:50%25off@proxy.example' }).proxies, { httpsProxy: 'http://u:50%25off@proxy.example' })
})

await t.test('addresses that a CRM compares as texts stay as they are written', async t => {
  const table: Array<[tokenUrl: string, redirectUri: string]> = [
    ['https://crm.example/o/token/', 'https://x.example/cb/'],
    ['https://crm.example/token?p=policy', 'https://x.example/cb?from=crm'],
    ['https://crm.example', 'https://x.example']
  ]
  for (const [tokenUrl, redirectUri] of table) {
    const { connector } = readConfig({ ACME_TOKEN_URL: tokenUrl, ACME_REDIRECT_URI: redirectUri })
    t.strictSame(connector('acme'), { tokenUrl, redirectUri })
  }
  for (const name of ['ACME_TOKEN_URL', 'ACME_REDIRECT_URI']) {
    for (const value of ['crm.example/token', 'https://user:secret@crm.example/token', 'https://crm.example/token#part']) {
      t.throws(() => readConfig({ [name]: value }).connector('acme'), { name: 'ConfigError', message: new RegExp(`^${name} `) }, value)
    }
  }
})

import Fastify from 'fastify'
import fc from 'fast-check'
import t from 'tap'
import { firstOfEach, knownHost, platformOfState, readCallback, type OAuthCallback } from '../../src/tokens/callback.ts'

const page = 'https://ringcentral.github.io/ringcentral-embeddable/redirect.html'
const path = '/ringcentral-embeddable/redirect.html'
const client = 'hostname=acme.example.com&rcAccountId=1011'

/** The query as the server's own parser reads it. */
const server = Fastify()
let parsed: unknown
server.get('/', async request => { parsed = request.query })

async function read (query: string): Promise<OAuthCallback> {
  await server.inject(`/?${query}`)
  return readCallback(firstOfEach(parsed as Record<string, unknown>))
}

const nothing = { code: undefined, error: undefined, begun: undefined, hostname: 'acme.example.com', redirectPath: path, parameters: {} }

await t.test('the address to which the CRM redirected is read, encoded or not', async t => {
  const table: Array<[title: string, query: string, want: Partial<OAuthCallback>]> = [
    ['code first: the state spills', `callbackUri=${page}?code=A&state=platform=x&${client}`, { platform: 'x', code: 'A' }],
    ['state first: the code spills', `callbackUri=${page}?state=platform=x&code=A&${client}`, { platform: 'x', code: 'A' }],
    ['encoded as it should be', `callbackUri=${encodeURIComponent(`${page}?code=A&state=platform=x`)}&${client}`, { platform: 'x', code: 'A' }],
    ['a state that the CRM encoded', `callbackUri=${page}?code=A&state=platform%3Dx&${client}`, { platform: 'x', code: 'A' }],
    ['a state that was encoded twice', `callbackUri=${page}?code=A&state=platform%253Dx&${client}`, { platform: 'x', code: 'A' }],
    ['further parameters spill, too', `callbackUri=${page}?state=platform%3Dnetsuite&role=3&entity=7&company=TD1&code=A&${client}`,
      { platform: 'netsuite', code: 'A', parameters: { role: '3', entity: '7', company: 'TD1' } }],
    ['further parameters inside', `callbackUri=${encodeURIComponent(`${page}?code=A&state=platform=zoho&location=eu&accounts-server=https://accounts.zoho.eu`)}&${client}`,
      { platform: 'zoho', code: 'A', parameters: { location: 'eu', 'accounts-server': 'https://accounts.zoho.eu' } }],
    ['what the client adds', `callbackUri=${page}?code=A&state=platform=bullhorn&hostname=acme.example.com&tokenUrl=https://a.example/token&apiUrl=https://b.example&username=u&rcAccountId=1`,
      { platform: 'bullhorn', code: 'A', parameters: { tokenUrl: 'https://a.example/token', apiUrl: 'https://b.example', username: 'u' } }],
    ['no state, but the platform is in the address', `callbackUri=${encodeURIComponent(`${page}?code=A&from=platform=x`)}&${client}`,
      { platform: 'x', code: 'A', parameters: { from: 'platform=x' } }],
    ['the platform somewhere in a state of another kind', `callbackUri=${page}?code=A&state=abc|platform=x&${client}`, { platform: 'x', code: 'A' }],
    ['a state with a lone %', `callbackUri=${page}?code=A&state=platform=x%26b=100%25&${client}`, { platform: 'x', code: 'A' }],
    ['a code with characters that are encoded', `callbackUri=${page}?code=a%2Fb%2Bc&state=platform=x&${client}`, { platform: 'x', code: 'a/b+c' }],
    ['the code twice: the one in the address counts', `callbackUri=${encodeURIComponent(`${page}?code=A&state=platform=x`)}&code=B&${client}`, { platform: 'x', code: 'A' }],
    ['members twice: the first one counts', `callbackUri=${page}?code=A&state=platform=x&hostname=acme.example.com&hostname=b&state=platform=y`, { platform: 'x', code: 'A' }],
    ['a fragment took the rest away', `callbackUri=${page}?code=A&state=platform=x`, { platform: 'x', code: 'A', hostname: '' }],
    ['a fragment inside', `callbackUri=${encodeURIComponent(`${page}?code=A&state=platform=x#_=_`)}&${client}`, { platform: 'x', code: 'A' }],
    ['the word undefined for the host', `callbackUri=${page}?code=A&state=platform=x&hostname=undefined&rcAccountId=1`, { platform: 'x', code: 'A', hostname: '' }],
    ['the word temp for the host', `callbackUri=${page}?code=A&state=platform=x&hostname=temp`, { platform: 'x', code: 'A', hostname: '' }],
    ['the host in the state', `callbackUri=${page}?code=A&state=platform%3Dx%26hostname%3Deu.example.com&hostname=undefined`, { platform: 'x', code: 'A', hostname: 'eu.example.com' }],
    ['the host outside goes before', `callbackUri=${page}?code=A&state=platform%3Dx%26hostname%3Deu.example.com&${client}`, { platform: 'x', code: 'A' }],
    ['denied', `callbackUri=${page}?error=access_denied&state=platform=x&${client}`, { platform: 'x', error: 'access_denied' }],
    ['straight from the CRM', 'code=A&state=platform%3Dx', { platform: 'x', code: 'A', hostname: '', redirectPath: undefined }],
    ['straight from the CRM, with the word undefined', 'callbackUri=undefined&code=A&state=platform%3Dx', { platform: 'x', code: 'A', hostname: '', redirectPath: undefined }],
    ['denied, straight from the CRM', 'error=access_denied&state=platform%3Dx', { platform: 'x', error: 'access_denied', hostname: '', redirectPath: undefined }],
    ['begun here', `callbackUri=${page}?code=A&state=${encodeURIComponent('platform=x&begun=k1.aB-_9')}&${client}`, { platform: 'x', code: 'A', begun: 'k1.aB-_9' }],
    ['begun here, state first and not encoded: the state falls apart', `callbackUri=${page}?state=${encodeURIComponent('platform=x&begun=k1.aB-_9&hostname=eu.example.com')}&code=A`,
      { platform: 'x', code: 'A', begun: 'k1.aB-_9', hostname: 'eu.example.com' }],
    ['another page', `callbackUri=https://crm.example.com/tinydesk-redirect?code=A&state=platform=tinydesk&${client}`, { platform: 'tinydesk', code: 'A', redirectPath: '/tinydesk-redirect' }],
    ['neither code nor error', `callbackUri=${page}?state=platform=x&${client}`, { platform: 'x' }],
    ['empty ones', `callbackUri=${page}?code=&error=&state=platform=x&${client}`, { platform: 'x' }]
  ]
  for (const [title, query, want] of table) t.strictSame(await read(query), { ...nothing, ...want }, title)
})

await t.test('what cannot be read is refused with its reason', async t => {
  const table: Array<[title: string, query: string, code: string]> = [
    ['nothing at all', '', 'missing-callback-uri'],
    ['the word undefined', 'callbackUri=undefined&hostname=undefined', 'missing-callback-uri'],
    ['no platform', `callbackUri=${page}?code=A&${client}`, 'missing-platform'],
    ['an empty platform', `callbackUri=${page}?code=A&state=platform=&${client}`, 'missing-platform'],
    ['no address', 'callbackUri=redirect.html&code=A&state=platform=x', 'invalid-request']
  ]
  for (const [title, query, code] of table) await t.rejects(read(query), { code }, title)
})

await t.test('whatever comes, it is read or refused with a code', async () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('undefined', 'platform=x', '%', '%zz', page, `${page}?code=A`, 'https://', 'javascript:1'))
  const value = fc.oneof(word, fc.array(word), fc.constant(undefined))
  fc.assert(fc.property(fc.dictionary(fc.constantFrom('callbackUri', 'state', 'code', 'error', 'hostname', 'tokenUrl', '__proto__'), value), query => {
    try {
      const { platform } = readCallback(firstOfEach(query))
      return platform !== ''
    } catch (error) {
      return ['missing-callback-uri', 'missing-platform', 'invalid-request'].includes((error as { code: string }).code)
    }
  }), { numRuns: 2_000 })
})

await t.test('words for nothing are no host, and a state names its platform', async t => {
  t.strictSame(['undefined', 'null', 'temp', '', undefined, 'a.example'].map(knownHost), ['', '', '', '', '', 'a.example'])
  t.strictSame(['platform=x', 'hostname=h&platform=x', 'n|platform=x', 'x', ''].map(platformOfState), ['x', 'x', 'x', '', ''])
})

import { join } from 'node:path'
import fastify from 'fastify'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { ConfigError } from '../../src/config.ts'
import { cipher, newEncryptionKey, parseEncryptionKeys } from '../../src/db/cipher.ts'
import { openDatabase } from '../../src/db/database.ts'
import connectors from '../../src/plugins/connectors.ts'
import { hashKey, sessionSecret } from '../patchbay.ts'

const source = (auth: string, manifestAuth: string): string => `
  import { Type, apiKey, connector, oauth, ownTokens } from 'patchbay'
  const addresses = { authorizeUrl: '/a', tokenUrl: '/t' }
  const own = form => ownTokens({ form, login: async () => ({ accessToken: 'x' }), renew: async credentials => credentials })
  export default connector({
    platform: 'acme', title: 'Acme', hosts: ['api.acme.example'], baseUrl: 'https://api.acme.example', logFormat: 'none', dedupe: 'none', additionalSubmission: Type.Object({}),
    auth: ${auth},
    manifest: { name: 'acme', displayName: 'Acme', auth: ${manifestAuth} }
  }, { async getUserInfo () { return { crmUserId: '1', name: 'x' } }, async createCallLog () { return { logId: '1' } }, async updateCallLog () { return {} } })`

await t.test('how people connect is checked at the start', async t => {
  const table: Array<[title: string, auth: string, manifestAuth: string, problem: RegExp | undefined]> = [
    ['one kind', 'oauth(addresses)', "{ type: 'oauth' }", undefined],
    ['several kinds', '[oauth(addresses), apiKey()]', "{ type: 'oauth' }", undefined],
    ['own tokens in a form', "own('apiKey')", "{ type: 'apiKey' }", undefined],
    ['own tokens with a consent page', "own('oauth')", "{ type: 'oauth', oauth: { authUrl: 'https://consent.acme.example' } }", undefined],
    ['own tokens without one', "own('oauth')", "{ type: 'oauth' }", /acme-\d+\.ts: manifest\.auth\.oauth\.authUrl is required/],
    ['none', '[]', "{ type: 'oauth' }", /acme-\d+\.ts: auth must be one kind/],
    ['one that is missing', 'undefined', "{ type: 'apiKey' }", /acme-\d+\.ts: auth must be what apiKey\(\), oauth\(\) or ownTokens\(\) gives/],
    ['one that is unknown', "[apiKey(), { type: 'password' }]", "{ type: 'apiKey' }", /acme-\d+\.ts: auth\.1 must be what apiKey/],
    ['a key without a header', "{ type: 'apiKey' }", "{ type: 'apiKey' }", /acme-\d+\.ts: auth\.authorization is not valid: Expected required property/],
    ['a header that is no function', "apiKey({ authorization: 'Basic x' })", "{ type: 'apiKey' }", /auth\.authorization is not valid: Expected function/],
    ['no consent page', "oauth({ tokenUrl: '/t' })", "{ type: 'oauth' }", /auth\.authorizeUrl is not valid: Expected required property/],
    ['no token endpoint', "[apiKey(), oauth({ authorizeUrl: '/a' })]", "{ type: 'apiKey' }", /auth\.1\.tokenUrl is not valid/],
    ['a token endpoint that is no text', "oauth({ authorizeUrl: '/a', tokenUrl: new URL('https://api.acme.example/t') })", "{ type: 'oauth' }", /auth\.tokenUrl is not valid: Expected string/],
    ['all on its hosts', "oauth({ server: 'https://api.acme.example/o/', authorizeUrl: 'https://consent.example', tokenUrl: 't', revokeUrl: 'https://api.acme.example/r' })", "{ type: 'oauth' }", undefined],
    ['a server that is known at sign-in only', 'oauth({ ...addresses, server: () => undefined })', "{ type: 'oauth' }", undefined],
    ['a server on none of its hosts', "oauth({ ...addresses, server: 'https://login.acme.example' })", "{ type: 'oauth' }", /acme-\d+\.ts: auth\.tokenUrl must lead to an https address on one of its hosts \(api\.acme\.example\)/],
    ['a server that is no address', "oauth({ ...addresses, server: 'api.acme.example' })", "{ type: 'oauth' }", /auth\.tokenUrl must lead to an https address/],
    ['a token endpoint on none of its hosts', "oauth({ ...addresses, tokenUrl: 'https://login.acme.example/t', server: () => undefined })", "{ type: 'oauth' }", /auth\.tokenUrl must lead to an https address/],
    ['a token endpoint without https', "oauth({ ...addresses, tokenUrl: 'http://api.acme.example/t' })", "{ type: 'oauth' }", /auth\.tokenUrl must lead to an https address/],
    ['an address to revoke at on none of its hosts', "[apiKey(), oauth({ ...addresses, revokeUrl: 'https://login.acme.example/r' })]", "{ type: 'apiKey' }", /auth\.1\.revokeUrl must lead to an https address/],
    ['an unknown way to prove who asks', "oauth({ ...addresses, clientAuthentication: 'basic' })", "{ type: 'oauth' }", /auth\.clientAuthentication is not valid/],
    ['own tokens without login', "ownTokens({ form: 'apiKey', renew: async credentials => credentials })", "{ type: 'apiKey' }", /auth\.login is not valid/],
    ['own tokens without renewal', "ownTokens({ form: 'apiKey', login: async () => ({ accessToken: 'x' }) })", "{ type: 'apiKey' }", /auth\.renew is not valid/],
    ['own tokens of no form', "own('password')", "{ type: 'apiKey' }", /auth\.form is not valid/],
    ['one kind twice', '[apiKey(), apiKey()]', "{ type: 'apiKey' }", /acme-\d+\.ts: auth must be one kind/],
    ['another one than the manifest shows', '[apiKey(), oauth(addresses)]', "{ type: 'oauth' }", /manifest\.auth\.type is "oauth", but the connector says "apiKey"/]
  ]
  for (const [index, [title, auth, manifestAuth, problem]] of table.entries()) {
    const app = fastify()
    app.decorate('operationRoutes', async () => {})
    const connectorsDir = t.testdir({ [`acme-${index}.ts`]: source(auth, manifestAuth) }) // A module is loaded once under each name.
    const starting = async () => { await app.register(connectors, { without: ['example'], connectorsDir }) }
    if (problem === undefined) await t.resolves(starting, title)
    else await t.rejects(starting, { message: problem }, title)
  }
})

await t.test('a setting that is not valid stops the start', async t => {
  const database = await openDatabase(`file:${join(t.testdir(), 'patchbay.db')}`)
  t.teardown(async () => await database.close())
  const connector = (): never => { throw new ConfigError('EXAMPLE_URL', 'must be an http or https address') }
  const app = buildApp({ config: { exampleCrmPort: 1, connector }, database, cipher: cipher(parseEncryptionKeys(newEncryptionKey())), sessionSecret, hashKey })
  await t.rejects(app, { message: /EXAMPLE_URL/ })
})

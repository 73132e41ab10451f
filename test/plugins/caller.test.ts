import t from 'tap'
import type { Credentials } from '../../src/contract/auth.ts'
import type { Connector } from '../../src/contract/connector.ts'
import { path } from '../../src/contract/crm.ts'
import { Type } from '../../src/contract/type.ts'
import { fixedSource } from '../../src/tokens/source.ts'
import { json, serve } from '../crm/doors.ts'
import { startPatchbay } from '../patchbay.ts'

const answer = Type.Object({})
const nobody = { hostname: '', info: {} }

await t.test('the address that came with the tokens is used, within the connector\'s hosts', async t => {
  const { app } = await startPatchbay(t, { connector: { acme: {} } })
  const { info, operations } = app.connectors.get('example')
  const acme: Connector = { info: { ...info, platform: 'acme', hosts: ['*.acme.invalid'], baseUrl: 'https://evil.invalid' }, operations }
  const ask = async (credentials: Credentials): Promise<unknown> =>
    await app.crmFor(acme, nobody, fixedSource(credentials), { signal: AbortSignal.timeout(9_000) }).get(path`/me`, { answer })
  await t.rejects(ask({ accessToken: 'x' }), { code: 'prerequisite' }, 'the one of the connector, here a wrong one')
  await t.rejects(ask({ accessToken: 'x', baseUrl: 'https://eu.acme.invalid' }), { code: 'unavailable' }, 'one that came with the tokens')
  await t.rejects(ask({ accessToken: 'x', baseUrl: 'https://evil.invalid' }), { code: 'prerequisite' })
})

await t.test('a renewal may move a user\'s CRM to another address', async t => {
  const { app } = await startPatchbay(t, { connector: { acme: {} } })
  const { info, operations } = app.connectors.get('example')
  const moving: Connector = { info: { ...info, platform: 'acme', hosts: ['*.acme.invalid'] }, operations }
  let baseUrl = 'https://evil.invalid'
  const source = { current: async () => ({ accessToken: 'x', baseUrl }), other: async () => undefined }
  const client = app.crmFor(moving, nobody, source, { signal: AbortSignal.timeout(9_000) })
  await t.rejects(client.get(path`/me`, { answer }), { code: 'prerequisite' })
  baseUrl = 'https://new.acme.invalid'
  for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) await t.rejects(client[method](path`/me`, { answer }), { code: 'unavailable' }, method)
})

await t.test('everybody of one customer of the CRM waits when it asks one of them to', async t => {
  const crm = await serve(t, response => { json(response, 429, {}, { 'retry-after': '60' }) })
  const { app } = await startPatchbay(t, { connector: { example: { url: crm.url } } })
  const example = app.connectors.get('example')
  const ask = async (accessToken: string, companyId: number): Promise<unknown> =>
    await app.crmFor(example, { hostname: '', info: { companyId } }, fixedSource({ accessToken }), { signal: AbortSignal.timeout(9_000) }).get(path`/me`, { answer })
  await t.rejects(ask('ann', 1), { code: 'rate-limited' })
  await t.rejects(ask('bob', 1), { code: 'rate-limited' })
  t.equal(crm.received.length, 1)
  await t.rejects(ask('eve', 2), { code: 'rate-limited' })
  t.equal(crm.received.length, 2, 'another customer is not held back')
})

await t.test('where the operator says where the CRM is, nothing else counts', async t => {
  const { app, crm } = await startPatchbay(t)
  const source = fixedSource({ accessToken: 'example-key-ann', kind: 'apiKey', baseUrl: 'https://evil.invalid' })
  const client = app.crmFor(app.connectors.get('example'), nobody, source, { signal: AbortSignal.timeout(9_000) })
  t.match(await client.get(path`/api/me`, { answer: Type.Object({ name: Type.String() }) }), { name: 'Ann Agent' }, crm.url)
})

await t.test('credentials of a kind that the connector does not offer any more have to be made anew', async t => {
  const patchbay = await startPatchbay(t)
  const token = await patchbay.signIn()
  const { users } = patchbay.app.repositories
  const { version } = await users.find('1-example', 'example') ?? { version: 0 }
  await users.replaceCredentials({ userId: '1-example', accountId: '', platform: 'example' }, version, { accessToken: 'x', kind: 'own' })
  t.match(await patchbay.call('/contact?phoneNumber=+16505550100', { token }), { status: 200, json: { error: { code: 'auth-expired' } } })
})

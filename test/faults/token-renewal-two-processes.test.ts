import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import t, { type Test } from 'tap'
import { exampleCrm } from '../../src/connectors/example/crm/server.ts'
import { newEncryptionKey } from '../../src/db/cipher.ts'
import { ask, decide } from '../patchbay.ts'

const script = fileURLToPath(new URL('other-patchbay.ts', import.meta.url))

/** @returns where it listens */
async function startProcess (t: Test, ...options: string[]): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'jiti/register', script, ...options], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => { child.stdin.end() })
  return (await createInterface(child.stdout)[Symbol.asyncIterator]().next()).value
}

await t.test('100 requests at two processes with an expired token make one renewal', async t => {
  const folder = t.testdir()
  let now = Date.now()
  const crm = exampleCrm({ file: join(folder, 'crm.db'), logger: pino({ level: 'silent' }), clock: () => now, accessTokenLifetime: 2 })
  await crm.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => crm.close())
  const options = [`file:${join(folder, 'patchbay.db')}`, newEncryptionKey(), crm.listeningOrigin]
  const servers = await Promise.all([startProcess(t, ...options), startProcess(t, ...options)])

  const begun = await fetch(`${servers[0]}/oauth-authorize?platform=example`, { redirect: 'manual' })
  const { json: { jwtToken: token } } = await ask('', await decide(begun.headers.get('location') ?? ''))
  // From now on tokens live long; this one ends.
  await ask(crm.listeningOrigin, '/_oauth', { method: 'PUT', body: { accessTokenLifetime: 600 } })
  await new Promise(resolve => setTimeout(resolve, 1_500))
  now += 2_000
  const refreshes = async (): Promise<number> => {
    const { json } = await ask(crm.listeningOrigin, '/_requests')
    return json.items.filter(({ body }: { body: { grant_type?: string } | null }) => body?.grant_type === 'refresh_token').length
  }
  const lookUp = async (_: unknown, index: number) => await ask(servers[index % 2] ?? '', `/contact?phoneNumber=+1650${2_000_000 + index}`, { token })

  const answers = await Promise.all(Array.from({ length: 100 }, lookUp))
  t.equal(answers.filter(({ json }) => json.successful === true).length, 100)
  t.equal(await refreshes(), 1)

  await ask(crm.listeningOrigin, '/_oauth/access-tokens', { method: 'DELETE' })
  const forced = await Promise.all(Array.from({ length: 100 }, async (_, index) => await lookUp(_, index + 100)))
  t.equal(forced.filter(({ json }) => json.successful === true).length, 100)
  t.equal(await refreshes(), 2, 'the same when the CRM refuses a token that looks fresh')

  await ask(crm.listeningOrigin, '/_oauth/refresh-tokens', { method: 'DELETE' })
  await ask(crm.listeningOrigin, '/_oauth/access-tokens', { method: 'DELETE' })
  const dead = await Promise.all(Array.from({ length: 40 }, async (_, index) => await lookUp(_, index + 200)))
  t.equal(dead.filter(({ status, json }) => status === 401 && json.errorCode === 'CRM_SESSION_REVOKED').length, 40)
  t.equal(await refreshes(), 3, 'a dead refresh token is tried once')
})

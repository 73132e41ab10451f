import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { newEncryptionKey } from '../../src/db/cipher.ts'
import { startPatchbay } from '../patchbay.ts'

/** The built command, as it is run. */
const script = fileURLToPath(new URL('../../dist/cli/patchbay.js', import.meta.url))

interface Ended { code: number | null, out: string, err: string }

/** @param until ends the process by SIGTERM when this was written */
async function patchbay (words: string[], environment: Record<string, string> = {}, until?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...words], { env: { PATH: process.env['PATH'], ...environment } })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => {
    out += chunk
    if (until?.test(out) === true) child.kill('SIGTERM')
  })
  child.stderr.on('data', chunk => { err += chunk })
  return await new Promise(resolve => child.on('close', code => { resolve({ code, out, err }) }))
}

await t.test('unknown words are answered with the usage', async t => {
  for (const words of [[], ['nothing'], ['keys'], ['keys', 'rotate', 'more'], ['--help']]) {
    const { code, out, err } = await patchbay(words)
    t.strictSame([code, out], [2, ''], words.join(' '))
    t.match(err, /patchbay start[^]*patchbay keys rotate/)
  }
})

await t.test('start runs the server, until it is asked to stop', async t => {
  const { code, out } = await patchbay(['start'], { DATABASE_URL: `file:${join(t.testdir(), 'patchbay.db')}`, PORT: '0', EXAMPLE_CRM_PORT: '0' }, /Patchbay is running/)
  t.equal(code, 0)
  t.match(out, /Server +http:/)
})

async function connectedServer (t: Test) {
  const folder = t.testdir()
  const [oldKey, newKey] = [newEncryptionKey(), newEncryptionKey()]
  const server = await startPatchbay(t, { folder, encryptionKeys: oldKey })
  const environment = {
    DATABASE_URL: `file:${join(folder, 'patchbay.db')}`, SESSION_SECRET: 'a-session-secret-for-tests', HASH_KEY: 'hashkey', ENCRYPTION_KEYS: `${newKey},${oldKey}`
  }
  return { server, folder, oldKey, newKey, environment }
}

await t.test('keys rotate seals everything anew while the server runs', async t => {
  const { server, oldKey, newKey, environment } = await connectedServer(t)
  await server.signIn()
  const token = await server.signInByOAuth(2)
  await server.call('/callLog/cacheNote', { method: 'POST', token, body: { sessionId: '1', note: 'a note' } })
  await server.app.close()
  const both = await startPatchbay(t, { folder: t.testdirName, encryptionKeys: `${newKey},${oldKey}` })

  const { code, out, err } = await patchbay(['keys', 'rotate'], environment)
  t.strictSame([code, err], [0, ''])
  t.match(out, /credentials: 2 sealed anew, 0 unreadable\n[^]*notes: 1 sealed anew, 0 unreadable\n[^]*The other keys can be taken out/)
  t.match((await both.call('/contact?phoneNumber=+16504445566', { token })).json, { successful: true })
  await both.app.close()

  const after = await startPatchbay(t, { folder: t.testdirName, encryptionKeys: newKey })
  t.match((await after.call('/contact?phoneNumber=+16504445566&isForceRefreshAccountData=true', { token })).json, { successful: true }, 'the old key is not needed any more')
  t.match((await patchbay(['keys', 'rotate'], environment)).out, /credentials: 0 sealed anew/, 'it can be run again')
})

await t.test('keys rotate says what cannot be read', async t => {
  const { server, environment } = await connectedServer(t)
  await server.signIn()
  const strangers = newEncryptionKey()
  const { code, out } = await patchbay(['keys', 'rotate'], { ...environment, ENCRYPTION_KEYS: strangers })
  t.equal(code, 1)
  t.match(out, /credentials: 0 sealed anew, 1 unreadable\n {2}cannot be read: users\/example\/1-example\/credentials/)
  t.match(out, /have to connect again, and to log again what waited/)
  t.match(out, /may be in the CRM stays named/, 'and what no user can end')
})

await t.test('keys rotate makes no database', async t => {
  const file = join(t.testdir(), 'none.db')
  const { code, err } = await patchbay(['keys', 'rotate'], { DATABASE_URL: `file:${file}` })
  t.equal(code, 1)
  t.match(err, /DATABASE_URL names a file that is not there/)
  t.notOk(existsSync(file))
})

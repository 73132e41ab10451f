import { mock } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { rotate } from '../../src/cli/keys-rotate.ts'
import { newEncryptionKey } from '../../src/db/cipher.ts'
import { servePostgres } from '../db/postgres-server.ts'

await t.test('a database that reads a large table for a minute is waited for', async t => {
  const pglite = await PGlite.create()
  const server = await servePostgres(pglite)
  t.teardown(async () => { server.stop(); await pglite.close() })
  Object.assign(process.env, {
    DATABASE_URL: server.url, SESSION_SECRET: 'a-session-secret-for-tests', HASH_KEY: 'hashkey', ENCRYPTION_KEYS: newEncryptionKey()
  })
  const reading = server.hold('sealed_credentials" <>')
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  let written = ''
  const rotated = rotate({ write: text => { written += text } })
  const letGo = await reading
  mock.timers.tick(60_000)
  letGo()
  t.equal(await rotated, 0)
  t.match(written, /The other keys can be taken out/)
})

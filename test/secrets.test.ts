import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { ConfigError } from '../src/config.ts'
import { cipher } from '../src/db/cipher.ts'
import { openDatabase } from '../src/db/database.ts'
import { loadSecrets } from '../src/secrets.ts'

const given = {
  sessionSecret: '0123456789abcdef',
  encryptionKeys: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
  hashKey: 'h'
}

function place (t: Test, files: Record<string, string> = {}) {
  const folder = t.testdir(files)
  for (const name of Object.keys(files)) chmodSync(join(folder, name), 0o600)
  return { folder, databaseUrl: `file:${join(folder, 'patchbay.db')}`, file: join(folder, 'patchbay.keys.json') }
}

await t.test('secrets that are given are used, and nothing is made', async t => {
  const { folder, databaseUrl } = place(t)
  for (const url of [databaseUrl, 'postgres://localhost/x']) {
    const secrets = loadSecrets({ ...given, databaseUrl: url })
    t.match(secrets, { sessionSecret: given.sessionSecret, hashKey: 'h', created: false, file: undefined })
    t.strictSame([...secrets.encryptionKeys.keys()], ['k1'])
  }
  t.strictSame(readdirSync(folder), [])
})

await t.test('the first start makes the missing ones beside the database, for nobody else to read', async t => {
  const { folder, file } = place(t)
  const databaseUrl = `file:${join(folder, 'new', 'patchbay.db')}`
  const first = loadSecrets({ databaseUrl })
  t.equal(first.created, true)
  t.equal(first.file, join(folder, 'new', 'patchbay.keys.json'))
  t.equal(statSync(first.file ?? '').mode & 0o777, 0o600)
  t.strictSame(readdirSync(join(folder, 'new')), ['patchbay.keys.json'], 'and leaves nothing else behind')
  t.ok(first.sessionSecret.length >= 32 && first.hashKey.length >= 32)
  t.not(first.sessionSecret, first.hashKey)

  const second = loadSecrets({ databaseUrl, sessionSecret: '', hashKey: undefined })
  t.match(second, { sessionSecret: first.sessionSecret, hashKey: first.hashKey, file: first.file, created: false })
  t.equal(cipher(second.encryptionKeys).open(cipher(first.encryptionKeys).seal('text', ''), ''), 'text')

  const elsewhere = loadSecrets({ databaseUrl: `file:${join(folder, 'patchbay.db')}` })
  t.equal(elsewhere.file, file)
  t.not(elsewhere.sessionSecret, first.sessionSecret)
})

await t.test('a secret that is given wins over the key file', async t => {
  const { databaseUrl } = place(t)
  const made = loadSecrets({ databaseUrl })
  const mixed = loadSecrets({ databaseUrl, sessionSecret: given.sessionSecret })
  t.equal(mixed.sessionSecret, given.sessionSecret)
  t.equal(mixed.hashKey, made.hashKey)
})

await t.test('the key file holds only what was missing when it was made', async t => {
  const { databaseUrl, file } = place(t)
  loadSecrets({ databaseUrl, encryptionKeys: given.encryptionKeys, hashKey: given.hashKey })
  t.strictSame(Object.keys(JSON.parse(readFileSync(file, 'utf8'))), ['sessionSecret'])
  const nowhere = { name: 'ConfigError', message: /^ENCRYPTION_KEYS is neither set nor in .*patchbay\.keys\.json/ }
  t.throws(() => loadSecrets({ databaseUrl, hashKey: given.hashKey }), nowhere)
})

await t.test('without a database file a missing secret stops the start', async t => {
  const databaseUrl = 'postgres://localhost/x'
  const cases = { sessionSecret: 'SESSION_SECRET', encryptionKeys: 'ENCRYPTION_KEYS', hashKey: 'HASH_KEY' }
  for (const [name, variable] of Object.entries(cases)) {
    t.throws(() => loadSecrets({ ...given, [name]: undefined, databaseUrl }), { message: new RegExp(`^${variable} must be set`) })
  }
  t.throws(() => loadSecrets({ databaseUrl }), { message: /^SESSION_SECRET, ENCRYPTION_KEYS, HASH_KEY must be set/ })
})

await t.test('a secret that is not good enough stops the start', async t => {
  const { databaseUrl } = place(t)
  t.throws(() => loadSecrets({ ...given, sessionSecret: '0123456789abcde', databaseUrl }), { message: /^SESSION_SECRET needs at least 16/ })
  t.throws(() => loadSecrets({ ...given, encryptionKeys: 'k1:AAAA', databaseUrl }), { message: /^ENCRYPTION_KEYS.*3 bytes/ })
})

await t.test('a database without its key file stops the start, instead of getting keys that do not fit', async t => {
  const { databaseUrl, file } = place(t)
  loadSecrets({ databaseUrl })
  await (await openDatabase(databaseUrl)).close()
  rmSync(file)
  t.throws(() => loadSecrets({ databaseUrl }), { message: /HASH_KEY must be set, because .*patchbay\.keys\.json is gone/ })
  t.throws(() => loadSecrets({ ...given, encryptionKeys: undefined, databaseUrl }), { message: /^ENCRYPTION_KEYS must be set/ })
  t.notOk(existsSync(file))
  t.equal(loadSecrets({ ...given, databaseUrl }).created, false)
})

await t.test('a key file that others may read stops the start', async t => {
  const { databaseUrl, file } = place(t)
  loadSecrets({ databaseUrl })
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(file, mode)
    t.throws(() => loadSecrets({ databaseUrl }), { message: /patchbay\.keys\.json, which others may read: chmod 600/ }, mode.toString(8))
  }
})

const damaged = {
  'no JSON': '{"sessionSecret": "secret-in-the-file',
  'an empty file': '',
  'another JSON value': '["secret-in-the-file"]',
  'a member of another kind': '{"hashKey": 12}',
  'an unknown member': '{"hashkey": "secret-in-the-file"}'
}
for (const [title, content] of Object.entries(damaged)) {
  await t.test(`a damaged key file stops the start: ${title}`, async t => {
    const { databaseUrl, file } = place(t, { 'patchbay.keys.json': content })
    try {
      loadSecrets({ databaseUrl })
      t.fail('started')
    } catch (error) {
      t.ok(error instanceof ConfigError)
      t.match(error, { message: /patchbay\.keys\.json, which is (not JSON|damaged): put it back/ })
      t.notMatch(String(error), 'secret-in-the-file')
    }
    t.equal(readFileSync(file, 'utf8'), content, 'stays as it is')
  })
}

await t.test('a folder that cannot be written stops the start', async t => {
  const { folder } = place(t, { file: '' })
  const databaseUrl = `file:${join(folder, 'file', 'patchbay.db')}`
  t.throws(() => loadSecrets({ databaseUrl }), { message: /^DATABASE_URL names a folder in which .* cannot be used: (ENOTDIR|EEXIST)/ })
})

await t.test('processes that start at once end up with the same keys', async t => {
  const { folder } = place(t)
  const script = `
    import { loadSecrets } from ${JSON.stringify(new URL('../src/secrets.ts', import.meta.url).href)}
    process.stdin.once('data', start => {
      while (Date.now() < Number(start));
      const { sessionSecret, hashKey, encryptionKeys, created } = loadSecrets({ databaseUrl: process.argv[1] })
      console.log(JSON.stringify({ created, keys: [sessionSecret, hashKey, ...encryptionKeys.keys()] }))
      process.exit()
    })
    console.log('ready')`
  const start = async (databaseUrl: string) => {
    const options = [...process.execArgv, '--input-type=module', '-e', script, databaseUrl]
    const child = spawn(process.execPath, options, { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    const ready = new Promise<void>(resolve => child.stdout.on('data', text => {
      output += text
      if (output.startsWith('ready')) resolve()
    }))
    await ready
    return {
      go: async (at: number) => {
        child.stdin.write(String(at))
        await new Promise(resolve => child.on('close', resolve))
        return JSON.parse(output.slice('ready'.length))
      }
    }
  }
  mkdirSync(join(folder, 'data'))
  const databaseUrl = pathToFileURL(join(folder, 'data', 'patchbay.db')).href
  const processes = await Promise.all(Array.from({ length: 3 }, () => start(databaseUrl)))
  const at = Date.now() + 50
  const results = await Promise.all(processes.map(other => other.go(at)))
  t.equal(results.filter(({ created }) => created).length, 1)
  t.equal(new Set(results.map(({ keys }) => keys.join())).size, 1)
  t.strictSame(readdirSync(join(folder, 'data')), ['patchbay.keys.json'])
})

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { callLogs } from '../../src/db/call-logs.ts'
import { openDatabase, type Database } from '../../src/db/database.ts'
import { messageLogs } from '../../src/db/message-logs.ts'
import { noteCache } from '../../src/db/note-cache.ts'
import { users } from '../../src/db/users.ts'
import { alice, onEveryDatabase, testCipher } from './databases.ts'

const secrets = Array.from({ length: 20 }, (_, index) => `s3cret-${index}-${'xyz'.repeat(index + 1)}-pläin`)

/** Puts each secret where secrets and people's words may stand, and goes through the changes that leave old versions in a file. */
async function plant (database: Database): Promise<void> {
  const clock = (): number => 0
  const people = users(database, testCipher, clock)
  const calls = callLogs(database, testCipher, clock)
  const conversations = messageLogs(database, testCipher, clock)
  const notes = noteCache(database, testCipher, clock)
  for (const [index, secret] of secrets.entries()) {
    const credentials = { accessToken: secret, refreshToken: `refresh ${secret}`, more: { deep: [secret] } }
    const { id, platform, version } = await people.save({ platform: 'acme', crmUserId: String(index), credentials })
    const tenant = { userId: id, accountId: '', platform }
    await people.replaceCredentials(tenant, version, { ...credentials, accessToken: `${secret} renewed` })
    if (index % 2 === 0) await people.signOut(tenant)
    const call = await calls.reserve(alice, { sessionId: String(index), leaseUntil: 0, pending: secret })
    if (call !== undefined) await calls.advance(call, { pending: `changed ${secret}` })
    await conversations.reserve(alice, { conversationLogId: String(index), leaseUntil: 0, pending: JSON.stringify({ text: secret }) })
    await notes.put(alice, String(index), secret, 1)
    const cached = await notes.find(alice, String(index))
    if (index % 3 === 0 && cached !== undefined) await notes.remove(alice, String(index), cached)
  }
}

/** The forms in which a text may hide: plain, hex, and base64 wherever in a longer text it began. */
function disguises (secret: string): string[] {
  const base64 = [0, 1, 2].map(shift => Buffer.from('x'.repeat(shift) + secret).toString('base64').slice(4, -4))
  const base64url = base64.map(text => text.replaceAll('+', '-').replaceAll('/', '_'))
  return [secret, JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('hex'), ...base64, ...base64url]
}

function revealed (bytes: Buffer): string[] {
  const text = bytes.toString('latin1')
  return secrets.flatMap(disguises)
    .filter(disguise => [disguise, disguise.toUpperCase()].some(form => text.includes(Buffer.from(form).toString('latin1'))))
}

await t.test('none of 20 secrets can be read in the files of the database', async t => {
  const hidden = Buffer.from(`{"a":"${secrets[3]}"}`).toString('base64url')
  t.not(revealed(Buffer.from(`... ${hidden} ...`)).length, 0, 'the search finds what is there')
  const folder = t.testdir()
  const database = await openDatabase(`file:${join(folder, 'patchbay.db')}`)
  await plant(database)
  t.strictSame(readdirSync(folder).sort(), ['patchbay.db', 'patchbay.db-shm', 'patchbay.db-wal'])
  for (const file of readdirSync(folder)) t.strictSame(revealed(readFileSync(join(folder, file))), [], file)
  await database.close()
  t.strictSame(revealed(readFileSync(join(folder, 'patchbay.db'))), [], 'after closing')
})

await onEveryDatabase(t, 'none of 20 secrets can be read in the rows', async (t, database) => {
  await plant(database)
  for (const table of Object.values(database.tables)) {
    const rows = await database.handle.select().from(table)
    t.strictSame(revealed(Buffer.from(JSON.stringify(rows))), [])
  }
})

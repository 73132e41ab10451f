/** What waits with a log and does not open, because the operator took its key away too early. */
import t, { type Test } from 'tap'
import { newEncryptionKey } from '../../src/db/cipher.ts'
import { callRecord, startPatchbay, type Answer, type Patchbay } from '../patchbay.ts'

const body = { logInfo: callRecord(), note: 'Call her back', contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
const post = async ({ call }: Patchbay, token: string): Promise<Answer> => await call('/callLog', { method: 'POST', token, body })
const patch = async ({ call }: Patchbay, token: string): Promise<Answer> => await call('/callLog', { method: 'PATCH', token, body: { sessionId: callRecord().sessionId, note: 'Later' } })
const rowOf = async ({ app: { database: { handle, tables } } }: Patchbay): Promise<any> => (await handle.select().from(tables.callLogs))[0]

/** Somebody's log that waits, on a server whose key is gone, to which they have connected again. */
async function keyless (t: Test, fault: object, code: string, options: { clock?: () => number, recoverEvery?: number } = {}): Promise<{ patchbay: Patchbay, token: string }> {
  const folder = t.testdir()
  const before = await startPatchbay(t, { folder, encryptionKeys: newEncryptionKey() })
  const token = await before.signIn()
  await before.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: 'POST', path: '/api/activities', times: 100, ...fault }] } })
  t.match((await post(before, token)).json, { error: { code } })
  // Updates that came meanwhile let it wait for longer than anything is tried.
  const { handle, tables: { callLogs } } = before.app.database
  await handle.update(callLogs).set({ attempts: 500 })
  await before.app.close()
  const patchbay = await startPatchbay(t, { folder, encryptionKeys: newEncryptionKey(), ...options })
  return { patchbay, token: await patchbay.signIn() }
}

await t.test('a log that is not in the CRM is written when the call is logged again', async t => {
  const { patchbay, token } = await keyless(t, { status: 503 }, 'waiting')
  const { sealedPending } = await rowOf(patchbay)
  t.match((await patch(patchbay, token)).json, { successful: false, error: { code: 'no-log' } })
  t.equal((await rowOf(patchbay)).sealedPending, sealedPending, 'an update has nothing to follow, and replaces nothing')
  t.match((await post(patchbay, token)).json, { successful: true })
  t.match((await patch(patchbay, token)).json, { successful: true })
  t.match((await patchbay.askCrm('/api/activities')).json.items, [{ body: /Later/ }])
})

await t.test('of one that may be in the CRM the person is told so', async t => {
  const { patchbay, token } = await keyless(t, { drop: 'after' }, 'outcome-unknown')
  for (const ask of [post, patch, post]) t.match(await ask(patchbay, token), { status: 200, json: { successful: false, error: { code: 'needs-user' } } })
  t.equal((await patchbay.askCrm('/api/activities')).json.items.length, 1)
})

await t.test('it is kept as long as anything is tried, because the key may come back', async t => {
  const table = [[{ status: 503 }, 'waiting', 'failed'], [{ drop: 'after' }, 'outcome-unknown', 'needs-user']] as const
  for (const [fault, code, givenUp] of table) {
    await t.test(code, async t => {
      let now = Date.now()
      const { patchbay } = await keyless(t, fault, code, { clock: () => now, recoverEvery: 10 })
      const until = async (holds: (row: any) => boolean): Promise<any> => {
        for (;;) {
          const row = await rowOf(patchbay)
          if (holds(row)) return row
          await new Promise(resolve => { setTimeout(resolve, 5) })
        }
      }
      now += 80 * 3_600_000
      const seen = await until(({ lastErrorCode, nextAttemptAt }) => lastErrorCode === 'unreadable' || nextAttemptAt === null)
      t.match(seen, { sealedPending: /./, nextAttemptAt: Number }, 'what was tried with its key does not count')

      const { handle, tables: { callLogs } } = patchbay.app.database
      await handle.update(callLogs).set({ attempts: 432 })
      now += 3_600_000
      const row = await until(({ nextAttemptAt }) => nextAttemptAt === null)
      t.match(row, { state: givenUp, sealedPending: givenUp === 'failed' ? '' : seen.sealedPending })
    })
  }
})

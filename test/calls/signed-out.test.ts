/** What waits for somebody who is not connected any more is kept until they connect again, or for 72 hours. */
import t, { type Test } from 'tap'
import { callRecord, startPatchbay, type Patchbay } from '../patchbay.ts'

const contact = { contactId: 1, contactType: 'Contact', contactName: 'John Smith' }
const hour = 60 * 60_000

interface Waiting extends Patchbay {
  pass: (milliseconds: number) => void
  /** Until recovery has looked at the log so many times more. */
  looked: (times: number) => Promise<void>
  row: () => Promise<{ state: string, lastErrorCode: string, sealedPending: string, attempts: number, nextAttemptAt: number | null }>
  records: () => Promise<any[]>
}

const looks = /what waits could not be written yet|what waited is written|is given up/

/** A call that somebody logged while the CRM was away. */
async function waiting (t: Test, connect: (patchbay: Patchbay) => Promise<string>): Promise<{ patchbay: Waiting, token: string }> {
  let now = Date.now()
  const patchbay = await startPatchbay(t, { clock: () => now, recoverEvery: 10 })
  const token = await connect(patchbay)
  await patchbay.askCrm('/_faults', { method: 'PUT', body: { rules: [{ method: 'POST', path: '/api/activities', times: 100, status: 503 }] } })
  t.match((await patchbay.call('/callLog', { method: 'POST', token, body: { logInfo: callRecord(), note: 'Call her back', ...contact } })).json, { successful: false, error: { code: 'waiting' } })
  const { callLogs } = patchbay.app.database.tables
  const count = (): number => patchbay.logged.filter(line => looks.test(line)).length
  return {
    token,
    patchbay: {
      ...patchbay,
      pass: milliseconds => { now += milliseconds },
      async looked (times) {
        const before = count()
        while (count() < before + times) await new Promise(resolve => { setTimeout(resolve, 5) })
      },
      row: async () => (await patchbay.app.database.handle.select().from(callLogs))[0] as never,
      records: async () => (await patchbay.askCrm('/api/activities')).json.items
    }
  }
}

/** Looks that come due one after the other. */
async function lookAgain ({ pass, looked }: Waiting, times: number): Promise<void> {
  for (let look = 0; look < times; look++) {
    pass(15 * 60_000)
    await looked(1)
  }
}

async function staysUntilConnected (t: Test, patchbay: Waiting, code: string, connect: () => Promise<string>): Promise<void> {
  await patchbay.askCrm('/_faults', { method: 'DELETE' })
  await lookAgain(patchbay, 8)
  const { nextAttemptAt, sealedPending, ...row } = await patchbay.row()
  t.match(row, { state: 'waiting', lastErrorCode: code })
  t.not(sealedPending, '', 'it is kept')
  t.ok((nextAttemptAt ?? 0) > 0, 'and looked at later, not all the time')
  const lines = patchbay.logged.length
  await new Promise(resolve => { setTimeout(resolve, 200) })
  t.equal(patchbay.logged.length, lines, 'nothing happens until then')
  t.ok(patchbay.logged.some(line => line.includes(code)), 'the log says why')
  t.strictSame(await patchbay.records(), [], 'nothing is written for them')

  const written = patchbay.looked(1)
  const token = await connect()
  await written
  t.match(await patchbay.records(), [{ body: /Call her back/ }])
  t.match((await patchbay.call('/callLog?sessionIds=4503991004', { token })).json, { logs: [{ matched: true }] })
  t.match(await patchbay.row(), { state: 'logged', sealedPending: '' })
}

await t.test('somebody who signed out', async t => {
  const { patchbay, token } = await waiting(t, async ({ signIn }) => await signIn())
  await patchbay.call('/unAuthorize', { method: 'POST', token })
  await staysUntilConnected(t, patchbay, 'unknown-user', patchbay.signIn)
})

await t.test('somebody whose connection the CRM has ended', async t => {
  const { patchbay, token } = await waiting(t, async ({ signInByOAuth }) => await signInByOAuth())
  const { users } = patchbay.app.repositories
  const user = await users.find('1-example', 'example')
  t.ok(await users.markRevoked({ userId: '1-example', accountId: '', platform: 'example' }, user?.version ?? 0))
  t.match(await patchbay.call('/contact?phoneNumber=%2B16504445566', { token }), { status: 401, json: { errorCode: 'CRM_SESSION_REVOKED' } })
  await staysUntilConnected(t, patchbay, 'session-revoked', patchbay.signInByOAuth)
})

await t.test('somebody whose credentials cannot be read', async t => {
  const { patchbay } = await waiting(t, async ({ signIn }) => await signIn())
  await patchbay.overwriteCredentials('garbage')
  await staysUntilConnected(t, patchbay, 'unreadable', patchbay.signIn)
})

await t.test('somebody who never comes back', async t => {
  const { patchbay, token } = await waiting(t, async ({ signIn }) => await signIn())
  await patchbay.call('/unAuthorize', { method: 'POST', token })
  for (const hours of [73, 1]) {
    patchbay.pass(hours * hour)
    await patchbay.looked(1)
  }
  t.match(await patchbay.row(), { state: 'failed', sealedPending: '', nextAttemptAt: null })
  t.match(patchbay.logged.join(''), /a log has waited too long and is given up/)
  t.strictSame(await patchbay.records(), [])
})

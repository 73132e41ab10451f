/** Patchbay with a fake Pipedrive behind it, and Ann connected to it. */
import type { Test } from 'tap'
import { startFakeCrm, type FakePipedrive, type FakePipedriveOptions } from '../../../src/connectors/pipedrive/fake.ts'
import type { Caller } from '../../../src/calls/caller.ts'
import { isSignedIn } from '../../../src/db/users.ts'
import { ask, startPatchbay, type Answer, type Patchbay } from '../../patchbay.ts'

export interface Connected extends Patchbay {
  fake: FakePipedrive
  /** Ann's session token. */
  token: string
  get: (path: string) => Promise<Answer>
  send: (method: string, path: string, body: object) => Promise<Answer>
  /** What the fake received since the last time, `METHOD /path`. */
  received: () => Promise<string[]>
  /** The same with queries and bodies. */
  receivedInFull: () => Promise<Array<{ method: string, path: string, query: any, body: any, status: number }>>
  /** Misbehaves for the next requests that fit. */
  fail: (...rules: object[]) => Promise<void>
  /** Ann with her context, to call operations without a route. */
  caller: () => Promise<Caller>
  /** Another user, of the same company unless another one is said. */
  connect: (userId: number, facts?: { companyId?: number }) => Promise<string>
}

export async function connected (t: Test, { fake: fakeOptions, ...options }: Parameters<typeof startPatchbay>[1] & { fake?: FakePipedriveOptions } = {}): Promise<Connected> {
  const fake = await startFakeCrm({ ...(options?.clock !== undefined && { clock: options.clock }), ...fakeOptions })
  t.teardown(async () => await fake.close())
  const patchbay = await startPatchbay(t, { ...options, connector: { pipedrive: fake.config } })

  async function connect (userId: number, { companyId = 77 } = {}): Promise<string> {
    const { accessToken, refreshToken } = fake.oauth.grant(userId)
    const issuedAt = (options?.clock ?? Date.now)()
    const user = await patchbay.app.repositories.users.save({
      platform: 'pipedrive',
      crmUserId: String(userId),
      name: fake.held.users.find(({ id }) => id === userId)?.name,
      hostname: 'acme.pipedrive.com',
      timeZone: 'Europe/Berlin',
      credentials: { accessToken, refreshToken, issuedAt, expiresAt: issuedAt + 3599_000 },
      info: { companyId, companyName: 'Acme Tooling', companyDomain: 'acme' }
    })
    return patchbay.app.signSession({ userId: user.id, platform: 'pipedrive', signIn: user.sessionId })
  }

  const token = await connect(11)
  const receivedInFull: Connected['receivedInFull'] = async () => {
    const { json } = await ask(fake.url, '/_requests')
    await ask(fake.url, '/_requests', { method: 'DELETE' })
    return json.items
  }
  return {
    ...patchbay,
    fake,
    token,
    connect,
    async caller () {
      const user = await patchbay.app.repositories.users.find('11-pipedrive', 'pipedrive')
      if (!isSignedIn(user)) throw new Error('Ann is not connected')
      return patchbay.app.callerOf(user, { signal: new AbortController().signal })
    },
    get: async path => await patchbay.call(path, { token }),
    send: async (method, path, body) => await patchbay.call(path, { method, token, body }),
    receivedInFull,
    received: async () => (await receivedInFull()).map(({ method, path }) => `${method} ${path}`),
    fail: async (...rules) => {
      const { status, text } = await ask(fake.url, '/_faults', { method: 'PUT', body: { rules: rules.map(rule => ({ method: '*', path: '/api/*', times: 1, ...rule })) } })
      if (status !== 200) throw new Error(text)
    }
  }
}

/** A call that John Smith made to Ann. */
export const aCall = (more: object = {}) => ({
  logInfo: {
    sessionId: '4503991004',
    direction: 'Inbound',
    from: { phoneNumber: '+16504445566', name: 'John Smith' },
    to: { phoneNumber: '+18662019834', name: 'Ann Agent' },
    startTime: '2026-03-01T14:05:09.000Z',
    duration: 420,
    result: 'Accepted',
    customSubject: 'Inbound Call from John Smith',
    ...more
  },
  note: 'Asked for a quote & "more"',
  contactId: 1,
  contactName: 'John Smith',
  additionalSubmission: {}
})

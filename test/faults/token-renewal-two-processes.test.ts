import t from 'tap'
import { ask, decide } from '../patchbay.ts'
import { startTwoPatchbays } from './two-patchbays.ts'

await t.test('100 requests at two processes with an expired token make one renewal', async t => {
  let now = Date.now()
  const { crm, servers } = await startTwoPatchbays(t, { clock: () => now, accessTokenLifetime: 2 })

  const begun = await fetch(`${servers[0]}/oauth-authorize?platform=example`, { redirect: 'manual' })
  const { json: { jwtToken: token } } = await ask('', await decide(begun.headers.get('location') ?? ''))
  // From now on tokens live long; this one ends.
  await ask(crm, '/_oauth', { method: 'PUT', body: { accessTokenLifetime: 600 } })
  await new Promise(resolve => setTimeout(resolve, 1_500))
  now += 2_000
  const refreshes = async (): Promise<number> => {
    const { json } = await ask(crm, '/_requests')
    return json.items.filter(({ body }: { body: { grant_type?: string } | null }) => body?.grant_type === 'refresh_token').length
  }
  const lookUp = async (_: unknown, index: number) => await ask(servers[index % 2] ?? '', `/contact?phoneNumber=+1650${2_000_000 + index}`, { token })

  const answers = await Promise.all(Array.from({ length: 100 }, lookUp))
  t.equal(answers.filter(({ json }) => json.successful === true).length, 100)
  t.equal(await refreshes(), 1)

  await ask(crm, '/_oauth/access-tokens', { method: 'DELETE' })
  const forced = await Promise.all(Array.from({ length: 100 }, async (_, index) => await lookUp(_, index + 100)))
  t.equal(forced.filter(({ json }) => json.successful === true).length, 100)
  t.equal(await refreshes(), 2, 'the same when the CRM refuses a token that looks fresh')

  await ask(crm, '/_oauth/refresh-tokens', { method: 'DELETE' })
  await ask(crm, '/_oauth/access-tokens', { method: 'DELETE' })
  const dead = await Promise.all(Array.from({ length: 40 }, async (_, index) => await lookUp(_, index + 200)))
  t.equal(dead.filter(({ status, json }) => status === 401 && json.errorCode === 'CRM_SESSION_REVOKED').length, 40)
  t.equal(await refreshes(), 3, 'a dead refresh token is tried once')
})

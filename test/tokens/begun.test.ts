import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { cipher } from '../../src/db/cipher.ts'
import { beginState, readBegun } from '../../src/tokens/begun.ts'

const key = (id: string, byte: number) => cipher(new Map([[id, createSecretKey(Buffer.alloc(32, byte))]]))
const ours = key('ours', 1)
const begun = { hostname: 'eu.example.com', redirectUri: 'https://patchbay.example/oauth-callback', verifier: 'v'.repeat(43) }
const sealedIn = (state: string): string => new URLSearchParams(state).get('begun') ?? ''

await t.test('a state names its platform, hides the rest, and stands any way of encoding', async t => {
  const state = beginState('x', begun, ours, () => 0)
  t.match(state, /^platform=x&begun=ours\.[\w-]+$/)
  for (const secret of Object.values(begun)) t.notOk(state.includes(secret))
  t.equal(decodeURIComponent(state), state)
  t.ok(state.length < 1_024, 'what CRMs take')
  t.strictSame(readBegun('x', sealedIn(state), ours, () => 0), begun)
})

await t.test('a state of somebody else, for another CRM or of long ago is refused', async t => {
  const sealed = sealedIn(beginState('x', begun, ours, () => 0))
  const table: Array<[title: string, platform: string, sealed: string, now: number]> = [
    ['another key', 'x', sealedIn(beginState('x', begun, key('ours', 2), () => 0)), 0],
    ['a key that nobody knows', 'x', sealedIn(beginState('x', begun, key('theirs', 1), () => 0)), 0],
    ['another CRM', 'y', sealed, 0],
    ['changed', 'x', `${sealed.slice(0, -2)}AA`, 0],
    ['not sealed at all', 'x', 'garbage', 0],
    ['sealed, but of another kind', 'x', ours.seal('{"hostname":1}', 'oauth-state/x'), 0],
    ['half an hour ago', 'x', sealed, 30 * 60_000 + 1]
  ]
  for (const [title, platform, text, now] of table) t.throws(() => readBegun(platform, text, ours, () => now), { code: 'login-refused' }, title)
  t.throws(() => readBegun('x', ours.seal('no JSON', 'oauth-state/x'), ours, () => 0), SyntaxError, 'which only this server could have sealed')
})

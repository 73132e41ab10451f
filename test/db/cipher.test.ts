import fc from 'fast-check'
import t from 'tap'
import { CipherError, cipher, newEncryptionKey, parseEncryptionKeys } from '../../src/db/cipher.ts'

const oldKey = `old:${Buffer.alloc(32, 1).toString('base64')}`
const newKey = `new-2:${Buffer.alloc(32, 255).toString('base64')}`
const before = cipher(parseEncryptionKeys(oldKey))
const rotated = cipher(parseEncryptionKeys(`${newKey}, ${oldKey}`))

await t.test('what was sealed opens in the same place, whatever it was', async () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (plain, identity) => {
    return before.open(before.seal(plain, identity), identity) === plain
  }))
})

await t.test('the same text is sealed differently each time, and does not show', async t => {
  const [one, other] = [before.seal('secret', 'here'), before.seal('secret', 'here')]
  t.not(one, other)
  t.match(one, /^old\.[\w-]+$/)
  t.notMatch(one, Buffer.from('secret').toString('base64url'))
})

await t.test('no nonce is used twice', async t => {
  const nonces = Array.from({ length: 2_000 }, () => Buffer.from(before.seal('', 'here').slice('old.'.length), 'base64url').subarray(0, 12).toString('hex'))
  t.equal(new Set(nonces).size, nonces.length)
})

await t.test('a text that was moved to another place does not open', async t => {
  const sealed = before.seal('secret', 'users/acme/1/credentials')
  t.throws(() => before.open(sealed, 'users/acme/2/credentials'), { code: 'unreadable', place: 'users/acme/2/credentials not what the key "old" has sealed for this place' })
})

await t.test('a text in which one bit was changed does not open', async t => {
  const sealed = before.seal('secret', 'here')
  const text = sealed.slice('old.'.length)
  const bytes = Buffer.from(text, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    t.throws(() => before.open(`old.${changed.toString('base64url')}`, 'here'), CipherError)
  }
})

await t.test('only one spelling of a sealed text opens', async t => {
  const sealed = before.seal('secre', 'here')
  t.equal(before.open(sealed, 'here'), 'secre')
  const changed = [`${sealed}=`, `${sealed} `, `${sealed}!`, sealed.replace('.', '.\n'), sealed.slice(0, -1), sealed.slice(4)]
  for (const spelling of [...changed, 'old.', 'old.AAAA', '', '.', 'x']) {
    t.throws(() => before.open(spelling, 'here'), CipherError, JSON.stringify(spelling))
  }
})

await t.test('keys rotate: the first one writes, every listed one reads', async t => {
  const sealed = before.seal('secret', 'here')
  t.equal(rotated.open(sealed, 'here'), 'secret')
  t.match(rotated.seal('secret', 'here'), /^new-2\./)
  t.throws(() => before.open(rotated.seal('secret', 'here'), 'here'), { code: 'unreadable', place: 'here sealed with the key "new-2", which is not in ENCRYPTION_KEYS' })
})

await t.test('an error does not hold the text', async t => {
  for (const sealed of ['old.c2VjcmV0', `old.${Buffer.alloc(40, 'secret').toString('base64url')}`]) {
    try {
      before.open(sealed, 'here')
      t.fail('opened')
    } catch (error) {
      t.notMatch(String(error instanceof Error && error.stack), /secret|c2VjcmV0/)
    }
  }
})

const wrong: Array<[title: string, keys: string, message: RegExp]> = [
  ['nothing', '', /entry 1 is not <id>:<base64>/],
  ['no id', `:${oldKey}`, /entry 1/],
  ['an id with a dot', `a.b:${Buffer.alloc(32).toString('base64')}`, /entry 1/],
  ['no key', `${oldKey},x:`, /entry 2/],
  ['a comma at the end', `${oldKey},`, /entry 2/],
  ['no base64', 'x:***', /entry 1/],
  ['a short key', `x:${Buffer.alloc(16).toString('base64')}`, /the key "x" has 16 bytes, it needs 32/],
  ['a long key', `x:${Buffer.alloc(33).toString('base64')}`, /33 bytes/],
  ['an id twice', `${oldKey},${oldKey}`, /the id "old" is there twice/]
]
for (const [title, keys, message] of wrong) {
  await t.test(`ENCRYPTION_KEYS with ${title} is refused, and the key is not told`, async t => {
    try {
      parseEncryptionKeys(keys)
      t.fail('accepted')
    } catch (error) {
      t.match(error, { message })
      t.match(error, { message: /^ENCRYPTION_KEYS/ })
      t.notMatch(String(error), Buffer.alloc(16).toString('base64'))
    }
  })
}

await t.test('keys may be written in base64 or base64url', async t => {
  const [one, other] = (['base64', 'base64url'] as const).map(encoding => cipher(parseEncryptionKeys(`k:${Buffer.alloc(32, 255).toString(encoding)}`)))
  t.equal(one?.open(other?.seal('x', '') ?? '', ''), 'x')
})

await t.test('a new key is an entry of its own', async t => {
  const [one, other] = [newEncryptionKey(), newEncryptionKey()]
  t.equal(parseEncryptionKeys(`${one},${other}`).size, 2)
})

await t.test('a ring without keys is refused', async t => {
  t.throws(() => cipher(new Map()), /empty/)
})

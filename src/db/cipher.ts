/** Encryption of what must not be read in the database: AES-256-GCM, bound to the row it stands in. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, randomFillSync, type KeyObject } from 'node:crypto'
import { PatchbayError } from '../contract/errors.ts'

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Keys by their id. The first one writes, all of them read. */
export type KeyRing = ReadonlyMap<string, KeyObject>

export interface Cipher {
  /** The id of the key that seals. */
  readonly writer: string
  /** @param identity where the text will stand, such as `users/<id>/credentials`: it opens nowhere else */
  seal (plain: string, identity: string): string
  /** @throws CipherError when the text was sealed elsewhere, changed, or sealed with a key that is not on the ring */
  open (sealed: string, identity: string): string
}

/** A text that does not open. Coded, because it may happen within an operation, where anything else is the connector's failure. */
export class CipherError extends PatchbayError {
  override readonly name = 'CipherError'
  /** Where the text stands and why it does not open, for the log: never what it holds. */
  readonly place: string

  constructor (identity: string, problem: string) {
    super('unreadable')
    this.place = `${identity} ${problem}`
  }
}

/** Seals to `<key id>.<base64url of nonce, ciphertext and tag>`. */
export function cipher (keys: KeyRing): Cipher {
  const [first] = keys
  if (first === undefined) throw new Error('The key ring is empty')
  const [writerId, writer] = first
  return {
    writer: writerId,
    seal (plain, identity) {
      const nonce = nextNonce()
      const sealing = createCipheriv(ALGORITHM, writer, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(identity))
      const bytes = Buffer.concat([nonce, sealing.update(plain, 'utf8'), sealing.final(), sealing.getAuthTag()])
      return `${writerId}.${bytes.toString('base64url')}`
    },
    open (sealed, identity) {
      const id = keyOf(sealed)
      if (id === '') throw new CipherError(identity, 'not a sealed text')
      const key = keys.get(id)
      if (key === undefined) throw new CipherError(identity, `sealed with the key "${id}", which is not in ENCRYPTION_KEYS`)
      const text = sealed.slice(id.length + 1)
      const bytes = Buffer.from(text, 'base64url')
      // Decoding is lenient; only the one spelling that sealing gives is accepted.
      const spelledSo = bytes.toString('base64url') === text
      if (!spelledSo || bytes.length < NONCE_BYTES + TAG_BYTES) throw new CipherError(identity, 'not a sealed text')
      const opening = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(identity))
        .setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([opening.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), opening.final()]).toString()
      } catch {
        throw new CipherError(identity, `not what the key "${id}" has sealed for this place`)
      }
    }
  }
}

/** Random bytes that no seal has used yet: many are drawn at once, because asking for them takes a quarter of the time of a seal. */
const drawn = Buffer.alloc(NONCE_BYTES * 256)
let used = drawn.length

/** @returns bytes that are the caller's until the next call */
function nextNonce (): Buffer {
  if (used === drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  used += NONCE_BYTES
  return drawn.subarray(used - NONCE_BYTES, used)
}

/** The id of the key that sealed a text, `''` when none did. */
const keyOf = (sealed: string): string => /^([\w-]+)\./.exec(sealed)?.[1] ?? ''

/**
 * Reads `ENCRYPTION_KEYS`.
 * @param text `<id>:<base64 of 32 bytes>`, several separated by commas; an id has letters, digits, `_` and `-`
 * @throws an error that names the variable and says what is wrong, without the key
 */
export function parseEncryptionKeys (text: string): KeyRing {
  const keys = new Map<string, KeyObject>()
  for (const [index, entry] of text.split(',').entries()) {
    const [, id, encoded] = /^\s*([\w-]+):([\w+/-]+={0,2})\s*$/.exec(entry) ?? []
    if (id === undefined || encoded === undefined) throw new Error(`ENCRYPTION_KEYS: entry ${index + 1} is not <id>:<base64>`)
    if (keys.has(id)) throw new Error(`ENCRYPTION_KEYS: the id "${id}" is there twice`)
    const bytes = Buffer.from(encoded, 'base64')
    if (bytes.length !== KEY_BYTES) throw new Error(`ENCRYPTION_KEYS: the key "${id}" has ${bytes.length} bytes, it needs ${KEY_BYTES}`)
    keys.set(id, createSecretKey(bytes))
  }
  return keys
}

/** A new random key with a random id, as an entry of `ENCRYPTION_KEYS`. */
export function newEncryptionKey (): string {
  return `${randomBytes(4).toString('hex')}:${randomBytes(KEY_BYTES).toString('base64')}`
}

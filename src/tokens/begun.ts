/**
 * Sign-ins that this server began itself: what has to be known at their end travels in the OAuth state, sealed, so that nobody else
 * can make or read one. A state without it (`platform=...`, as the extension makes it) is accepted, but says nothing that is believed.
 */
import { PatchbayError } from '../contract/errors.ts'
import { Type, TypeCompiler, type Static } from '../contract/type.ts'
import { CipherError, type Cipher } from '../db/cipher.ts'
import type { Clock } from '../db/database.ts'

const Begun = Type.Object({
  hostname: Type.String(),
  redirectUri: Type.String(),
  /** For PKCE. */
  verifier: Type.Optional(Type.String()),
  until: Type.Number()
})
export type Begun = Omit<Static<typeof Begun>, 'until'>
const begunSchema = TypeCompiler.Compile(Begun)

/** How long a person may take at the CRM's pages, in milliseconds. */
const lifetime = 30 * 60_000

const identity = (platform: string): string => `oauth-state/${platform}`

/** @returns a state for the consent page */
export function beginState (platform: string, begun: Begun, cipher: Cipher, clock: Clock): string {
  const sealed = cipher.seal(JSON.stringify({ ...begun, until: clock() + lifetime }), identity(platform))
  return new URLSearchParams({ platform, begun: sealed }).toString()
}

/** @throws {PatchbayError} `login-refused` when it was not made here, for another CRM, or too long ago */
export function readBegun (platform: string, sealed: string, cipher: Cipher, clock: Clock): Begun {
  const refused = (cause?: unknown): PatchbayError =>
    new PatchbayError('login-refused', { message: 'This sign-in was not begun here, or too long ago. Connect again.', cause })
  let content: unknown
  try {
    content = JSON.parse(cipher.open(sealed, identity(platform)))
  } catch (error) {
    if (error instanceof CipherError) throw refused(error)
    throw error
  }
  if (!begunSchema.Check(content) || content.until < clock()) throw refused()
  const { until, ...begun } = content
  return begun
}

/** Hashes of telephony ids, and the identity under which an extension logs a session. */
import crypto from 'node:crypto'

/** @returns lower-case hex SHA-256 of `<id>:<key>` */
export type HashId = (id: string | number) => string

export const hashId = (key: string): HashId => id => crypto.hash('sha256', `${id}:${key}`, 'hex')

export interface ExtensionIdentity {
  readonly extensionNumber: string
  readonly hashedExtensionId: string
}

interface Presented {
  readonly extensionNumber?: string | number | undefined
  readonly hashedExtensionId?: string | undefined
  readonly rcExtensionId?: string | number | undefined
}

/**
 * The identity that a request presents, in its own members or in those of the call record; empty parts for what it does not say.
 * A raw extension id counts as its hash.
 */
export function identityOf (hash: HashId, request: Presented, callRecord: Presented = {}): ExtensionIdentity {
  const rawId = request.rcExtensionId || callRecord.rcExtensionId
  return {
    extensionNumber: String(request.extensionNumber || callRecord.extensionNumber || ''),
    hashedExtensionId: request.hashedExtensionId || callRecord.hashedExtensionId || (rawId ? hash(rawId) : '')
  }
}

/**
 * The id under which a CRM keeps a record for us: the same for every attempt to write one log, whatever happens to our database.
 * @param identity whose log of what it is
 */
export const externalIdOf = (...identity: readonly string[]): string =>
  `patchbay-${crypto.hash('sha256', JSON.stringify(identity), 'base64url').slice(0, 24)}`

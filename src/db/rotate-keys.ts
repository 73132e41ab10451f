/**
 * Sealing everything anew with the first key of the ring, so that the others can be taken away. It may run beside the server and may be
 * stopped and started again at any time: a text is replaced only while it is still the one that was read.
 */
import { and, asc, eq, sql, type SQL } from 'drizzle-orm'
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core'
import { CipherError, type Cipher } from './cipher.ts'
import type { Database, Handle, Statement } from './database.ts'
import { pendingIdentity } from './lifecycle.ts'
import { noteIdentity } from './note-cache.ts'
import { credentialsIdentity } from './users.ts'

export interface Rotation {
  /** What is sealed there. */
  readonly name: string
  /** Texts that were sealed anew. */
  resealed: number
  /** Where texts stand that no key opens, or that were changed or moved. */
  readonly unreadable: string[]
  /** Texts that somebody sealed with another key meanwhile: a server that has not got the new ring yet. */
  remaining: number
}

type Key = readonly string[]

interface Sealed {
  readonly key: Key
  readonly identity: string
  readonly text: string
}

/** By the id of the key that a text bears. */
type SealedBy = 'writer' | 'others'

/** A column that holds sealed texts. */
interface Place {
  readonly name: string
  /** Those behind a key that the writer has sealed, or that others have, in the order of the keys. */
  readonly after: (by: SealedBy, key: Key | undefined, limit: number) => Promise<Sealed[]>
  readonly replace: (on: Handle, sealed: Sealed, resealed: string) => Statement
}

/** Texts that are written in one transaction: few, so that a server beside it waits for milliseconds only. */
const batchSize = 100
/** Later passes find what was written during the earlier ones. */
const passes = 3

/** @returns how it went, for each kind of text */
export async function rotateKeys (database: Database, cipher: Cipher): Promise<Rotation[]> {
  const rotations: Rotation[] = []
  for (const place of places(database, cipher)) {
    const rotation: Rotation = { name: place.name, resealed: 0, unreadable: [], remaining: 0 }
    for (let pass = 0; pass < passes; pass++) {
      const { resealed, unreadable } = await reseal(place, database, cipher)
      rotation.resealed += resealed
      rotation.unreadable.splice(0, Infinity, ...unreadable)
      if (resealed === 0) break
    }
    rotation.remaining = await count(place) - rotation.unreadable.length
    // What bears the id of the first key need not be sealed with it: somebody may have given another key the same id.
    for await (const batch of batches(place, 'writer')) rotation.unreadable.push(...opened(batch, cipher).unreadable)
    rotations.push(rotation)
  }
  return rotations
}

/** One pass. */
async function reseal (place: Place, { atomic }: Database, cipher: Cipher): Promise<{ resealed: number, unreadable: string[] }> {
  let resealed = 0
  const failed: string[] = []
  for await (const batch of batches(place, 'others')) {
    const { readable, unreadable } = opened(batch, cipher)
    failed.push(...unreadable)
    await atomic(transaction => readable.map(({ sealed, plain }) => place.replace(transaction, sealed, cipher.seal(plain, sealed.identity))))
    resealed += readable.length
  }
  return { resealed, unreadable: failed }
}

interface Opened {
  readonly readable: ReadonlyArray<{ sealed: Sealed, plain: string }>
  readonly unreadable: readonly string[]
}

function opened (batch: readonly Sealed[], cipher: Cipher): Opened {
  const unreadable: string[] = []
  const readable = batch.flatMap(sealed => {
    try {
      return [{ sealed, plain: cipher.open(sealed.text, sealed.identity) }]
    } catch (error) {
      if (!(error instanceof CipherError)) throw error
      unreadable.push(sealed.identity)
      return []
    }
  })
  return { readable, unreadable }
}

async function * batches (place: Place, by: SealedBy): AsyncGenerator<Sealed[]> {
  let last: Key | undefined
  for (;;) {
    const batch = await place.after(by, last, batchSize)
    if (batch.length === 0) return
    yield batch
    last = batch.at(-1)?.key
  }
}

async function count (place: Place): Promise<number> {
  let found = 0
  for await (const batch of batches(place, 'others')) found += batch.length
  return found
}

function places ({ handle, tables }: Database, { writer }: Cipher): Place[] {
  const { users, noteCache } = tables
  const prefix = `${writer}.`
  const length = sql.raw(String(prefix.length))
  const sealed = (column: AnySQLiteColumn, by: SealedBy, keys: readonly AnySQLiteColumn[], after: Key | undefined): SQL | undefined => and(
    sql`${column} <> '' and substr(${column}, 1, ${length}) ${sql.raw(by === 'writer' ? '=' : '<>')} ${prefix}`,
    after && sql`(${sql.join([...keys], sql`, `)}) > (${sql.join(after.map(value => sql`${value}`), sql`, `)})`
  )

  const logs = (name: string, tableName: string, table: typeof tables.callLogs | typeof tables.messageLogs): Place => ({
    name,
    after: async (by, key, limit) => (await handle.select({ id: table.id, text: table.sealedPending }).from(table)
      .where(sealed(table.sealedPending, by, [table.id], key)).orderBy(asc(table.id)).limit(limit))
      .map(({ id, text }) => ({ key: [id], identity: pendingIdentity(tableName, id), text })),
    replace: (on, { key: [id = ''], text }, sealedPending) => on.update(table).set({ sealedPending })
      .where(and(eq(table.id, id), eq(table.sealedPending, text)))
  })

  return [
    {
      name: 'credentials',
      after: async (by, key, limit) => (await handle.select({ id: users.id, platform: users.platform, text: users.sealedCredentials }).from(users)
        .where(sealed(users.sealedCredentials, by, [users.id, users.platform], key)).orderBy(asc(users.id), asc(users.platform)).limit(limit))
        .map(({ id, platform, text }) => ({ key: [id, platform], identity: credentialsIdentity({ id, platform }), text })),
      replace: (on, { key: [id = '', platform = ''], text }, sealedCredentials) => on.update(users).set({ sealedCredentials })
        .where(and(eq(users.id, id), eq(users.platform, platform), eq(users.sealedCredentials, text)))
    },
    logs('waiting call logs', 'call_logs', tables.callLogs),
    logs('waiting message logs', 'message_logs', tables.messageLogs),
    {
      name: 'notes',
      after: async (by, key, limit) => (await handle.select().from(noteCache)
        .where(sealed(noteCache.sealedNote, by, [noteCache.userId, noteCache.platform, noteCache.sessionId], key))
        .orderBy(asc(noteCache.userId), asc(noteCache.platform), asc(noteCache.sessionId)).limit(limit))
        .map(({ userId, platform, sessionId, sealedNote: text }) =>
          ({ key: [userId, platform, sessionId], identity: noteIdentity({ userId, platform }, sessionId), text })),
      replace: (on, { key: [userId = '', platform = '', sessionId = ''], text }, sealedNote) => on.update(noteCache).set({ sealedNote })
        .where(and(
          eq(noteCache.userId, userId), eq(noteCache.platform, platform), eq(noteCache.sessionId, sessionId), eq(noteCache.sealedNote, text)
        ))
    }
  ]
}

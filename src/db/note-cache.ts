/** Notes that a person took during a call, until the log of that call is made. */
import { and, eq, lte, sql } from 'drizzle-orm'
import type { Cipher } from './cipher.ts'
import type { Clock, Database } from './database.ts'
import { quiet } from './quiet.ts'
import { tenantPlaceholders, within, type Tenant } from './tenant.ts'

export interface CachedNote {
  readonly note: string
  /** Tells it from one that takes its place. */
  readonly sealedNote: string
}

export interface NoteCache {
  /** Keeps a note in place of an earlier one. @param ttl milliseconds */
  put (tenant: Tenant, sessionId: string, note: string, ttl: number): Promise<void>
  find (tenant: Tenant, sessionId: string): Promise<CachedNote | undefined>
  /** Forgets a note that is in a log now, unless another has taken its place. */
  remove (tenant: Tenant, sessionId: string, cached: CachedNote): Promise<void>
  /** Forgets, for all tenants, the notes whose time is over. */
  removeExpired (): Promise<void>
}

/** Where a note is sealed for. */
export const noteIdentity = ({ userId, platform }: Pick<Tenant, 'userId' | 'platform'>, sessionId: string): string =>
  `note_cache/${[userId, platform, sessionId].map(encodeURIComponent).join('/')}`

export function noteCache ({ handle, read, tables: { noteCache: table } }: Database, cipher: Cipher, clock: Clock): NoteCache {
  const select = handle.select().from(table)
    .where(and(within(table, tenantPlaceholders), eq(table.sessionId, sql.placeholder('sessionId')))).prepare()

  return quiet<NoteCache>({
    async put (tenant, sessionId, note, ttl) {
      const { userId, platform } = tenant
      const values = { sealedNote: cipher.seal(note, noteIdentity(tenant, sessionId)), expiresAt: clock() + ttl }
      await handle.insert(table).values({ userId, platform, sessionId, ...values })
        .onConflictDoUpdate({ target: [table.userId, table.platform, table.sessionId], set: values })
    },
    async find (tenant, sessionId) {
      const { userId, platform } = tenant
      const [row] = await read(() => select.execute({ userId, platform, sessionId }))
      if (row === undefined || row.expiresAt <= clock()) return undefined
      return { note: cipher.open(row.sealedNote, noteIdentity(tenant, sessionId)), sealedNote: row.sealedNote }
    },
    async remove (tenant, sessionId, { sealedNote }) {
      await handle.delete(table).where(and(within(table, tenant), eq(table.sessionId, sessionId), eq(table.sealedNote, sealedNote)))
    },
    async removeExpired () {
      await handle.delete(table).where(lte(table.expiresAt, clock()))
    }
  })
}

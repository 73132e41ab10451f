/** The database and its repositories. */
import fp from 'fastify-plugin'
import { accountData, type AccountData } from '../db/account-data.ts'
import { callLogs, type CallLogs } from '../db/call-logs.ts'
import type { Cipher } from '../db/cipher.ts'
import type { Clock, Database } from '../db/database.ts'
import { messageLogs, type MessageLogs } from '../db/message-logs.ts'
import { noteCache, type NoteCache } from '../db/note-cache.ts'
import { users, type Users } from '../db/users.ts'

export interface Repositories {
  readonly users: Users
  readonly callLogs: CallLogs
  readonly messageLogs: MessageLogs
  readonly accountData: AccountData
  readonly noteCache: NoteCache
}

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
    repositories: Repositories
  }
}

export interface DbOptions {
  /** Open, with its tables up to date. Closed with the server. */
  database: Database
  cipher: Cipher
  clock: Clock
}

/** How often what has expired is removed. */
const cleaningInterval = 10 * 60_000
/** Account data is served a while after it expired, where the CRM does not answer. */
const keepStale = 7 * 24 * 60 * 60_000

export default fp<DbOptions>(async (fastify, { database, cipher, clock }) => {
  const repositories: Repositories = {
    users: users(database, cipher, clock),
    callLogs: callLogs(database, cipher, clock),
    messageLogs: messageLogs(database, cipher, clock),
    accountData: accountData(database, clock),
    noteCache: noteCache(database, cipher, clock)
  }
  fastify.decorate('database', database)
  fastify.decorate('repositories', repositories)

  const timer = setInterval(() => {
    Promise.all([repositories.noteCache.removeExpired(), repositories.accountData.removeExpired(clock() - keepStale)])
      .catch((error: unknown) => { fastify.log.error({ err: error }, 'removing what has expired failed') })
  }, cleaningInterval).unref()
  fastify.addHook('onClose', async () => {
    clearInterval(timer)
    await database.close()
  })
}, { name: 'db' })

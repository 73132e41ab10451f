/** Recovery: at start, and every few seconds. */
import fp from 'fastify-plugin'
import { recovery, type RecoveryParts } from '../calls/recover.ts'
import { timeLimit } from '../contract/time-limit.ts'
import type { Clock } from '../db/database.ts'
import type { Tenant } from '../db/tenant.ts'
import { isSignedIn } from '../db/users.ts'

export interface RecoveryOptions {
  clock: Clock
  random: () => number
  /** Milliseconds between two looks. */
  every: number
}

/** Milliseconds that one row may take: less than its lease, so that nobody else begins meanwhile. */
const longestWrite = 25_000
/** And when the server stops: what has been sent is then noted before the database closes. */
const longestAtStop = 15_000

export default fp<RecoveryOptions>(async (fastify, { clock, random, every }) => {
  const { repositories, callLogs, messageLogs, log } = fastify
  const { stopping } = fastify
  const ending = new AbortController()
  const parts: RecoveryParts = {
    clock,
    random,
    log,
    stopping,
    callerOf: async ({ userId, platform }: Tenant) => {
      const user = await repositories.users.find(userId, platform)
      const signal = timeLimit(longestWrite, ending.signal)
      return isSignedIn(user) ? fastify.callerOf(user, { signal, background: true }) : undefined
    }
  }

  const kinds = [
    recovery({ kind: 'call', rows: repositories.callLogs, resume: callLogs.resume }, parts),
    recovery({ kind: 'message', rows: repositories.messageLogs, resume: messageLogs.resume }, parts)
  ]
  let looking: Promise<unknown> | undefined
  const look = (): void => {
    looking ??= Promise.all(kinds.map(async kind => await kind.look()))
      .catch((error: unknown) => { log.error({ err: error }, 'looking for what waits failed') })
      .finally(() => { looking = undefined })
  }
  let timer: NodeJS.Timeout
  fastify.addHook('onReady', async () => {
    look()
    timer = setInterval(look, every).unref()
  })
  stopping.addEventListener('abort', () => {
    clearInterval(timer)
    setTimeout(() => { ending.abort() }, longestAtStop).unref()
  })
  fastify.finishBeforeStop(async () => {
    await looking
    await Promise.all(kinds.map(async kind => { await kind.settled() }))
  })
}, { name: 'recovery', dependencies: ['services', 'request-caller', 'graceful-stop'] })

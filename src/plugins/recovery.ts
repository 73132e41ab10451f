/** Recovery: at start, and every few seconds. */
import fp from 'fastify-plugin'
import { recover, type RecoveryParts } from '../calls/recover.ts'
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
      const signal = AbortSignal.any([AbortSignal.timeout(longestWrite), ending.signal])
      return isSignedIn(user) ? fastify.callerOf(user, { signal, background: true }) : undefined
    }
  }

  const look = async (): Promise<void> => {
    await recover({ kind: 'call', rows: repositories.callLogs, resume: callLogs.resume }, parts)
    await recover({ kind: 'message', rows: repositories.messageLogs, resume: messageLogs.resume }, parts)
  }

  let looking: Promise<void> | undefined
  const lookOnce = (): void => {
    looking ??= look()
      .catch((error: unknown) => { log.error({ err: error }, 'looking for what waits failed') })
      .finally(() => { looking = undefined })
  }
  let timer: NodeJS.Timeout
  fastify.addHook('onReady', async () => {
    lookOnce()
    timer = setInterval(lookOnce, every).unref()
  })
  stopping.addEventListener('abort', () => {
    clearInterval(timer)
    setTimeout(() => { ending.abort() }, longestAtStop).unref()
  })
  fastify.finishBeforeStop(async () => { await looking })
}, { name: 'recovery', dependencies: ['services', 'request-caller', 'graceful-stop'] })

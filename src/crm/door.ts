/**
 * The door to the CRMs: every request to one passes {@link Door.send}. It asks where the rules allow it, when the CRM wants to be
 * asked, and again where that can help and do no harm.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { breaker } from './breaker.ts'
import { budgets, type Budget } from './budget.ts'
import type { Connections } from './connections.ts'
import { exchange, type Answered, type Exchange, type Outgoing } from './exchange.ts'
import { isUntimedLimit, judge, noAnswer, tellsWhen, type Verdict } from './failure.ts'
import type { Limits } from './limits.ts'
import { decide, type Decision } from './retry.ts'
import type { CrmScope } from './scope.ts'

/** What one call has used up, over all its attempts. */
export interface Spent {
  /** Milliseconds. */
  talked: number
  waited: number
  /** An attempt may have been carried out, whatever became of the later ones. */
  uncertain: boolean
}

export const nothingSpent = (): Spent => ({ talked: 0, waited: 0, uncertain: false })

export interface Ended {
  readonly answered: Answered
  /** Undefined for a success. */
  readonly verdict: Verdict | undefined
}

export interface Door {
  /**
   * Sends a request to an address that is permitted (hosts.ts), until it succeeds or another attempt makes no sense. Resolves with
   * the answer, whatever its status is.
   * @param account whose budget it uses; undefined for one of its own
   * @throws {CrmError} when there is no answer
   */
  send: (outgoing: Outgoing, scope: CrmScope, account: string | undefined, spent: Spent) => Promise<Ended>
  close: () => Promise<void>
}

export interface DoorOptions {
  readonly connections: Connections
  readonly limits: Limits
  /** Epoch milliseconds that never go back. */
  readonly clock: () => number
  /** At least 0, below 1. */
  readonly random: () => number
  readonly log: Pick<FastifyBaseLogger, 'debug'>
}

export function door ({ connections, limits, clock, random, log }: DoorOptions): Door {
  const hosts = breaker(clock)
  const budgetOf = budgets(clock)

  /** Milliseconds that a call may still wait before an attempt. */
  const patience = ({ lastStart = Infinity }: CrmScope, { talked, waited }: Spent): number => Math.min(limits.wait, lastStart - talked) - waited

  async function attempt (outgoing: Outgoing, scope: CrmScope, host: string, budget: Budget, spent: Spent): Promise<Exchange> {
    const { background = false, configuredByOperator, signal } = scope
    if (hosts.rest(host) > 0) return resting(hosts.rest(host))
    const asked = clock()
    const delay = await budget.turn({ background, longest: patience(scope, spent), signal })
    const started = clock()
    spent.waited += started - asked
    if (delay > 0) return { why: 'over-budget', sent: false, retryAfter: seconds(delay) }
    const look = budget.look()
    const rest = hosts.enter(host)
    const dispatcher = configuredByOperator ? connections.chosen : connections.guarded
    const ended = rest > 0 ? resting(rest) : await exchange(dispatcher, outgoing, { timeout: limits.talk - spent.talked, signal, mostBytes: limits.answer })
    spent.talked += clock() - started
    if ('status' in ended) budget.learn(ended.headers)
    else budget.lookAgain(look)
    return ended
  }

  return {
    async send (outgoing, scope, account, spent) {
      const { info, signal } = scope
      const { method } = outgoing
      const host = `${info.platform} ${outgoing.origin}`
      const budget = budgetOf(account, info.rateLimit)
      const began = clock()
      // One caller may have many requests under way; each takes its listener away again.
      setMaxListeners(0, signal)
      for (let number = 1; ; number++) {
        const ended = await attempt(outgoing, scope, host, budget, spent)
        const judged = judge(ended, clock())
        const { wait, why } = judged === undefined
          ? done
          : decide({ verdict: judged, method, number, talked: spent.talked, patience: patience(scope, spent), isBackingOff: budget.isBackingOff(), limits, random })
        spent.uncertain ||= judged?.outcome === 'unknown'
        if ('status' in ended && tellsWhen(judged)) budget.goOn()
        const rest = wait === undefined && isUntimedLimit(judged) ? { retryAfter: seconds(budget.backOff()) } : undefined
        const verdict = judged && { ...judged, ...rest, ...(spent.uncertain && { outcome: 'unknown' as const }) }

        if (judged?.transient === true && judged.kind === 'unavailable') hosts.failed(host)
        else if ('status' in ended) hosts.succeeded(host)
        if ('status' in ended && judged?.outcome === 'not-received' && judged.retryAfter !== undefined) {
          // The CRM put it off, and means everybody of the account; the next attempt waits there for its turn.
          budget.pause(Math.max(judged.retryAfter * 1000, wait ?? 0))
        } else if (wait !== undefined) {
          spent.waited += wait
          await pause(wait, undefined, { signal }).catch(() => {}) // An abort shows in the signal.
        }
        if (wait !== undefined && !signal.aborted) continue

        log.debug({
          connector: info.platform,
          method,
          ...('why' in ended ? { broken: ended.why } : { status: ended.status }),
          ms: Math.round(clock() - began),
          attempts: number,
          outcome: verdict?.outcome ?? 'success',
          ...(verdict !== undefined && { error: verdict.kind, gaveUp: why })
        }, 'crm request')
        if ('why' in ended) throw noAnswer(ended, info, verdict)
        return { answered: ended, verdict }
      }
    },
    close: connections.close
  }
}

const done: Decision = { wait: undefined, why: 'success' }

const resting = (rest: number): Exchange => ({ why: 'resting', sent: false, retryAfter: seconds(rest) })

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

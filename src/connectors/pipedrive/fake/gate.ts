/**
 * Who gets in, and how often: scopes, burst limits, the daily budget of tokens, and the edge that shuts out who does not mind them.
 * https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../../testing/refusal.ts'
import { rollingWindow } from '../../../testing/rolling-window.ts'

export interface Gate {
  /** Counts a request, and sets the headers that say what is left. */
  pass: (request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint) => void
  readonly spent: () => { requests: number, units: number }
}

export interface Endpoint {
  /** In tokens. */
  readonly cost: number
  readonly scope: string
  readonly isSearch?: boolean
}

export interface GateRules {
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** Tokens that the company may use until midnight. */
  readonly dailyBudget: number
  /** Of all tokens. */
  readonly scopes: readonly string[]
}

const seconds = 1_000
/** How many refused requests the edge stands, and for how long it shuts somebody out. */
const patience = 5
const shutOutFor = 60 * seconds

export function gate ({ clock, dailyBudget, scopes }: GateRules): Gate {
  const burst = rollingWindow({ requests: 80, milliseconds: 2 * seconds }, clock)
  const searches = rollingWindow({ requests: 10, milliseconds: 2 * seconds }, clock)
  const ignored = new Map<string, number>()
  const shutOutUntil = new Map<string, number>()
  let requests = 0
  let units = 0
  let today = { day: dayOf(clock()), units: 0 }

  function tooMany (who: string, message: string, headers: Readonly<Record<string, string>> = {}): Refusal {
    const times = (ignored.get(who) ?? 0) + 1
    ignored.set(who, times)
    if (times > patience) shutOutUntil.set(who, clock() + shutOutFor)
    return new Refusal(429, message, headers)
  }

  return {
    pass (request, reply, { cost, scope, isSearch = false }) {
      const who = request.headers.authorization ?? ''
      if ((shutOutUntil.get(who) ?? 0) > clock()) throw new ShutOut()
      if (!scopes.includes(scope)) throw new Refusal(403, 'Scope and URL mismatch')
      if (today.day !== dayOf(clock())) today = { day: dayOf(clock()), units: 0 }
      const state = (isSearch ? searches : burst).take(who)
      const headers = {
        'x-ratelimit-limit': String(state.limit),
        'x-ratelimit-remaining': String(state.remaining),
        'x-ratelimit-reset': String(state.resetSeconds),
        'x-daily-ratelimit-token-limit': String(dailyBudget),
        'x-daily-ratelimit-token-remaining': String(dailyBudget - today.units)
      }
      if (!state.granted) throw tooMany(who, 'request over limit', headers)
      if (today.units + cost > dailyBudget) throw tooMany(who, 'Daily request limit exceeded', headers)
      ignored.delete(who)
      requests += 1
      units += cost
      today.units += cost
      reply.headers(headers)
    },
    spent: () => ({ requests, units })
  }
}

/** The server's midnight begins it. */
const dayOf = (instant: number): number => Math.floor(instant / (24 * 60 * 60 * seconds))

/** The edge answers a page. */
export class ShutOut extends Error {}

/** Effects are what a process does to the outside: statements of the database, requests to the CRM. Any of them can be spoiled. */

/** `throw`: the effect fails and the process goes on. `crash`: the process has no further effect at all. */
export type Mode = 'throw' | 'crash'
export type Moment = 'before' | 'after'

export interface Spoiling {
  /** Which effect: the first whose name begins like this, or counted from 1. */
  readonly at: number | string
  readonly mode: Mode
  readonly moment: Moment
}

export class EffectFailed extends Error {
  override readonly name = 'EffectFailed'
}

export class Effects {
  /** The process has crashed: nothing of it reaches the outside any more. */
  dead = false
  /** The name of the effect that was spoiled. */
  spoiled: string | undefined
  #spoiling: Spoiling | undefined
  #count = 0

  /** Starts to count. */
  arm (spoiling: Spoiling | undefined): void {
    this.#spoiling = spoiling
    this.#count = 0
    this.spoiled = undefined
  }

  /** @throws {EffectFailed} before or after the work, when this effect is the one to be spoiled or the process has crashed */
  async perform<Result> (name: string, work: () => Promise<Result>): Promise<Result> {
    if (this.dead) throw new EffectFailed(name)
    this.#count++
    const at = this.#spoiling?.at
    const spoiling = at === this.#count || (typeof at === 'string' && name.startsWith(at)) ? this.#spoiling : undefined
    if (spoiling !== undefined) this.#spoiling = undefined
    if (spoiling?.moment === 'before') this.#fail(name, spoiling)
    const result = await work()
    if (spoiling?.moment === 'after') this.#fail(name, spoiling)
    if (this.dead) throw new EffectFailed(name)
    return result
  }

  #fail (name: string, { mode, moment }: Spoiling): never {
    this.spoiled = `${moment} ${name}`
    if (mode === 'crash') this.dead = true
    throw new EffectFailed(name)
  }

  /** The same repository, each of its statements an effect. */
  around<Repository extends object> (name: string, repository: Repository): Repository {
    const methods = Object.entries(repository).map(([method, call]) => [method, method === 'pendingOf'
      ? call // computes only
      : async (...input: unknown[]) => await this.perform(`${name}.${method}`, async () => await call(...input))])
    return Object.fromEntries(methods) as Repository
  }
}

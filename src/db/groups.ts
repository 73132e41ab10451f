/**
 * Statements of several callers in one transaction. Most of what a write costs is the wait for the disk, and one wait is enough for
 * all who write at the same moment. Reads cost little, but doing one step for all who wait and then the next step for all is up to
 * twice as fast as doing all steps for one after the other: what a step needs is at hand.
 */
import type Client from 'better-sqlite3'

/** Turns of the event loop that a group of writes waits: who is answered in one of them may write in the next. With little to do they take microseconds. */
const turnsOfWrites = 4
/** Of many who come at the same moment the first ones need not wait for the last, nor do all of them then ask the CRM in the same moment. */
const [mostReads, mostWrites] = [16, 32]

/** Runs a statement now, and tells how to answer its caller when all is done. */
type Run = () => () => void

/** Runs a statement together with those that others run at the same moment. One that fails is undone alone. */
type Grouped = <Result>(statement: () => Result) => Promise<Result>

/** Nobody hears of a write before it is on the disk. */
export function groupedWrites (client: Client.Database): Grouped {
  // Immediate: a transaction that takes the write lock only later may fail at once instead of waiting for another process.
  return grouped(client, { behaviour: 'immediate', turns: turnsOfWrites, most: mostWrites })
}

/** What is read is there when it is read, not yet when it is asked for. */
export function groupedReads (client: Client.Database): Grouped {
  return grouped(client, { behaviour: 'deferred', turns: 1, most: mostReads })
}

interface Grouping {
  readonly behaviour: 'deferred' | 'immediate'
  /** Turns of the event loop that a group waits for others. */
  readonly turns: number
  /** As many statements are run at once. */
  readonly most: number
}

function grouped (client: Client.Database, { behaviour, turns, most }: Grouping): Grouped {
  let group: Array<{ run: Run, refuse: (error: unknown) => void }> = []

  const transaction = client.transaction((runs: readonly Run[]) => runs.map(run => run()))[behaviour]

  function runGroup (): void {
    const running = group
    if (running.length === 0) return
    group = []
    let answers: Array<() => void>
    try {
      answers = transaction(running.map(({ run }) => run))
    } catch (error) {
      answers = running.map(({ refuse }) => () => { refuse(error) })
    }
    for (const answer of answers) answer()
  }

  function runIn (left: number): void {
    setImmediate(left > 1 ? () => { runIn(left - 1) } : runGroup)
  }

  return async statement => await new Promise((resolve, reject) => {
    if (group.length === 0) runIn(turns)
    group.push({
      refuse: reject,
      run () {
        try {
          const result = statement()
          return () => { resolve(result) }
        } catch (error) {
          // A full disk and the like end the transaction, and with it what the others wrote.
          if (!client.inTransaction) throw error
          return () => { reject(error) }
        }
      }
    })
    if (group.length === most) runGroup()
  })
}

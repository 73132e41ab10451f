/**
 * Writes of several callers in one transaction. Most of what a write costs is the wait for the disk, and one wait is enough for all
 * who write at the same moment. Nobody hears of a write before it is on the disk.
 */
import type Client from 'better-sqlite3'

/** Turns of the event loop that a group waits: who is answered in one of them may write in the next. With little to do they take microseconds. */
const turns = 4

/** Runs a statement now, and tells how to answer its caller when all is done. */
type Write = () => () => void

/**
 * @returns runs a statement together with those that others run within a few turns of the event loop; a statement that fails is undone
 *   alone
 */
export function groupCommit (client: Client.Database): <Result>(statement: () => Result) => Promise<Result> {
  let group: Array<{ write: Write, refuse: (error: unknown) => void }> = []

  const runAll = client.transaction((writes: readonly Write[]) => writes.map(write => write()))

  function commit (): void {
    const committing = group
    group = []
    let answers: Array<() => void>
    try {
      // Immediate: a transaction that takes the write lock only later may fail at once instead of waiting for another process.
      answers = runAll.immediate(committing.map(({ write }) => write))
    } catch (error) {
      answers = committing.map(({ refuse }) => () => { refuse(error) })
    }
    for (const answer of answers) answer()
  }

  function commitIn (left: number): void {
    setImmediate(left > 1 ? () => { commitIn(left - 1) } : commit)
  }

  return async statement => await new Promise((resolve, reject) => {
    if (group.length === 0) commitIn(turns)
    group.push({
      refuse: reject,
      write () {
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
  })
}

/** Rows that are read with almost every request, remembered for as long as nobody changes them. */
import { LRUCache } from 'lru-cache'

export interface RowCache<Row> {
  /** The row of that key, as it is now; what is not there is looked for each time. */
  get (key: string, read: () => Promise<Row | undefined>): Promise<Row | undefined>
  /** Writes a row of that key, which is read anew after that. */
  changing<Result> (key: string, write: () => Promise<Result>): Promise<Result>
}

const most = 1_000

/** @param othersChanges a number that is another one when somebody else may have changed a row; nothing is remembered without it */
export function rowCache<Row extends object> (othersChanges: (() => number) | undefined): RowCache<Row> {
  const rows = new LRUCache<string, Row>({ max: most })
  let othersSeen: number | undefined
  let ownChanges = 0

  return {
    async get (key, read) {
      if (othersChanges === undefined) return await read()
      const others = othersChanges()
      if (others !== othersSeen) rows.clear()
      othersSeen = others
      const known = rows.get(key)
      if (known !== undefined) return known
      const own = ownChanges
      const row = await read()
      // What was read while somebody wrote may be old.
      if (row !== undefined && own === ownChanges && others === othersSeen) rows.set(key, row)
      return row
    },
    async changing (key, write) {
      try {
        return await write()
      } finally {
        ownChanges++
        rows.delete(key)
      }
    }
  }
}

/** Long lists of values, for statements that take a limited number of them. */

/** Below what either database takes in one statement (SQLite 32,766 values, Postgres 65,535), at five values a row. */
const MOST = 5_000

export function chunks<Item> (items: Iterable<Item>): Item[][] {
  const rest = [...items]
  const lists: Item[][] = []
  while (rest.length > 0) lists.push(rest.splice(0, MOST))
  return lists
}

/** Statements that are put together once: putting one together takes several times as long as running it. */
import { getTableColumns, sql, type Placeholder, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'

/** A statement, and the values of its placeholders. */
interface Ready<Statement> {
  readonly statement: Statement
  readonly values: Record<string, unknown>
}

type Written<Table extends SQLiteTable> = { [Name in keyof Table['$inferInsert']]-?: SQL }

/**
 * Statements that write columns of a row, one for each set of columns.
 * @param build makes a statement out of what stands for the value of each column
 */
export function preparedForColumns<Table extends SQLiteTable, Statement> (
  table: Table, build: (columns: Written<Table>) => Statement
): (row: Partial<Table['$inferInsert']>) => Ready<Statement> {
  const statements = new Map<string, Statement>()
  const columns = getTableColumns(table)
  const placeholders = new Map(Object.keys(columns).map(name => [name, `new ${name}`]))
  const placeholder = (name: string): string => placeholders.get(name) ?? name
  // A null behind a placeholder would be encoded as what the column holds: the text `null`, where that is JSON.
  const standIn = (name: string, value: unknown): SQL => value === null ? sql`null` : sql`${sql.param(sql.placeholder(placeholder(name)), columns[name])}`
  return row => {
    const written = Object.entries(row).filter(([, value]) => value !== undefined)
    const values: Record<string, unknown> = {}
    let shape = ''
    for (const [name, value] of written) {
      values[placeholder(name)] = value
      shape += value === null ? `${name} is null,` : `${name},`
    }
    const statement = remembered(statements, shape, () => build(Object.fromEntries(written.map(([name, value]) => [name, standIn(name, value)])) as Written<Table>))
    return { statement, values }
  }
}

/**
 * Statements that take a list, for lists of 1, 2, 4, 8 ... items. One between is filled up with its last item.
 * @param build makes a statement out of the placeholders of the items
 * @returns for lists that are not empty
 */
export function preparedForList<Statement> (build: (items: Placeholder[]) => Statement): (items: readonly unknown[]) => Ready<Statement> {
  const statements = new Map<number, Statement>()
  const placeholder = (index: number): string => `item ${index}`
  return items => {
    const indexes = [...Array(2 ** Math.ceil(Math.log2(items.length))).keys()]
    const statement = remembered(statements, indexes.length, () => build(indexes.map(index => sql.placeholder(placeholder(index)))))
    return { statement, values: Object.fromEntries(indexes.map(index => [placeholder(index), items[Math.min(index, items.length - 1)]])) }
  }
}

function remembered<Key, Statement> (statements: Map<Key, Statement>, key: Key, build: () => Statement): Statement {
  const known = statements.get(key)
  if (known !== undefined) return known
  const statement = build()
  statements.set(key, statement)
  return statement
}

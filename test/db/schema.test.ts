import { readdirSync, readFileSync } from 'node:fs'
import { generateDrizzleJson, generateMigration, generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api'
import { getTableConfig } from 'drizzle-orm/sqlite-core'
import t from 'tap'
import * as postgresTables from '../../src/db/tables.postgres.ts'
import * as sqliteTables from '../../src/db/tables.sqlite.ts'

/** What drizzle-kit noted about the tables when it wrote the last migration. */
function lastSnapshot (dialect: string) {
  const folder = new URL(`../../src/db/migrations/${dialect}/meta/`, import.meta.url)
  const name = readdirSync(folder).filter(name => name.endsWith('snapshot.json')).sort().at(-1) ?? ''
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
}

await t.test('no migration is missing', async t => {
  const sqlite = await generateSQLiteDrizzleJson({ ...sqliteTables }, undefined, 'snake_case')
  t.strictSame(await generateSQLiteMigration(lastSnapshot('sqlite'), sqlite), [])
  const postgres = generateDrizzleJson({ ...postgresTables }, undefined, undefined, 'snake_case')
  t.strictSame(await generateMigration(lastSnapshot('postgres'), postgres), [])
})

await t.test('columns of a unique key are never null, which would not be unique', async t => {
  for (const { name, indexes, primaryKeys } of Object.values(sqliteTables).map(table => getTableConfig(table))) {
    const unique = indexes.filter(index => index.config.unique).flatMap(index => index.config.columns)
    for (const column of [...unique, ...primaryKeys.flatMap(key => key.columns)]) {
      t.ok('notNull' in column && column.notNull, `${name}.${'name' in column ? column.name : ''}`)
    }
  }
})

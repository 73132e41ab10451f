/** Brings the tables of a database up to date, or says why they are not ours to touch. */
import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/** Runs one statement on the connection that holds the migration's transaction, and gives its rows. */
export type Run = (statement: string) => Promise<Record<string, unknown>[]>

/**
 * Applies the migrations that the database does not have yet. The caller holds a transaction that no second process can be
 * in at the same time: two processes that start at once then take turns, and the second one finds everything done.
 *
 * @param dialect the folder below `migrations`
 * @param listTables a query for the `name`s of the tables that nobody but us may have made there
 * @throws when the tables belong to something else or were changed by another version of Patchbay
 */
export async function migrate (run: Run, dialect: 'sqlite' | 'postgres', listTables: string): Promise<void> {
  // From the package's root, because the compiled files in dist/ have no migrations beside them.
  const folder = new URL(`../../src/db/migrations/${dialect}`, import.meta.url)
  const known = readMigrationFiles({ migrationsFolder: fileURLToPath(folder) })

  const tables = (await run(listTables)).map(({ name }) => name)
  if (tables.length > 0 && !tables.includes('patchbay_migrations')) {
    throw new Error(`this database belongs to something else, it already has tables (${tables.join(', ')})`)
  }
  await run('CREATE TABLE IF NOT EXISTS patchbay_migrations (made_at BIGINT PRIMARY KEY)')
  const applied = (await run('SELECT made_at FROM patchbay_migrations')).map(row => Number(row.made_at))
  if (applied.some(madeAt => !known.some(migration => migration.folderMillis === madeAt))) {
    throw new Error('another version of Patchbay, probably a newer one, has changed this database: start that version')
  }

  for (const migration of known.filter(migration => !applied.includes(migration.folderMillis))) {
    for (const statement of migration.sql) await run(statement)
    await run(`INSERT INTO patchbay_migrations (made_at) VALUES (${migration.folderMillis})`)
  }
}

/**
 * Repositories are written once, against the types of SQLite; this is the one place where Postgres is passed off as SQLite.
 * It holds because they keep to what both query builders have in common: statements that are awaited, `returning()`,
 * `onConflict...`, `prepare()` with `execute()`. Never `.all()`, `.get()` or `.run()`, never the result of a statement
 * without `returning()`, never a value in a raw `sql` expression that relies on SQLite's loose types.
 */
export const asSqlite = <SqliteType>(postgres: object): SqliteType => postgres as SqliteType

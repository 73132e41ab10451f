import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import { exampleContacts, exampleUsers } from './seed.ts'

/** AUTOINCREMENT: the id of a deleted record never comes to mean another one. */
const tables = `
  CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT NOT NULL, keyHash BLOB NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, name TEXT NOT NULL, foldedName TEXT NOT NULL, phone TEXT,
    number TEXT, company TEXT, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
  ) STRICT;
  CREATE TABLE deals (
    id INTEGER PRIMARY KEY AUTOINCREMENT, contactId INTEGER NOT NULL REFERENCES contacts, title TEXT NOT NULL,
    status TEXT NOT NULL
  ) STRICT;
  CREATE INDEX dealsByContact ON deals (contactId);
  CREATE TABLE activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    contactId INTEGER NOT NULL REFERENCES contacts, ownerId INTEGER NOT NULL REFERENCES users, startTime TEXT NOT NULL,
    durationSeconds INTEGER, direction TEXT, outcome TEXT, dealId INTEGER REFERENCES deals, externalId TEXT,
    createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL, UNIQUE (type, externalId)
  ) STRICT;
`

const oauthTables = `
  CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT, userId INTEGER NOT NULL REFERENCES users, revoked INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE tokens (
    hash BLOB PRIMARY KEY, kind TEXT NOT NULL, grantId INTEGER NOT NULL REFERENCES grants, expiresAt INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0, redirectUri TEXT, challenge TEXT
  ) STRICT;
`

/** API keys and tokens are kept as their SHA-256 only. */
export const keyHash = (key: string): Buffer => createHash('sha256').update(key).digest()

/** A name without what a search does not look at. */
export const foldedName = (name: string): string => name.normalize('NFKC').toLowerCase()

function seed (db: Database.Database, now: string): void {
  const insertUser = db.prepare('INSERT INTO users (name, email, keyHash) VALUES (?, ?, ?)')
  const insertContact = db.prepare(`
    INSERT INTO contacts (type, name, foldedName, phone, number, company, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertDeal = db.prepare('INSERT INTO deals (contactId, title, status) VALUES (?, ?, ?)')

  for (const { name, email, key } of exampleUsers) insertUser.run(name, email, keyHash(key))
  for (const { type, name, phone, number, company, deals } of exampleContacts) {
    const { lastInsertRowid } = insertContact.run(type, name, foldedName(name), phone, number, company, now, now)
    for (const deal of deals) insertDeal.run(lastInsertRowid, deal.title, deal.status)
  }
}

/**
 * Opens the CRM's database; a new one gets its tables and the example records.
 * @param file path of the SQLite file, or `:memory:`
 * @param now ISO 8601, when the example records are made
 */
export function openDatabase (file: string, now: string): Database.Database {
  const db = new Database(file, { timeout: 5_000 })
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')

  db.transaction(() => {
    const version = Number(db.pragma('user_version', { simple: true }))
    if (version < 1) {
      db.exec(tables)
      seed(db, now)
    }
    if (version < 2) db.exec(oauthTables)
    db.pragma('user_version = 2')
  }).immediate()
  return db
}

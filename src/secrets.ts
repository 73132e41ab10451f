/** The server's own secrets: out of the environment, or made at the first start. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError } from './config.ts'
import { Type, TypeCompiler, type Static } from './contract/type.ts'
import { newEncryptionKey, parseEncryptionKeys, type KeyRing } from './db/cipher.ts'
import { databaseFile } from './db/database.ts'

export interface Secrets {
  /** Signs session tokens. */
  sessionSecret: string
  /** Encrypt what must not be read in the database. */
  encryptionKeys: KeyRing
  /** Goes into the hashes of account and extension ids. */
  hashKey: string
  /** Whether this start made the key file. */
  created: boolean
  /** The key file, where some of the secrets come from it. */
  file?: string
}

const KEY_FILE = 'patchbay.keys.json'

/** Operators who move from another server keep its secret, which may be shorter than one that we would make. */
const SHORTEST_SESSION_SECRET = 16

const VARIABLES = { sessionSecret: 'SESSION_SECRET', encryptionKeys: 'ENCRYPTION_KEYS', hashKey: 'HASH_KEY' } as const
type Secret = keyof typeof VARIABLES
const SECRETS = Object.keys(VARIABLES) as Secret[]

const Keys = Type.Object({
  sessionSecret: Type.Optional(Type.String({ minLength: 1 })),
  encryptionKeys: Type.Optional(Type.String({ minLength: 1 })),
  hashKey: Type.Optional(Type.String({ minLength: 1 }))
}, { additionalProperties: false })
type Keys = Static<typeof Keys>
const keysSchema = TypeCompiler.Compile(Keys)

/**
 * The secrets that the environment gives. On a SQLite file the missing ones come from the key file beside it, which the first
 * start of all makes; two processes that start at once end up with the same one.
 * @throws {ConfigError} when a secret is missing or not valid, the key file can be read by others or is damaged, or it is gone
 *   although the database is there
 */
export function loadSecrets (given: { [Name in Secret]?: string | undefined } & { databaseUrl: string }): Secrets {
  const missing = SECRETS.filter(name => !given[name])
  const fromFile = missing.length === 0 ? undefined : keyFile(given.databaseUrl, missing)
  const value = (name: Secret): string => {
    const secret = given[name] || fromFile?.keys[name]
    if (secret) return secret
    throw new ConfigError(VARIABLES[name], `is neither set nor in ${fromFile?.file}: set it to the value that it had`)
  }

  const sessionSecret = value('sessionSecret')
  if (sessionSecret.length < SHORTEST_SESSION_SECRET) {
    throw new ConfigError('SESSION_SECRET', `needs at least ${SHORTEST_SESSION_SECRET} characters`)
  }
  return {
    sessionSecret,
    encryptionKeys: parseEncryptionKeys(value('encryptionKeys')),
    hashKey: value('hashKey'),
    created: fromFile?.created ?? false,
    ...(fromFile && { file: fromFile.file })
  }
}

interface KeyFile { file: string, keys: Keys, created: boolean }

/** The key file beside the database. */
function keyFile (databaseUrl: string, missing: Secret[]): KeyFile {
  const database = databaseFile(databaseUrl)
  if (database === undefined) throw new ConfigError(variables(missing), 'must be set: secrets are made only beside a database file')
  try {
    return openKeyFile(join(dirname(database), KEY_FILE), database, missing)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const reason = error instanceof Error ? error.message : error
    throw new ConfigError('DATABASE_URL', `names a folder in which ${KEY_FILE} cannot be used: ${reason}`)
  }
}

/** Reads the key file, and makes it when there is no database either. */
function openKeyFile (file: string, database: string, missing: Secret[]): KeyFile {
  // The database is looked at first: whoever starts at the same time makes its keys before its database.
  const databaseExists = hasContent(database)
  if (hasContent(file)) return { file, keys: readKeys(file), created: false }
  if (databaseExists) {
    throw new ConfigError(variables(missing), `must be set, because ${file} is gone and ${database} was made with its keys. ` +
      'Put the file back from a backup; with new keys everybody has to connect to the CRM again')
  }
  const created = makeKeys(file, missing)
  return { file, keys: readKeys(file), created }
}

function variables (secrets: Secret[]): string {
  return secrets.map(name => VARIABLES[name]).join(', ')
}

function hasContent (file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0
}

function readKeys (file: string): Keys {
  const problem = (text: string): ConfigError => new ConfigError(variables(SECRETS), `come from ${file}, which ${text}`)
  // Windows has no such modes.
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) throw problem('others may read: chmod 600 it')
  let keys: unknown
  try {
    keys = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw problem('is not JSON: put it back from a backup')
  }
  if (!keysSchema.Check(keys)) throw problem('is damaged: put it back from a backup')
  return keys
}

/**
 * Makes the key file as a whole or, when another process was faster, not at all.
 * @returns whether it was this process
 */
function makeKeys (file: string, names: Secret[]): boolean {
  const make = {
    sessionSecret: () => randomBytes(32).toString('base64url'),
    encryptionKeys: newEncryptionKey,
    hashKey: () => randomBytes(32).toString('base64url')
  }
  const keys: Keys = Object.fromEntries(names.map(name => [name, make[name]()]))
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeFileSync(descriptor, `${JSON.stringify(keys, null, 2)}\n`)
    fsyncSync(descriptor)
    linkSync(draft, file)
    syncFolder(dirname(file))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    closeSync(descriptor)
    unlinkSync(draft)
  }
}

/** Makes a new name in a folder last through a power failure. Windows does that by itself and cannot open folders. */
function syncFolder (folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

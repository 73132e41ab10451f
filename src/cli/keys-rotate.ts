/** `patchbay keys rotate` */
import { existsSync } from 'node:fs'
import { ConfigError, readConfig } from '../config.ts'
import { cipher } from '../db/cipher.ts'
import { databaseFile, openDatabase } from '../db/database.ts'
import { rotateKeys, type Rotation } from '../db/rotate-keys.ts'
import { loadSecrets } from '../secrets.ts'

/** Nobody waits for an answer, and some of its statements read a whole table. Milliseconds. */
const LONGEST_STATEMENT = 10 * 60_000

/**
 * @returns the exit code: 0 when everything is sealed with the first key
 * @throws {ConfigError} when the configuration is not valid or there is no database
 */
export async function rotate (output: { write: (text: string) => unknown }): Promise<number> {
  const config = readConfig()
  const file = databaseFile(config.databaseUrl)
  if (file !== undefined && !existsSync(file)) throw new ConfigError('DATABASE_URL', `names a file that is not there: ${file}`)
  const { encryptionKeys } = loadSecrets(config)
  const keys = cipher(encryptionKeys)
  const database = await openDatabase(config.databaseUrl, LONGEST_STATEMENT)
  try {
    const rotations = await rotateKeys(database, keys)
    output.write(report(rotations, keys.writer))
    return rotations.every(isDone) ? 0 : 1
  } finally {
    await database.close()
  }
}

const isDone = ({ unreadable, remaining }: Rotation): boolean => unreadable.length === 0 && remaining === 0

function report (rotations: readonly Rotation[], key: string): string {
  const lines = rotations.flatMap(({ name, resealed, unreadable, remaining }) => [
    `${name}: ${resealed} sealed anew, ${unreadable.length} unreadable${remaining > 0 ? `, ${remaining} sealed with another key meanwhile` : ''}`,
    ...unreadable.map(identity => `  cannot be read: ${identity}`)
  ])
  const verdict = rotations.every(isDone)
    ? `Everything is sealed with the key "${key}". The other keys can be taken out of ENCRYPTION_KEYS.`
    : rotations.some(({ remaining }) => remaining > 0)
      ? `Somebody still seals with another key than "${key}": restart every server with the new ENCRYPTION_KEYS, then run this again.`
      : 'Bring back the keys of what cannot be read. Without them, its users have to connect again, and to log again what waited; then run this again.\n' +
        'A log that may be in the CRM stays named: nothing but its key can tell what was sent.'
  return `${[...lines, verdict].join('\n')}\n`
}

/** Another Patchbay on the same database: listens, says where, and runs until its input ends. */
import pino from 'pino'
import { buildApp } from '../../src/app.ts'
import { cipher, parseEncryptionKeys } from '../../src/db/cipher.ts'
import { openDatabase } from '../../src/db/database.ts'
import { hashKey, sessionSecret } from '../patchbay.ts'

const [databaseUrl = '', encryptionKeys = '', crmUrl = ''] = process.argv.slice(2)

const app = await buildApp({
  config: { exampleCrmPort: 1, connector: () => ({ url: crmUrl }) },
  database: await openDatabase(databaseUrl),
  cipher: cipher(parseEncryptionKeys(encryptionKeys)),
  sessionSecret,
  hashKey,
  logger: pino({ level: 'silent' })
})
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(app.listeningOrigin)
process.stdin.resume().on('end', () => { app.close().catch(error => { throw error }) })

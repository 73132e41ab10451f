/** The process only: configuration, the Example CRM beside us, listening, a graceful stop. */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import pino, { type Logger } from 'pino'
import { buildApp, originOf } from './app.ts'
import { banner } from './banner.ts'
import { ConfigError, readConfig, type Config } from './config.ts'
import { exampleCrm } from './connectors/example/crm/server.ts'
import { cipher } from './db/cipher.ts'
import { databaseFile, openDatabase } from './db/database.ts'
import { serializers } from './plugins/request-log.ts'
import { loadSecrets } from './secrets.ts'
import { standardOutput } from './standard-output.ts'

/** Kubernetes kills after 30 s. */
const graceTime = 25_000

async function start (): Promise<void> {
  const config = readConfig()
  const output = standardOutput()
  const logger = pino({ level: config.logLevel, serializers }, output)
  const secrets = await loadSecrets(config)
  const database = await openDatabase(config.databaseUrl)
  const crm = await startExampleCrm(config, logger)
  const app = await buildApp({
    config: {
      ...config,
      connector: (platform, region) => ({ ...(platform === 'example' && crm !== undefined && { url: crm.listeningOrigin }), ...config.connector(platform, region) })
    },
    database,
    cipher: cipher(secrets.encryptionKeys),
    sessionSecret: secrets.sessionSecret,
    hashKey: secrets.hashKey,
    logger
  })
  // A connector that asks twice and looks at one answer after the other has left the second to itself: that stops nobody else.
  process.on('unhandledRejection', err => { logger.error({ err }, 'something failed and nobody waited for it') })
  // Left to itself it would log messages of errors, in which a CRM's or a person's words may be.
  const quietly = { error: (problem: unknown) => { problem instanceof Error ? logger.error({ err: problem }, 'stopping failed') : logger.error(problem) } }
  closeWithGrace({ delay: graceTime, logger: quietly, skip: ['unhandledRejection'] }, async ({ err }) => {
    if (err !== undefined) logger.fatal({ err }, 'stopping after an error')
    await app.close()
    await crm?.close()
  })
  await listen(app, config.host, config.port, { host: 'HOST', port: 'PORT' })
  output.write(banner({ server: originOf(app), exampleCrm: crm?.listeningOrigin, keyFile: secrets.created ? secrets.file : undefined }))
}

/** The Example CRM keeps its own file beside our database. */
async function startExampleCrm (config: Config, logger: Logger): Promise<FastifyInstance | undefined> {
  if (config.exampleCrmPort === undefined) return undefined
  const file = join(dirname(databaseFile(config.databaseUrl) ?? join('data', 'patchbay.db')), 'example-crm.db')
  mkdirSync(dirname(file), { recursive: true })
  const { redirectUri } = config.connector('example')
  const redirectUris = [redirectUri, config.publicUrl && `${config.publicUrl}/oauth-callback`].filter(uri => uri !== undefined)
  const crm = exampleCrm({ file, redirectUris, logger: logger.child({ service: 'example-crm' }) })
  await listen(crm, '127.0.0.1', config.exampleCrmPort, { host: 'EXAMPLE_CRM', port: 'EXAMPLE_CRM_PORT' })
  return crm
}

/** @throws {ConfigError} naming the variable that has to be another one */
async function listen (app: FastifyInstance, host: string, port: number, variables: { host: string, port: string }): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new ConfigError(variables.port, `${port} is taken: another program listens there`)
    if (code === 'EACCES') throw new ConfigError(variables.port, `${port} may not be listened on`)
    if (code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL' || code === 'EAI_AGAIN') throw new ConfigError(variables.host, `"${host}" is no address of this machine`)
    throw error
  }
}

try {
  await start()
} catch (error) {
  // What stops a start is something for the operator to read: the message says what is wrong, the stack helps nobody.
  process.stderr.write(`Patchbay cannot start: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

/** Two processes of Patchbay on one database, and the Example CRM that they write into. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import type { Test } from 'tap'
import { exampleCrm, type ExampleCrmOptions } from '../../src/connectors/example/crm/server.ts'
import { newEncryptionKey } from '../../src/db/cipher.ts'
import { typescript, uncounted } from '../typescript.ts'

const script = fileURLToPath(new URL('other-patchbay.ts', import.meta.url))

/** @returns where it listens */
async function startProcess (t: Test, ...options: string[]): Promise<string> {
  const child = spawn(process.execPath, [...typescript, script, ...options], { env: { ...process.env, ...uncounted }, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => { child.stdin.end() })
  return (await createInterface(child.stdout)[Symbol.asyncIterator]().next()).value
}

export interface TwoPatchbays {
  crm: string
  servers: readonly [string, string]
}

export async function startTwoPatchbays (t: Test, crmOptions: Partial<ExampleCrmOptions> = {}): Promise<TwoPatchbays> {
  const folder = t.testdir()
  const crm = exampleCrm({ file: join(folder, 'crm.db'), logger: pino({ level: 'silent' }), ...crmOptions })
  await crm.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => crm.close())
  const options = [`file:${join(folder, 'patchbay.db')}`, newEncryptionKey(), crm.listeningOrigin]
  return { crm: crm.listeningOrigin, servers: await Promise.all([startProcess(t, ...options), startProcess(t, ...options)]) }
}

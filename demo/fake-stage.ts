/** The fake of a CRM, with a Patchbay of its own in front of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { cipher, newEncryptionKey, parseEncryptionKeys } from '../src/db/cipher.ts'
import { openDatabase } from '../src/db/database.ts'
import type { Spent } from '../src/testing/fake-crm.ts'
import type { Stage } from './crm.ts'
import { connectorsDir, fakeOf } from './fake-crms.ts'
import { DemoStopped } from './http.ts'

export interface FakeStage extends Stage {
  readonly spent: () => Spent
}

/** Starts the fake and a server on free ports, with a database that {@link FakeStage.close} deletes. */
export async function startOnFake (platform: string): Promise<FakeStage> {
  const startFakeCrm = await fakeOf(platform)
  const fake = await startFakeCrm()
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  const app = await buildApp({
    config: {
      ...(connectorsDir !== undefined && { connectorsDir }),
      ...(process.env.MANIFESTS_DIR && { manifestsDir: process.env.MANIFESTS_DIR }),
      connector: name => name === platform ? fake.config : {}
    },
    database: await openDatabase(`file:${join(folder, 'patchbay.db')}`),
    cipher: cipher(parseEncryptionKeys(newEncryptionKey())),
    sessionSecret: newEncryptionKey(),
    hashKey: newEncryptionKey()
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { info } = app.connectors.get(platform)

  return {
    patchbayUrl: app.listeningOrigin,
    crm: {
      platform,
      title: info.title,
      logFormat: info.logFormat,
      userId: fake.userId,
      async signIn (patchbay) {
        if ('apiKey' in fake) await patchbay.signInWithKey({ platform, apiKey: fake.apiKey })
        else await patchbay.signInByConsent(await fake.consent(`platform=${platform}`))
      },
      async record (id) {
        const record = fake.records().find(record => record.id === id)
        if (record === undefined) throw new DemoStopped(`The CRM has no record ${id}.`)
        return record
      },
      logsOf: async contactId => fake.records().filter(record => record.contactId === String(contactId)),
      editAsPerson: async (id, edit) => fake.editRecord(id, edit)
    },
    spent: fake.spent,
    async close () {
      await app.close()
      await fake.close()
      rmSync(folder, { recursive: true })
    }
  }
}

/** The fakes of CRMs, which connectors have beside them, and a Patchbay of one's own in front of one. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildApp } from '../src/app.ts'
import { cipher, newEncryptionKey, parseEncryptionKeys } from '../src/db/cipher.ts'
import { openDatabase } from '../src/db/database.ts'
import type { FakeRecord, Spent, StartFakeCrm } from '../src/testing/fake-crm.ts'
import type { CrmRecord, Stage } from './crm.ts'
import { DemoStopped } from './http.ts'

const connectors = join(import.meta.dirname, '..', 'src', 'connectors')
const fakeOf = (platform: string): string => join(connectors, platform, 'fake.ts')

/** The platforms that have a fake. */
export const fakeCrms: readonly string[] = readdirSync(connectors).filter(platform => existsSync(fakeOf(platform))).sort()

export interface FakeStage extends Stage {
  readonly spent: () => Spent
}

/** Starts the fake and a server on free ports, with a database that {@link FakeStage.close} deletes. */
export async function startOnFake (platform: string): Promise<FakeStage> {
  const { startFakeCrm } = await import(pathToFileURL(fakeOf(platform)).href) as { startFakeCrm: StartFakeCrm }
  const fake = await startFakeCrm()
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  const app = await buildApp({
    config: { connector: name => name === platform ? fake.config : {} },
    database: await openDatabase(`file:${join(folder, 'patchbay.db')}`),
    cipher: cipher(parseEncryptionKeys(newEncryptionKey())),
    sessionSecret: newEncryptionKey(),
    hashKey: newEncryptionKey()
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const records = (): CrmRecord[] => fake.records().map(toRecord)

  return {
    patchbayUrl: app.listeningOrigin,
    crm: {
      title: app.connectors.get(platform).info.title,
      signIn: async patchbay => await patchbay.signInByConsent(await fake.consent(`platform=${platform}`)),
      async record (id) {
        const record = records().find(record => record.id === id)
        if (record === undefined) throw new DemoStopped(`The CRM has no record ${id}.`)
        return record
      },
      logsOf: async contactId => records().filter(record => record.contactId === String(contactId)),
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

const toRecord = ({ ownerId, ...record }: FakeRecord): CrmRecord => record

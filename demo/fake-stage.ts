/** The fake of a CRM, with a Patchbay of its own in front of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { cipher, newEncryptionKey, parseEncryptionKeys } from '../src/db/cipher.ts'
import { openDatabase } from '../src/db/database.ts'
import type { Spent } from '../src/testing/fake-crm.ts'
import type { Losable, Stage } from './crm.ts'
import { connectorsDir, fakeOf } from './fake-crms.ts'
import { DemoStopped, ask } from './http.ts'

export interface FakeStage extends Stage {
  readonly spent: () => Spent
}

/** Starts the fake and a server on free ports, with a database that {@link FakeStage.close} deletes. */
export async function startOnFake (platform: string): Promise<FakeStage> {
  const startFakeCrm = await fakeOf(platform)
  let ahead = 0
  const clock = (): number => Date.now() + ahead
  const fake = await startFakeCrm({ clock })
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
    hashKey: newEncryptionKey(),
    clock
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  if (!app.connectors.has(platform)) throw new DemoStopped(`There is a fake "${platform}", but no connector for that platform.`)
  const { info } = app.connectors.get(platform)

  /** @throws {DemoStopped} when the fake is not made of the kit */
  async function faults (method: 'GET' | 'PUT', rules: object[] = []): Promise<object[]> {
    const { status, json } = await ask(method, `${fake.url}/_faults`, method === 'PUT' ? { body: { rules } } : {})
    if (status !== 200) throw new DemoStopped(`The fake of ${info.title} does not misbehave on demand: it has to be made with fakeServer.`)
    return (json as { rules: object[] }).rules
  }

  async function losing (what: Losable, work: () => Promise<unknown>): Promise<boolean> {
    const drop = what === 'request' ? 'before' : 'after'
    const before = fake.records().length
    let isLost = false
    // What comes before the write may be a search by the same method: then one request more is let through.
    for (let passed = 0; passed < 5; passed++) {
      const drops = ['POST', 'PUT'].flatMap(method => [...(passed > 0 ? [{ method, path: '*', times: passed }] : []), { method, path: '*', times: 1, drop }])
      await faults('PUT', drops)
      await work()
      isLost ||= (await faults('GET')).filter(rule => 'drop' in rule).length < 2
      await faults('PUT')
      ahead += info.findDelay ?? 0
      if (fake.records().length > before) break
    }
    return isLost
  }

  return {
    patchbayUrl: app.listeningOrigin,
    crm: {
      platform,
      title: info.title,
      logFormat: info.logFormat,
      userId: fake.userId,
      async signIn (patchbay) {
        if ('consent' in fake) await patchbay.signInByConsent(await fake.consent(`platform=${platform}`))
        else await patchbay.signInWithKey({ ...fake, platform })
      },
      async record (id) {
        const record = fake.records().find(record => record.id === id)
        if (record === undefined) throw new DemoStopped(`The CRM has no record ${id}.`)
        return record
      },
      logsOf: async contactId => fake.records().filter(record => record.contactId === String(contactId)),
      editAsPerson: async (id, edit) => fake.editRecord(id, edit),
      ...(info.dedupe !== 'none' && { losing })
    },
    spent: fake.spent,
    async close () {
      await app.close()
      await fake.close()
      rmSync(folder, { recursive: true })
    }
  }
}

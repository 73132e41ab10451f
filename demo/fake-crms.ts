/** The fakes of CRMs, which connectors have beside them: `<platform>/fake.ts`, here and in the operator's folder of connectors. */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createJiti } from 'jiti'
import type { StartFakeCrm } from '../src/testing/fake-crm.ts'
import { DemoStopped } from './http.ts'

const builtIn = join(import.meta.dirname, '..', 'src', 'connectors')
export const connectorsDir = process.env.CONNECTORS_DIR ? resolve(process.env.CONNECTORS_DIR) : undefined

/**
 * The platforms that have a fake.
 * @throws {DemoStopped} when the operator's folder cannot be read
 */
export const fakeCrms = (): readonly string[] => [...fakesIn(builtIn), ...(connectorsDir === undefined ? [] : fakesIn(connectorsDir))].sort()

const fileOf = (folder: string, platform: string): string => join(folder, platform, 'fake.ts')

function fakesIn (folder: string): string[] {
  try {
    return readdirSync(folder).filter(platform => existsSync(fileOf(folder, platform)))
  } catch (cause) {
    throw new DemoStopped(`The folder of connectors cannot be read. ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Loads the fake of one of {@link fakeCrms}. */
export async function fakeOf (platform: string): Promise<StartFakeCrm> {
  const load = connectorsDir !== undefined && fakesIn(connectorsDir).includes(platform) ? fakeOfOperator : ourFake
  return (await load(platform)).startFakeCrm
}

interface Fake { readonly startFakeCrm: StartFakeCrm }

const ourFake = async (platform: string): Promise<Fake> => await import(pathToFileURL(fileOf(builtIn, platform)).href)

async function fakeOfOperator (platform: string): Promise<Fake> {
  const [patchbay, testing] = await Promise.all([import('../src/patchbay.ts'), import('../src/testing.ts')])
  const jiti = createJiti(import.meta.url, { virtualModules: { patchbay, 'patchbay/testing': testing }, fsCache: false })
  return await jiti.import(fileOf(connectorsDir ?? '', platform))
}

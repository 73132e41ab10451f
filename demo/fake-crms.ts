/** The fakes of CRMs, which connectors have beside them. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StartFakeCrm } from '../src/testing/fake-crm.ts'

const connectors = join(import.meta.dirname, '..', 'src', 'connectors')
const fileOf = (platform: string): string => join(connectors, platform, 'fake.ts')

/** The platforms that have a fake. */
export const fakeCrms: readonly string[] = readdirSync(connectors).filter(platform => existsSync(fileOf(platform))).sort()

/** Loads the fake of one of {@link fakeCrms}. */
export async function fakeOf (platform: string): Promise<StartFakeCrm> {
  const { startFakeCrm } = await import(pathToFileURL(fileOf(platform)).href) as { startFakeCrm: StartFakeCrm }
  return startFakeCrm
}

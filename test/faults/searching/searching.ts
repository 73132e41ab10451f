/** The Example CRM as one that takes no external ids and can only be searched, dropped in as a connector of its own. */
import { readFileSync } from 'node:fs'
import type { PlatformManifest } from '../../../src/contract/manifest.ts'
import { connector } from '../../../src/contract/connector.ts'
import { connectorWith } from '../connectors.ts'

const manifest = JSON.parse(readFileSync(new URL('../../../manifests/example.json', import.meta.url), 'utf8')) as PlatformManifest
const { info, operations } = connectorWith('search', Date.now, 0)

export default connector({ ...info, platform: 'searching', manifest: { ...manifest, name: 'searching' } }, operations)

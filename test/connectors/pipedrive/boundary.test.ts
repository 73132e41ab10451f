import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '..', '..', '..')
const own = /^(src\/connectors|test\/connectors|docs\/crm|manifests)\/pipedrive(\/|\.\w+$)/

await t.test('nothing outside the connector, its manifest, its page and its tests knows of Pipedrive', async t => {
  const below = ['src', 'docs', 'manifests', 'test', 'demo', 'bench', 'scripts']
    .flatMap(folder => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
  const beside = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name)
  const [its, others] = [below.filter(file => own.test(file)), [...below, ...beside].filter(file => !own.test(file))]
  t.ok(its.includes('manifests/pipedrive.json') && its.includes('src/connectors/pipedrive/index.ts'))
  t.strictSame(others.filter(file => /pipedrive/i.test(file + readFileSync(join(root, file), 'latin1'))), [])
})

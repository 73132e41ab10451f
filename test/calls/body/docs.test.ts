import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { formats, fullCall } from './golden.ts'

/** The code blocks of a language in the page, in their order. */
function blocksOf (page: string, language: string): string[] {
  return page.split('\n```').flatMap(part => part.startsWith(`${language}\n`) ? part.slice(language.length + 1) : [])
}

await t.test('the row that docs/log-body.md adds to the table works as the page says', async t => {
  const page = readFileSync('docs/log-body.md', 'utf8')
  const [row = ''] = blocksOf(page, 'ts')
  const lines = (blocksOf(page, 'text')[0] ?? '').split('\n')
  const copy = t.testdir({})
  for (const folder of ['calls/body', 'contract']) cpSync(`src/${folder}`, `${copy}/${folder}`, { recursive: true })
  const table = `${copy}/calls/body/sections.ts`
  const before = "  {\n    id: 'recordingLink'"
  const source = readFileSync(table, 'utf8')
  t.equal(source.split(before).length, 2)
  writeFileSync(table, source.split(before).join(`${row},\n${before}`))

  const { composeCallLog, merge, readSection } = await import(pathToFileURL(`${copy}/calls/body/merge.ts`).href)
  for (const [index, format] of formats.entries()) {
    const line = lines[index] ?? ''
    const options = { format, settings: {} }
    const created = composeCallLog({ ...fullCall, direction: undefined }, options)
    const updated = merge(created.body, created.fingerprints, { direction: 'Inbound' }, options)
    t.ok(updated.body.includes(line), format)
    t.equal(updated.body, composeCallLog(fullCall, options).body, 'it has its place')
    const changed = updated.body.replace('Inbound<', 'mine<').replace(': Inbound\n', ': mine\n')
    t.equal(readSection(changed, format, 'direction'), 'mine')
    t.equal(merge(changed, updated.fingerprints, { direction: 'Outbound' }, options).body, changed, 'it stays as a person left it')
    t.notOk(composeCallLog(fullCall, { format, settings: { addCallLogDirection: { value: false } } }).body.includes(line), 'it can be switched off')
  }
})

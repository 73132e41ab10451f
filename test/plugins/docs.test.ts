import t from 'tap'
import { skip, startBrowser } from '../browser.ts'
import { startPatchbay } from '../patchbay.ts'

await t.test('the reference page shows the operations, and those of each connector', { skip }, async t => {
  const patchbay = await startPatchbay(t)
  const open = await startBrowser(t)
  const page = await open(`${patchbay.url}/docs`)
  page.on('console', message => { if (message.type() === 'error') t.fail(message.text()) })
  await page.getByText('Log a call', { exact: true }).waitFor()
  await page.getByLabel('Select a definition').selectOption({ label: 'Example CRM' })
  await page.getByText('/connectors/example/callLog', { exact: true }).first().waitFor()
  t.equal(await page.title(), 'Patchbay: API reference')
})

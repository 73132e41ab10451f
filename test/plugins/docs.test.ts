import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { skip, startBrowser } from '../browser.ts'
import { startPatchbay } from '../patchbay.ts'

/** A proxy that has the server below a path of its own. */
async function startProxy (t: Test, path: string): Promise<{ url: string, to: (target: string) => void }> {
  let target = ''
  const proxy: Server = createServer((incoming, answer) => {
    const { method, url = '', headers } = incoming
    if (!url.startsWith(`${path}/`)) return answer.writeHead(404).end()
    return request(`${target}${url.slice(path.length)}`, { method, headers }, response => {
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(answer)
    }).end()
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => { proxy.close() })
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}`, to: url => { target = url } }
}

for (const path of ['', '/patchbay']) {
  await t.test(`the reference page below "${path}" shows the operations, and those of each connector`, { skip }, async t => {
    const proxy = await startProxy(t, path)
    const patchbay = await startPatchbay(t, { config: { publicUrl: proxy.url } })
    proxy.to(patchbay.url)
    const open = await startBrowser(t)
    const page = await open(`${proxy.url}/docs`)
    page.on('console', message => { if (message.type() === 'error') t.fail(message.text()) })
    await page.getByText('Log a call', { exact: true }).waitFor()
    await page.getByLabel('Select a definition').selectOption({ label: 'Example CRM' })
    await page.getByText('/connectors/example/callLog', { exact: true }).first().waitFor()
    t.equal(await page.title(), 'Patchbay: API reference')
    await page.getByLabel('Select a definition').selectOption({ label: 'Patchbay' })
    await page.getByText('The version of the server').click()
    await page.getByRole('button', { name: 'Try it out' }).click()
    await page.getByRole('button', { name: 'Execute' }).click()
    await page.getByText(`${proxy.url}/serverVersionInfo`).first().waitFor()
  })
}

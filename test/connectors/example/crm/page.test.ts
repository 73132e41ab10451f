import type { Page } from 'playwright-core'
import t from 'tap'
import { skip, startBrowser } from '../../../browser.ts'
import { aCall, runningCrm } from './running-crm.ts'

await t.test('the page and its files allow no script but their own', async t => {
  const { url } = await runningCrm(t)
  const styles = { '/page.css': 'text/css', '/body.css': 'text/css' }
  const files = { '/': 'text/html', '/page.js': 'text/javascript', '/icon.svg': 'image/svg', ...styles }
  for (const [path, type] of Object.entries(files)) {
    const answer = await fetch(url + path)
    t.match(answer.headers.get('content-type'), type)
    t.match(answer.headers.get('content-security-policy'), "default-src 'none';script-src 'self';")
    t.ok((await answer.text()).length > 0)
  }
  t.match(await (await fetch(url)).text(), '<option value="example-key-ann">Ann Agent</option>')
})

await t.test('a person at the page', { skip }, async t => {
  const { url, call } = await runningCrm(t)
  const openAddress = await startBrowser(t)
  const open = async (hash = '#/'): Promise<Page> => await openAddress(`${url}/${hash}`)

  await t.test('sees the contacts and activities at once, as Ann', async t => {
    await call('POST', '/api/activities', { ...aCall, subject: 'Talk about <b>licences</b>' })
    const page = await open()
    t.equal(await page.getByLabel('Signed in as').inputValue(), 'example-key-ann')
    await page.getByRole('link', { name: 'John Smith +16504445566 · 2 open deals' }).waitFor()
    await page.getByRole('link', { name: 'Lee Wong Lead' }).waitFor()
    await page.getByRole('link', { name: 'Omar Haddad Extension 101' }).waitFor()
    await page.getByRole('link', { name: 'Talk about <b>licences</b> Call · John Smith · 15 Jan 2026, 10:30' }).waitFor()

    await page.getByLabel('Find by name or phone').fill('415 555')
    t.equal(await page.getByRole('navigation').getByRole('link').count(), 2)
    await page.getByRole('link', { name: 'Maria Garcia' }).click()
    await page.getByRole('heading', { name: 'Maria Garcia' }).waitFor()
    await page.getByText('No calls or messages are logged yet.').waitFor()
    t.equal(await page.title(), 'Maria Garcia · Example CRM')
  })

  await t.test('stays signed in as the user chosen', async t => {
    const page = await open()
    await page.getByLabel('Signed in as').selectOption('Bob Broker')
    await page.reload()
    t.equal(await page.getByLabel('Signed in as').inputValue(), 'example-key-bob')
    await call('DELETE', '/_requests')
    await page.reload()
    await page.getByRole('link', { name: 'John Smith' }).first().waitFor()
  })

  await t.test('reads an activity, and no script in its body runs', async t => {
    const { content: activity } = await call('POST', '/api/activities', {
      ...aCall,
      body: '<b>Agent notes</b><br>Kept<script>top.ran = 1</script><img src="x" onerror="top.ran = 2">' +
        '<svg onload="top.ran = 3"></svg>' +
        `<a href="javascript:top.ran=4">script</a> <a href="${url}/health">recording</a>` +
        '<style>body { display: none }</style><meta http-equiv="refresh" content="0;url=/page.css">',
      dealId: 2,
      durationSeconds: 61,
      direction: 'inbound',
      outcome: 'Accepted'
    })
    const page = await open(`#/activities/${activity.id}`)
    const body = page.frameLocator('iframe[title=Body]')
    await body.getByText('Agent notes').waitFor()
    for (const value of ['1 min 1 s', 'inbound', 'Accepted', 'Training days', 'Ann Agent']) {
      await page.getByRole('definition').getByText(value).waitFor()
    }
    await body.getByText('script').click()
    const [popup] = await Promise.all([page.waitForEvent('popup'), body.getByText('recording').click()])
    t.equal(popup.url(), `${url}/health`, 'a link opens beside the CRM')
    t.equal(await page.evaluate('window.ran'), undefined)
    t.equal(await page.evaluate('document.querySelector("iframe").contentWindow.ran'), undefined)
    t.equal(await body.getByText('Agent notes').isVisible(), true, 'its style and its redirect do not count either')
  })

  await t.test('edits subject and body; what was not touched is not sent', async t => {
    const { content: activity } = await call('POST', '/api/activities', { ...aCall, body: 'line 1\r\nline 2' })
    const page = await open(`#/activities/${activity.id}`)
    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByLabel('Subject').fill('')
    await page.getByLabel('Subject').fill(' ')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('alert').getByText('subject: is blank').waitFor()
    await page.getByLabel('Subject').fill('Edited by hand')
    await page.getByLabel('Subject').press('Enter')
    await page.getByRole('heading', { name: 'Edited by hand' }).waitFor()
    await page.getByText('Saved.').waitFor()
    t.match((await call('GET', `/api/activities/${activity.id}`)).content, { subject: 'Edited by hand', body: 'line 1\r\nline 2' })
    const { content: { items: received } } = await call('GET', '/_requests')
    t.same(received.findLast(({ method }: { method: string }) => method === 'PATCH').body, { subject: 'Edited by hand' })

    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByLabel('Body, as HTML').fill('<i>A person’s words</i>')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.frameLocator('iframe[title=Body]').getByText('A person’s words').waitFor()
    t.equal((await call('GET', `/api/activities/${activity.id}`)).content.body, '<i>A person’s words</i>')
  })

  await t.test('keeps what is typed while editing, and saves it as the user chosen meanwhile', async t => {
    const { content: activity } = await call('POST', '/api/activities', aCall)
    const page = await open(`#/activities/${activity.id}/edit`)
    await page.getByLabel('Subject').fill('Typed and not saved')
    const next = page.waitForRequest(() => true)
    await page.getByLabel('Signed in as').selectOption('Bob Broker')
    await page.getByRole('button', { name: 'Save' }).click()
    const request = await next
    t.strictSame([request.method(), request.headers()['authorization']], ['PATCH', `Basic ${btoa('example-key-bob:')}`])
    await page.getByRole('heading', { name: 'Typed and not saved' }).waitFor()
  })

  await t.test('deletes an activity after a question', async t => {
    const { content: activity } = await call('POST', '/api/activities', { ...aCall, contactId: 2 })
    const page = await open(`#/activities/${activity.id}`)
    page.once('dialog', dialog => dialog.dismiss())
    await page.getByRole('button', { name: 'Delete' }).click()
    t.equal((await call('GET', `/api/activities/${activity.id}`)).status, 200)
    page.once('dialog', dialog => dialog.accept())
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { name: 'Jane Smith' }).waitFor()
    t.equal((await call('GET', `/api/activities/${activity.id}`)).status, 404)
  })

  await t.test('is told when something is not there', async t => {
    const page = await open('#/activities/999')
    await page.getByRole('alert').getByText('There is no such activity').waitFor()
    await page.getByRole('link', { name: 'All activities' }).click()
    await page.getByRole('heading', { name: 'Activities' }).waitFor()
    t.equal(page.url(), `${url}/#/`)
  })
})

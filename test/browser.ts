/** A real browser for tests of pages. */
import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const executablePath = '/usr/bin/chromium'
const args = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--no-first-run'
]

/** For the option `skip` of a test: why it cannot run here. */
export const skip = existsSync(executablePath) ? false : `a browser is needed: ${executablePath} is not there`

/** @returns opens pages; an error on one fails the test */
export async function startBrowser (t: Test): Promise<(address: string) => Promise<Page>> {
  const browser = await chromium.launch({ executablePath, args })
  t.teardown(async () => await browser.close())
  return async address => {
    const page = await browser.newPage({ locale: 'en-GB', timezoneId: 'UTC' })
    t.teardown(async () => await page.close())
    page.on('pageerror', error => { t.fail(error.message) })
    page.setDefaultTimeout(10_000)
    await page.goto(address)
    return page
  }
}

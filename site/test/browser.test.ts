// The built site in a browser that reaches nothing but this machine: pages render, the search finds, light and dark.

import { existsSync } from 'node:fs'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pages, type Server, serve } from './site.js'

const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const executablePath = BROWSERS.find(path => existsSync(path))
const isRequired = process.env.WICKED_CACHE_ENGINES === 'required'
if (!executablePath && !isRequired) console.log('Not tested in a browser: Chromium is not installed.')

describe.skipIf(!executablePath && !isRequired)('in Chromium', () => {
  let browser: Browser
  let server: Server

  beforeAll(async () => {
    if (!executablePath) throw new Error('Chromium is not installed.')
    server = await serve()
    const offline = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
    browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', offline] })
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  /** A page, and what goes wrong on it. */
  async function open(path: string, scheme: 'light' | 'dark' = 'light') {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', error => problems.push(String(error)))
    page.on('console', message => message.type() === 'error' && problems.push(message.text()))
    page.on('requestfailed', request => problems.push(`failed: ${request.url()}`))
    page.on('request', request => {
      if (!request.url().startsWith(server.origin) && !request.url().startsWith('data:')) problems.push(request.url())
    })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    await page.goto(`${server.origin}/${path}`, { waitUntil: 'networkidle0' })
    return { page, problems }
  }

  const colours = (page: Page) =>
    page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body)
      return [color, backgroundColor]
    })

  const shown = pages.filter(page => !/^(404|reference\/.*\/|docs\/adr\/\d)/.test(page))

  test.each(shown)('%s renders and requests nothing from other hosts', async path => {
    const { page, problems } = await open(path)
    expect(await page.$eval('main h1', heading => heading.textContent?.length)).toBeGreaterThan(2)
    expect(await page.$('.VPSidebar')).not.toBeNull()
    expect(problems).toEqual([])
    await page.close()
  })

  test('the search finds a heading of the guide and opens it', async () => {
    const { page, problems } = await open('index.html')
    await page.click('.VPNavBarSearch button')
    await page.waitForSelector('#localsearch-input')
    await page.type('#localsearch-input', 'late dependencies')
    const link = await page.waitForSelector('#localsearch-list a[href*="late-dependencies"]')
    await link?.click()
    await page.waitForFunction(() => location.pathname.includes('late-dependencies'))
    expect(await page.$eval('main h1', heading => heading.textContent)).toContain('A dependency that is named late')
    expect(problems).toEqual([])
    await page.close()
  })

  test('follows the light or dark setting of the system and the switch on the page', async () => {
    const light = await open('docs/inputs.html')
    const dark = await open('docs/inputs.html', 'dark')
    const [lightColours, darkColours] = [await colours(light.page), await colours(dark.page)]
    expect(lightColours[0]).not.toBe(darkColours[0])
    expect(lightColours[1]).not.toBe(darkColours[1])
    await light.page.$eval('.VPSwitchAppearance', button => (button as HTMLElement).click())
    await light.page.waitForFunction(() => document.documentElement.classList.contains('dark'))
    expect([...light.problems, ...dark.problems]).toEqual([])
    await Promise.all([light.page.close(), dark.page.close()])
  })
})

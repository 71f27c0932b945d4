// A report as Chromium shows it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gather } from '../../cli/report/gather.js'
import { pageOf } from '../../cli/report/page.js'
import { openCacheSync } from '../../src/index.js'
import { Chromium, isChromiumInstalled } from './chromium.js'

const isRequired = process.env.WICKED_CACHE_ENGINES === 'required'
const isThere = isRequired || isChromiumInstalled()
if (!isThere) console.warn('Chromium is not installed, so reports are not looked at in it.')

/** Text that would run a script, end the page's own or turn the line around, where it were not escaped. */
const HOSTILE = [
  '<img src=x onerror="hacked = 1">',
  '</script><script>hacked = 1</script>',
  `"'><svg onload=hacked=1>`,
  '<!-- <style> ]]> &lt; &amp;',
  'line\u2028separator\u2029and\u0000control\u001b[31m',
  '\u202eright to left\u2066',
  'javascript:hacked=1',
  'src/<b>/../x/y.ts',
]

let chromium: Chromium
let directory: string
let url: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-report-'))
  if (!isThere) return
  const cache = openCacheSync({ dir: join(directory, 'cache') })
  for (const [at, text] of HOSTILE.entries()) {
    const entries = cache.namespace(text, { project: join(directory, text.replaceAll('\0', '')) })
    entries.set(text, 'x'.repeat(1000 + at))
    entries.set('shared', 'y'.repeat(500))
    entries.getOrSetSync(`src/${at}/a.ts`, () => text)
    for (const key of [text, 'missing']) entries.get(key)
  }
  await cache.gc()
  const report = await gather(cache, {
    now: Date.now,
    problems: () => [...HOSTILE],
    onProgress: () => undefined,
  })
  cache.close()
  const file = join(directory, 'report.html')
  writeFileSync(file, pageOf(report, '1.2.3'))
  url = pathToFileURL(file).href
  chromium = await Chromium.start()
})

afterAll(async () => {
  await chromium?.end()
  rmSync(directory, { recursive: true, force: true })
})

const inChromium = isThere ? test : test.skip

inChromium('nothing runs of what keys say, nothing is asked for, and the console stays empty', async () => {
  await chromium.visit(url)
  expect(await chromium.evaluate('typeof hacked')).toBe('undefined')
  expect(await chromium.evaluate(`document.querySelectorAll('script').length`)).toBe(1)
  expect(await chromium.evaluate(`document.querySelectorAll('img, a, iframe, link, b, object').length`)).toBe(0)
  const text = (await chromium.evaluate('document.body.textContent')) as string
  for (const part of [
    '<img src=x onerror="hacked = 1">',
    '</script><script>hacked = 1</script>',
    '<!-- <style> ]]> &lt;',
  ])
    expect(text).toContain(part)
  for (const code of ['\\u2028', '\\u202e', '\\u0000', '\\u001b[31m']) expect(text).toContain(code)
  for (const char of ['\u2028', '\u202e', '\0', '\u001b']) expect(text).not.toContain(char)
  expect(chromium.requests).toEqual([url])
  expect(chromium.said).toEqual([])
})

inChromium('a script that got into the page would not run', async () => {
  await chromium.visit(url)
  await chromium.evaluate(`{
    const script = document.createElement('script')
    script.textContent = 'hacked = 1'
    document.body.append(script)
    document.body.insertAdjacentHTML('beforeend', '<p onclick="hacked = 1">x</p><img src="http://127.0.0.1:9/x">')
    document.body.lastElementChild.previousElementSibling.click()
  }`)
  expect(await chromium.evaluate('typeof hacked')).toBe('undefined')
  expect(chromium.said.join()).toContain('Content Security Policy')
})

inChromium('the map is used with the keyboard', async () => {
  await chromium.visit(url)
  const focused = async () => chromium.evaluate(`document.activeElement.getAttribute('aria-label')`)
  const shownCount = () => chromium.evaluate(`document.querySelectorAll('.cell:not(.away)').length`)
  const status = () => chromium.evaluate(`document.getElementById('map-status').textContent`)
  const all = (await shownCount()) as number
  for (
    let presses = 0;
    presses < 20 && !(await chromium.evaluate(`document.activeElement.matches('.cell')`));
    presses++
  )
    await chromium.press('Tab')
  expect(await focused()).toMatch(/^All All namespaces: /)
  await chromium.press('ArrowRight')
  expect(await focused()).toMatch(/^Namespace /)
  const first = await focused()
  await chromium.press('ArrowDown')
  expect(await focused()).not.toBe(first)
  await chromium.press('ArrowUp')
  expect(await focused()).toBe(first)
  await chromium.press('Enter')
  expect(await shownCount()).toBeLessThan(all)
  expect(await chromium.evaluate(`document.getElementById('map-back').hidden`)).toBe(false)
  await chromium.press('ArrowRight')
  expect(await focused()).toMatch(/^Project /)
  expect(await status()).toMatch(/ › .+: /)
  await chromium.press('Escape')
  expect(await shownCount()).toBe(all)
  // It is one stop of the Tab key.
  await chromium.press('Tab')
  expect(await chromium.evaluate(`document.activeElement.matches('.cell')`)).toBe(false)
})

inChromium('no width makes the page scroll sideways, also with all details open', async () => {
  await chromium.visit(url)
  await chromium.evaluate(`document.querySelectorAll('details').forEach(each => { each.open = true })`)
  for (const width of [320, 360, 700, 1200]) {
    await chromium.resize(width)
    expect(await chromium.evaluate('document.documentElement.scrollWidth'), `${width}`).toBeLessThanOrEqual(width)
  }
})

/** WCAG's contrast of text with what is behind it, of all texts in the page the least. */
const LEAST_CONTRAST = `{
  const channels = colour => colour.match(/[\\d.]+/g).map(Number)
  const luminance = colour => {
    const [r, g, b] = channels(colour).slice(0, 3).map(c => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = element => {
    const rect = element.closest('.cell')?.querySelector('rect')
    if (rect) return getComputedStyle(rect).fill
    for (let each = element; each; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each)
      if ((channels(backgroundColor)[3] ?? 1) > 0) return backgroundColor
    }
  }
  const texts = [...document.querySelectorAll('h1, h2, h3, p, dt, dd, th, td, caption, summary, figcaption, li, .cell > text')]
  Math.min(...texts.map(element => {
    const style = getComputedStyle(element)
    const [a, b] = [element.closest('.cell') ? style.fill : style.color, behind(element)].map(luminance).sort((x, y) => y - x)
    return (a + 0.05) / (b + 0.05)
  }))
}`

inChromium('light and dark are as the reader prefers, and both can be read', async () => {
  const colours: unknown[] = []
  for (const scheme of ['light', 'dark'] as const) {
    await chromium.prefer(scheme)
    await chromium.visit(url)
    colours.push(await chromium.evaluate('getComputedStyle(document.body).backgroundColor'))
    expect(await chromium.evaluate(LEAST_CONTRAST), scheme).toBeGreaterThan(4.5)
  }
  expect(colours).toEqual(['rgb(247, 247, 245)', 'rgb(22, 25, 29)'])
})

inChromium('screen readers find headings in order, tables with titles, and a text for each picture', async () => {
  await chromium.visit(url)
  const found = (await chromium.evaluate(`({
    lang: document.documentElement.lang,
    title: document.title,
    levels: [...document.querySelectorAll('h1, h2, h3')].map(each => Number(each.tagName[1])),
    tables: document.querySelectorAll('table').length,
    withoutCaption: [...document.querySelectorAll('table')].filter(each => !each.caption?.textContent).length,
    headersWithoutScope: document.querySelectorAll('th:not([scope])').length,
    rowsWithoutHeader: [...document.querySelectorAll('tbody tr')].filter(each => !each.querySelector('th')).length,
    picturesWithoutText: [...document.querySelectorAll('svg')].filter(each => !each.ariaHidden && !each.getAttribute('aria-label')).length,
    unnamedSections: [...document.querySelectorAll('section')].filter(each => !each.ariaLabel && !document.getElementById(each.getAttribute('aria-labelledby'))?.textContent).length,
    doubleIds: [...document.querySelectorAll('[id]')].length - new Set([...document.querySelectorAll('[id]')].map(each => each.id)).size,
  })`)) as Record<string, unknown> & { levels: number[]; tables: number }
  expect(found).toMatchObject({
    lang: 'en',
    title: 'Cache report',
    withoutCaption: 0,
    headersWithoutScope: 0,
    rowsWithoutHeader: 0,
    picturesWithoutText: 0,
    unnamedSections: 0,
    doubleIds: 0,
  })
  expect(found.tables).toBeGreaterThan(8)
  expect(found.levels.filter(level => level === 1)).toHaveLength(1)
  for (const [at, level] of found.levels.entries()) expect(level - (found.levels[at - 1] ?? 0)).toBeLessThanOrEqual(1)
})

inChromium('everything is there in print', async () => {
  await chromium.visit(url)
  const { data } = await chromium.send('Page.printToPDF', {})
  expect(Buffer.from(data as string, 'base64').toString('latin1', 0, 5)).toBe('%PDF-')
  const closed = await chromium.evaluate(`document.querySelectorAll('details:not([open])').length`)
  expect(closed).toBe(0)
})

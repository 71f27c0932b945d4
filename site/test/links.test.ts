// Every link of the built site leads somewhere, and the site loads nothing from elsewhere.

import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { files, pages, read } from './site.js'

const attributesOf = (html: string, name: string) =>
  Array.from(html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g')), ([, value = '']) => value.replaceAll('&amp;', '&'))

const idsByPage = new Map(pages.map(page => [page, new Set(attributesOf(read(page), 'id'))]))

/** What is wrong with a link of a page, if anything. */
function problemOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined
  const [path = '', anchor = ''] = link.split('#').map(decodeURIComponent)
  const from = path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(page), path).replace(/^\.\//, '')
  const target = path === '' ? page : /(^|\/)$/.test(from) ? `${from}index.html` : from
  if (!files.includes(target)) return `${page}: ${link} (no file)`
  const hasHeading = anchor === '' || idsByPage.get(target)?.has(anchor)
  return hasHeading ? undefined : `${page}: ${link} (no heading)`
}

test('the guide, the decisions and the reference have pages', () => {
  for (const page of ['index.html', 'docs/getting-started.html', 'docs/adr/index.html', 'reference/index.html'])
    expect(pages).toContain(page)
  expect(pages.length).toBeGreaterThan(100)
})

test('every link leads to a page and a heading that exist', () => {
  const problems = pages.flatMap(page => attributesOf(read(page), 'href').flatMap(link => problemOf(page, link) ?? []))
  expect([...new Set(problems)]).toEqual([])
})

test('the check reports links to missing pages and headings', () => {
  expect(problemOf('docs/inputs.html', './none.html')).toContain('no file')
  expect(problemOf('docs/inputs.html', '../index.html#none')).toContain('no heading')
  expect(problemOf('docs/inputs.html', '#the-question')).toBeUndefined()
})

test('scripts, styles, fonts and images come from the site itself', () => {
  for (const page of pages) {
    const html = read(page)
    const tags = html.match(/<(?:script|link|img|source|iframe)\b[^>]*>/g) ?? []
    const loaded = tags.flatMap(tag => [...attributesOf(tag, 'src'), ...attributesOf(tag, 'href')])
    expect(loaded.length).toBeGreaterThan(0)
    expect(loaded.filter(url => /^([a-z]+:)?\/\//.test(url) && !url.startsWith('data:'))).toEqual([])
  }
  const styles = files.filter(file => file.endsWith('.css'))
  expect(styles.length).toBeGreaterThan(0)
  for (const style of styles) expect(read(style)).not.toMatch(/url\(["']?(https?:)?\/\//)
})

test('every page of the repository is in the menu', () => {
  const menu = attributesOf(read('index.html'), 'href')
  const guide = pages.filter(page => /^docs\/(hosts\/)?[^/]+\.html$/.test(page))
  expect(guide.length).toBeGreaterThan(30)
  expect(guide.filter(page => !menu.includes(`/${page}`))).toEqual([])
})

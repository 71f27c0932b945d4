// Lays the Markdown of the repository out as the site has it. Pages keep their places, so their relative links lead where they do in
// the repository. README.md becomes the index of its directory.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'src/FORMAT.md', 'bench/RESULTS.md']
const ASSETS = ['bench/results.svg', 'docs/report.png', 'LICENSE']

/**
 * @param {string} root the repository
 * @param {string} out a directory that is replaced
 */
export function stagePages(root, out) {
  rmSync(out, { recursive: true, force: true })
  const guide = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const pages = [...PAGES, ...guide.filter(name => name.endsWith('.md')).map(name => join('docs', name))]
  for (const page of pages) {
    const target = join(out, page.replace(/README\.md$/, 'index.md'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, pageText(readFileSync(join(root, page), 'utf8')))
  }
  for (const asset of ASSETS) cpSync(join(root, asset), join(out, asset))
}

/** @param {string} markdown */
export function pageText(markdown) {
  return markdown.replace(/(\]\([^()\s:]*)\bREADME\.md/g, '$1index.md')
}

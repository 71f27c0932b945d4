// Installs the examples, with the package as it is published, and runs them: `npm run examples`. Writes the tables
// of docs/hosts.md and of the pages below docs/hosts.
//
//   npm run examples -- eslint vite   some of them
//   npm run examples -- --check       writes nothing, leaves the tools' own caches out; fails if the pages have other rows

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install } from '../test/package/smoke-on-node.mjs'
import { shapeOf, withTables } from './tables.mjs'

const here = import.meta.dirname
const docs = join(here, '..', 'docs')
const { workspaces } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
const args = process.argv.slice(2)
const isCheck = args.includes('--check')
const named = args.filter(arg => !arg.startsWith('--'))
const temporary = mkdtempSync(join(tmpdir(), 'wicked-cache-examples-'))

try {
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], { cwd: here, stdio: 'inherit' })
  // npm keeps the copy of the package that it has, though the checkout has changed.
  const target = join(here, 'node_modules', 'wicked-cache')
  install(temporary)
  rmSync(target, { recursive: true, force: true })
  cpSync(join(temporary, 'node_modules', 'wicked-cache'), target, { recursive: true })

  const rows = join(temporary, 'rows')
  writeFileSync(rows, '')
  const failed = workspaces
    .filter(name => named.length === 0 || named.includes(name))
    .filter(name => {
      const env = { ...process.env, EXAMPLES_FILE: rows, ...(isCheck && { EXAMPLES_PEERS: 'off' }) }
      return spawnSync(process.execPath, ['demo.mjs'], { cwd: join(here, name), stdio: 'inherit', env }).status !== 0
    })
  if (failed.length > 0) {
    console.error(`These don't work: ${failed.join(', ')}`)
    process.exitCode = 1
  } else if (named.length === 0) {
    const lines = readFileSync(rows, 'utf8').trim().split('\n')
    const pages = pagesOf(lines.map(line => JSON.parse(line)))
    if (isCheck) check(pages)
    else for (const [path, text] of pages) writeFileSync(join(docs, path), text)
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

/** docs/hosts.md has all rows, and each page below docs/hosts those of its own. */
function pagesOf(rows) {
  const read = path => readFileSync(join(docs, path), 'utf8')
  const index = withTables(read('hosts.md'), rows, ({ page, host }) => `[${host}](hosts/${page}.md)`)
  const names = [...new Set(rows.map(({ page }) => page))].map(page => `hosts/${page}.md`)
  const ownRows = name => rows.filter(({ page }) => name === `hosts/${page}.md`)
  return new Map([['hosts.md', index], ...names.map(name => [name, withTables(read(name), ownRows(name))])])
}

function check(pages) {
  const stale = [...pages].filter(([path, text]) => shapeOf(text) !== shapeOf(readFileSync(join(docs, path), 'utf8')))
  if (stale.length === 0) return
  console.error(`Other rows than in docs: ${stale.map(([path]) => path).join(', ')}. Write them with npm run examples.`)
  process.exitCode = 1
}

// `npm run examples` runs the projects below examples/ and writes the tables in docs/hosts.md and the pages below docs/hosts.
// These tests check that the tables show all examples with the same figures.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shapeOf, tablesOf, withTables } from '../examples/tables.mjs'
import { projectRoot } from './support/children.js'
import { read } from './support/documents.js'

const { workspaces } = JSON.parse(read('examples/package.json')) as { workspaces: string[] }
const pages = readdirSync(join(projectRoot, 'docs', 'hosts')).map(name => name.replace('.md', ''))
const SECTIONS = ['What it gains', "What isn't cached", 'When something is off']

test.each(workspaces)('the example %s has a start script, a demo and a short README', name => {
  const directory = join(projectRoot, 'examples', name)
  expect(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).scripts.start).toBe('node demo.mjs')
  expect(existsSync(join(directory, 'demo.mjs'))).toBe(true)
  expect(readFileSync(join(directory, 'README.md'), 'utf8').split('\n').length).toBeLessThan(20)
})

/** Rows of the index, without header, by the page that the first cell leads to. */
const rows = tablesOf(read('docs/hosts.md'))
  .split('\n')
  .flatMap(line => {
    const [, name = '', page = '', rest = ''] = /^\| \[(.+?)\]\(hosts\/([\w-]+)\.md\) (\|.*)$/.exec(line) ?? []
    return page === '' ? [] : [{ page, text: `| ${name} ${rest}`, cells: rest.split('|').map(cell => cell.trim()) }]
  })

test('the warm run hits in each row of the table', () => {
  const own = rows.filter(({ cells }) => cells.length === 8)
  expect(own.length).toBeGreaterThanOrEqual(workspaces.length)
  for (const { cells } of own) {
    expect(cells[1]).toBe('yes')
    expect(cells[6]).toMatch(/^[1-9]\d* of \d+$/)
  }
})

test("the tools' own caches are in the table too", () => {
  const peers = rows.filter(({ cells }) => cells.length === 9)
  const names = new Set(peers.map(({ page }) => page))
  expect([...names]).toEqual(expect.arrayContaining(['eslint', 'webpack', 'babel-loader', 'jest', 'metro']))
})

test.each(pages)('the page of %s has its rows of the index and all sections', page => {
  const text = read(`docs/hosts/${page}.md`)
  const shown = tablesOf(text)
    .split('\n')
    .filter(line => line !== '' && !/^\| (host|---) /.test(line))
  const expected = rows.filter(each => each.page === page)
  expect(expected.length).toBeGreaterThan(0)
  expect(shown).toEqual(expected.map(each => each.text))
  const sections = Array.from(text.matchAll(/^## (.+)$/gm), ([, title]) => title)
  expect(sections.slice(-SECTIONS.length)).toEqual(SECTIONS)
  expect(text).toContain('npm install')
})

test('tables are written only between their comments', () => {
  const figures = { cold: '2 s', warm: '1 s', ratio: '0.50' }
  const peers = [{ ...figures, name: 'its own', isRight: false }]
  const row = { ...figures, page: 'a', host: 'A 1', without: '2 s', hits: '3 of 3', peers }
  const empty = 'before\n<!-- examples: start -->\n<!-- examples: end -->\nafter\n'
  const text = withTables(empty, [row])
  expect(text).toMatch(/^before\n[\s\S]*\| A 1 \| yes \| 2 s \| 2 s \| 1 s \| 0\.50 \| 3 of 3 \|\n[\s\S]*after\n$/)
  expect(text).toContain('| A 1 | its own | 2 s | 1 s | 0.50 | 1 s | 0.50 | **no** |\n')
  expect(withTables(text, [row])).toBe(text)
  expect(() => withTables('nothing', [row])).toThrow('A page needs one')
  // A check measures other figures, and leaves out the caches that tools have themselves.
  const measured = { ...row, host: 'A 2.0', without: '350 ms', cold: '0.5 s', hits: '10 of 12', peers: [] }
  expect(shapeOf(withTables(empty, [measured]))).toBe(shapeOf(text))
  expect(shapeOf(withTables(empty, [{ ...measured, host: 'B 1' }]))).not.toBe(shapeOf(text))
  expect(shapeOf(withTables(empty, [measured, row]))).not.toBe(shapeOf(text))
})

// `npm run examples` runs the projects below examples/ and writes the table of docs/hosts.md. Here: that it shows them all.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from './support/children.js'
import { read } from './support/documents.js'

const { workspaces } = JSON.parse(read('examples/package.json')) as { workspaces: string[] }

test.each(workspaces)(
  'the example %s is a project with its tool, a README of a few lines, and a program that shows it',
  name => {
    const directory = join(projectRoot, 'examples', name)
    expect(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).scripts.start).toBe('node demo.mjs')
    expect(existsSync(join(directory, 'demo.mjs'))).toBe(true)
    expect(readFileSync(join(directory, 'README.md'), 'utf8').split('\n').length).toBeLessThan(20)
  },
)

test('the table has rows for all examples, and in each of them the warm run hits', () => {
  const [, table = ''] = /<!-- examples: start -->\n(.*?)<!-- examples: end -->/s.exec(read('docs/hosts.md')) ?? []
  const [, , ...rows] = table.trim().split('\n')
  expect(rows.length).toBeGreaterThanOrEqual(workspaces.length)
  for (const row of rows) {
    const [, , works, , , , , hits = ''] = row.split('|').map(cell => cell.trim())
    expect(works).toBe('yes')
    expect(hits).toMatch(/^[1-9]\d* of \d+$/)
  }
})

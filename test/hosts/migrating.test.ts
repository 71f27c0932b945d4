// The examples of docs/migrating.md: a program prints the same with the other library and with this one, in the first and the
// second run. The second run with this library computes nothing.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blocksOf } from '../support/documents.js'
import { Project } from './support.js'

const page = join(import.meta.dirname, '..', '..', 'docs', 'migrating.md')
const blocks = blocksOf('docs/migrating.md', readFileSync(page, 'utf8'))
const programOf = (when: 'before' | 'after', name: string) =>
  blocks.find(({ comment }) => comment === `${when}: ${name}`)?.text ?? ''
const names = blocks.flatMap(({ comment }) => /^before: (.+)$/.exec(comment)?.[1] ?? [])

const FILES = {
  'src/a.js': 'export const a = 1\nexport const c = a ?? 3\n',
  'src/b.js': 'export const b = 2\n',
  'src/app.js': `import { a } from './a.js'\nconsole.log(a)\n`,
}

/** Builds with the program as webpack's configuration. */
const WEBPACK = `
require('webpack')(require('./program.cjs')).run((error, stats) => {
  if (error || stats.hasErrors()) throw error ?? stats.toString()
  console.log(require('node:fs').readFileSync('dist/main.js', 'utf8'))
})`

function projectWith(program: string): { project: Project; run: () => Promise<string> } {
  const isConfiguration = program.startsWith('module.exports')
  const files = isConfiguration ? { 'program.cjs': program, 'run.cjs': WEBPACK } : { 'program.mjs': program }
  const project = new Project({ ...FILES, ...files })
  return { project, run: () => project.node([isConfiguration ? 'run.cjs' : 'program.mjs']) }
}

test('each library has one example before and one after', () => {
  expect(names).toEqual(['file-entry-cache', 'flat-cache', 'cacache', 'keyv', 'babel-loader'])
  expect(blocks.filter(({ comment }) => comment.startsWith('after: '))).toHaveLength(names.length)
})

describe.each(names)('%s', name => {
  test('the program prints the same before and after, and finds what it stored', async () => {
    const before = projectWith(programOf('before', name))
    const after = projectWith(programOf('after', name))
    const expected = await before.run()
    expect(expected.trim()).not.toBe('')
    expect(await before.run()).toBe(expected)
    expect(await after.run()).toBe(expected)
    const first = after.project.counts()
    expect(first.misses).toBeGreaterThan(0)
    expect(await after.run()).toBe(expected)
    const second = after.project.counts()
    expect(second.misses).toBe(first.misses)
    expect(second.hits).toBeGreaterThan(first.hits)
  })
})

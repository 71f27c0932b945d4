// Analyses and wrapped calls are found and explained by their file, name or arguments.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'

function project() {
  const dir = temporaryDirectory()
  writeFileSync(join(dir, 'package.json'), '{}')
  mkdirSync(join(dir, 'src'))
  const file = join(dir, 'src', 'a b.js')
  writeFileSync(file, 'one')
  const { cache } = openAsAnotherProcess(join(dir, 'cache'))
  const handle = (version: string) => cache.namespace('tool', { version, project: dir })
  return { dir, file, cache, handle, entries: handle('1') }
}

test('finds the analyses of a file, all of them or by name', () => {
  const { dir, file, entries, handle } = project()
  const other = join(dir, 'src', 'b.js')
  writeFileSync(other, 'other')
  entries.analyzeSync('imports', file, () => 1)
  entries.analyzeSync('outline', file, () => 2)
  entries.analyzeSync('outline of a', other, () => 3)
  handle('2').analyzeSync('imports', file, () => 4)
  const shown = (asked: { file: string; name?: string }) =>
    entries
      .find(asked)
      .map(({ name, key, version }) => `${name} | ${key} | ${version}`)
      .sort()
  expect(shown({ file })).toEqual([
    'imports | imports src/a b.js | 1',
    'imports | imports src/a b.js | 2',
    'outline | outline src/a b.js | 1',
  ])
  expect(shown({ file, name: 'imports' })).toEqual([
    'imports | imports src/a b.js | 1',
    'imports | imports src/a b.js | 2',
  ])
  expect(shown({ file: other })).toEqual(['outline of a | outline of a src/b.js | 1'])
  expect(shown({ file, name: 'nothing' })).toEqual([])
  expect(() => entries.find({ file, nam: 'x' } as never)).toThrow('did you mean "name"')
})

test('finds and explains an analysis with anywhere by its file while the content is the same', () => {
  const { file, entries } = project()
  entries.analyzeSync('imports', file, () => 1, { anywhere: true })
  expect(entries.find({ file })).toMatchObject([{ name: 'imports', origin: 'analyze' }])
  expect(entries.explain({ name: 'imports', file })).toMatchObject({ isHit: true, key: 'imports src/a b.js' })
  writeFileSync(file, 'two')
  expect(entries.find({ file })).toEqual([])
  expect(entries.explain({ name: 'imports', file })).toMatchObject({ isHit: false, reason: 'never-set' })
})

test('explains a wrapped call by its arguments', () => {
  const { dir, entries } = project()
  const source = join(dir, 'theme.json')
  writeFileSync(source, 'dark')
  const call = entries.wrapSync('highlight', (text: string, options: object) => [text, options], { files: [source] })
  call('x', { a: 1 })
  const asked = { name: 'highlight', args: ['x', { a: 1 }] }
  expect(entries.explain(asked)).toMatchObject({ isHit: true })
  expect(entries.explain({ ...asked, args: ['y'] })).toMatchObject({ isHit: false, key: 'highlight("y")' })
  writeFileSync(source, 'light')
  expect(entries.explain(asked)).toMatchObject({ isHit: false, reason: 'source-changed', file: source })
  expect(() => entries.explain({ name: 'highlight', args: 'x' } as never)).toThrow('args must be')
})

test('reports an analysis and a portable key of an earlier version as version-changed', () => {
  const { dir, file, cache, entries, handle } = project()
  entries.analyzeSync('imports', file, () => 1)
  expect(handle('2').explain({ name: 'imports', file })).toMatchObject({
    reason: 'version-changed',
    otherVersions: ['1'],
  })
  const portable = (version: string) => cache.namespace('portable', { version, portable: true, project: dir })
  portable('1').getOrSetSync('key', ctx => ctx.readFile(file))
  expect(portable('2').explain('key')).toMatchObject({ reason: 'version-changed', otherVersions: ['1'] })
  handle('2').analyzeSync('imports', file, () => 1)
  portable('2').getOrSetSync('key', ctx => ctx.readFile(file))
  for (const name of ['tool', 'portable']) {
    expect(cache.namespace(name).stats().missReasons).toEqual({ 'never-set': 1, 'version-changed': 1 })
  }
})

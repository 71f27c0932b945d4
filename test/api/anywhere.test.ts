// Analyses with `anywhere`, which identifies files by content alone.

import { expect, test } from 'vitest'
import type { AnalyzeContext, Namespace } from '../../src/index.js'
import { checkouts } from '../support/projects.js'

const shout = ({ source }: AnalyzeContext) => source.toUpperCase()

/** What the call gives, or the code of the error that it throws. */
function errorCode(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

test('an analysis of an empty file is not used after the file is removed or replaced', () => {
  const { tree, one } = checkouts({ 'package.json': '{}', 'src/a.js': '' })
  const path = tree.at('one/src/a.js')
  const ask = () => one.analyzeSync('shout', path, shout, { anywhere: true })
  const outer = () => one.getOrSetSync('outer', () => errorCode(ask))
  expect([ask(), outer()]).toEqual(['', ''])
  tree.remove('one/src/a.js')
  expect([ask, outer].map(errorCode)).toEqual(['ENOENT', 'ENOENT'])
  tree.write({ 'one/src/a.js/': '' })
  expect([ask, outer].map(errorCode)).toEqual(['EISDIR', 'EISDIR'])
  tree.remove('one/src/a.js')
  tree.write({ 'one/src/a.js': 'b' })
  expect([ask(), outer()]).toEqual(['B', 'B'])
})

test('an analysis is found by content alone and depends on its other inputs', () => {
  const { tree, one, two } = checkouts()
  tree.write({ 'two/lib/b.ts': 'a', 'two/config': '2' })
  const calls: string[] = []
  const ask = (entries: Namespace, file: string) =>
    entries.analyzeSync('any', tree.at(file), ({ source }) => calls.push(source) && source, { anywhere: true })
  expect([ask(one, 'one/src/a.js'), ask(two, 'two/lib/b.ts'), ask(two, 'two/src/a.js')]).toEqual(['a', 'a', 'a'])
  expect(calls).toEqual(['a'])
  const withConfig = (entries: Namespace, name: string, file: string) =>
    entries.analyzeSync(
      'with',
      tree.at(`${name}/${file}`),
      ({ source, readFile }) => source + readFile(tree.at(`${name}/config`)),
      { anywhere: true },
    )
  for (let i = 0; i < 2; i++) {
    expect(withConfig(one, 'one', 'src/a.js')).toBe('a1')
    expect(withConfig(two, 'two', 'lib/b.ts')).toBe('a2')
  }
})

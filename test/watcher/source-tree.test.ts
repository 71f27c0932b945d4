// Watched sources by path, compared as the system compares names: an event has the name on disk, an entry the given one.

import { afterEach, expect, test, vi } from 'vitest'

const { platform } = process

afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform })
  vi.resetModules()
})

async function sourceTreeOn(name: NodeJS.Platform) {
  Object.defineProperty(process, 'platform', { value: name })
  vi.resetModules()
  return import('../../src/watcher/source-tree.js')
}

const COMPOSED = '/Users/Ren\u00e9/project/caf\u00e9.js'
const DECOMPOSED = COMPOSED.normalize('NFD')

test.each([
  ['darwin', true],
  ['linux', false],
] as const)('on %s, a name with another Unicode form or case refers to the same source: %s', async (name, isSame) => {
  const { SourceTree, isWithin } = await sourceTreeOn(name)
  const tree = new SourceTree<string>()
  tree.add(COMPOSED, 'one')
  expect(tree.at(COMPOSED)?.path).toBe(COMPOSED)
  for (const path of [DECOMPOSED, COMPOSED.toUpperCase()]) {
    expect(tree.at(path)?.users).toEqual(isSame ? new Set(['one']) : undefined)
    expect(isWithin(path, '/Users/Ren\u00e9')).toBe(isSame)
  }
  const below = tree.within('/Users/Ren\u00e9/project'.normalize('NFD'))
  expect([...below].map(({ path }) => path)).toEqual(isSame ? [COMPOSED] : [])
})

test.each(['darwin', 'linux'] as const)(
  'on %s, a source is forgotten with its last user, whichever form of the name it used',
  async name => {
    const { SourceTree } = await sourceTreeOn(name)
    const tree = new SourceTree<string>()
    const one = tree.add(COMPOSED, 'one')
    const two = tree.add(DECOMPOSED, 'two')
    expect(tree.size).toBe(name === 'darwin' ? 1 : 2)
    tree.remove(two, 'two')
    expect(tree.at(COMPOSED)?.users).toEqual(new Set(['one']))
    tree.remove(one, 'one')
    expect([tree.size, ...tree.all()]).toEqual([0])
  },
)

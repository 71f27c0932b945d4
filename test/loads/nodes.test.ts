// On each version of Node that `engines` allows.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NODES, newProject, nodeOf, removeDirectories, run } from './support.js'

let directory: string
beforeAll(() => {
  directory = newProject()
})
afterAll(removeDirectories)

describe.each(NODES)('on Node %s', version => {
  const node = (...args: string[]) => run(nodeOf(version), args, directory)

  test('node --version reports that version', async () => {
    expect(await node('--version')).toMatch(new RegExp(`^v${version.replace('.', '\\.')}\\.`))
  })

  test.each([
    [['main.mjs']],
    [['main.cjs']],
    [['worker.mjs']],
    [['foreign.cjs']],
    [['--disallow-code-generation-from-strings', 'main.mjs']],
  ])('%j prints all is well, without a warning', async args => {
    // Nor any warning of Node.
    expect(await node(...args)).toBe('all is well\n')
  })
})

// A nested computation may use the context of the outer one, by mistake or because a helper closes over it.

import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { AnalyzeContext } from '../../src/index.js'
import { twoProjects } from '../support/projects.js'

type OuterLook = [string, (context: AnalyzeContext, dir: string) => unknown, (put: (path: string) => void) => void]
const OUTER_LOOKS: OuterLook[] = [
  ['readFile', ({ readFile }, dir) => readFile(join(dir, 'file')), put => put('a/file')],
  ['readBytes', ({ readBytes }, dir) => String(readBytes(join(dir, 'file'))), put => put('a/file')],
  ['exists', ({ exists }, dir) => exists(join(dir, 'new')), put => put('a/new')],
  ['readDirectory', ({ readDirectory }, dir) => readDirectory(dir), put => put('a/new')],
  ['glob', ({ glob }) => glob('**/*.new'), put => put('a/src/x.new')],
  ['env', ({ env }) => env('NESTED_INPUTS_TEST') ?? 'none', () => vi.stubEnv('NESTED_INPUTS_TEST', 'x')],
  ['source', ({ source }) => source, put => put('a/src/file')],
  ['bytes', ({ bytes }) => String(bytes), put => put('a/src/file')],
]

describe.each(OUTER_LOOKS)('a nested computation that uses the context of the outer one: %s', (_what, look, change) => {
  test.each([false, true])('depends on what it reads through it (anywhere: %s)', async anywhere => {
    const { base, cache, put, in: enter } = twoProjects()
    enter('a')
    const ns = cache.namespace('n')
    const dir = join(base, 'a')
    const plain = (context: AnalyzeContext) =>
      ns.getOrSetSync('sync', () => ns.getOrSetSync('deep', () => look(context, dir)))
    const later = (context: AnalyzeContext) => ns.getOrSet('async', async () => (await null) ?? look(context, dir))
    const ask = () =>
      ns.analyze('outer', 'src/file', async context => [plain(context), await later(context)], { anywhere })
    const first = await ask()
    expect(first[0]).toEqual(first[1])
    expect(await ask()).toEqual(first)
    change(path => put(path, 'another'))
    const second = await ask()
    expect(second[0]).not.toEqual(first[0])
    expect(second[1]).toEqual(second[0])
    vi.unstubAllEnvs()
  })
})

test('a nested result that uses ctx.path of the outer analysis is not reused for another file', () => {
  const { base, cache, in: enter } = twoProjects()
  enter('a')
  const ns = cache.namespace('n')
  const ask = (name: string) =>
    ns.analyzeSync('outer', join(base, 'a', name), context => [
      ns.getOrSetSync('path', () => context.path),
      ns.getOrSetSync('relative path', () => context.relativePath),
    ])
  for (const name of ['file', 'src/file', 'file']) expect(ask(name)).toEqual([join(base, 'a', name), name])
})

// An analysis is found by its name, the file's path in the project and the file's content, as long as its other inputs are
// unchanged.

import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AnalyzeContext, AnalyzeOptions, CacheOptions, Namespace, NamespaceOptions } from '../../src/index.js'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles, meteredFiles, systemError } from '../support/files.js'

type Compute = (context: AnalyzeContext) => unknown
type Options = AnalyzeOptions & { name?: string }

/** Both forms, as one that gives a promise. */
const FORMS = [
  [
    'analyze',
    async (entries: Namespace, file: string, compute: Compute, { name = 'test', ...options }: Options = {}) =>
      entries.analyze(name, file, compute, options),
  ],
  [
    'analyzeSync',
    async (entries: Namespace, file: string, compute: Compute, { name = 'test', ...options }: Options = {}) =>
      entries.analyzeSync(name, file, compute, options),
  ],
] as const

const HOUR_MS = 3_600_000

/** Each file is in the project at `root`. */
function project(files: Record<string, string>) {
  const root = temporaryDirectory()
  const at = (name: string) => join(root, name)
  const write = (name: string, content: string) => {
    mkdirSync(dirname(at(name)), { recursive: true })
    writeFileSync(at(name), content)
  }
  for (const [name, content] of Object.entries(files)) write(name, content)
  const open = (options: NamespaceOptions = {}, cacheOptions: CacheOptions = {}) =>
    openAsAnotherProcess(at('cache'), cacheOptions).cache.namespace('tool', { project: root, ...options })
  return { root, at, write, open }
}

/** The text of the file in capitals, and how often that was computed. */
function shout() {
  const calls: string[] = []
  const compute = ({ source, path }: AnalyzeContext) => {
    calls.push(path)
    return source.toUpperCase()
  }
  return { calls, compute }
}

describe.each(FORMS)('%s', (_form, analyze) => {
  test('computes once per file, across processes too', async () => {
    const { at, open } = project({ 'a.js': 'one' })
    const { calls, compute } = shout()
    for (const entries of [open(), open()]) {
      for (let i = 0; i < 2; i++) expect(await analyze(entries, at('a.js'), compute)).toBe('ONE')
    }
    expect(calls).toEqual([at('a.js')])
  })

  test('passes the file as path, text and bytes', async () => {
    const { at, open } = project({ 'a.js': '\u00e4' })
    await analyze(open(), at('a.js'), context => {
      expect([context.path, context.source, [...context.bytes]]).toEqual([at('a.js'), '\u00e4', [0xc3, 0xa4]])
      return 1
    })
    expect.assertions(1)
  })

  test('computes once per content and finds earlier results when the content comes back', async () => {
    const { at, write, open } = project({ 'a.js': 'one' })
    const entries = open()
    const { calls, compute } = shout()
    for (const content of ['one', 'two', 'one', 'two', 'six', 'one']) {
      write('a.js', content)
      expect(await analyze(entries, at('a.js'), compute)).toBe(content.toUpperCase())
    }
    expect(calls.length).toBe(3)
    expect(entries.stats()).toMatchObject({ hitCount: 3, missCount: 3 })
  })

  test('notices a change that keeps size and mtime', async () => {
    const { at, open } = project({ 'a.js': 'one' })
    const entries = open()
    const { compute } = shout()
    const { atime, mtime } = statSync(at('a.js'))
    for (const content of ['one', 'two', 'six']) {
      writeFileSync(at('a.js'), content)
      utimesSync(at('a.js'), atime, mtime)
      expect(await analyze(entries, at('a.js'), compute)).toBe(content.toUpperCase())
    }
  })

  test('finds equal files in other directories with anywhere', async () => {
    const { at, open } = project({ 'one/a.js': 'text', 'two/b.ts': 'text' })
    const calls: number[] = []
    const compute = ({ source }: AnalyzeContext) => calls.push(1) && source.toUpperCase()
    for (let i = 0; i < 2; i++) {
      for (const file of ['one/a.js', 'two/b.ts']) {
        expect(await analyze(open(), at(file), compute, { anywhere: true })).toBe('TEXT')
      }
    }
    expect(calls.length).toBe(1)
  })

  test('keeps files with equal content but different names apart', async () => {
    const names = ['a', 'a.js', 'b.js', 'a.d.ts', '.ts', 'dir/a.js']
    const { at, open } = project(Object.fromEntries(names.map(name => [name, 'text'])))
    const results = names.map(name => analyze(open(), at(name), () => name))
    expect(await Promise.all(results)).toEqual(names)
  })

  test('with anywhere, keeps equal files apart if the computation uses their paths', async () => {
    const { at, open } = project({ 'one/a.js': 'text', 'two/a.js': 'text' })
    const looks: Compute[] = [({ path }) => path, ({ relativePath }) => relativePath]
    for (const [index, look] of looks.entries()) {
      for (let i = 0; i < 2; i++) {
        for (const name of ['one/a.js', 'two/a.js']) {
          const value = await analyze(open(), at(name), look, { name: `${index}`, anywhere: true })
          expect(value).toBe(index === 0 ? at(name) : name)
        }
      }
    }
  })

  test('keeps analysis names, inputs, versions and ordinary keys apart', async () => {
    const { at, open } = project({ 'a.js': 'text' })
    const entries = open()
    expect(await analyze(entries, at('a.js'), () => 1)).toBe(1)
    expect(await analyze(entries, at('a.js'), () => 2, { name: 'outline' })).toBe(2)
    expect(await analyze(open({ version: '2' }), at('a.js'), () => 3)).toBe(3)
    for (const inputs of [{ strict: true }, { strict: false }, [], null, 0]) {
      const id = JSON.stringify(inputs)
      expect(await analyze(entries, at('a.js'), () => id, { inputs })).toBe(id)
    }
    expect(await analyze(entries, at('a.js'), () => 'new', { inputs: { strict: true } })).toBe('{"strict":true}')
    expect(await analyze(entries, at('a.js'), () => 4)).toBe(1)
    expect([...entries.keys()]).toEqual([])
    expect([...entries.entries()].map(({ key, origin }) => [key, origin]).sort()).toEqual([
      ['outline a.js', 'analyze'],
      ['test a.js', 'analyze'],
    ])
    expect(entries.clear()).toBe(3)
  })

  test('reads an unchanged file at most once, across namespaces and processes', async () => {
    const { at } = project({ 'a.js': 'text' })
    const settled = () => meteredFiles({ now: () => Date.now() + HOUR_MS })
    const first = settled()
    const one = openAsAnotherProcess(at('cache'), {}, { files: first.files }).cache
    await analyze(one.namespace('tool'), at('a.js'), () => 1)
    await analyze(one.namespace('other'), at('a.js'), () => 2)
    one.close()
    const second = openAsAnotherProcess(
      at('cache'),
      {},
      {
        files: interceptedFiles(
          call => {
            if (/^read(File|Anyway)$/.test(call.name) && call.path === at('a.js')) throw systemError('EACCES', call)
            return call.proceed()
          },
          { now: () => Date.now() + HOUR_MS },
        ),
      },
    ).cache
    expect(await analyze(second.namespace('tool'), at('a.js'), () => 3)).toBe(1)
    await expect(analyze(second.namespace('new'), at('a.js'), () => 4)).rejects.toMatchObject({ code: 'EACCES' })
    utimesSync(at('a.js'), 1, 1)
    await expect(analyze(second.namespace('tool'), at('a.js'), () => 3)).rejects.toMatchObject({ code: 'EACCES' })
  })

  test('fails with EISDIR for a directory, the second time too', async () => {
    const { root, at } = project({})
    const files = interceptedFiles(call => call.proceed(), { now: () => Date.now() + HOUR_MS })
    const entries = openAsAnotherProcess(at('cache'), {}, { files }).cache.namespace('tool')
    for (const _ of [1, 2]) await expect(analyze(entries, root, () => 1)).rejects.toMatchObject({ code: 'EISDIR' })
  })

  test('fails like a file read for missing files and directories, and rejects invalid paths', async () => {
    const { root, at, open } = project({})
    await expect(analyze(open(), at('none.js'), () => 1)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(analyze(open(), root, () => 1)).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(analyze(open(), '', () => 1)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    await expect(analyze(open(), root, 1 as never)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    for (const name of ['', 'a\0b', '\ud800', 5]) {
      const asked = analyze(open(), at('none.js'), () => 1, { name: name as string })
      await expect(asked).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    }
  })

  test('stores nothing when the computation throws', async () => {
    const { at, open } = project({ 'a.js': 'text' })
    const error = new Error('broken')
    const compute = () => {
      throw error
    }
    await expect(analyze(open(), at('a.js'), compute)).rejects.toBe(error)
    expect(await analyze(open(), at('a.js'), () => 1)).toBe(1)
  })

  test('computes each time when the cache is broken', async () => {
    const { at } = project({ 'a.js': 'text' })
    const files = interceptedFiles(call => {
      if (call.path.startsWith(at('cache'))) throw systemError('EIO', call)
      return call.proceed()
    })
    const { cache } = openAsAnotherProcess(at('cache'), {}, { files })
    for (const value of [1, 2]) expect(await analyze(cache.namespace('tool'), at('a.js'), () => value)).toBe(value)
  })

  describe('with other sources', () => {
    /** The file's text and that of its neighbour, `config` beside it or in one of the directories above. */
    function withConfig() {
      const calls: string[] = []
      const compute = (context: AnalyzeContext) => {
        calls.push(context.path)
        for (let directory = dirname(context.path); ; directory = dirname(directory)) {
          try {
            return `${context.source} ${context.readFile(join(directory, 'config'))}`
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || directory === dirname(directory)) throw error
          }
        }
      }
      return { calls, compute }
    }

    test('computes again when one of them changes, and finds the earlier result when it changes back', async () => {
      const { at, write, open } = project({ 'src/a.js': 'a', config: '1' })
      const { calls, compute } = withConfig()
      const entries = open()
      for (const config of ['1', '2', '1', '2', '1']) {
        write('config', config)
        expect(await analyze(entries, at('src/a.js'), compute)).toBe(`a ${config}`)
      }
      expect(calls.length).toBe(2)
    })

    test('computes again when a file appears that was looked up and missing', async () => {
      const { at, write, open } = project({ 'src/a.js': 'a', config: '1' })
      const { calls, compute } = withConfig()
      const entries = open()
      expect(await analyze(entries, at('src/a.js'), compute)).toBe('a 1')
      write('src/config', '2')
      expect(await analyze(entries, at('src/a.js'), compute)).toBe('a 2')
      rmSync(at('src/config'))
      expect(await analyze(entries, at('src/a.js'), compute)).toBe('a 1')
      expect(calls.length).toBe(2)
    })

    test.each([false, true])(
      'computes separately for an equal file with other neighbours (anywhere: %s)',
      async anywhere => {
        const { at, open } = project({ 'one/a.js': 'a', 'one/config': '1', 'two/a.js': 'a', 'two/config': '2' })
        const { compute } = withConfig()
        for (let i = 0; i < 2; i++) {
          expect(await analyze(open(), at('one/a.js'), compute, { anywhere })).toBe('a 1')
          expect(await analyze(open(), at('two/a.js'), compute, { anywhere })).toBe('a 2')
        }
      },
    )

    test('caches one result for each of many equal files with different neighbours', async () => {
      const { at, write, open } = project({})
      const { calls, compute } = withConfig()
      const names = Array.from({ length: 20 }, (_, index) => `dir${index}`)
      for (let i = 0; i < 2; i++) {
        for (const name of names) {
          write(`${name}/a.js`, 'a')
          write(`${name}/config`, name)
          expect(await analyze(open(), at(`${name}/a.js`), compute)).toBe(`a ${name}`)
        }
      }
      expect(calls.length).toBe(names.length)
    })

    test('keeps one result per state when one source decides which other is read', async () => {
      const { at, write, open } = project({ 'a.js': 'a', x: '1', y: '2', use: 'x' })
      const calls: string[] = []
      const compute = (context: AnalyzeContext) => {
        calls.push(context.path)
        return context.readFile(at(context.readFile(at('use'))))
      }
      const entries = open()
      for (let i = 0; i < 2; i++) {
        for (const use of ['x', 'y']) {
          write('use', use)
          expect(await analyze(entries, at('a.js'), compute)).toBe(use === 'x' ? '1' : '2')
        }
      }
      expect(calls.length).toBe(2)
    })

    test('stores nothing when the computation saw one of them in two states', async () => {
      const { at, write, open } = project({ 'a.js': 'a', config: '1' })
      const entries = open()
      const calls: number[] = []
      const compute = (context: AnalyzeContext) => {
        const before = context.readFile(at('config'))
        write('config', '2')
        const after = context.readFile(at('config'))
        write('config', '1')
        return calls.push(1) && before + after
      }
      for (let i = 0; i < 2; i++) expect(await analyze(entries, at('a.js'), compute)).toBe('12')
      expect(calls.length).toBe(2)
    })
  })
})

test('a file that changes during its analysis is stored under the content that was read', async () => {
  const { at, write, open } = project({ 'a.js': 'one' })
  const entries = open()
  const result = await entries.analyze('text', at('a.js'), async ({ source }) => {
    write('a.js', 'two')
    return source
  })
  expect(result).toBe('one')
  expect(await entries.analyze('text', at('a.js'), ({ source }) => source)).toBe('two')
  write('a.js', 'one')
  expect(await entries.analyze('text', at('a.js'), () => 'computed again')).toBe('one')
})

test('concurrent analyses of one file share the computation', async () => {
  const { at, open } = project({ 'a.js': 'one' })
  const entries = open()
  const calls: number[] = []
  const analyses = [1, 2, 3].map(id =>
    entries.analyze('text', at('a.js'), async () => {
      calls.push(id)
      return { id }
    }),
  )
  expect(await Promise.all(analyses)).toEqual([{ id: 1 }, { id: 1 }, { id: 1 }])
  expect(calls).toEqual([1])
})

test('an analysis follows a symlink that is retargeted and a directory that is renamed', () => {
  const { at, open } = project({ 'one/a.js': 'one', 'two/a.js': 'two' })
  symlinkSync(at('one'), at('link'))
  const entries = open()
  const { compute } = shout()
  expect(entries.analyzeSync('text', join(at('link'), 'a.js'), compute)).toBe('ONE')
  rmSync(at('link'))
  symlinkSync(at('two'), at('link'))
  expect(entries.analyzeSync('text', join(at('link'), 'a.js'), compute)).toBe('TWO')
  renameSync(at('one'), at('three'))
  renameSync(at('two'), at('one'))
  expect(entries.analyzeSync('text', at('one/a.js'), compute)).toBe('TWO')
  appendFileSync(at('one/a.js'), '!')
  expect(entries.analyzeSync('text', at('one/a.js'), compute)).toBe('TWO!')
  expect(readFileSync(at('one/a.js'), 'utf8')).toBe('two!')
})

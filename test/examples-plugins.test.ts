// The example's plugins and its progress bar, in this process and against the library's sources.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openCacheSync } from '../src/index.js'

// The examples are JavaScript without declarations; a path that the compiler cannot see makes them `any`.
const load = (path: string) => import(/* @vite-ignore */ new URL(`../examples/${path}`, import.meta.url).href)
const { createImportGraph } = await load('plugins/import-graph.mjs')
const { createOutline } = await load('plugins/outline.mjs')
const { parseText } = await load('plugins/parse.mjs')
const { Progress } = await load('progress.mjs')
const { sizeText, timeText } = await load('text.mjs')

const IMPORTS_OF_ALL_KINDS = `import fs from 'node:fs'
import type { A } from './types.js'
export * from './all.js'
export { b } from './b.js'
export const local = 1
const lazy = () => import('./lazy.js')
const old = require('./old.cjs')
import legacy = require('./legacy')
let c: import('./c.js').C
import(\`./\${name}.js\`)
nested(() => { if (a) { require('./deep.js'); require('./deeper.js') } })
`

const SYMBOLS_OF_ALL_KINDS = `export function first() {}
class Second {
  method() {}
}
export const third = () => 3, fourth = 4
export default class {}
interface Fifth {}
type Sixth = 6
enum Seventh {}
declare namespace Eighth {
  export function inner(): void
}
const { a, b } = third
export { Second as second, a }
export * from './all.js'
`

function project() {
  const dir = mkdtempSync(join(tmpdir(), 'wicked-cache-plugins-'))
  const cache = openCacheSync({ dir: join(dir, 'cache') })
  onTestFinished(() => {
    cache.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const file = (name: string, source: string) => {
    writeFileSync(join(dir, name), source)
    return join(dir, name)
  }
  return { dir, cache, file }
}

describe('the import graph', () => {
  test('has imports of all kinds, in source order', async () => {
    const { cache, file } = project()
    const { imports } = await createImportGraph(cache).analyze(file('a.ts', IMPORTS_OF_ALL_KINDS))
    expect(imports).toEqual([
      { kind: 'import', from: 'node:fs', line: 1 },
      { kind: 'import type', from: './types.js', line: 2 },
      { kind: 're-export', from: './all.js', line: 3 },
      { kind: 're-export', from: './b.js', line: 4 },
      { kind: 'import()', from: './lazy.js', line: 6 },
      { kind: 'require', from: './old.cjs', line: 7 },
      { kind: 'require', from: './legacy', line: 8 },
      { kind: 'import type', from: './c.js', line: 9 },
      { kind: 'require', from: './deep.js', line: 11 },
      { kind: 'require', from: './deeper.js', line: 11 },
    ])
  })
})

describe('the outline', () => {
  test('has declarations of all kinds, with their lines', async () => {
    const { cache, file } = project()
    const { symbols } = await createOutline(cache).analyze(file('a.ts', SYMBOLS_OF_ALL_KINDS))
    const lines = symbols.map((symbol: Record<string, unknown>) => {
      const { kind, name, line, endLine, isExported } = symbol
      return `${kind} ${name} ${line}-${endLine}${isExported ? ' exported' : ''}`
    })
    expect(lines).toEqual([
      'function first 1-1 exported',
      'class Second 2-4',
      'function third 5-5 exported',
      'variable fourth 5-5 exported',
      'class default 6-6 exported',
      'interface Fifth 7-7',
      'type Sixth 8-8',
      'enum Seventh 9-9',
      'namespace Eighth 10-12',
      'function inner 11-11 exported',
      'variable {…} 13-13',
      'export second 14-14 exported',
      'export a 14-14 exported',
      'export * 15-15 exported',
    ])
  })
})

test("an outline matches the file's content, even if the file changes between its two parts", async () => {
  const { cache, file } = project()
  const path = file('a.js', "import './before.js'; let before")
  const edited = "import './after.js'; let after"
  const parse = vi.fn((text, path) => {
    file('a.js', edited)
    return parseText(text, path)
  })
  const plugin = createOutline(cache, parse)
  const partsOf = async () => {
    const { imports, symbols } = await plugin.analyze(path)
    return [imports[0].from, symbols[0].name]
  }
  expect(await partsOf()).toEqual(['./before.js', 'after'])
  expect(await partsOf()).toEqual(['./after.js', 'after'])
  file('a.js', "import './before.js'; let before")
  expect(await partsOf()).toEqual(['./before.js', 'before'])
})

describe.each([
  ['the outline', createOutline],
  ['the import graph', createImportGraph],
])('%s', (_, create) => {
  test.each([
    ['good.ts', IMPORTS_OF_ALL_KINDS],
    ['bad.ts', 'const = 1'],
    ['empty.js', ''],
  ])('of %s is the same from the cache, without parsing', async (name, source) => {
    const { cache, file } = project()
    const parse = vi.fn(parseText)
    const plugin = create(cache, parse)
    const path = file(name, source)
    const computed = await plugin.analyze(path)
    expect(await plugin.analyze(path)).toEqual(computed)
    expect(parse).toHaveBeenCalledTimes(1)
    expect(computed.failure === undefined).toBe(name !== 'bad.ts')
  })

  test('is computed again for an edited file', async () => {
    const { cache, file } = project()
    const plugin = create(cache)
    expect((await plugin.analyze(file('a.js', "import './before.js'"))).imports[0].from).toBe('./before.js')
    expect((await plugin.analyze(file('a.js', "import './after_.js'"))).imports[0].from).toBe('./after_.js')
  })

  test('is a hit for an equal file in another directory, unless its language differs', async () => {
    const { dir, cache, file } = project()
    const parse = vi.fn(parseText)
    const plugin = create(cache, parse)
    mkdirSync(join(dir, 'elsewhere'))
    const computed = await plugin.analyze(file('a.ts', '<a>b'))
    expect(await plugin.analyze(file('elsewhere/c.ts', '<a>b'))).toEqual(computed)
    expect(parse).toHaveBeenCalledTimes(1)
    expect(computed.failure).toBeUndefined()
    expect(await plugin.analyze(file('a.tsx', '<a>b'))).toHaveProperty('failure')
  })

  test('caches nothing for a file that cannot be read', async () => {
    const { dir, cache } = project()
    const plugin = create(cache)
    await expect(plugin.analyze(join(dir, 'nowhere.js'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(plugin.entries.stats().entryCount).toBe(0)
  })
})

test.each([
  ['a.ts', 'const a = <T>b'],
  ['a.tsx', 'const a = <b>c</b>'],
  ['a.js', 'const a = <b>c</b>'],
  ['a.mts', 'export const a: number = await b'],
  ['a.cjs', 'return require("b")'],
  ['a.cts', 'import a = require("b")'],
  ['a.d.ts', 'export function a(): void; class B { accessor c: number }'],
  ['a.d.css.ts', 'declare const a: { readonly b: string }\nexport default a'],
])('%s is parsed by its extension', async (name, source) => {
  expect(await parseText(source, join('project', name))).toHaveProperty('program')
})

describe('the progress bar', () => {
  const draw = async (stream: { isTTY: boolean; columns: number }, env: Record<string, string> = {}) => {
    for (const name of ['NO_COLOR', 'TERM']) vi.stubEnv(name, env[name])
    onTestFinished(() => vi.unstubAllEnvs().restoreAllMocks() && undefined)
    let written = ''
    const sink = new Writable({
      write(chunk, _, done) {
        written += chunk
        done()
      },
    })
    const progress = new Progress(Object.assign(sink, stream), 'first run', 3)
    const clock = vi.spyOn(performance, 'now')
    for (let done = 1; done <= 3; done++) {
      clock.mockReturnValue(done * 1000)
      await progress.show(done)
    }
    progress.end('3 files')
    return written
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what escape codes begin with.
  const plain = (text: string) => text.replace(/\u001b\[\d*[mK]/g, '')

  test.each([1, 10, 20, 40, 80, 500])('fits into %d columns', async columns => {
    const frames = plain(await draw({ isTTY: true, columns })).split('\r')
    for (const frame of frames) expect(frame.length).toBeLessThan(columns)
    if (columns < 20) return
    expect(frames.map(frame => /\d+ %$/.exec(frame)?.[0])).toEqual([undefined, '33 %', '66 %', '100 %', undefined])
  })

  test('has no colours with NO_COLOR, and colours without', async () => {
    expect(await draw({ isTTY: true, columns: 80 }, { NO_COLOR: '1' })).not.toContain('\u001b[3')
    expect(await draw({ isTTY: true, columns: 80 })).toContain('\u001b[3')
  })

  test('works if the terminal does not report its width', async () => {
    expect(await draw({ isTTY: true, columns: 0 })).toContain('█')
  })

  test('is one line at the end without a terminal or on a dumb one', async () => {
    expect(await draw({ isTTY: false, columns: 80 })).toBe('first run: 3 files\n')
    expect(await draw({ isTTY: true, columns: 80 }, { TERM: 'dumb' })).toBe('first run: 3 files\n')
  })
})

test('sizes and times have a fitting unit', () => {
  expect([0, 1023, 1024, 1_048_575, 1_048_576].map(sizeText)).toEqual(['0 B', '1023 B', '1.0 KB', '1.0 MB', '1.0 MB'])
  expect([0.4, 999.4, 999.6, 61_000].map(timeText)).toEqual(['0 ms', '999 ms', '1.00 s', '61.00 s'])
})

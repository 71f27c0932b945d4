// The doc comments of the public API: every declaration has a description and every function an example. The examples
// type-check and run.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { temporaryDirectory } from './support/caches.js'
import { projectRoot } from './support/children.js'
import { read } from './support/documents.js'

const apiFiles = readdirSync(join(projectRoot, 'src', 'api')).map(name => `src/api/${name}`)
const adapters = ['esbuild', 'jest', 'keyv', 'metro', 'rollup', 'unstorage', 'webpack']
const files = [
  'src/index.ts',
  'src/base/units.ts',
  'src/cache/root.ts',
  'src/remote/keys.ts',
  'src/remote/adapters/from-store.ts',
  ...apiFiles,
  ...adapters.map(name => `adapters/${name}.ts`),
]

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, match => match.replace(/[^\n]/g, ' '))

/** The lines where something public is declared: exports, and members of exported interfaces. */
function declarationsIn(file: string): { line: number; name: string }[] {
  let isInside = false
  return withoutComments(read(file))
    .split('\n')
    .flatMap((text, line) => {
      const [, exported] = /^export (?:interface|type|function|async function|class) (\w+)/.exec(text) ?? []
      if (text.startsWith('}')) isInside = false
      if (/^export interface .*\{$/.test(text)) isInside = true
      const [, member] = (isInside && /^ {2}(?:readonly )?(\w+|\[Symbol\.\w+\])\??[(<:]/.exec(text)) || []
      const name = exported ?? member
      return name === undefined ? [] : [{ line, name }]
    })
}

test('every type and member of the API has a description', () => {
  const declared = apiFiles.flatMap(file => {
    const lines = read(file).split('\n')
    return declarationsIn(file).map(({ line, name }) => {
      const isDescribed = (lines[line - 1] ?? '').endsWith('*/')
      return { place: `${file}:${line + 1} ${name}`, name, isDescribed }
    })
  })
  const described = new Set(declared.filter(each => each.isDescribed).map(({ name }) => name))
  const missing = declared.filter(({ name, isDescribed }) => !isDescribed && !described.has(name))
  expect(declared.length).toBeGreaterThan(200)
  expect(missing.map(({ place }) => place).filter(place => !place.endsWith('Options'))).toEqual([])
})

interface Example {
  /** The file, and the line of what it belongs to. */
  place: string
  /** Of the function or member. */
  name: string
  text: string
}

function examplesIn(file: string): Example[] {
  const text = read(file)
  return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?@example\n[\s\S]*?)\*\/\n((?: *\/\/ biome.*\n)*)(.*)/g)].map(
    match => {
      const [, comment = '', skipped = '', declaration = ''] = match
      const line =
        text.slice(0, match.index).split('\n').length + comment.split('\n').length + skipped.split('\n').length - 1
      const [, example = ''] = comment.replace(/^ *\* ?/gm, '').split('@example\n')
      const [, name = ''] =
        /^ *(?:export )?(?:default )?(?:async )?(?:function |class |readonly )?(\w+)/.exec(declaration) ?? []
      return { place: `${file}:${line}`, name, text: example.replaceAll('*\\/', '*/').trim() }
    },
  )
}

const examples = files.flatMap(examplesIn)

/** The functions that the library exports. */
function exportedFunctions(): string[] {
  const text = read('src/index.ts')
  const named = Array.from(text.matchAll(/^export \{ (.+) \} from/gm), ([, names = '']) => names.split(', '))
  const own = Array.from(text.matchAll(/^export (?:async )?function (\w+)/gm), ([, name = '']) => name)
  return [...named.flat().filter(name => !/^(type |CacheError$)/.test(name)), ...own]
}

/** How a cache is ended is described with `openCache`. */
const ENDS = ['close', 'Symbol']

test('every function and adapter has an example', () => {
  const methods = ['cache', 'compute', 'namespace'].flatMap(name => {
    const lines = withoutComments(read(`src/api/${name}.ts`)).split('\n')
    return declarationsIn(`src/api/${name}.ts`).filter(({ line }) => /^ {2}\w+(?:<[^(]*>)?\(/.test(lines[line] ?? ''))
  })
  const called = [...exportedFunctions(), ...methods.map(({ name }) => name)]
  expect(called.length).toBeGreaterThan(40)
  expect(called.filter(name => !ENDS.includes(name) && !examples.some(example => example.name === name))).toEqual([])
  for (const name of adapters) expect(examples.map(({ place }) => place.split(':')[0])).toContain(`adapters/${name}.ts`)
})

/** What examples use and don't define. */
const PREAMBLE = `
import { fromKeyv, fromUnstorage, namespace, namespaceSync, openCache, openCacheSync, defaultCache, defaultDir, createRemoteKeys, CacheError, parseDuration, parseSize } from 'wicked-cache'
import { pathToFileURL } from 'node:url'
const cache = await openCache()
const ns = await namespace('examples')
const lint = cache.namespace<number>('lint')
const files: string[] = ['src/a.js', 'src/b.js']
const { publicKey } = createRemoteKeys()
const keys = [publicKey]
const theme = 'dark'
const render = (text: string, name: string) => name + text
const compile = (text: string) => text
const importsOf = (source: string) => source.match(/import .*/g) ?? []
const url = 'data:text/plain,hello'
const sass = { compile: (file: string) => ({ css: file, loadedUrls: [pathToFileURL(file)] }) }
const queue: (() => void)[] = []
setInterval(() => queue.splice(0).forEach(job => job()), 1).unref()
const host = (options: object) => ({ name: 'host', setup() {}, ...options })
const [svgr, sassPlugin] = [host, host]
class Keyv { constructor(readonly options?: object) {} get(_: string): unknown { return undefined } set(_: string, __: unknown): unknown { return true } }
const KeyvPostgres = class { constructor(readonly address: string) {} }
const azureStorageBlob = (_: object) => ({ getItem: (_: string): unknown => undefined })
const accountName = 'team'
const createStorage = (options: object) => options
`

/** Each in a function of its own, one after the other. */
const program = `${PREAMBLE}${examples
  .map(({ place, text }) => {
    const adapter = /^adapters\/([\w-]+)\.ts/.exec(place)?.[1]
    const names = adapter && read(`adapters/${adapter}.ts`).matchAll(/^export (?:function|class) (\w+)/gm)
    const imports = names
      ? `const { ${Array.from(names, ([, name]) => name)} } = await import('wicked-cache/${adapter}')\n`
      : ''
    return `\n// ${place}\ntry {\n  await (async () => {\n${imports}${text}\n  })()\n} catch (error) { throw new Error('${place}', { cause: error }) }`
  })
  .join('\n')}
await cache.close()
`

function newProject(): string {
  const dir = temporaryDirectory()
  cpSync(join(projectRoot, 'fixtures', 'readme', 'default', 'tree'), dir, { recursive: true })
  mkdirSync(join(dir, 'node_modules', '@types'), { recursive: true })
  symlinkSync(projectRoot, join(dir, 'node_modules', 'wicked-cache'), 'junction')
  symlinkSync(
    join(projectRoot, 'node_modules', '@types', 'node'),
    join(dir, 'node_modules', '@types', 'node'),
    'junction',
  )
  symlinkSync(join(projectRoot, 'node_modules', 'undici-types'), join(dir, 'node_modules', 'undici-types'), 'junction')
  writeFileSync(join(dir, 'examples.mts'), program)
  return dir
}

test('the examples type-check', () => {
  const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
  ]
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, 'examples.mts'], {
    cwd: newProject(),
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
})

test('the examples run', () => {
  expect(examples.length).toBeGreaterThan(40)
  const dir = newProject()
  const { code } = transformSync(program, { loader: 'ts', format: 'esm', target: 'node20' })
  writeFileSync(join(dir, 'examples.mjs'), code)
  const { NODE_OPTIONS: _, WICKED_CACHE: __, ...inherited } = process.env
  const env = { ...inherited, WICKED_CACHE_DIR: temporaryDirectory() }
  const { status, stderr } = spawnSync(process.execPath, ['examples.mjs'], { cwd: dir, env, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

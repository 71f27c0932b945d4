// The type declarations, checked by TypeScript in user projects.

import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pack } from '../package/smoke-on-node.mjs'
import { NODE, newDirectory, newProject, removeDirectories, run, tool } from './support.js'

let directory: string
beforeAll(() => {
  directory = newProject()
  mkdirSync(join(directory, 'node_modules', '@types'))
  for (const name of ['@types/node', 'undici-types']) {
    symlinkSync(tool(name), join(directory, 'node_modules', name), 'junction')
  }
  mkdirSync(join(directory, 'src'))
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(directory, 'src', name), text)
})
afterAll(removeDirectories)

const USE = `
export async function use(): Promise<void> {
  const cache: Cache = await openCache({ dir: 'x', onWarning: (warning: CacheWarning) => warning.code.length })
  const entries: Namespace = openCacheSync().namespace('tool', { version: '1' })
  const stored: boolean = entries.set('key', { a: 1 }, { files: ['a.js'] })
  const value = entries.get<{ a: number }>('key')
  const computed: number = await entries.getOrSet('other', () => 2)
  const code: CacheErrorCode | undefined = stored ? new CacheError('ERR_CACHE_KEY', 'wrong').code : undefined
  // @ts-expect-error: a key is a string
  entries.get(5)
  // @ts-expect-error: there is no such option
  openCacheSync({ directory: 'x' })
  // @ts-expect-error: undefined is no directory, to who says exactOptionalPropertyTypes
  openCacheSync({ dir: undefined })
  console.log(cache.dir, value?.a, computed, code)
}
`
const NAMES =
  '{ type Cache, CacheError, type CacheErrorCode, type CacheWarning, type Namespace, openCache, openCacheSync }'
const SOURCES = {
  'named.mts': `import ${NAMES} from 'wicked-cache'\n${USE}`,
  'named.cts': `import ${NAMES} from 'wicked-cache'\n${USE}`,
  'default.mts': `import library from 'wicked-cache'\nexport const opened: Promise<import('wicked-cache').Cache> = library.openCache()\n`,
  'required.cts': `import library = require('wicked-cache')\nexport const cache: library.Cache = library.openCacheSync()\n`,
  // One and the same, however it came.
  'both.mts': `import type { Cache, CacheError } from 'wicked-cache'
    import { cache } from './required.cjs'
    import { CacheError as Required } from './errors.cjs'
    export const same: Cache = cache
    export const error: CacheError = new Required('ERR_CACHE_KEY', 'wrong')\n`,
  'errors.cts': `export { CacheError } from 'wicked-cache'\n`,
  'plain.ts': `import ${NAMES} from 'wicked-cache'\n${USE}`,
}
const MODULES = ['node16', 'nodenext', 'preserve', 'commonjs']

describe.each(['typescript-5.9', 'typescript', 'typescript-7'])('%s', name => {
  const { version } = JSON.parse(readFileSync(tool(name, 'package.json'), 'utf8'))

  test.each(MODULES)(`${version} accepts them with module %s`, async module => {
    const isOld = module === 'commonjs'
    const options = {
      module,
      target: 'es2022',
      lib: ['es2023'],
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      types: ['node'],
      // In preserve, a file's own kind of module is not looked at.
      ...(isOld ? { esModuleInterop: true } : {}),
    }
    const files = module.startsWith('node') ? Object.keys(SOURCES) : ['plain.ts']
    const file = join(directory, 'tsconfig.json')
    writeFileSync(file, JSON.stringify({ compilerOptions: options, files: files.map(each => join('src', each)) }))
    expect(await run(NODE, [tool(name, 'bin', 'tsc'), '-p', file], directory)).toBe('')
  })
})

describe('package checkers', () => {
  let tarball: string
  beforeAll(() => {
    const place = newDirectory()
    tarball = join(place, 'wicked-cache.tgz')
    renameSync(join(place, pack(place)), tarball)
  })

  // TypeScript's oldest way to resolve modules looks at no `exports`, which the adapters are found by.
  test.each([
    ['the library', ['--entrypoints', '.']],
    ['the adapters', ['--exclude-entrypoints', '.', '--profile', 'node16']],
  ])('are-the-types-wrong finds nothing in %s', async (_what, chosen) => {
    const args = [tool('@arethetypeswrong', 'cli', 'dist', 'index.js'), tarball, '--format', 'json', ...chosen]
    const { analysis } = JSON.parse(await run(NODE, args, directory))
    const { types, entrypoints } = analysis
    expect(types).toEqual({ kind: 'included' })
    expect(Object.keys(entrypoints).length).toBeGreaterThan(0)
  })

  test('publint finds nothing', async () => {
    expect(await run(NODE, [tool('publint', 'src', 'cli.js'), '--strict', tarball], directory)).toMatch('All good!')
  })
})

test('each declaration file is self-contained', () => {
  for (const name of ['index.d.ts', 'index.d.cts']) {
    const text = readFileSync(join(directory, 'node_modules', 'wicked-cache', 'dist', name), 'utf8')
    expect(text).toMatch(/^\/\/\/ <reference types="node" \/>\n/)
    expect(text.match(/from ['"][^'"]+['"]|import\(/g) ?? []).toEqual([])
  }
})

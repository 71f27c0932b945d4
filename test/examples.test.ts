// The example as a user runs it, with the built package, in separate processes, on a small tree.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openCache } from '../src/index.js'

const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..')

/** For the processes of a test: it is an hour later than when the files were written. */
const AN_HOUR_LATER = '--import=data:text/javascript,const{now}=Date;Date.now=()=>now()+36e5'

/** Values that the two plugins cache for one file. */
const VALUES = 3
/** What `sourceTree` holds, and what of it cannot be parsed. */
const FILES = 7

function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'wicked-cache-example-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A few real sources and one that is none, with a cache directory beside them. */
function sourceTree() {
  const root = temporaryDir()
  const tree = join(root, 'tree')
  mkdirSync(join(tree, 'lib'), { recursive: true })
  cpSync(join(projectRoot, 'src', 'base', 'errors.ts'), join(tree, 'errors.ts'))
  cpSync(join(projectRoot, 'src', 'base', 'layout.ts'), join(tree, 'layout.ts'))
  cpSync(join(projectRoot, 'scripts', 'build.mjs'), join(tree, 'lib', 'build.mjs'))
  writeFileSync(join(tree, 'lib', 'old.cjs'), "module.exports = require('./older.cjs')\n")
  writeFileSync(join(tree, 'view.jsx'), "import React from 'react'\nexport const View = () => <p>Hello</p>\n")
  writeFileSync(join(tree, 'types.d.ts'), "export declare function view(props: import('react').Props): void\n")
  writeFileSync(join(tree, 'broken.js'), 'const = 1\n')
  writeFileSync(join(tree, 'notes.txt'), 'no source\n')
  return { tree, cacheDir: join(root, 'cache') }
}

async function runExample(args: readonly string[]) {
  const child = spawn(process.execPath, [join(projectRoot, 'examples', 'run.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

/** Runs the example and reads the first table of its report: the cells of each row, without those of an earlier run. */
async function analyze(...args: string[]) {
  const { code, out, err } = await runExample(args)
  expect(code, err).toBe(0)
  const row = (name: string) =>
    new RegExp(`^ *${name} +(.*)$`, 'm')
      .exec(out)?.[1]
      ?.split(/ {2,}/)
      .slice(-2)
      .map(cell => Number(cell.replaceAll(',', '')))
  return { out, err, files: row('files'), hits: row('hits'), misses: row('misses') }
}

describe('two runs', () => {
  test('everything misses in the first run and hits in the second', async () => {
    const { tree, cacheDir } = sourceTree()
    expect(await analyze('--dir', cacheDir, tree)).toMatchObject({
      files: [FILES, FILES],
      hits: [0, FILES * VALUES],
      misses: [FILES * VALUES, 0],
    })
  })

  test('if everything is cached already, the first run hits from the first file on and reports it', async () => {
    const { tree, cacheDir } = sourceTree()
    await analyze('--dir', cacheDir, tree)
    const again = await analyze('--dir', cacheDir, tree)
    expect(again).toMatchObject({ hits: [FILES * VALUES, FILES * VALUES], misses: [0, 0] })
    expect(again.out).toContain('already warm: the first run hit from the first file on')
    expect(again.out).toMatch(/^ +first time +first run +second run$/m)
    expect(again.out).toMatch(new RegExp(`^misses +${FILES * VALUES} +0 +0$`, 'm'))
  })

  test.each([
    ['just written', ''],
    ['old', AN_HOUR_LATER],
  ])('only the values of an edited file miss, in a tree that is %s', async (_, nodeOptions) => {
    vi.stubEnv('NODE_OPTIONS', nodeOptions)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { tree, cacheDir } = sourceTree()
    await analyze('--dir', cacheDir, tree)
    const path = join(tree, 'errors.ts')
    const { atime, mtime } = statSync(path)
    writeFileSync(path, readFileSync(path, 'utf8').replace('class CacheError', 'class CacheFault'))
    // As hard to notice as an edit can be: the same size, and the time set back.
    utimesSync(path, atime, mtime)
    const edited = await analyze('--dir', cacheDir, tree)
    expect(edited).toMatchObject({ hits: [(FILES - 1) * VALUES, FILES * VALUES], misses: [VALUES, 0] })
    expect(edited.out).toContain(`parsed 1 file: ${path}\n`)
  })

  test('a copy of the tree hits from the first file on, and the output names the original', async () => {
    const { tree, cacheDir } = sourceTree()
    await analyze('--dir', cacheDir, tree)
    const copy = join(dirname(tree), 'copy')
    cpSync(tree, copy, { recursive: true })
    const copied = await analyze('--dir', cacheDir, copy)
    expect(copied).toMatchObject({ hits: [FILES * VALUES, FILES * VALUES], misses: [0, 0] })
    expect(copied.out).toContain('of files that hold the same as another one')
    expect(copied.out).toContain(`cached as well:\n  ${join(copy, 'broken.js')}: `)
  })

  test('one of two equal files misses, and equal text in two languages is not shared', async () => {
    const { tree, cacheDir } = sourceTree()
    for (const name of ['twin.jsx', 'lib/twin.jsx', 'twin.js']) cpSync(join(tree, 'view.jsx'), join(tree, name))
    expect(await analyze('--dir', cacheDir, tree)).toMatchObject({
      files: [FILES + 3, FILES + 3],
      hits: [2 * VALUES, (FILES + 3) * VALUES],
      misses: [(FILES + 1) * VALUES, 0],
    })
  })

  test('a changed mtime with the same content causes no misses', async () => {
    const { tree, cacheDir } = sourceTree()
    await analyze('--dir', cacheDir, tree)
    for (const name of ['errors.ts', 'layout.ts', 'broken.js']) utimesSync(join(tree, name), 1, 1)
    expect(await analyze('--dir', cacheDir, tree)).toMatchObject({ misses: [0, 0] })
  })

  test('only the values of a new file miss', async () => {
    const { tree, cacheDir } = sourceTree()
    await analyze('--dir', cacheDir, tree)
    writeFileSync(join(tree, 'new.js'), 'export {}\n')
    expect(await analyze('--dir', cacheDir, tree)).toMatchObject({
      files: [FILES + 1, FILES + 1],
      hits: [FILES * VALUES, (FILES + 1) * VALUES],
      misses: [VALUES, 0],
    })
  })

  test('values that both plugins compute are stored once', async () => {
    const { tree, cacheDir } = sourceTree()
    const { out } = await analyze('--dir', cacheDir, tree)
    const cache = await openCache({ dir: cacheDir })
    onTestFinished(() => cache.close())
    const { entryCount, totalSize, uniqueSize, namespaces } = cache.stats()
    const plugins = [namespaces.outline, namespaces['import-graph']]
    expect(plugins.map(stats => stats?.entryCount)).toEqual([2 * FILES, FILES])
    expect(entryCount).toBe(3 * FILES + 1)
    // The import lists, all of them, and whatever else is equal.
    expect(totalSize - uniqueSize).toBeGreaterThanOrEqual(plugins[1]?.totalSize ?? Number.NaN)
    expect(out).toMatch(new RegExp(`^together +${3 * FILES} `, 'm'))
    expect(out).toMatch(/^Space saved: [1-9]\d*(\.\d+)? K?B of equal values/m)
  })

  test('a file with a syntax error is reported by both plugins and parsed once', async () => {
    const { tree, cacheDir } = sourceTree()
    const { out } = await analyze('--dir', cacheDir, tree)
    expect(out).toContain(`1 file cannot be parsed, which is cached as well:\n  ${join(tree, 'broken.js')}: `)
    expect(out).toMatch(/^ {2}parsing +\S+ \S+ +0 ms$/m)
  })

  test('without a terminal there is one line per run and no escape code', async () => {
    const { tree, cacheDir } = sourceTree()
    const { out, err } = await runExample(['--dir', cacheDir, tree])
    expect(err).toMatch(/^first run: 7 files in \S+ m?s\nsecond run: 7 files in \S+ m?s\n$/)
    expect(out + err).not.toContain('\u001b')
  })
})

describe('--fresh', () => {
  test('everything misses again', async () => {
    const { tree, cacheDir } = sourceTree()
    await analyze('--dir', cacheDir, tree)
    const fresh = await analyze('--fresh', '--dir', cacheDir, tree)
    expect(fresh).toMatchObject({ hits: [0, FILES * VALUES], misses: [FILES * VALUES, 0] })
    expect(fresh.out).not.toContain('first time ')
  })

  test('keeps what other programs cached in the same directory', async () => {
    const { tree, cacheDir } = sourceTree()
    const cache = await openCache({ dir: cacheDir })
    onTestFinished(() => cache.close())
    const others = cache.namespace('others')
    others.set('key', 'value')
    await analyze('--fresh', '--dir', cacheDir, tree)
    expect(others.get('key')).toBe('value')
  })
})

describe('the files', () => {
  test('build output and caches are left out, published files of packages are not', async () => {
    const { tree, cacheDir } = sourceTree()
    for (const directory of ['dist', 'coverage', '.git', 'node_modules/package/dist', 'node_modules/.cache']) {
      mkdirSync(join(tree, directory), { recursive: true })
      writeFileSync(join(tree, directory, 'code.js'), 'export {}\n')
    }
    writeFileSync(join(tree, 'node_modules', '.cache', 'CACHEDIR.TAG'), '')
    expect((await analyze('--dir', cacheDir, tree)).files).toEqual([FILES + 1, FILES + 1])
  })

  test('circular links and repeated directories change nothing', async () => {
    const { tree, cacheDir } = sourceTree()
    symlinkSync(tree, join(tree, 'lib', 'again'), 'dir')
    expect((await analyze('--dir', cacheDir, tree, join(tree, 'lib'), tree)).files).toEqual([FILES, FILES])
  })
})

describe('invalid arguments', () => {
  test.each<[string, (tree: string) => string[], string]>([
    ['a directory that does not exist', tree => [join(tree, 'nowhere')], 'nowhere" does not exist'],
    ['a file in place of a directory', tree => [join(tree, 'errors.ts')], 'errors.ts" is not a directory'],
    ['a directory without sources', () => [temporaryDir()], 'no JavaScript or TypeScript file'],
    ['an unknown option', tree => ['--frehs', tree], '--frehs'],
    ['an empty --dir', tree => ['--dir=', tree], '--dir'],
    ['--dir without a path', tree => [tree, '--dir'], '--dir'],
  ])('%s is rejected, and nothing is done', async (_, args, named) => {
    const { tree, cacheDir } = sourceTree()
    const { code, out, err } = await runExample(['--dir', cacheDir, ...args(tree)])
    expect(err).toContain(named)
    expect(err).toMatch(/^run\.mjs: .*\n(?:.*\n)*See: .*--help\n$/)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(readdirSync(dirname(cacheDir))).toEqual(['tree'])
  })

  test('a cache that cannot be used causes misses but no wrong results', async () => {
    const { tree } = sourceTree()
    const { out, err, misses } = await analyze('--dir', join(tree, 'notes.txt'), tree)
    expect(misses).toEqual([FILES * VALUES, FILES * VALUES])
    expect(err).toContain('ERR_CACHE_ROOT')
    expect(out).toMatch(/^Found: \d+ symbols, \d+ imports/m)
  })
})

test('--help shows the arguments', async () => {
  const { code, out, err } = await runExample(['--help'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  for (const argument of ['[directory...]', '--dir', '--fresh']) expect(out).toContain(argument)
})

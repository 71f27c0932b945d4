// What differs on Windows. Wine's file system behaves like Windows before 10: a file removed while it is open keeps its name
// until it is closed.

import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openAsAnotherProcess, openIn, settle, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { startModule } from '../support/children.js'

test('runs on Windows', () => {
  expect(process.platform).toBe('win32')
})

test.each(['con', 'NUL', 'aux.txt', 'com1', 'LPT9', 'prn', 'a.', 'a ', 'a:b', '..', 'C:\\x', 'ä', 'Tool', 'tool'])(
  'the namespace %j works',
  name => {
    const root = temporaryRoot()
    const { cache } = openIn(root)
    expect(cache.namespace(name).set('key', name)).toBe(true)
    cache.close()
    const again = openIn(root).cache
    expect(again.namespace(name).get('key')).toBe(name)
    expect(again.namespaces()).toEqual([name])
  },
)

test('namespaces that differ by case are separate', () => {
  const { cache } = openIn(temporaryRoot())
  for (const name of ['tool', 'Tool', 'TOOL']) cache.namespace(name).set('key', name)
  for (const name of ['tool', 'Tool', 'TOOL']) expect(cache.namespace(name).get('key')).toBe(name)
})

test('roots and sources can have long paths', async () => {
  const long = join(temporaryDirectory(), ...Array.from({ length: 5 }, (_, n) => `${n}`.repeat(80)))
  mkdirSync(long, { recursive: true })
  const source = join(long, 'source.txt')
  writeFileSync(source, 'one')
  const { cache } = openIn(join(long, 'cache'))
  const ns = cache.namespace('tool')
  const ask = () => ns.getOrSetSync('text', ctx => ctx.readFile(source))
  expect([ask(), ask()]).toEqual(['one', 'one'])
  writeFileSync(source, 'another')
  expect(ask()).toBe('another')
  await cache.gc()
  expect((await cache.verify()).problems).toEqual([])
})

test('all spellings of a source path refer to the same file', () => {
  const directory = temporaryDirectory()
  const source = join(directory, 'Source.txt')
  const drive = source.slice(0, 1)
  const ways = [
    source,
    source.replaceAll('\\', '/'),
    drive.toLowerCase() + source.slice(1),
    drive.toUpperCase() + source.slice(1),
    source.toUpperCase(),
    source.slice(2),
    `\\\\?\\${source}`,
    pathToFileURL(source),
  ]
  const { cache } = openIn(temporaryRoot())
  const cwd = process.cwd()
  onTestFinished(() => process.chdir(cwd))
  process.chdir(directory)
  for (const [index, way] of [...ways, 'Source.txt', '.\\source.TXT'].entries()) {
    const ns = cache.namespace(`tool ${index}`)
    const ask = () => ns.getOrSetSync('text', ctx => ctx.readFile(way))
    writeFileSync(source, 'one')
    expect([ask(), ask()], String(way)).toEqual(['one', 'one'])
    writeFileSync(source, 'another')
    expect(ask(), String(way)).toBe('another')
  }
})

test('all spellings of a root path open the same cache', () => {
  const root = join(temporaryDirectory(), 'Cache')
  const ways = [root, root.replaceAll('\\', '/'), root.toLowerCase(), `\\\\?\\${root}`]
  for (const [at, dir] of ways.entries()) {
    const { cache, warnings } = openAsAnotherProcess(dir)
    const ns = cache.namespace('tool', { project: false })
    expect([ns.get('key'), ns.set('key', at + 1), warnings]).toEqual([at === 0 ? undefined : at, true, []])
  }
})

test('a device is read, and a result that depends on it is not stored', () => {
  const name = '\\\\.\\NUL'
  const { cache } = openIn(temporaryRoot())
  const ns = cache.namespace('tool')
  let count = 0
  const ask = () => ns.getOrSetSync('key', ctx => [++count, ctx.exists(name), ctx.readFile(name)])
  expect([ask(), ask()]).toEqual([
    [1, true, ''],
    [2, true, ''],
  ])
})

test('absolute glob patterns in all forms find files and notice new ones', () => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'src', 'deep'), { recursive: true })
  for (const name of ['a.js', 'deep\\b.js', 'c.css']) writeFileSync(join(directory, 'src', name), '')
  const slashes = directory.replaceAll('\\', '/')
  const patterns = [
    `${directory}\\src\\**\\*.js`,
    `${directory}/src/**/*.js`,
    `${slashes}/src/**/*.js`,
    `\\\\?\\${directory}\\src\\**\\*.js`,
  ]
  const { cache } = openIn(temporaryRoot())
  for (const [index, pattern] of patterns.entries()) {
    const ns = cache.namespace(`tool ${index}`)
    const ask = () => ns.getOrSetSync('files', ctx => ctx.glob([pattern, `!${directory}\\src\\not\\**`]))
    const found = ['a.js', 'deep/b.js'].map(name => `${slashes}/src/${name}`)
    expect([ask(), ask()], pattern).toEqual([found, found])
    mkdirSync(join(directory, 'src', 'not'))
    writeFileSync(join(directory, 'src', 'not', 'd.js'), '')
    writeFileSync(join(directory, 'src', 'deep', 'new.js'), '')
    expect(ask(), pattern).toEqual([...found, `${slashes}/src/deep/new.js`])
    rmSync(join(directory, 'src', 'deep', 'new.js'))
    rmSync(join(directory, 'src', 'not'), { recursive: true })
  }
  // Of the root of a drive.
  const ns = cache.namespace('drive')
  expect(ns.getOrSetSync('root', ctx => ctx.glob(`${directory.slice(0, 3)}*/`))).toEqual([])
  expect(ns.getOrSetSync('cwd', ctx => ctx.glob('*.js', { cwd: join(directory, 'src') }))).toEqual(['a.js'])
})

test('recorded paths have slashes, so that other checkouts find them', () => {
  const directory = temporaryDirectory()
  const { cache } = openIn(temporaryRoot())
  const counts = ['a', 'b'].map(name => {
    const project = join(directory, name)
    mkdirSync(join(project, 'src', 'deep'), { recursive: true })
    writeFileSync(join(project, 'package.json'), '{}')
    writeFileSync(join(project, 'src', 'deep', 'x.js'), 'text')
    let count = 0
    const ns = cache.namespace('tool').in(project)
    ns.analyzeSync('length', join(project, 'src', 'deep', 'x.js'), ctx => ++count && ctx.source.length)
    return count
  })
  expect(counts).toEqual([1, 0])
})

test("a result that contains its project's path is bound to it, with a drive letter in either case", () => {
  const directory = temporaryDirectory()
  const { cache } = openIn(temporaryRoot())
  const results = ['a', 'b'].flatMap(name => {
    const project = join(directory, name)
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{}')
    writeFileSync(join(project, 'x.js'), 'text')
    const ns = cache.namespace('tool').in(project)
    const low = project.slice(0, 1).toLowerCase() + project.slice(1)
    return [low, low.replaceAll('\\', '/'), JSON.stringify(low)].map(
      (text, at) => ns.analyzeSync(`path ${at}`, join(project, 'x.js'), () => text) === text,
    )
  })
  expect(results).toEqual(results.map(() => true))
})

test('a checkout with other line endings has other content', () => {
  const directory = temporaryDirectory()
  const { cache } = openIn(temporaryRoot())
  const lengths = ['a\nb\n', 'a\r\nb\r\n', 'a\nb\n'].map((text, at) => {
    const project = join(directory, `${at}`)
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{}')
    writeFileSync(join(project, 'x.js'), text)
    return cache
      .namespace('tool')
      .in(project)
      .analyzeSync('length', join(project, 'x.js'), ctx => ctx.source.length)
  })
  expect(lengths).toEqual([4, 6, 4])
})

test('a file that another process has open is rewritten by a gc, and disappears when it is closed', async () => {
  const root = temporaryRoot()
  const { cache } = openAsAnotherProcess(root)
  const ns = cache.namespace('tool', { project: false })
  const textOf = (n: number) => `${n} ${'x'.repeat(50_000)}`
  for (let n = 0; n < 40; n++) ns.set(`key ${n}`, textOf(n))
  const reader = startModule(
    `const ns = library.openCacheSync({ dir: args.root, onWarning }).namespace('tool', { project: false })
     const next = lines()
     for (let round = 0; ; round++) {
       for (let n = 36; n < 40; n++) if (ns.get('key ' + n) !== n + ' ' + 'x'.repeat(50_000)) print('wrong ' + n)
       print('round')
       if ((await next.next()).value !== 'again') break
     }`,
    { root },
  )
  expect(await reader.line()).toBe('round')
  for (let n = 0; n < 36; n++) ns.delete(`key ${n}`)
  await cache.gc()
  await cache.gc()
  for (let n = 36; n < 40; n++) expect(ns.get(`key ${n}`)).toBe(textOf(n))
  for (let round = 0; round < 3; round++) {
    expect(ns.set(`new ${round}`, textOf(round))).toBe(true)
    reader.send('again')
    expect(await reader.line()).toBe('round')
  }
  reader.end('end')
  expect(await reader.ended).toMatchObject({ code: 0, stderr: '' })
  await cache.gc()
  expect(readdirSync(join(root, 'v2', 'blobs', 'packs')).filter(name => name.endsWith('.retired'))).toEqual([])
  for (let round = 0; round < 3; round++) expect(ns.get(`new ${round}`)).toBe(textOf(round))
  cache.close()
  expect((await openAsAnotherProcess(root).cache.verify()).problems).toEqual([])
})

test("a file that the gc's own process has open is removed by the gc", async () => {
  const root = temporaryRoot()
  const { cache } = openAsAnotherProcess(root)
  const ns = cache.namespace('tool', { project: false })
  for (let n = 0; n < 20; n++) ns.set('key', `${n}${'x'.repeat(100_000)}`)
  expect(ns.get('key')).toContain('19x')
  expect((await cache.gc()).removedBlobs).toBe(19)
  expect(readdirSync(join(root, 'v2', 'blobs', 'packs')).filter(name => name.endsWith('.retired'))).toEqual([])
  expect((await cache.gc()).removedBlobs).toBe(0)
  expect(ns.get('key')).toContain('19x')
})

test('a root can be moved away and created again under an open cache', async () => {
  const root = temporaryRoot()
  const { cache, warnings } = openAsAnotherProcess(root)
  const ns = cache.namespace('tool', { project: false })
  ns.set('key', 'old')
  cache.close()
  renameSync(root, `${root} old`)
  const next = openAsAnotherProcess(root).cache.namespace('tool', { project: false })
  expect(next.get('key')).toBeUndefined()
  expect(next.set('key', 'new')).toBe(true)
  expect(next.get('key')).toBe('new')
  expect(warnings).toEqual([])
})

/** Wine makes none. */
function makeJunction(target: string, path: string): boolean {
  try {
    symlinkSync(target, path, 'junction')
    return true
  } catch (error) {
    if ((error as { code: string }).code !== 'ENOTSUP') throw error
    return false
  }
}

test.each(['v2', 'v2/namespaces/tool', 'v2/namespaces/tool/manifest', 'v2/blobs/packs'])(
  'nothing is written or removed through a junction at %s',
  async place => {
    const directory = temporaryDirectory()
    const [root, outside] = [join(directory, 'cache'), join(directory, 'outside')]
    for (const dir of [root, outside]) {
      const { cache } = openAsAnotherProcess(dir)
      cache.namespace('tool').set('key', 'x'.repeat(100_000))
      cache.namespace('tool').delete('key')
      cache.close()
    }
    const list = () => readdirSync(outside, { recursive: true, encoding: 'utf8' }).sort()
    const before = list()
    const path = join(root, ...place.split('/'))
    rmSync(path, { recursive: true })
    // Where there are no junctions, nothing is there at all.
    const isThere = makeJunction(join(outside, ...place.split('/')), path)
    const { cache } = openAsAnotherProcess(root)
    cache.namespace('tool').set('other', 'y')
    await cache.gc().catch(error => expect(error.code).toMatch(/^E/))
    await cache.verify({ repair: true })
    cache.close()
    expect(list()).toEqual(before)
    expect(isThere || readdirSync(dirname(path)).length > 0).toBe(true)
  },
)

test('a change that keeps the file size is noticed', () => {
  const source = join(temporaryDirectory(), 'source.txt')
  const { cache } = openIn(temporaryRoot())
  const ask = () => cache.namespace('tool').getOrSetSync('text', ctx => ctx.readFile(source))
  for (let n = 0; n < 20; n++) {
    writeFileSync(source, `text ${n % 10}`)
    if (n % 5 === 0) settle(source)
    expect(ask()).toBe(`text ${n % 10}`)
  }
})

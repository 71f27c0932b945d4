// Plugins may bring their own copies of the library. Several copies in one process must behave like one.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { projectRoot, runModule } from '../support/children.js'
import { Tree } from '../support/projects.js'

/** As two plugins have it in their node_modules. */
function copies(count: number) {
  const tree = new Tree({ 'project/package.json': '{}', 'project/file': 'one' })
  const urls = Array.from({ length: count }, (_, i) => {
    const directory = tree.at(`plugin-${i}/node_modules/wicked-cache`)
    mkdirSync(directory, { recursive: true })
    cpSync(join(projectRoot, 'package.json'), join(directory, 'package.json'))
    cpSync(join(projectRoot, 'dist'), join(directory, 'dist'), { recursive: true })
    return pathToFileURL(join(directory, 'dist', 'index.js')).href
  })
  return { tree, args: { urls, dir: tree.at('cache'), project: tree.at('project'), file: tree.at('project/file') } }
}

test('a result of one copy depends on nested results of another, computed or cached', async () => {
  const { tree, args } = copies(2)
  const module = `
    const [one, two] = await Promise.all(args.urls.map(url => import(url)))
    const open = library => library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool', { project: args.project })
    const [outer, inner] = [open(one), open(two)]
    const read = () => inner.getOrSetSync('inner', ctx => ctx.readFile(args.file))
    const readLater = () => inner.getOrSet('inner later', async ctx => { await null; return ctx.readFile(args.file) })
    print(one.CacheError !== two.CacheError)
    print(outer.getOrSetSync('outer', () => read()))
    print(await outer.getOrSet('outer later', async () => { await null; return readLater() }))
    print(outer.getOrSetSync('outer of the found', () => read()))
  `
  const first = await runModule(module, args)
  expect(first).toMatchObject({ lines: ['true', 'one', 'one', 'one'], stderr: '' })
  writeFileSync(tree.at('project/file'), 'another')
  expect((await runModule(module, args)).lines).toEqual(['true', 'another', 'another', 'another'])
})

test('many copies of the library add one exit listener, and lose no counts', async () => {
  const { args } = copies(4)
  const module = `
    const before = process.listenerCount('exit')
    for (const [i, url] of args.urls.entries()) {
      const library = await import(url)
      for (let j = 0; j < 3; j++) library.openCacheSync({ dir: args.dir + j, onWarning }).namespace('n' + i).get('key')
    }
    print(process.listenerCount('exit') - before)
  `
  expect(await runModule(module, args)).toMatchObject({ lines: ['1'], stderr: '' })
  const counts = `
    const cache = library.openCacheSync({ dir: args.dir + 0, mode: 'readonly' })
    for (let i = 0; i < 4; i++) print(cache.namespace('n' + i).stats().missCount)
  `
  expect((await runModule(counts, args)).lines).toEqual(['1', '1', '1', '1'])
})

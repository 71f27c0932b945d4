// The digests of files are remembered. A gc forgets those of deleted files.

import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { FileHashMap } from '../../src/file-hashes/file-hashes.js'
import { globDetail, selectByDetail } from '../../src/inputs/glob.js'
import type { Input } from '../../src/inputs/input.js'
import { Source, type SourceMeans } from '../../src/inputs/source.js'
import { openAsAnotherProcess } from '../support/caches.js'
import { newEnvironment, seedIn, temporaryDirectory } from './environment.js'

const CACHE = 'cache'

function project() {
  const root = temporaryDirectory()
  const paths = ['a', 'b', 'c'].map(name => join(root, name)) as [string, string, string]
  for (const path of paths) {
    writeFileSync(path, path)
    utimesSync(path, 1, 1)
  }
  const environment = newEnvironment({ hashSeed: seedIn(join(root, CACHE)) })
  // As if the files had been there for an hour.
  environment.files = { ...environment.files, now: () => Date.now() + 3_600_000 }
  const open = () => new FileHashMap(environment, layoutOf(join(root, CACHE)).fileHashes, 'file-hashes')
  const means = (fileHashes: FileHashMap | undefined): SourceMeans => ({
    files: environment.files,
    hashing: environment.hashing,
    fileHashes,
  })
  const look = (path: string) => new Source(means(undefined), path).input() as Input
  return { root, paths, environment, open, means, look }
}

test('another process finds remembered hashes once they are flushed', () => {
  const { paths, open, look } = project()
  const hashes = open()
  for (const path of paths) hashes.remember(path, look(path))
  expect(paths.map(path => open().recall(path))).toEqual([undefined, undefined, undefined])
  hashes.flush()
  expect(paths.map(path => open().recall(path))).toEqual(paths.map(look))
})

test('a gc forgets only the hashes of deleted files', async () => {
  const { root, paths, open, look } = project()
  const { cache, warnings } = openAsAnotherProcess(join(root, CACHE))
  cache.namespace('tool').set('key', 1)
  const hashes = open()
  const glob = `${paths[1]}\0${globDetail('', ['*'])}`
  for (const path of paths) hashes.remember(path, look(path))
  hashes.remember(glob, look(paths[1]))
  hashes.flush()
  rmSync(paths[1])
  const names = [...paths, glob]
  await cache.gc({ dryRun: true })
  expect(names.map(name => open().recall(name) !== undefined)).toEqual([true, true, true, true])
  await cache.gc()
  expect(names.map(name => open().recall(name) !== undefined)).toEqual([true, false, true, false])
  expect(warnings).toEqual([])
})

test('the hash of a file that has not changed recently is remembered, so later processes do not read it', () => {
  const { root, paths, open, means } = project()
  const hashes = open()
  const detail = globDetail('', ['[ab]'])
  const directory = join(root, 'dir')
  mkdirSync(directory)
  const first = new Source(means(hashes), paths[0]).input()
  const listing = new Source(means(hashes), directory).globInput(detail, selectByDetail(detail))
  hashes.flush()
  const files = { ...means(undefined).files, readFile: refuse, listKinds: refuse }
  const later = { ...means(open()), files }
  expect(new Source(later, paths[0]).input()).toEqual(first)
  expect(new Source(later, directory).globInput(detail, selectByDetail(detail))).toEqual(listing)
  function refuse(): never {
    throw new Error('It was read.')
  }
})

test('hashes of just-written files, missing files and failed listings are not remembered', () => {
  const { root, paths, open, means } = project()
  const hashes = open()
  const racy = { ...means(hashes), files: newEnvironment().files }
  writeFileSync(paths[0], 'new')
  for (const path of [paths[0], `${paths[0]}.no`]) {
    new Source(racy, path).input()
    expect(hashes.recall(path)).toBe(undefined)
  }
  mkdirSync(join(root, 'dir'))
  const detail = globDetail('', ['*'])
  const failing = {
    ...means(hashes),
    files: {
      ...means(hashes).files,
      listKinds: () => {
        throw Object.assign(new Error('made by a test'), { code: 'EMFILE' })
      },
    },
  }
  const failed = new Source(failing, join(root, 'dir')).globInput(detail, selectByDetail(detail))
  expect(hashes.recall(`${join(root, 'dir')}\0${detail}`)).toBe(undefined)
  const empty = new Source(means(hashes), join(root, 'dir')).globInput(detail, selectByDetail(detail))
  expect(failed.digest.equals(empty.digest)).toBe(false)
})

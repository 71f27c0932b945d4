// The memo knows what files hold as long as they are there; a gc has it forget the others.

import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSource } from '../../src/fingerprint/fingerprint.js'
import { Memo } from '../../src/memo/memo.js'
import { openAsAnotherProcess } from '../support/caches.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

function project() {
  const root = temporaryDirectory()
  const paths = ['a', 'b', 'c'].map(name => join(root, name))
  for (const path of paths) {
    writeFileSync(path, path)
    utimesSync(path, 1, 1)
  }
  const environment = newEnvironment()
  // As if the files had been there for an hour.
  environment.files = { ...environment.files, now: () => Date.now() + 3_600_000 }
  const open = () => new Memo(environment, join(root, 'cache', 'v1', 'memo'), 'memo')
  return { root, paths, environment, open }
}

test('what one memo was told, another knows once it is flushed', () => {
  const { paths, environment, open } = project()
  const memo = open()
  for (const path of paths) memo.remember(path, readSource(environment, path).fingerprint)
  expect(paths.map(path => open().recall(path))).toEqual([undefined, undefined, undefined])
  memo.flush()
  expect(paths.map(path => open().recall(path))).toEqual(paths.map(path => readSource(environment, path).fingerprint))
})

test('a gc has it forget files that are gone, and no others', async () => {
  const { root, paths, environment, open } = project()
  const memo = open()
  for (const path of paths) memo.remember(path, readSource(environment, path).fingerprint)
  memo.flush()
  rmSync(paths[1] as string)
  const { cache, warnings } = openAsAnotherProcess(join(root, 'cache'))
  await cache.gc({ dryRun: true })
  expect(paths.map(path => open().recall(path) !== undefined)).toEqual([true, true, true])
  await cache.gc()
  expect(paths.map(path => open().recall(path) !== undefined)).toEqual([true, false, true])
  expect(warnings).toEqual([])
})

test('racy fingerprints and missing files are not remembered', () => {
  const { paths, open } = project()
  const environment = newEnvironment()
  const memo = open()
  writeFileSync(paths[0] as string, 'new')
  for (const path of [paths[0] as string, `${paths[0]}.no`]) {
    memo.remember(path, readSource(environment, path).fingerprint)
    expect(memo.recall(path)).toBe(undefined)
  }
})

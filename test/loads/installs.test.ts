// Installed by package managers with another layout than npm's.

import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { pack } from '../package/smoke-on-node.mjs'
import { addFixtures, NODE, newDirectory, removeDirectories, run, tool } from './support.js'

afterAll(removeDirectories)

/** A project that depends on the packed package, which is not installed yet. */
function newProject(): string {
  const directory = newDirectory()
  renameSync(join(directory, pack(directory)), join(directory, 'wicked-cache.tgz'))
  addFixtures(directory)
  const dependencies = { 'wicked-cache': 'file:./wicked-cache.tgz' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'example', private: true, dependencies }))
  return directory
}

test('works when installed by pnpm', async () => {
  const directory = newProject()
  await run(tool('.bin', 'pnpm'), ['install', '--ignore-scripts'], directory)
  for (const file of ['main.mjs', 'main.cjs']) expect(await run(NODE, [file], directory)).toBe('all is well\n')
})

test('works when installed by Yarn with Plug’n’Play', async () => {
  const directory = newProject()
  const yarn = (...args: string[]) =>
    run(NODE, [tool('@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), ...args], directory, {
      YARN_ENABLE_TELEMETRY: '0',
      YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
      YARN_GLOBAL_FOLDER: join(directory, '.yarn-global'),
    })
  writeFileSync(join(directory, 'yarn.lock'), '')
  await yarn('install')
  for (const file of ['main.mjs', 'main.cjs']) expect(await yarn('node', file)).toBe('all is well\n')
  expect(await yarn('wicked-cache', 'path')).toMatch(/wicked-cache\n$/)
})

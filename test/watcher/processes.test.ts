// Watchers in separate processes.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Invalidation } from '../../src/index.js'
import { openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { Child, projectRoot, runModule, startModule } from '../support/children.js'
import { watching } from './watching.js'

const WATCHER = `
  const cache = library.openCacheSync({ dir: args.dir, onWarning })
  const watcher = cache.watch(args.root, { persistent: args.persistent })
  watcher.on('invalidate', invalidation => print(JSON.stringify(invalidation)))
  watcher.on('error', error => print('error ' + error.code + ' ' + error.cause.code))
  await watcher.ready
  print('ready')
`

function project(count: number, directories = 10) {
  const root = temporaryDirectory()
  const dir = temporaryRoot()
  const { cache } = openIn(dir)
  const entries = cache.namespace('tool')
  const names = Array.from({ length: count }, (_, i) => `dir${i % directories}/file${i}.js`)
  const path = (name: string) => join(root, name)
  for (const name of names) {
    mkdirSync(join(path(name), '..'), { recursive: true })
    writeFileSync(path(name), `content of ${name}`)
  }
  entries.setMany(names.map(name => ({ key: name, value: 1, files: [path(name)] })))
  return { root, dir, cache, entries, names, path }
}

/** The keys of the next lines, once there are as many. */
async function keysFrom(child: Child, count: number): Promise<string[]> {
  const keys: string[] = []
  while (keys.length < count) {
    const line = await child.line()
    if (line === undefined) throw new Error(`The process ended after ${keys.length} keys: ${child.lines}`)
    keys.push((JSON.parse(line) as Invalidation).key)
  }
  return keys.sort()
}

test('all watching processes report every dropped entry, whichever of them drops it', async () => {
  const { root, dir, cache, entries, names, path } = project(300)
  const children = [0, 1].map(() => startModule(WATCHER, { dir, root, persistent: true }))
  for (const child of children) expect(await child.line()).toBe('ready')
  const told = await watching(cache, root)
  for (const name of names) writeFileSync(path(name), 'changed')
  await told.untilKeys(...names)
  for (const child of children) expect(await keysFrom(child, names.length)).toEqual([...names].sort())
  expect([...entries.keys()]).toEqual([])
})

test('a watching process exits by itself, unless the watcher is persistent', async () => {
  const { root, dir, names } = project(500)
  expect((await runModule(WATCHER, { dir, root })).lines).toEqual(['ready'])
  const persistent = startModule(WATCHER, { dir, root, persistent: true })
  expect(await persistent.line()).toBe('ready')
  writeFileSync(join(root, names[0] as string), 'changed')
  expect(await keysFrom(persistent, 1)).toEqual([names[0]])
})

test('a process exits once its watcher or its cache is closed', async () => {
  const { root, dir } = project(50)
  for (const close of [
    'await watcher.close()',
    'cache.close()',
    'await Promise.all([watcher.close(), watcher.close()])',
  ]) {
    const { lines } = await runModule(`${WATCHER}\n${close}\nprint('closed')`, { dir, root, persistent: true })
    expect(lines).toEqual(['ready', 'closed'])
  }
})

test('a process that closes its watcher before it is ready exits too', async () => {
  const { root, dir } = project(50)
  const code = WATCHER.replace('await watcher.ready', 'await watcher.close(); await watcher.ready')
  expect((await runModule(code, { dir, root, persistent: true })).lines).toEqual(['ready'])
})

test("past the system's limit of watches, periodic checks find changes", async () => {
  const { root, dir, names, path } = project(1500, 1500)
  const limited = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { watch } = fs
    let left = 1000
    fs.watch = (...given) => {
      if (left-- > 0) return watch(...given)
      throw Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), { code: 'ENOSPC' })
    }
    syncBuiltinESMExports()
    ${WATCHER}
    print(JSON.stringify(watcher.status()))`
  const watcher = startModule(limited, { dir, root, persistent: true })
  const lines = [await watcher.line(), await watcher.line(), await watcher.line()]
  expect(lines.slice(0, 2)).toEqual(['error ERR_CACHE_WATCH ENOSPC', 'ready'])
  expect(JSON.parse(lines[2] as string)).toMatchObject({ entryCount: 1500, sourceCount: 1500, isDegraded: true })
  for (const name of names) writeFileSync(path(name), 'changed')
  expect(await keysFrom(watcher, names.length)).toEqual([...names].sort())
  watcher.process.kill('SIGKILL')
  expect((await watcher.ended).lines.filter(line => line.startsWith('error'))).toHaveLength(1)
})

const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))

test('without file descriptors, changes are found later', async () => {
  const { root, dir, names, path } = project(300)
  const script = join(temporaryDirectory(), 'watch.mjs')
  const siblings = ['maintenance', 'watcher', 'inputs', 'listing']
  writeFileSync(
    script,
    `import { closeSync, openSync } from 'node:fs'
    import 'file://${projectRoot}/node_modules/chokidar/index.js'
    import * as library from 'file://${projectRoot}/dist/index.js'
    ${siblings.map(name => `import 'file://${projectRoot}/dist/${version}/${name}.cjs'`).join('\n    ')}
    const print = console.log, onWarning = () => undefined, args = ${JSON.stringify({ dir, root, persistent: true })}
    const taken = []
    try {
      for (;;) taken.push(openSync('/dev/null'))
    } catch (error) {
      print(error.code)
    }
    ${WATCHER}
    for (const fd of taken) closeSync(fd)
    print('freed')`,
  )
  const child = spawn('sh', ['-c', 'ulimit -n 100 && exec "$0" "$1"', process.execPath, script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const watcher = new Child(child)
  const lines = [await watcher.line(), await watcher.line(), await watcher.line(), await watcher.line()]
  expect(lines).toEqual(['EMFILE', 'error ERR_CACHE_WATCH EMFILE', 'ready', 'freed'])
  for (const name of names) writeFileSync(path(name), 'changed')
  expect(await keysFrom(watcher, names.length)).toEqual([...names].sort())
})

// A program that doesn't return to the event loop sees what others have stored meanwhile: a child that it waited for
// synchronously, or a worker that it waited for with `Atomics.wait`.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openCacheSync } from '../../src/index.js'
import { temporaryDirectory } from '../support/caches.js'
import { projectRoot } from '../support/children.js'

const library = pathToFileURL(join(projectRoot, 'dist', 'index.js')).href

function setUp() {
  const dir = join(temporaryDirectory(), 'cache')
  const cache = openCacheSync({ dir })
  onTestFinished(() => cache.close())
  const open = `openCacheSync({ dir: ${JSON.stringify(dir)} }).namespace('n', { project: false })`
  const inChild = (action: string) => {
    const code = `import { openCacheSync } from '${library}'; const entries = ${open}; ${action}`
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    })
  }
  return { dir, entries: cache.namespace('n', { project: false }), inChild, open }
}

describe('after a synchronous wait for a child', () => {
  test('a set, a delete and a clear are seen', () => {
    const { entries, inChild } = setUp()
    entries.set('key', 'mine')
    expect([entries.get('key'), entries.get('key')]).toEqual(['mine', 'mine'])
    inChild("entries.set('key', 'theirs')")
    expect(entries.get('key')).toBe('theirs')
    inChild("entries.delete('key')")
    expect(entries.get('key')).toBeUndefined()
    entries.set('key', 'mine')
    inChild('entries.clear()')
    expect(entries.has('key')).toBe(false)
  })

  test('a key that was a miss before is found, in a new namespace', () => {
    const { entries, inChild } = setUp()
    expect(entries.get('key')).toBeUndefined()
    inChild("entries.set('key', 'theirs')")
    expect(entries.get('key')).toBe('theirs')
    expect(entries.getOrSetSync('key', () => 'computed')).toBe('theirs')
  })

  test('enough sets to split a bucket are seen', () => {
    const { entries, inChild } = setUp()
    entries.set('key 1', 'mine')
    expect(entries.get('key 1')).toBe('mine')
    inChild(`for (let i = 0; i < 5000; i++) entries.set('key ' + i, 'theirs ' + i)`)
    expect(entries.get('key 1')).toBe('theirs 1')
    expect(entries.get('key 4999')).toBe('theirs 4999')
  })
})

test('after a synchronous wait for a worker, its set is seen', async () => {
  const { entries, open } = setUp()
  const flag = new Int32Array(new SharedArrayBuffer(8))
  const [READY, DONE, GO] = [1, 2, 1]
  const code = `
    const { flag } = require('node:worker_threads').workerData
    import('${library}').then(({ openCacheSync }) => {
      const entries = ${open}
      Atomics.store(flag, 0, ${READY})
      require('node:worker_threads').parentPort.postMessage('ready')
      Atomics.wait(flag, 1, 0)
      entries.set('key', 'from the worker')
      Atomics.store(flag, 0, ${DONE})
      Atomics.notify(flag, 0)
    })`
  const worker = new Worker(code, { eval: true, workerData: { flag } })
  onTestFinished(async () => {
    await worker.terminate()
  })
  await new Promise(resolve => worker.once('message', resolve))
  expect(entries.get('key')).toBeUndefined()
  Atomics.store(flag, 1, GO)
  Atomics.notify(flag, 1)
  expect(Atomics.wait(flag, 0, READY, 20_000)).not.toBe('timed-out')
  expect(entries.get('key')).toBe('from the worker')
})

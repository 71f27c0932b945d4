// The built command in separate processes.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { projectRoot } from '../support/children.js'
import { ServeProcess } from './client.js'

const entry = { namespace: 'ns', key: 'key' }
const statsIn = (dir: string) => openAsAnotherProcess(dir).cache.namespace('ns', { project: false }).stats()

test('the greeting has the version', async () => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  const served = new ServeProcess(temporaryDirectory())
  expect(await served.greeting()).toMatchObject({ serve: 1, version })
})

describe('exits and writes all counts', () => {
  test('at the end of its input, even without a final line break', async () => {
    const dir = temporaryDirectory()
    const served = new ServeProcess(dir)
    await served.greeting()
    await served.ask({ op: 'set', ...entry, value: 1 })
    served.child.end(JSON.stringify({ op: 'get', ...entry }))
    expect(await served.child.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(served.child.lines.at(-1)).toBe('{"id":null,"hit":true,"value":1}')
    expect(statsIn(dir)).toMatchObject({ setCount: 1, hitCount: 1 })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('on %s', async signal => {
    const dir = temporaryDirectory()
    const served = new ServeProcess(dir)
    await served.greeting()
    await served.ask({ op: 'set', ...entry, value: 1 })
    await served.ask({ op: 'get', ...entry })
    served.child.process.kill(signal)
    expect(await served.child.ended).toMatchObject({ code: null, signal, stderr: '' })
    expect(statsIn(dir)).toMatchObject({ setCount: 1, hitCount: 1 })
  })

  test('after close, before it responds', async () => {
    const dir = temporaryDirectory()
    const served = new ServeProcess(dir)
    await served.greeting()
    await served.ask({ op: 'get', ...entry })
    expect(await served.ask({ id: 1, op: 'close' })).toEqual({ id: 1, closed: true })
    expect(statsIn(dir)).toMatchObject({ missCount: 1 })
    expect(await served.child.ended).toMatchObject({ code: 0 })
  })

  test('when its stdout is closed', async () => {
    const dir = temporaryDirectory()
    const served = new ServeProcess(dir)
    await served.greeting()
    served.child.process.stdout?.destroy()
    const exit = once(served.child.process, 'exit')
    served.child.send(JSON.stringify({ op: 'get', ...entry }))
    expect(await exit).toEqual([0, null])
    expect(statsIn(dir)).toMatchObject({ missCount: 1 })
  })
})

test('an acknowledged set survives SIGKILL', async () => {
  const dir = temporaryDirectory()
  const served = new ServeProcess(dir)
  await served.greeting()
  for (let i = 0; i < 50; i++) await served.ask({ op: 'set', namespace: 'ns', key: `${i}`, value: i })
  served.child.process.kill('SIGKILL')
  await served.child.ended
  const ns = openAsAnotherProcess(dir).cache.namespace('ns', { project: false })
  expect(Array.from({ length: 50 }, (_, i) => ns.get(`${i}`))).toEqual(Array.from({ length: 50 }, (_, i) => i))
})

test('a too long line is rejected, and the next one is served', async () => {
  const served = new ServeProcess(temporaryDirectory())
  const { maxLineBytes } = (await served.greeting()) as { maxLineBytes: number }
  const { stdin } = served.child.process
  const chunk = Buffer.alloc(16 * 1024 * 1024, ' ')
  for (let sent = 0; sent <= maxLineBytes; sent += chunk.length) {
    if (!stdin?.write(chunk)) await new Promise(resolve => stdin?.once('drain', resolve))
  }
  expect(await served.ask({ op: 'namespaces' })).toMatchObject({ error: { code: 'ERR_CACHE_VALUE_TOO_LARGE' } })
  expect(await served.ask({ op: 'namespaces' })).toEqual({ id: null, namespaces: [] })
})

test("two servers and Node see each other's sets", async () => {
  const dir = temporaryDirectory()
  const [one, other] = [new ServeProcess(dir), new ServeProcess(dir)]
  await Promise.all([one.greeting(), other.greeting()])
  const ns = openAsAnotherProcess(dir).cache.namespace('ns', { project: false })
  for (let i = 0; i < 20; i++) {
    expect(await one.ask({ op: 'set', ...entry, value: i })).toEqual({ id: null, stored: true })
    expect(await other.ask({ op: 'get', ...entry })).toEqual({ id: null, hit: true, value: i })
    expect(ns.get('key')).toBe(i)
    ns.set('key', [i])
    expect(await one.ask({ op: 'get', ...entry })).toEqual({ id: null, hit: true, value: [i] })
    expect(await other.ask({ op: 'invalidate', ...entry })).toEqual({ id: null, removed: true })
    expect(ns.get('key')).toBe(undefined)
  }
})

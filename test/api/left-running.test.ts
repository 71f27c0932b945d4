// Code that keeps running after its call has returned: timers, computations that outlive a snapshot or never end.

import { setTimeout as sleepUntil } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { answers, Tree, within } from '../support/projects.js'

const timers = process.getBuiltinModule('node:timers')

afterEach(() => vi.restoreAllMocks())

function opened() {
  const tree = new Tree({ 'p/package.json': '', 'p/f': '1', 'p/sub/f': 'of sub' })
  const project = tree.at('p')
  return { tree, project, ...tree.opened({ project }) }
}

/** A promise, and what resolves it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}

test('a computation that outlives a snapshot checks the files again', async () => {
  const { tree, cache, entries } = opened()
  const { opened: isOver, open } = gate()
  const later = cache.snapshot(() => {
    entries.getOrSetSync('warm', ({ readFile }) => readFile(tree.at('p/f')))
    const promise = entries.getOrSet('later', async ({ readFile }) => {
      await isOver
      return readFile(tree.at('p/f'))
    })
    return { promise }
  })
  tree.write({ 'p/f': '2' })
  open()
  expect(await later.promise).toBe('2')
})

test('a call that keeps running after an async snapshot checks the files again', async () => {
  const { tree, cache, entries } = opened()
  const { opened: mayEnd, open } = gate()
  const { opened: isChanged, open: change } = gate()
  const read = () => entries.getOrSetSync('key', ({ readFile }) => readFile(tree.at('p/f')))
  const busy = entries.getOrSet('busy', () => mayEnd)
  let left: Promise<string> | undefined
  await cache.snapshot(async () => {
    read()
    left = isChanged.then(read)
  })
  tree.write({ 'p/f': '2' })
  change()
  expect(await left).toBe('2')
  open()
  await busy
})

test('a relative path is resolved in the working directory at the time of the call', async () => {
  const { tree } = opened()
  const entries = tree.open()
  const { opened: mayEnd, open } = gate()
  const ask = () =>
    entries.getOrSet('outer', () =>
      entries.analyze('inner', 'f', async context => {
        await mayEnd
        return context.source
      }),
    )
  const first = within(tree.at('p'), ask)
  const before = process.cwd()
  process.chdir(tree.at('p/sub'))
  try {
    open()
    expect(await first).toBe('1')
    expect(await ask()).toBe('of sub')
  } finally {
    process.chdir(before)
  }
})

test('a call from a timer that a computation started is not part of that computation', async () => {
  const { entries } = opened()
  const { opened: mayEnd, open } = gate()
  const busy = entries.getOrSet('busy', () => mayEnd)
  const { onResult, results } = answers()
  let left: Promise<unknown> | undefined
  await entries.getOrSet('key', () => {
    left = sleepUntil(0).then(() => {
      entries.delete('key')
      entries.getOrSetSync('key', () => 2)
      return entries.getOrSetSync('key', () => 3, { onResult })
    })
    return 1
  })
  expect(await left).toBe(2)
  expect(results.map(({ isHit }) => isHit)).toEqual([true])
  open()
  await busy
})

test('a caller that joins a computation that never settles computes by itself in the end', async () => {
  const { setTimeout } = timers
  const waits: unknown[] = []
  vi.spyOn(timers, 'setTimeout').mockImplementation(((fn: () => void, ms: number, ...rest: []) => {
    if (ms < 5000) return setTimeout(fn, ms, ...rest)
    waits.push(ms)
    return setTimeout(fn, 0, ...rest)
  }) as never)
  const { entries } = opened()
  void entries.getOrSet('key', () => new Promise(() => undefined))
  expect(await entries.getOrSet('key', () => 2)).toBe(2)
  expect(await entries.getOrSet('key', () => 3)).toBe(2)
  expect(waits).toEqual([10_000])
})

test('a value with a throwing `then`, or a revoked proxy, is returned', () => {
  const { entries } = opened()
  const throwing = Object.defineProperty({}, 'then', {
    get() {
      throw new RangeError('then')
    },
  })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  expect(entries.getOrSetSync('throwing', () => throwing) === throwing).toBe(true)
  expect(entries.getOrSetSync('revoked', () => proxy) === proxy).toBe(true)
})

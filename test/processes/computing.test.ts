// Processes that need the same value at the same time: one computes it, the others wait. None waits for a killed process.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openIn, temporaryDirectory } from '../support/caches.js'
import { libraryUrl, runModule, startModule } from '../support/children.js'

/** Says that it runs, computes when it is told to start, and leaves a file each time that it computes. */
const WORKER = `
  import { writeFileSync } from 'node:fs'
  const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool')
  const input = lines()
  print('ready')
  await input.next()
  const value = await entries[args.form]('key', args.form === 'getOrSet' ? compute : computeSync)
  print(JSON.stringify(value))
  process.exit()
  async function compute() {
    writeFileSync(args.marks + '/' + process.pid, '')
    print('computing')
    await input.next()
    return { by: process.pid }
  }
  function computeSync() {
    writeFileSync(args.marks + '/' + process.pid, '')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    return { by: process.pid }
  }
`

async function workers(count: number, form: string) {
  const dir = join(temporaryDirectory(), 'cache')
  const marks = temporaryDirectory()
  const children = Array.from({ length: count }, () => startModule(WORKER, { dir, marks, form }))
  for (const child of children) expect(await child.line()).toBe('ready')
  return { dir, children, computed: () => readdirSync(marks).map(Number) }
}

test('six processes compute a value once', async () => {
  const { children, computed } = await workers(6, 'getOrSet')
  for (const child of children) child.send('start')
  const [first] = children
  const owner = await Promise.race(children.map(async child => ((await child.line()) === 'computing' ? child : first)))
  owner?.send('finish')
  const ended = await Promise.all(children.map(child => child.ended))
  const values = ended.map(({ lines }) => JSON.parse(lines.at(-1) ?? ''))
  expect(computed()).toEqual([owner?.process.pid])
  expect(values).toEqual(values.map(() => ({ by: owner?.process.pid })))
  expect(ended.map(({ stderr }) => stderr).join('')).toBe('')
})

test('four processes that call getOrSetSync compute a value once', async () => {
  const { children, computed } = await workers(4, 'getOrSetSync')
  for (const child of children) child.send('start')
  const ended = await Promise.all(children.map(child => child.ended))
  const [by] = computed()
  expect(computed().length).toBe(1)
  expect(ended.map(({ lines }) => JSON.parse(lines.at(-1) ?? ''))).toEqual(ended.map(() => ({ by })))
})

test('no process waits for one that was killed during its computation', async () => {
  const { children, computed } = await workers(2, 'getOrSet')
  const [first, second] = children
  first?.send('start')
  expect(await first?.line()).toBe('computing')
  second?.send('start')
  first?.process.kill('SIGKILL')
  expect(await second?.line()).toBe('computing')
  second?.send('finish')
  expect((await second?.ended)?.code).toBe(0)
  expect(computed().length).toBe(2)
})

test.each(['getOrSet', 'getOrSetSync'])('four threads of one process compute a value once (%s)', async form => {
  const dir = join(temporaryDirectory(), 'cache')
  const marks = temporaryDirectory()
  const code = `
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const program = \`
      const { workerData: { url, dir, marks, form, started }, parentPort, threadId } =
        process.getBuiltinModule('node:worker_threads')
      const { writeFileSync } = process.getBuiltinModule('node:fs')
      import(url).then(async library => {
        const entries = library.openCacheSync({ dir }).namespace('tool')
        // All are there before one begins.
        const here = new Int32Array(started)
        Atomics.add(here, 0, 1)
        Atomics.notify(here, 0)
        for (let count; (count = Atomics.load(here, 0)) < 4; ) Atomics.wait(here, 0, count)
        const value = await entries[form]('key', () => {
          writeFileSync(marks + '/' + threadId, '')
          if (form === 'getOrSet') return new Promise(resolve => setTimeout(resolve, 200, threadId))
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
          return threadId
        })
        parentPort.postMessage(value)
      })
    \`
    const started = new SharedArrayBuffer(4)
    const workerData = { ...args, url: args.url, started }
    const workers = Array.from({ length: 4 }, () => new Worker(program, { eval: true, workerData }))
    const values = await Promise.all(workers.map(async worker => (await once(worker, 'message'))[0]))
    print(JSON.stringify(values))
  `
  const { lines, stderr } = await runModule(code, { dir, marks, form, url: libraryUrl })
  const [by, ...others] = readdirSync(marks).map(Number)
  expect(others).toEqual([])
  expect([JSON.parse(lines[0] ?? ''), stderr]).toEqual([[by, by, by, by], ''])
})

test('a nested computation does not wait for another process, as that could deadlock', async () => {
  const dir = join(temporaryDirectory(), 'cache')
  const holder = startModule(
    `
      const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool', { project: false })
      entries.getOrSet('inner', () => {
        print('computing')
        return new Promise(() => {})
      })
      await lines().next()
    `,
    { dir },
  )
  expect(await holder.line()).toBe('computing')
  const entries = openIn(dir).cache.namespace('tool', { project: false })
  const wait = vi.spyOn(Atomics, 'wait')
  const inner = () => entries.getOrSetSync('inner', () => 'computed here')
  expect(entries.getOrSetSync('outer', () => inner())).toBe('computed here')
  expect(wait).not.toHaveBeenCalled()
  wait.mockRestore()
  holder.process.kill('SIGKILL')
})

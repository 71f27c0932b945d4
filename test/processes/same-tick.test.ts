// A process that waits synchronously for another process or thread finds what that has changed, as require hooks and
// synchronous linters do.

import { describe, expect, test } from 'vitest'
import { temporaryRoot } from '../support/caches.js'
import { libraryUrl, runModule } from '../support/children.js'

/** What is changed in another place, and what a get of `key` gives before and after. */
const STEPS: [what: string, change: string, before: unknown, after: unknown][] = [
  ['a new key that was missed before', "entries.set('key', 1)", null, 1],
  ['a set', "entries.set('key', 2)", 1, 2],
  ['a delete', "entries.delete('key')", 2, null],
  ['a set of what was deleted', "entries.set('key', 3)", null, 3],
  ['a clear', 'entries.clear()', 3, null],
  ['a set of what was cleared', "entries.set('key', 4)", null, 4],
  ['so many sets that the files are split', "for (let i = 0; i < 1200; i++) entries.set('other ' + i, i)", 4, 4],
  ['a set after that', "entries.set('key', 5)", 4, 5],
]

const OPENING = "library.openCacheSync({ dir }).namespace('tool')"

/** Calls `other(change)`, which returns once the change is made, for each step in one tick. */
const READER = `
  const { dir, url, steps } = args
  const entries = ${OPENING}
  const get = () => entries.get('key') ?? null
  const seen = []
  const makeOther = {
    async process() {
      const { spawnSync } = await import('node:child_process')
      return change => {
        const opening = 'const library = await import(process.argv[1]); const dir = process.argv[2]; const entries = '
        const code = opening + ${JSON.stringify(OPENING)} + '; ' + change
        const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code, url, dir])
        if (status !== 0) throw new Error(String(stderr))
      }
    },
    async thread() {
      const { Worker } = await import('node:worker_threads')
      const flags = new Int32Array(new SharedArrayBuffer(8))
      const code = \`
        const { workerData: { flags, url, dir, changes } } = require('node:worker_threads')
        import(url).then(library => {
          const entries = ${OPENING}
          Atomics.store(flags, 1, 1)
          Atomics.notify(flags, 1)
          for (let step = 0; step < changes.length; step++) {
            Atomics.wait(flags, 0, step)
            eval(changes[step])
            Atomics.store(flags, 1, step + 2)
            Atomics.notify(flags, 1)
          }
        })\`
      const worker = new Worker(code, { eval: true, execArgv: [], workerData: { flags, url, dir, changes: steps } })
      while (Atomics.load(flags, 1) === 0) await new Promise(resolve => setImmediate(resolve))
      worker.unref()
      let step = 0
      return () => {
        Atomics.store(flags, 0, ++step)
        Atomics.notify(flags, 0)
        Atomics.wait(flags, 1, step)
      }
    },
  }
  const other = await makeOther[args.kind]()
  for (const change of steps) {
    // The second time from memory, if at all.
    const before = [get(), get()]
    other(change)
    seen.push([...before, get(), get()])
  }
  print(JSON.stringify(seen))
`

describe.each(['process', 'thread'])('after a synchronous wait for a %s', kind => {
  test('the very next get sees its changes', async () => {
    const steps = STEPS.map(([, change]) => change)
    const { lines } = await runModule(READER, { dir: temporaryRoot(), kind, url: libraryUrl, steps })
    const seen = JSON.parse(lines[0] ?? '[]') as unknown[][]
    const expected = STEPS.map(([what, , before, after]) => [what, before, before, after, after])
    expect(STEPS.map(([what], at) => [what, ...(seen[at] ?? [])])).toEqual(expected)
  })
})

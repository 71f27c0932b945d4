// However a process ends, its sets are stored. Unless it is killed, its counts are added too.

import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { startModule } from '../support/children.js'

const WORK = `
  const cache = library.openCacheSync({ dir: args.dir })
  const entries = cache.namespace('tool')
  for (let i = 0; i < 300; i++) entries.set(args.id + ' ' + i, i)
  for (let i = 0; i < 300; i++) entries.get(args.id + ' ' + i)
  entries.getMany(['nothing', 'at all'])
`

const ENDINGS: [string, string, number | null][] = [
  ['by running out of work', '', 0],
  ['by process.exit', 'process.exit(3)', 3],
  ['by process.exit in its own exit listener', "process.on('exit', () => process.exit(4))", 4],
  ['by an uncaught exception', "throw new Error('made by a test')", 1],
  [
    'by an unhandled rejection',
    "Promise.reject(new Error('made by a test')); await new Promise(() => setTimeout(() => {}, 1e6))",
    1,
  ],
  ['by closing its cache', 'cache.close()', 0],
  ['by closing its cache, and process.exit', 'cache.close(); process.exit(0)', 0],
  ['with its own exit code', 'process.exitCode = 5', 5],
]

describe('a process that ends', () => {
  test.each(ENDINGS)('%s adds its counts', async (_how, ending, code) => {
    const dir = temporaryRoot()
    const child = startModule(WORK + ending, { dir, id: 'only' })
    child.end()
    expect((await child.ended).code).toBe(code)
    expect(openAsAnotherProcess(dir).cache.stats()).toMatchObject({
      entryCount: 300,
      setCount: 300,
      hitCount: 300,
      missCount: 2,
      missReasons: { 'never-set': 2 },
    })
  })

  test('by SIGKILL keeps its sets', async () => {
    const dir = temporaryRoot()
    const child = startModule(`${WORK} process.kill(process.pid, 'SIGKILL')`, { dir, id: 'only' })
    expect((await child.ended).signal).toBe('SIGKILL')
    const { cache } = openAsAnotherProcess(dir)
    for (let i = 0; i < 300; i++) expect(cache.namespace('tool').get(`only ${i}`)).toBe(i)
  })
})

test('processes that end in all these ways at the same time lose and invent no counts', async () => {
  const dir = temporaryRoot()
  for (let round = 1; round <= 3; round++) {
    const children = ENDINGS.map(([, ending], id) =>
      startModule(`print('ready'); await lines().next(); process.stdin.destroy(); ${WORK} ${ending}`, { dir, id }),
    )
    for (const child of children) expect(await child.line()).toBe('ready')
    for (const child of children) child.send('go')
    for (const child of children) await child.ended
    const { cache } = openAsAnotherProcess(dir)
    const { setCount, hitCount, missCount } = cache.stats()
    const each = ENDINGS.length * round
    expect({ setCount, hitCount, missCount }).toEqual({
      setCount: 300 * each,
      hitCount: 300 * each,
      missCount: 2 * each,
    })
    cache.close()
  }
})

test('processes that add equal counts at the same time are all counted', async () => {
  const dir = temporaryRoot()
  let expected = 0
  for (let round = 0; round < 4; round++) {
    const children = Array.from({ length: 6 }, () =>
      startModule(
        `const entries = library.openCacheSync({ dir: args.dir }).namespace('tool')
         print('ready')
         await lines().next()
         process.stdin.destroy()
         for (let i = 0; i < 1024 * 5; i++) entries.get('nothing')`,
        { dir },
      ),
    )
    for (const child of children) expect(await child.line()).toBe('ready')
    for (const child of children) child.send('go')
    for (const child of children) expect((await child.ended).stderr).toBe('')
    expected += 6 * 1024 * 5
    const { cache } = openAsAnotherProcess(dir)
    expect(cache.namespace('tool').stats().missCount).toBe(expected)
    cache.close()
  }
})

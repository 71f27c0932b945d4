// Several real processes that start to write at the same time.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesBelow, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { type Child, startModule } from '../support/children.js'

/** Starts the processes, lets all of them go at once, and returns the last line of each when it has ended well. */
async function together(count: number, code: string, args: object): Promise<string[]> {
  const children = Array.from({ length: count }, (_, id) =>
    startModule(
      `print('ready')
       await lines().next()
       ${code}
       process.stdin.destroy()`,
      { ...args, id },
    ),
  )
  for (const child of children) expect(await child.line()).toBe('ready')
  for (const child of children) child.send('go')
  return Promise.all(children.map(lastLineOf))
}

async function lastLineOf(child: Child): Promise<string> {
  const { code, stderr, lines } = await child.ended
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return lines.at(-1) as string
}

const packBytes = (dir: string) =>
  filesBelow(dir)
    .filter(path => path.endsWith('.pack'))
    .reduce((sum, path) => sum + statSync(join(dir, path)).size, 0)

describe('six processes on one root', () => {
  test('setting their own and common keys lose nothing and count exactly', async () => {
    const dir = temporaryRoot()
    const [processes, own, common] = [6, 500, 50]
    const results = await together(
      processes,
      `const cache = library.openCacheSync({ dir: args.dir, onWarning })
       const entries = cache.namespace('tool', { version: '1' })
       let [sets, hits] = [0, 0]
       for (let i = 0; i < args.own; i++) {
         if (entries.set('own ' + args.id + ' ' + i, { id: args.id, i })) sets++
         if (entries.set('common ' + i % args.common, { id: args.id, i })) sets++
         if (entries.get('own ' + args.id + ' ' + i)?.i === i) hits++
         if (entries.get('common ' + i % args.common)) hits++
         if (i % 50 === 0) await new Promise(resolve => setImmediate(resolve))
       }
       print(JSON.stringify({ sets, hits }))`,
      { dir, own, common },
    )
    for (const line of results) expect(JSON.parse(line)).toEqual({ sets: 2 * own, hits: 2 * own })
    const { cache, warnings } = openAsAnotherProcess(dir)
    const entries = cache.namespace('tool', { version: '1' })
    for (let id = 0; id < processes; id++) {
      for (let i = 0; i < own; i++) expect(entries.get(`own ${id} ${i}`)).toEqual({ id, i })
    }
    for (let key = 0; key < common; key++) {
      // The last set of one of them.
      const { i } = entries.get<{ i: number }>(`common ${key}`) as { i: number }
      expect(i).toBe(own - common + key)
    }
    expect([...entries.keys()].length).toBe(processes * own + common)
    const { setCount, hitCount, missCount } = cache.stats()
    const own_hits = processes * own + common
    expect({ setCount, hitCount, missCount }).toEqual({
      setCount: processes * own * 2,
      hitCount: processes * own * 2 + own_hits,
      missCount: 0,
    })
    expect(warnings).toEqual([])
  })

  test('store a known value once, under any namespace and key', async () => {
    const dir = temporaryRoot()
    const values = Array.from({ length: 500 }, (_, index) => ({ index, text: 'x'.repeat(200) }))
    const first = openAsAnotherProcess(dir).cache
    first.namespace('first').setMany(values.map((value, index) => ({ key: `${index}`, value })))
    first.close()
    const before = packBytes(dir)
    await together(
      4,
      `const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool ' + args.id % 2)
       for (let i = 0; i < 500; i++) entries.set(args.id + ' ' + i, { index: i, text: 'x'.repeat(200) })`,
      { dir },
    )
    expect(packBytes(dir)).toBe(before)
    expect(openAsAnotherProcess(dir).cache.stats()).toMatchObject({ entryCount: 2500 })
  })

  test('storing the same values at the same time store few of them twice, and read all correctly', async () => {
    const dir = temporaryRoot()
    await together(
      4,
      `const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool')
       for (let i = 0; i < 500; i++) entries.set(args.id + ' ' + i, { index: i, text: 'x'.repeat(200) })`,
      { dir },
    )
    const { cache } = openAsAnotherProcess(dir)
    for (let id = 0; id < 4; id++) {
      for (let i = 0; i < 500; i++) expect(cache.namespace('tool').get(`${id} ${i}`)).toMatchObject({ index: i })
    }
    const { uniqueSize, totalSize } = cache.stats()
    expect(uniqueSize * 4).toBe(totalSize)
    expect(packBytes(dir)).toBeLessThan(4 * uniqueSize)
  })

  test('filling a namespace until its files split repeatedly lose nothing', async () => {
    const dir = temporaryRoot()
    const [processes, keys] = [4, 4000]
    await together(
      processes,
      `const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool')
       const keyOf = i => 'src/some/directory/of/a/project/file-' + args.id + '-' + i + '.ts'
       for (let i = 0; i < args.keys; i++) {
         if (!entries.set(keyOf(i), { id: args.id, i })) throw new Error('not stored: ' + i)
         if (i % 97 === 0 && entries.get(keyOf(i >> 1))?.i !== i >> 1) throw new Error('lost: ' + (i >> 1))
         if (i % 500 === 499) entries.delete(keyOf(i))
         if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve))
       }`,
      { dir, keys },
    )
    const { cache, warnings } = openAsAnotherProcess(dir)
    const entries = cache.namespace('tool')
    let found = 0
    for (let id = 0; id < processes; id++) {
      for (let i = 0; i < keys; i++) {
        const value = entries.get(`src/some/directory/of/a/project/file-${id}-${i}.ts`)
        expect(value).toEqual(i % 500 === 499 ? undefined : { id, i })
        if (value) found++
      }
    }
    expect([...entries.keys()].length).toBe(found)
    const buckets = filesBelow(join(dir, 'v2', 'namespaces', 'tool', 'manifest'))
    expect(buckets.length).toBeGreaterThanOrEqual(16)
    expect(buckets.filter(path => path.endsWith('.new'))).toEqual([])
    expect(warnings).toEqual([])
  })

  test('setting and clearing at once leave a working store', async () => {
    const dir = temporaryRoot()
    await together(
      4,
      `const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool')
       for (let i = 0; i < 400; i++) {
         if (args.id === 0 && i % 20 === 0) entries.clear()
         const key = args.id + ' ' + i
         if (!entries.set(key, { key })) throw new Error('not stored: ' + key)
         const value = entries.get(key)
         if (value !== undefined && value.key !== key) throw new Error('foreign: ' + key)
       }
       entries.set('last ' + args.id, args.id)`,
      { dir },
    )
    const entries = openAsAnotherProcess(dir).cache.namespace('tool')
    for (const key of entries.keys()) {
      const value = entries.get(key)
      expect(value).toEqual(key.startsWith('last') ? Number(key.at(-1)) : { key })
    }
    expect(entries.set('after', 1)).toBe(true)
  })

  test('can use namespaces and versions that others create at the same time', async () => {
    const dir = temporaryRoot()
    await together(
      6,
      `for (let round = 0; round < 30; round++) {
         const cache = library.openCacheSync({ dir: args.dir, onWarning })
         const entries = cache.namespace('tool ' + round, { version: String(args.id % 2) })
         const key = String(args.id)
         if (entries.get(key) !== undefined) throw new Error('made up')
         if (!entries.set(key, round)) throw new Error('not stored')
         if (entries.get(key) !== round) throw new Error('an own set is not seen, in round ' + round)
         cache.close()
       }`,
      { dir },
    )
    const { cache } = openAsAnotherProcess(dir)
    expect(cache.namespaces().length).toBe(30)
    expect(cache.stats()).toMatchObject({ entryCount: 180, setCount: 180, hitCount: 180, missCount: 180 })
  })
})

test('a process suspended during its sets blocks no other', async () => {
  const dir = temporaryRoot()
  const stopped = startModule(
    `const entries = library.openCacheSync(args).namespace('tool')
     for (let i = 0; ; i++) {
       entries.set('stopped ' + i, { i, text: 'x'.repeat(3000) })
       print(String(i))
     }`,
    { dir },
  )
  for (let round = 0; round < 5; round++) {
    await stopped.line()
    stopped.process.kill('SIGSTOP')
    const entries = openAsAnotherProcess(dir).cache.namespace('tool')
    for (let i = 0; i < 200; i++) {
      expect(entries.set(`own ${round} ${i}`, i)).toBe(true)
      expect(entries.get(`own ${round} ${i}`)).toBe(i)
    }
    for (const line of stopped.lines) expect(entries.has(`stopped ${line}`)).toBe(true)
    stopped.process.kill('SIGCONT')
  }
})

test('get and set need no lock file', () => {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir)
  cache.namespace('tool').set('key', 1)
  cache.close()
  expect(filesBelow(dir).filter(path => /lock/i.test(path))).toEqual([])
  expect(readFileSync(join(dir, 'CACHEDIR.TAG'), 'utf8')).toMatch(/^Signature/)
})

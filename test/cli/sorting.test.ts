// list: filtering, sorting and limiting entries.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Largest } from '../../cli/listing/largest.js'
import { cli, filled, jsonLines, libraryWith, temporaryDir } from './harness.js'

async function keysOf(dir: string, ...args: string[]): Promise<string[]> {
  const { code, out, err } = await cli(['list', '--json', '--dir', dir, ...args])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return jsonLines(out).map(({ key }) => key)
}

describe('the n largest items', () => {
  test('equal the start of a full sort, and no more than n are held', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 1, max: 20 }), (sizes, limit) => {
        const largest = new Largest<number>(limit)
        for (const [index, size] of sizes.entries()) {
          largest.add(size, index)
          expect(largest.count).toBeLessThanOrEqual(limit)
        }
        const found = largest.sorted().map(index => sizes[index])
        expect(found).toEqual(sizes.toSorted((a, b) => b - a).slice(0, limit))
      }),
    )
  })

  test('are the first ones if all are equal', () => {
    const largest = new Largest<number>(2)
    for (let index = 0; index < 5; index++) largest.add(1, index)
    expect(largest.sorted().sort()).toEqual([0, 1])
  })

  test('are found among items without a size', () => {
    const largest = new Largest<number>(3)
    for (const size of [Number.NaN, Number.NaN, Number.NaN, 5, Number.NaN, Number.POSITIVE_INFINITY, 7, 6])
      largest.add(size, size)
    expect(largest.sorted()).toEqual([Number.POSITIVE_INFINITY, 7, 6])
  })
})

describe('list', () => {
  let nowMs = 1_000_000_000
  const clock = () => nowMs
  const library = libraryWith(options => ({ ...options, clock }))

  /** Entries of growing age and of sizes in another order. */
  async function store(): Promise<string> {
    const dir = temporaryDir()
    const source = join(dir, 'source')
    writeFileSync(source, '1')
    for (const [index, length] of [300, 100, 500, 200, 400].entries()) {
      nowMs += 60_000
      await filled(
        join(dir, 'cache'),
        cache => {
          const namespace = cache.namespace(index % 2 ? 'odd' : 'even')
          const options = index === 0 ? { files: [source] } : index === 1 ? { ttl: 3_600_000 } : {}
          namespace.set(`${index < 3 ? 'src/' : ''}${length}`, 'x'.repeat(length), options)
        },
        { clock },
      )
    }
    return join(dir, 'cache')
  }

  test.each([
    ['size', ['src/500', '400', 'src/300', '200', 'src/100']],
    ['age', ['src/300', 'src/100', 'src/500', '200', '400']],
  ])('sorts by %s over all namespaces', async (order, keys) => {
    const dir = await store()
    const listed = async (...args: string[]) => {
      const { code, out, err } = await cli(['list', '--json', '--dir', dir, ...args], { library })
      expect({ code, err }).toEqual({ code: 0, err: '' })
      return jsonLines(out).map(({ key }) => key)
    }
    expect(await listed('--sort', order)).toEqual(keys)
    expect(await listed('--sort', order, '--limit', '2')).toEqual(keys.slice(0, 2))
    expect(await listed('odd', '--sort', order, '--limit', '99')).toEqual(
      keys.filter(key => ['src/100', '200'].includes(key)),
    )
  })

  test('filters by prefix and mode, and stops at --limit', async () => {
    const dir = await store()
    expect((await keysOf(dir, '--prefix', 'src/')).sort()).toEqual(['src/100', 'src/300', 'src/500'])
    expect(await keysOf(dir, '--mode', 'file')).toEqual(['src/300'])
    expect(await keysOf(dir, '--mode', 'ttl', '--prefix', 'src/3')).toEqual([])
    expect((await keysOf(dir, '--limit', '2')).length).toBe(2)
    expect((await keysOf(dir, '--mode', 'manual', '--limit', '9')).sort()).toEqual(['200', '400', 'src/500'])
    expect((await cli(['list', '--mode', 'ttl', '--prefix', 'src/3', '--dir', dir])).out).toBe('No such entries\n')
  })

  test('prints the rows of a sorted listing in order', async () => {
    const dir = await store()
    const { out } = await cli(['list', '--sort', 'size', '--limit', '3', '--dir', dir], { library })
    expect(out).toMatch(/^namespace .*\neven +src\/500 .*\neven +400 .*\neven +src\/300 /)
  })

  test.each([
    [['--sort', 'szie'], '--sort: "szie" is none of them; did you mean size?'],
    [['--sort', 'colour'], '--sort: "colour" is none of them; give size, age, saved'],
    [['--sort'], '--sort needs a value'],
    [['--limit', '0'], '--limit: "0" must be more than zero'],
    [['--limit=-1'], '--limit: "-1" is not a whole number'],
    [['--limit', '-1'], '--limit'],
    [['--limit', 'abc'], '--limit: "abc" is not a whole number'],
    [['--limit', '1.5'], '--limit: "1.5" is not a whole number'],
    [['--mode', 'files'], '--mode: "files" is none of them; did you mean file?'],
    [['--prefix='], '--prefix must not be empty'],
    [['--limt', '5'], 'There is no option --limt. Did you mean --limit?'],
  ])('rejects %j', async (args, message) => {
    const dir = temporaryDir()
    const { code, out, err } = await cli(['list', ...args, '--dir', dir])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
  })
})

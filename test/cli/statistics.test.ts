// stats: --reset, --since, projects and columns.

import { describe, expect, test } from 'vitest'
import { formatTime } from '../../cli/format.js'
import { cli, filled, Sink, temporaryDir } from './harness.js'

async function store(): Promise<string[]> {
  const dir = temporaryDir()
  await filled(dir, cache => {
    for (const name of ['one', 'two']) {
      const namespace = cache.namespace(name, { project: false })
      namespace.set('key', name)
      namespace.get('key')
      namespace.get('nope')
    }
  })
  return ['--dir', dir]
}

test.each([
  [0.4, '0.4 ms'],
  [12, '12 ms'],
  [1500, '1.5 s'],
  [59_000, '59 s'],
  [14 * 60_000, '14 min'],
  [36_000_000, '10 h'],
  [86_400_000 * 40, '40 d'],
])('%d ms are %s', (ms, text) => {
  expect(formatTime(ms)).toBe(text)
})

describe('stats --reset', () => {
  test('resets the counts of one namespace or of all, and keeps the entries', async () => {
    const there = await store()
    const counted = async () => {
      const { namespaces } = JSON.parse((await cli(['stats', '--json', ...there])).out)
      return [namespaces.one, namespaces.two].map(({ hitCount, missCount, entryCount }) => [
        hitCount,
        missCount,
        entryCount,
      ])
    }
    expect(await cli(['stats', 'one', '--reset', ...there])).toEqual({
      code: 0,
      out: 'The statistics of one begin anew; all entries stay\n',
      err: '',
    })
    expect(await counted()).toEqual([
      [0, 0, 1],
      [1, 1, 1],
    ])
    expect((await cli(['stats', '--reset', ...there])).out).toContain('The statistics of 2 namespaces begin anew')
    expect(await counted()).toEqual([
      [0, 0, 1],
      [0, 0, 1],
    ])
    expect(JSON.parse((await cli(['stats', '--reset', '--json', ...there])).out)).toMatchObject({
      reset: ['one', 'two'],
    })
  })

  test('of an unknown namespace changes nothing', async () => {
    const there = await store()
    expect(await cli(['stats', 'on', '--reset', ...there])).toMatchObject({ code: 1, out: '' })
    expect(JSON.parse((await cli(['stats', '--json', ...there])).out).hitCount).toBe(2)
  })
})

describe('stats', () => {
  test('shows hits and misses of each project', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      const entries = cache.namespace('one', { project: '/nowhere/shop' })
      entries.set('key', 1)
      for (const key of ['key', 'nope', 'key', 'key']) entries.get(key)
      entries.in('/nowhere/only asked').get('nope')
    })
    const { out } = await cli(['stats', '--dir', dir])
    expect(out).toMatch(/^project +entries +hits +misses +hit rate$/m)
    expect(out).toMatch(/^\/nowhere\/shop \(gone\) +1 +3 +1 +75\.0 %$/m)
    expect(out).toMatch(/^\/nowhere\/only asked \(gone\) +0 +0 +1 +0\.0 %$/m)
    const since = (await cli(['stats', '--since', '7d', '--dir', dir])).out
    expect(since).toMatch(/^project +entries$/m)
    const { byProject } = JSON.parse((await cli(['stats', '--json', '--dir', dir])).out)
    expect(byProject['/nowhere/shop']).toMatchObject({ hitCount: 3, missCount: 1 })
  })

  test('fits the terminal by leaving out the least important columns first', async () => {
    const there = await store()
    const headerAt = async (columns: number) => {
      const stdout = new Sink()
      stdout.columns = columns
      const { out } = await cli(['stats', ...there], { stdout, isTerminal: true, env: { NO_COLOR: '1' } })
      return out
        .split('\n')
        .find(line => line.startsWith('namespace'))
        ?.split(/ {2,}/)
    }
    const all = ['namespace', 'entries', 'hits', 'misses', 'hit rate', 'size', 'on disk', 'oldest']
    expect(await headerAt(100)).toEqual(all)
    expect(await headerAt(50)).toEqual(all.filter(title => !['on disk', 'oldest'].includes(title)))
    expect(await headerAt(20)).toEqual(['namespace', 'hit rate'])
  })

  test('has a column for saved time if a namespace has any', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      const namespace = cache.namespace('slow', { project: false })
      const compute = () => {
        const endMs = performance.now() + 2
        while (performance.now() < endMs);
        return 1
      }
      for (let call = 0; call < 3; call++) namespace.getOrSetSync('key', compute)
      cache.namespace('plain', { project: false }).set('key', 1)
    })
    const { out } = await cli(['stats', '--dir', dir])
    expect(out).toMatch(/^Saved [\d.]+ ms of [\d.]+ in 1 namespace\n\nnamespace +saved +entries /)
    expect(out).toMatch(/^plain +- /m)
    expect(out).toMatch(/^slow +[\d.]+ ms /m)
  })

  test.each([
    [['--since', '7'], '--since: "7" is not a duration'],
    [['--since', '7d', '--reset'], 'Give either --since or --reset'],
    [['--reset=yes'], '--reset takes no value'],
  ])('rejects %j', async (args, message) => {
    const there = await store()
    expect(await cli(['stats', ...args, ...there])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(message),
    })
  })
})

test('stats --since with a huge duration starts at 1970', async () => {
  const there = await store()
  const { code, out, err } = await cli(['stats', '--since', '99999999999d', ...there])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain('Since 1970-01-01 (UTC):')
})

test('stats --since counts from the start of that day, and shows the present entries', async () => {
  const there = await store()
  const { out } = await cli(['stats', '--since', '1h', ...there])
  const day = new Date(Date.now() - 3_600_000).toISOString().slice(0, 10)
  expect(out).toMatch(new RegExp(`^Since ${day} \\(UTC\\):\n\nnamespace `))
  const json = async (...args: string[]) => JSON.parse((await cli(['stats', '--json', ...args, ...there])).out)
  expect(await json('--since', '1h')).toMatchObject({ hitCount: 2, missCount: 2, entryCount: 2 })
  expect(await json('one', '--since', '30d')).toMatchObject({ hitCount: 1, missCount: 1, entryCount: 1 })
})

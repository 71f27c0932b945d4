// Prefetch, push, pull and bundles, and their reports.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorOf, temporaryDirectory } from '../support/caches.js'
import { type Machine, otherKeys, reader, Team, writer } from './machines.js'

const FILES = { config: '1', 'src/a.js': 'a', 'src/b.js': 'b', 'src/c.js': 'c' }
const sources = ['src/a.js', 'src/b.js', 'src/c.js']

function askSync(machine: Machine) {
  const { entries, onResult } = machine
  const analyses = sources.map(file =>
    entries.analyzeSync('text', machine.at(file), ctx => ctx.source, { inputs: { strict: true }, onResult }),
  )
  const config = entries.getOrSetSync('config', ctx => ctx.readFile(machine.at('config')), { onResult })
  return [...analyses, config]
}

const questions = (machine: Machine) => [
  ...sources.map(file => ({ name: 'text', file: machine.at(file), inputs: { strict: true } })),
  'config',
]

test('a synchronous plugin finds prefetched results', async () => {
  const team = new Team(FILES)
  const url = team.share()
  const a = team.machine({ url, ...writer })
  expect(await a.entries.prefetch(questions(a))).toBe(0)
  askSync(a)
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  b.write({ 'src/c.js': 'changed' })
  expect(await b.entries.prefetch([...questions(b), { name: 'text', file: b.at('gone.js') }])).toBe(3)
  expect(askSync(b)).toEqual(['a', 'b', 'changed', '1'])
  expect(b.results.map(({ isHit }) => isHit)).toEqual([true, true, false, true])
  expect(await b.entries.prefetch(questions(b))).toBe(4)
  expect(b.opened.warnings).toEqual([])

  await expect(b.entries.prefetch('config' as never)).rejects.toThrow('prefetch takes a list')
  await expect(b.entries.prefetch([{ name: 'text', path: 'x' } as never])).rejects.toThrow('path')
  await expect(b.entries.prefetch([7 as never])).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
  const none = team.machine(undefined)
  expect(await none.entries.prefetch(questions(none))).toBe(0)
})

test('a value set during a prefetch is kept', async () => {
  const team = new Team(FILES)
  const url = team.share()
  const a = team.machine({ url, ...writer })
  askSync(a)
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  const fetched = b.entries.prefetch(['config'])
  b.entries.set('config', 'mine')
  await fetched
  expect(b.entries.get('config')).toBe('mine')
  expect(askSync(b).at(-1)).toBe('mine')
})

test('push uploads all results of a cache, and pull fetches them for known keys', async () => {
  const team = new Team(FILES)
  const a = team.machine(undefined)
  const values = askSync(a)
  a.entries.set('plain', 'stays here')
  await a.opened.cache.close()
  const url = team.share()
  const pusher = a.again({ url, ...writer })
  const seen: number[] = []
  const options = {
    project: pusher.project,
    onProgress: ({ done, total }: { done: number; total: number }) => void seen.push(done / total),
  }
  expect(await pusher.remote.push(options)).toMatchObject({ transferred: 4, skipped: 0, rejected: 0 })
  expect(seen.at(-1)).toBe(1)
  expect(await pusher.remote.push({ ...options, namespace: 'other' })).toMatchObject({ transferred: 0 })

  const b = team.machine({ url, ...reader })
  b.write({ config: 'other', 'src/a.js': 'old' })
  askSync(b)
  b.write(FILES)
  const report = await b.remote.pull({ project: b.project })
  expect(report).toMatchObject({ transferred: 2, skipped: 2, rejected: 0 })
  b.results.length = 0
  expect(askSync(b)).toEqual(values)
  expect(b.computedCount).toBe(0)
})

test('a bundle moves results as one file, and only signed and valid ones are accepted', async () => {
  const team = new Team(FILES)
  const a = team.machine({ url: team.share(), ...writer })
  const values = askSync(a)
  const bundle = join(temporaryDirectory(), 'artefacts', 'cache.bundle')
  expect(await a.remote.push({ bundle, project: a.project })).toMatchObject({ transferred: 4, rejected: 0 })
  await a.opened.cache.close()

  const url = 'file:///nowhere/at/all'
  const b = team.machine({ url, ...reader })
  expect(await b.remote.pull({ bundle, project: b.project })).toMatchObject({ transferred: 4, skipped: 0, rejected: 0 })
  expect(askSync(b)).toEqual(values)
  expect(b.computedCount).toBe(0)
  expect(await b.remote.pull({ bundle, project: b.project })).toMatchObject({ transferred: 0, skipped: 4 })

  const c = team.machine({ url, ...reader })
  c.write({ 'src/a.js': 'mine', config: 'mine' })
  expect(await c.remote.pull({ bundle, project: c.project })).toMatchObject({ transferred: 2, skipped: 2, rejected: 0 })
  expect(askSync(c)).toEqual(['mine', 'b', 'c', 'mine'])

  const stranger = team.machine({ url, ...reader, keys: [otherKeys.publicKey] })
  const refused = await stranger.remote.pull({ bundle, project: stranger.project })
  expect(refused).toMatchObject({ transferred: 0, rejected: 4 })

  const whole = readFileSync(bundle)
  for (const length of [0, 10, 22, 40, whole.length - 1]) {
    writeFileSync(bundle, whole.subarray(0, length))
    const cut = team.machine({ url, ...reader })
    const pulled = cut.remote.pull({ bundle, project: cut.project })
    if (length === 22) expect(await pulled).toMatchObject({ transferred: 0 })
    else await expect(pulled).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
  }
  for (let bit = 200; bit < whole.length * 8; bit += 997) {
    const flipped = Buffer.from(whole)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    writeFileSync(bundle, flipped)
    const damaged = team.machine({ url, ...reader })
    await damaged.remote.pull({ bundle, project: damaged.project }).catch(error => {
      expect(error.code).toBe('ERR_CACHE_OPTION')
    })
    expect(askSync(damaged)).toEqual(values)
    expect(damaged.opened.warnings).toEqual([])
    await damaged.opened.cache.close()
  }
})

test('analyses with anywhere are pushed, pulled and bundled for files with their content', async () => {
  const team = new Team({ 'node_modules/x/a.js': 'a', 'src/b.js': 'b', '.git/c.js': 'c' })
  const ask = (machine: Machine, files: readonly string[]) =>
    files.map(file =>
      machine.entries.analyzeSync('size', machine.at(file), ctx => ctx.source.length, {
        anywhere: true,
        onResult: machine.onResult,
      }),
    )
  const all = ['node_modules/x/a.js', 'src/b.js', '.git/c.js']
  const a = team.machine(undefined)
  ask(a, all)
  await a.opened.cache.close()
  const url = team.share()
  const bundle = join(temporaryDirectory(), 'answers.bundle')
  const pusher = a.again({ url, ...writer })
  const here = { project: pusher.project }
  expect(await pusher.remote.push(here)).toMatchObject({ transferred: 2, skipped: 0, rejected: 0 })
  expect(await pusher.remote.push({ ...here, bundle })).toMatchObject({ transferred: 2, skipped: 0, rejected: 0 })

  // The files are elsewhere, and one of them is another one.
  const b = team.machine({ url, ...reader }, {}, { 'package.json': '{}', 'lib/deep/copy.js': 'a', 'src/b.js': 'other' })
  expect(await b.remote.pull({ bundle, project: b.project })).toMatchObject({ transferred: 1, skipped: 1, rejected: 0 })
  ask(b, ['lib/deep/copy.js', 'src/b.js'])
  expect(b.results.map(({ isHit }) => isHit)).toEqual([true, false])
  const c = team.machine({ url, ...reader })
  await Promise.all(
    all.map(file =>
      c.entries.analyze('size', c.at(file), ctx => ctx.source.length, { anywhere: true, onResult: c.onResult }),
    ),
  )
  expect(c.results.filter(({ isHit }) => isHit)).toHaveLength(2)
  expect([...pusher.opened.warnings, ...b.opened.warnings, ...c.opened.warnings]).toEqual([])
})

test('a reader cannot push', async () => {
  const team = new Team(FILES)
  const b = team.machine({ url: team.share(), ...reader })
  await expect(b.remote.push()).rejects.toMatchObject({ code: 'ERR_CACHE_REMOTE' })
  await expect(b.remote.push({ bundle: join(temporaryDirectory(), 'x') })).rejects.toMatchObject({
    code: 'ERR_CACHE_REMOTE',
  })
  await expect(b.remote.pull({ nonsense: 1 } as never)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
})

test("statistics cover all processes, and explain reports the remote's response", async () => {
  const team = new Team(FILES)
  const url = team.share()
  const ask = (machine: Machine) =>
    Promise.all(
      sources.map(file =>
        machine.entries.analyze('text', machine.at(file), ctx => ctx.source, { onResult: machine.onResult }),
      ),
    )
  const a = team.machine({ url, ...writer })
  await ask(a)
  expect(a.entries.explain({ name: 'text', file: a.at('src/a.js') })).toMatchObject({ isHit: true, remote: 'miss' })
  await a.opened.cache.close()
  const after = a.again(undefined)
  expect(after.entries.stats().remote).toMatchObject({ hits: 0, misses: 3, uploads: 3, dropped: 0 })
  expect(after.entries.stats().remote?.bytesOut).toBeGreaterThan(300)
  expect(after.entries.stats()).toMatchObject({ missCount: 3, hitCount: 0 })
  const b = team.machine({ url, ...reader })
  await ask(b)
  expect(b.entries.explain({ name: 'text', file: b.at('src/a.js') }).remote).toBe('hit')
  expect(b.opened.cache.stats().remote).toMatchObject({ hits: 3, misses: 0 })
  expect(b.opened.cache.stats()).toMatchObject({ missCount: 0, hitCount: 3 })
  const c = team.machine({ url, ...reader, keys: [otherKeys.publicKey] })
  await ask(c)
  expect(c.entries.explain({ name: 'text', file: c.at('src/a.js') }).remote).toBe('rejected: unknown-key')
  const none = team.machine(undefined)
  await ask(none)
  expect(none.entries.explain({ name: 'text', file: none.at('src/a.js') })).not.toHaveProperty('remote')
  expect(none.entries.stats()).not.toHaveProperty('remote')
  expect(errorOf(() => team.machine({ url, urls: 'x' } as never)).code).toBe('ERR_CACHE_OPTION')
})

// Suggestions for unknown commands, namespaces and keys. Mistyped names change nothing in the cache.

import { describe, expect, test } from 'vitest'
import { nearest } from '../../cli/nearest.js'
import { cli, filled, temporaryDir } from './harness.js'

describe('the suggested name', () => {
  const names = ['stats', 'list', 'get', 'src/app.js', 'src/deep/app.test.js', 'Outline', 'lint', 'lint-fix']
  test.each([
    ['gte', 'get'],
    ['lits', 'list'],
    ['staats', 'stats'],
    ['outline', 'Outline'],
    ['src/ap.js', 'src/app.js'],
    ['app.js', 'src/app.js'],
    ['app.test.js', 'src/deep/app.test.js'],
    ['lintfix', 'lint-fix'],
    ['xyz', undefined],
    ['g', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('for %.20j is %j', (given, meant) => {
    expect(nearest(given, names)).toBe(meant)
  })

  test('is no longer searched for after the time limit', () => {
    let asked = 0
    const endless = (function* () {
      for (;;) yield 'another name'
    })()
    expect(nearest('a name', endless, () => ++asked > 100)).toBeUndefined()
  })
})

async function store(): Promise<string[]> {
  const dir = temporaryDir()
  await filled(dir, cache => {
    cache.namespace('outline', { version: '1' }).set('src/app.js', 1)
    cache.namespace('lint', { project: false }).set('rules', 1)
  })
  return ['--dir', dir]
}

test('an unknown namespace is reported with a suggestion', async () => {
  const there = await store()
  for (const args of [
    ['stats', 'outlin'],
    ['list', 'outlin'],
  ]) {
    const { code, err } = await cli([...args, ...there])
    expect(code).toBe(1)
    expect(err).toBe(`There is no namespace outlin in ${there[1]}; did you mean "outline"?\n`)
  }
  expect((await cli(['clear', 'outlin', ...there])).err).toContain('did you mean "outline"?')
  expect((await cli(['gc', '--namespace', 'outlin', ...there])).err).toContain('did you mean "outline"?')
  expect((await cli(['explain', 'outlin', 'key', ...there])).out).toContain('did you mean "outline"?')
})

describe('an unknown key', () => {
  test('is explained with a suggestion', async () => {
    const there = await store()
    expect((await cli(['explain', 'outline', 'src/ap.js', ...there])).out).toMatch(/Did you mean "src\/app\.js"\?$/m)
    expect((await cli(['explain', 'lint', 'rulse', ...there])).out).toMatch(/Did you mean "rules"\?$/m)
    expect((await cli(['explain', 'lint', 'elsewhere', ...there])).out).not.toContain('Did you mean')
  })

  test('gets a suggestion from get and delete only on a terminal', async () => {
    const there = await store()
    for (const command of ['get', 'delete']) {
      const args = [command, 'outline', 'app.js', ...there]
      const meant = 'Did you mean "src/app.js"?'
      expect((await cli(args, { isTerminal: true })).err).toContain(meant)
      expect((await cli(args)).err).not.toContain(meant)
    }
  })
})

test('commands create no namespace and count no misses', async () => {
  const there = await store()
  const before = JSON.parse((await cli(['stats', '--json', ...there])).out)
  for (const namespace of ['outline', 'outlin', 'lint']) {
    for (const args of [['get'], ['has'], ['explain'], ['delete']]) {
      expect((await cli([...args, namespace, 'nope', ...there])).code).toBe(1)
    }
    await cli(['list', namespace, ...there])
    await cli(['stats', namespace, ...there])
  }
  await cli(['clear', 'outlin', ...there])
  await cli(['gc', '--namespace', 'outlin', '--dry-run', ...there])
  const after = JSON.parse((await cli(['stats', '--json', ...there])).out)
  expect(Object.keys(after.namespaces)).toEqual(['lint', 'outline'])
  expect([after.missCount, after.missReasons]).toEqual([before.missCount, before.missReasons])
  expect(after.missCount).toBe(0)
})

test('get of a stale entry counts no miss either', async () => {
  const dir = temporaryDir()
  let nowMs = Date.now() - 10_000
  await filled(dir, cache => void cache.namespace('ns').set('key', 1, { ttl: 1000 }), { clock: () => nowMs })
  nowMs = Date.now()
  expect((await cli(['get', 'ns', 'key', '--dir', dir])).err).toContain('expired')
  expect(JSON.parse((await cli(['stats', '--json', '--dir', dir])).out).missCount).toBe(0)
})

test('a namespace that starts with dashes can be given after --', async () => {
  const dir = temporaryDir()
  await filled(dir, cache => void cache.namespace('--x').set('--key', 1))
  expect((await cli(['list', '--dir', dir, '--', '--x'])).out).toContain('--key')
  expect((await cli(['stats', '--dir', dir, '--', '--x'])).code).toBe(0)
  expect((await cli(['get', '--dir', dir, '--', '--x', '--key'])).out).toBe('1\n')
  const { code, err } = await cli(['list', '--x', '--dir', dir])
  expect(code).toBe(2)
  expect(err).toContain('begins with a dash goes after --')
})

// Statistics of the remote: they cover all processes of a root and contain no secrets.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { answerTimeName, answerTimeOf } from '../../src/counters/answer-times.js'
import { Counters } from '../../src/counters/counters.js'
import { noCounts } from '../../src/counters/totals.js'
import { nodeFiles } from '../../src/files/files.js'
import { Breaker } from '../../src/remote/breaker.js'
import { failingStores } from '../../src/remote/breaker-file.js'
import { cli } from '../cli/harness.js'
import { newEnvironment } from '../store/environment.js'
import { openAsAnotherProcess, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { runModule } from '../support/children.js'
import { freePort } from './engines.js'
import { memoryServer } from './http-servers.js'
import { reader, smallSources, Team, writer } from './machines.js'

/** How much more, or less, than it was a percentile may be said to be. */
const ERROR = 1.19

function isAbout(told: number | undefined, exact: number): boolean {
  return told !== undefined && told <= exact * ERROR && told >= exact / ERROR
}

test('percentiles of response times have the documented precision', () => {
  const shares = [0.01, 0.5, 0.95, 1]
  for (const factor of [1, 1.01, 1.3, 2.7]) {
    const counts = noCounts()
    const times: number[] = []
    for (let ms = 0.13; ms < 65; ms *= factor === 1 ? 1.003 : factor) {
      times.push(ms)
      counts[answerTimeName(ms)]++
    }
    for (const share of shares) {
      const exact = times[Math.ceil(share * times.length) - 1] as number
      expect([share, exact, isAbout(answerTimeOf(counts, share), exact)]).toEqual([share, exact, true])
    }
  }
  expect(answerTimeOf(noCounts(), 0.5)).toBeUndefined()
  for (const odd of [0, -1, Number.NaN, 1e-9]) expect(answerTimeName(odd)).toBe('remote-took-0')
  for (const odd of [70_000, 1e12, Number.POSITIVE_INFINITY]) expect(answerTimeName(odd)).toBe('remote-took-39')
})

test('times of all processes and namespaces are merged, and a reset clears them', async () => {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir)
  for (const name of ['one', 'two']) cache.namespace(name, { project: false }).set('key', 1)
  // 90 answers of 2 ms from four processes, and 10 of 300 ms from a fifth: none of them knows the percentiles.
  const processes: [string, number, number][] = [
    ['one', 2, 30],
    ['one', 2, 20],
    ['two', 2, 20],
    ['two', 2, 20],
    ['one', 300, 10],
  ]
  for (const [namespace, ms, count] of processes) {
    const path = layoutOf(dir).counters(namespace)
    const counters = new Counters(newEnvironment(), path, `namespaces/${namespace}/counters`)
    counters.count('remote-misses', count)
    counters.count(answerTimeName(ms), count)
    counters.flush()
    counters.close()
  }
  const { remote, namespaces } = openAsAnotherProcess(dir).cache.stats()
  expect(remote).toMatchObject({ misses: 100, hits: 0, breaker: 'closed', failing: [] })
  expect([isAbout(remote?.p50, 2), isAbout(remote?.p95, 300)]).toEqual([true, true])
  expect(namespaces.two?.remote).toMatchObject({ misses: 40 })
  expect(isAbout(namespaces.two?.remote?.p95, 2)).toBe(true)

  const asked = async (...args: string[]) => cli(['stats', '--dir', dir, ...args])
  expect(JSON.parse((await asked('--json')).out).remote).toEqual(remote)
  expect(JSON.parse((await asked('--json', '--since', '1d')).out).remote).toEqual(remote)
  expect((await asked()).out).toMatch(/^Its answers took about 2(\.\d)? ms \(p50\), \d+ ms \(p95\)$/m)
  expect((await asked('two')).out).toContain('Remote: 0 hits, 40 misses')
  await asked('two', '--reset')
  expect(JSON.parse((await asked('--json')).out).remote).toMatchObject({ misses: 60 })
  await asked('--reset')
  expect(JSON.parse((await asked('--json')).out)).not.toHaveProperty('remote')
})

test('each response of a remote is counted with its time, hit or miss', async () => {
  const files = smallSources(20)
  const server = await memoryServer()
  const team = new Team(files)
  const a = team.machine({ url: server.url, ...writer })
  await a.sourcesOf(files)
  await a.opened.cache.close()
  const b = team.machine({ url: server.url, ...reader })
  await b.sourcesOf(files)
  const [first, second] = [a, b].map(machine => machine.again(undefined).opened.cache)
  b.opened.cache.close()
  expect(first?.stats().remote).toMatchObject({ misses: 20, uploads: 20, breaker: 'closed', p50: expect.any(Number) })
  const { p50 = 0, p95 = 0, ...others } = second?.stats().remote ?? {}
  expect(others).toMatchObject({ hits: 20, misses: 0, errors: 0 })
  expect([p50 > 0, p95 >= p50]).toEqual([true, true])
})

test('a breaker opened by three processes is shown with the last error and without credentials', async () => {
  const team = new Team({ 'a.js': 'a' })
  const { project } = team.machine(undefined)
  const dir = team.tree.at('shared-cache')
  const env = {
    WICKED_CACHE_REMOTE: `redis://user:hidden@127.0.0.1:${await freePort()}/3?token=hidden`,
    WICKED_CACHE_REMOTE_KEYS: reader.keys.join(),
    WICKED_CACHE_REMOTE_TOKEN: 'hidden',
  }
  const code = `
    process.chdir(args.project)
    const cache = library.openCacheSync({ dir: args.dir, onWarning })
    await cache.namespace('tool').analyze('text ' + args.at, 'a.js', ctx => ctx.source)
    await cache.close()`
  const stats = async (...args: string[]) => (await cli(['stats', '--dir', dir, ...args])).out
  const run = (at: number) => runModule(code, { project, dir, at }, { env })
  await run(0)
  const before = JSON.parse(await stats('--json')).remote
  expect(before).toMatchObject({ errors: 1, breaker: 'closed', failing: [{ failures: 1, breaker: 'closed' }] })
  expect(before.failing[0]).not.toHaveProperty('openUntil')
  expect(await stats()).toMatch(/^Breaker of redis:.*: closed, 1 failure, the last \d+s ago: .*ECONNREFUSED/m)
  for (let at = 1; at < 3; at++) await run(at)
  const json = await stats('--json')
  const { remote } = JSON.parse(json)
  expect(remote).toMatchObject({ errors: 3, skipped: 0, breaker: 'open' })
  expect(remote).not.toHaveProperty('p50')
  const [failing, ...others] = remote.failing
  expect(others).toEqual([])
  expect(failing).toMatchObject({ breaker: 'open', failures: 3, lastError: expect.stringContaining('ECONNREFUSED') })
  expect(failing.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+\/3$/)
  expect(failing.openUntil).toBeGreaterThan(failing.failedAt)
  const text = await stats()
  expect(text).toMatch(/^Breaker of redis:.*: open for .+ more, 3 failures, the last .+ ago: /m)
  const stored = nodeFiles
    .list(layoutOf(dir).remote)
    ?.map(name => nodeFiles.readFile(join(layoutOf(dir).remote, name))?.toString())
  expect(json + text + stored).not.toContain('hidden')
  // It is no statistic: what is counted begins anew, and the store is left alone as before.
  await stats('--reset')
  expect(JSON.parse(await stats('--json')).remote).toMatchObject({ errors: 0, failing: [{ failures: 3 }] })
})

test('a remote that works again or failed long ago is not shown, nor is a damaged file', () => {
  const directory = join(temporaryDirectory(), 'remote')
  let now = 1_000_000
  const breaker = (store: string, name: string) =>
    new Breaker({ files: nodeFiles, directory, name, store, canWrite: () => true, now: () => now, random: Math.random })
  const shown = () => failingStores(nodeFiles, directory, now).map(({ url, breaker }) => `${url} ${breaker}`)
  expect(shown()).toEqual([])
  const one = breaker('redis://one/0', '0000000000000001')
  for (let at = 0; at < 3; at++) one.failed('it failed')
  now += 1
  breaker('redis://two/0', '0000000000000002').failed('x'.repeat(10_000))
  expect(shown()).toEqual(['redis://two/0 closed', 'redis://one/0 open'])
  expect(failingStores(nodeFiles, directory, now)[0]?.lastError).toHaveLength(500)
  now += 30_000
  expect(shown()).toEqual(['redis://two/0 closed', 'redis://one/0 closed'])
  one.succeeded()
  expect(shown()).toEqual(['redis://two/0 closed'])
  for (const [at, text] of ['{', 'null', '{"failures":1,"failedAt":1,"openUntil":0,"openMs":0,"store":{}}'].entries())
    writeFileSync(join(directory, `000000000000001${at}`), text)
  writeFileSync(join(directory, 'notes'), JSON.stringify({ failures: 1, failedAt: now, openUntil: 0, openMs: 0 }))
  expect(shown()).toEqual(['redis://two/0 closed'])
  now += 600_001
  expect(shown()).toEqual([])
})

// Distant stores and broken connections: results come late or not at all, and are never wrong.

import { describe, expect, test } from 'vitest'
import type { RemoteOptions } from '../../src/index.js'
import { randomFrom } from '../support/random.js'
import { inRounds } from '../support/torture.js'
import { nginx, redisServer, startNginx, startRedis } from './engines.js'
import { reader, Team, writer } from './machines.js'
import { startProxy } from './proxy.js'

const FILES = Object.fromEntries(
  Array.from({ length: 200 }, (_, at) => [`src/${at}.js`, `export const v${at} = '${'x'.repeat(at * 20)}'`]),
)

const ENGINES: [string, string | undefined, () => Promise<{ port: number; urlAt(port: number): string }>][] = [
  ['Redis', redisServer, async () => ({ port: (await startRedis()).port, urlAt: port => `redis://127.0.0.1:${port}` })],
  [
    'nginx',
    nginx,
    async () => ({ port: (await startNginx()).port, urlAt: port => `http://ci:secret@127.0.0.1:${port}/cache` }),
  ],
]

async function run(team: Team, remote: RemoteOptions) {
  const machine = team.machine(remote)
  const values = await Promise.all(
    Object.keys(FILES).map(file =>
      machine.entries.analyze('text', machine.at(file), ctx => ctx.source, { onResult: machine.onResult }),
    ),
  )
  expect(values).toEqual(Object.values(FILES))
  const { remote: tier } = machine
  await machine.opened.cache.close()
  expect(machine.opened.warnings).toEqual([])
  return { computed: machine.computedCount, stats: tier.stats() }
}

describe.each(ENGINES)('%s', (_, isThere, start) => {
  test.skipIf(!isThere)('that is 20 ms away returns everything, one batch per round trip', async () => {
    const { port, urlAt } = await start()
    const team = new Team(FILES)
    await run(team, { url: urlAt(port), ...writer })
    const proxy = await startProxy({ port, delayMs: 10 })
    const { computed, stats } = await run(team, { url: urlAt(proxy.port), ...reader })
    expect({ computed, hits: stats.hits, errors: stats.errors }).toEqual({ computed: 0, hits: 200, errors: 0 })
    expect(stats.p50).toBeGreaterThanOrEqual(19)
  })

  test.skipIf(!isThere)('whose connections are cut anywhere gives correct results or none', async () => {
    await inRounds({ short: 2, share: 0.01 }, async seed => {
      const below = randomFrom(seed)
      const { port, urlAt } = await start()
      const cutAfter = () => (below(4) === 0 ? undefined : below(40_000))
      const proxy = await startProxy({ port, delayMs: 1, cutAfter })
      const team = new Team(FILES)
      // What is stored through it, too, is whole or not there.
      const a = await run(team, { url: urlAt(proxy.port), ...writer })
      const direct = await run(team, { url: urlAt(port), ...reader })
      expect(direct.stats).toMatchObject({ rejected: {}, errors: 0 })
      expect(direct.stats.hits).toBeGreaterThanOrEqual(a.stats.uploads)
      await run(team, { url: urlAt(port), ...writer })
      const b = await run(team, { url: urlAt(proxy.port), ...reader })
      expect(b.stats.rejected).toEqual({})
      expect(b.computed + b.stats.hits).toBe(200)
    })
  })
})

// ccache and wicked-cache use the same store at the same time.

import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { RemoteOptions } from '../../src/index.js'
import { nginx, programOf, redisServer, startNginx, startRedis } from '../remote/engines.js'
import { reader, smallSources, Team, writer } from '../remote/machines.js'
import { temporaryDirectory } from '../support/caches.js'

const ccache = programOf('ccache') && programOf('gcc') && 'ccache'
const COUNT = 10
const FILES = smallSources(200)
const run = promisify(execFile)

/** Each with the URL of ccache and ours. */
const STORES: [string, unknown, () => Promise<{ theirs: string; ours: string }>][] = [
  [
    'Redis',
    redisServer,
    async () => {
      const url = `redis://127.0.0.1:${(await startRedis()).port}`
      return { theirs: url, ours: url }
    },
  ],
  [
    'nginx, in directories',
    nginx,
    async () => {
      const { url } = await startNginx()
      return { theirs: `${url}|layout=subdirs`, ours: url }
    },
  ],
  [
    'nginx, in the layout of Bazel',
    nginx,
    async () => {
      const { url } = await startNginx()
      return { theirs: `${url}|layout=bazel`, ours: `bazel+${url}` }
    },
  ],
]

/** Compiles with an empty cache of its own; how often the store had the result. */
async function compile(sources: readonly string[], store: string): Promise<number> {
  const directory = temporaryDirectory()
  const env = { ...process.env, CCACHE_DIR: directory, CCACHE_REMOTE_STORAGE: store, CCACHE_NODIRECT: '1' }
  for (const source of sources) {
    await run('ccache', ['gcc', '-c', source, '-o', join(directory, 'object.o')], { env, cwd: directory })
  }
  const { stdout } = await run('ccache', ['--print-stats'], { env })
  const of = (name: string) => Number(new RegExp(`^${name}\\s+(\\d+)$`, 'm').exec(stdout)?.[1] ?? 0)
  expect({ errors: of('remote_storage_error'), timeouts: of('remote_storage_timeout') }).toEqual({
    errors: 0,
    timeouts: 0,
  })
  return of('remote_storage_hit') + of('remote_storage_read_hit')
}

async function analyze(team: Team, remote: RemoteOptions): Promise<number> {
  const machine = team.machine(remote)
  expect(await machine.sourcesOf(FILES)).toEqual(Object.values(FILES))
  await machine.opened.cache.close()
  expect(machine.opened.warnings).toEqual([])
  return machine.computedCount
}

describe.each(STORES)('%s', (_, isThere, start) => {
  test.skipIf(!isThere || !ccache)('serves ccache and the machines of a team at once', async () => {
    const { theirs, ours } = await start()
    const directory = join(temporaryDirectory(), 'sources')
    mkdirSync(directory)
    const sources = Array.from({ length: COUNT }, (_each, at) => {
      const path = join(directory, `${at}.c`)
      writeFileSync(path, `int f${at}(int x) { return x + ${at}; }\n`)
      return path
    })
    const team = new Team(FILES)
    const [firstHits, computed] = await Promise.all([compile(sources, theirs), analyze(team, { url: ours, ...writer })])
    expect({ firstHits, computed }).toEqual({ firstHits: 0, computed: 200 })
    const [hits, again] = await Promise.all([compile(sources, theirs), analyze(team, { url: ours, ...reader })])
    expect(hits).toBeGreaterThanOrEqual(COUNT)
    expect(again).toBe(0)
  })
})

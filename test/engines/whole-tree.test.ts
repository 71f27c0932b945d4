// A machine computes 4,000 analyses of a real tree, the files of this project's own dependencies. Another one, with another root
// and another checkout, gets all of them from each engine, byte for byte.

import { cpSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { KeyvMemcache } from '@keyv/memcache'
import Keyv from 'keyv'
import fsDriver from 'unstorage/drivers/fs'
import { expect, test } from 'vitest'
import { type AnalyzeContext, type Cache, fromKeyv, fromUnstorage, type RemoteOptions } from '../../src/index.js'
import { memcached, nginx, redisServer, startMemcached, startNginx, startRedis } from '../remote/engines.js'
import { memoryServer } from '../remote/http-servers.js'
import { keys, PATIENT, writer } from '../remote/machines.js'
import { CREDENTIALS, startSwift, swift } from '../remote/swift.js'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { projectRoot } from '../support/children.js'
import { postgres, postgresAdapter, startPostgres, startTurborepo } from './servers.js'

const COUNT = 4_000
const MAX_SOURCE_BYTES = 64 * 1024

/** Of each engine, a way to reach it: each machine has one of its own. */
const ENGINES: [string, unknown, () => Promise<() => RemoteOptions>][] = [
  ['a directory', true, async () => always({ url: directoryUrl() })],
  ['Redis', redisServer, async () => always({ url: `redis://127.0.0.1:${(await startRedis()).port}` })],
  ['nginx', nginx, async () => always({ url: (await startNginx()).url })],
  ['a server of the layout of Bazel', true, async () => always({ url: `bazel+${(await memoryServer()).url}` })],
  ['a server of the layout of Nx', true, async () => always({ url: `nx+${(await memoryServer()).url}` })],
  ['turborepo-remote-cache', true, async () => always(await startTurborepo())],
  ['Swift as S3', swift, async () => always({ url: `s3://team?endpoint=${await startSwift('team')}` })],
  [
    'PostgreSQL through Keyv',
    postgres,
    async () => {
      const { url } = await startPostgres()
      return () => ({ adapter: postgresAdapter(url) })
    },
  ],
  [
    'Memcached through Keyv',
    memcached,
    async () => {
      const port = await startMemcached(512)
      return () => ({ adapter: fromKeyv(new Keyv({ store: new KeyvMemcache(`127.0.0.1:${port}`) })) })
    },
  ],
  [
    'a driver of unstorage',
    true,
    async () => {
      const base = temporaryDirectory()
      return () => ({ adapter: fromUnstorage(fsDriver({ base })) })
    },
  ],
]

const always = (options: RemoteOptions) => () => options

function directoryUrl(): string {
  return pathToFileURL(temporaryDirectory()).href
}

/** Source files of the dependencies, from the checkout. */
function realFiles(): string[] {
  const from = join(projectRoot, 'node_modules')
  const names = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter(name =>
    /\.(?:[cm]?[jt]s|json)$/.test(name),
  )
  const isSource = (name: string) => {
    const stat = statSync(join(from, name))
    return stat.isFile() && stat.size <= MAX_SOURCE_BYTES
  }
  return names.sort().filter(isSource).slice(0, COUNT)
}

function checkout(files: readonly string[], name: string): string {
  const directory = join(temporaryDirectory(), name)
  for (const file of files) {
    const to = join(directory, 'vendor', file)
    mkdirSync(dirname(to), { recursive: true })
    cpSync(join(projectRoot, 'node_modules', file), to)
  }
  cpSync(join(projectRoot, 'package.json'), join(directory, 'package.json'))
  return directory
}

function outline({ source, relativePath }: AnalyzeContext) {
  const lines = source.split('\n')
  const names = Array.from(source.matchAll(/\b(?:function|class|const) (\w+)/g), ([, name]) => name)
  return { relativePath, lines: lines.length, names, longest: Math.max(...lines.map(({ length }) => length)) }
}

async function analyzeAll(cache: Cache, project: string, files: readonly string[]) {
  const entries = cache.namespace('outline', { project })
  let hits = 0
  const onResult = ({ isHit }: { isHit: boolean }) => {
    if (isHit) hits++
  }
  const values = await Promise.all(
    files.map(file => entries.analyze('outline', join(project, 'vendor', file), outline, { onResult })),
  )
  const digests = Array.from(entries.entries(), ({ key, digest }) => `${key} ${digest}`).sort()
  return { values, digests, hits }
}

test('another machine gets all results of the first from each engine', { timeout: 900_000 }, async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  })
  const files = realFiles()
  expect(files).toHaveLength(COUNT)
  const [here, there] = [checkout(files, 'a'), checkout(files, 'at/another/place')]
  expect(relative(here, there)).not.toBe('')
  const dir = join(temporaryDirectory(), 'cache')
  const first = openAsAnotherProcess(dir, { remote: false })
  const computed = await analyzeAll(first.cache, here, files)
  expect(computed.hits).toBe(0)
  await first.cache.close()
  for (const [name, isThere, start] of ENGINES) {
    if (!isThere) continue
    const optionsOf = await start()
    const shared = { keys: [keys.publicKey], timeouts: PATIENT }
    const a = openAsAnotherProcess(dir, { remote: { ...shared, ...writer, ...optionsOf() } })
    const pushed = await a.cache.remote?.push({ project: here })
    expect({ name, pushed }).toMatchObject({ name, pushed: { transferred: COUNT, skipped: 0, rejected: 0 } })
    await a.cache.close()
    // As a pull request has it: all but the key to sign with.
    const b = openAsAnotherProcess(join(temporaryDirectory(), 'cache'), {
      remote: { ...shared, mode: 'readwrite', ...optionsOf() },
    })
    const found = await analyzeAll(b.cache, there, files)
    expect({ name, hits: found.hits }).toEqual({ name, hits: COUNT })
    expect(found.values).toEqual(computed.values)
    expect(found.digests).toEqual(computed.digests)
    await b.cache.namespace('outline', { project: there }).analyze('own', join(there, 'package.json'), () => 'its own')
    expect((await b.cache.remote?.status())?.canWrite).toBe(false)
    const stats = b.cache.remote?.stats()
    expect(stats).toMatchObject({ hits: COUNT, errors: 0, uploads: 0, rejected: {}, breaker: 'closed' })
    await b.cache.close()
    expect([...a.warnings, ...b.warnings]).toEqual([])
  }
})

// Really full disks: a small file system, and files that may not grow. A program that keeps setting and getting sees no
// exception, acknowledged entries are there, and it works again once there is space.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../support/caches.js'
import { startModule } from '../support/children.js'
import { counting } from '../support/torture.js'

const count = counting()

interface Limit {
  name: string
  /** A command that runs the one that follows it under the limit; `directory` is where the cache will be. */
  command(directory: string): string[]
  /** How room is made: by removing a file that takes some, or by clearing and collecting. */
  hasBallast: boolean
}

const IN_SMALL_FILE_SYSTEM = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
const WITH_SMALL_FILES = `trap '' XFSZ; ulimit -f 400; exec "$@"`

const smallFileSystem: Limit = {
  name: 'a file system of 1 MB',
  command: directory => ['unshare', '--map-root-user', '--mount', 'sh', '-c', IN_SMALL_FILE_SYSTEM, directory],
  hasBallast: true,
}
const smallFiles: Limit = {
  name: 'files of at most 400 KB',
  command: () => ['bash', '-c', WITH_SMALL_FILES, 'bash'],
  hasBallast: false,
}

/** Containers seldom allow to mount anything. */
function canMount(): boolean {
  const [program, ...argv] = smallFileSystem.command(tmpdir())
  return spawnSync(program as string, [...argv, 'true']).status === 0
}

const HOST = `
  import { rmSync, writeFileSync } from 'node:fs'
  const dir = args.directory + '/cache'
  const ballast = args.directory + '/ballast'
  if (args.hasBallast) writeFileSync(ballast, Buffer.alloc(200000))
  let cache = library.openCacheSync({ dir, onWarning })
  const valueOf = i => ({ i, text: String(i).repeat(i % 7 === 0 ? 5000 : 200) })
  const stored = new Set()
  let refused = 0
  const expect = (isSo, what) => {
    if (!isSo) throw new Error(what)
  }
  const expectAll = when => {
    for (const i of stored) expect(cache.namespace('kept').get('key ' + i)?.i === i, 'lost ' + when + ': ' + i)
  }
  const step = i => {
    const name = i % 3 === 0 ? 'kept' : 'cleared'
    const isStored = i % 10 === 4
      ? cache.namespace(name).setMany([{ key: 'key ' + i, value: valueOf(i) }]) === 1
      : cache.namespace(name).set('key ' + i, valueOf(i))
    if (!isStored) refused++
    if (isStored && name === 'kept') stored.add(i)
    const found = cache.namespace(name).get('key ' + i)
    expect(!isStored || found?.text === valueOf(i).text, 'a set is not there: ' + i)
    expect(cache.namespace(name).getOrSetSync('computed ' + i, () => i) === i, 'a computation')
    return isStored
  }
  let i = 0
  while (refused < 100 && i < 5000) step(i++)
  expect(refused >= 100, 'the disk did not fill up')
  expectAll('on the full disk')
  cache.close()
  cache = library.openCacheSync({ dir, onWarning })
  expectAll('for the next process')
  expect(cache.namespace('cleared').clear() >= 0, 'a clear')
  try {
    await cache.gc()
  } catch (error) {
    if (error.code !== 'ENOSPC' && error.code !== 'EFBIG' && error.code !== 'ERR_CACHE_IO') throw error
  }
  expectAll('by a gc on the full disk')
  if (args.hasBallast) rmSync(ballast)
  refused = 0
  for (let more = 0; more < 20; more++) expect(step(i++), 'there is room again, and a set is refused')
  cache.close()
  cache = library.openCacheSync({ dir, onWarning })
  expectAll('in the end')
  const { problems } = await cache.verify()
  print(JSON.stringify({ stored: stored.size, tried: i, problems }))
`

test.each([smallFiles, ...(canMount() ? [smallFileSystem] : [])])('a program keeps working with $name', async limit => {
  const directory = join(temporaryDirectory(), 'disk')
  mkdirSync(directory)
  const { hasBallast } = limit
  const child = startModule(HOST, { directory, hasBallast }, { under: limit.command(directory) })
  child.end()
  const { code, stderr, lines } = await child.ended
  expect({ code, stderr: stderr.slice(-1000) }).toMatchObject({ code: 0 })
  // Told once for each cache that was opened.
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3)
  const { stored, tried, problems } = JSON.parse(lines.at(-1) as string)
  expect(problems).toEqual([])
  expect(stored).toBeGreaterThan(20)
  count('operations on a full disk', 3 * tried)
})

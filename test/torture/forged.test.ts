// Forged records and values with valid checksums and nonsense in them. Nothing throws, nothing takes long or much memory, and
// other entries are unchanged. (Anyone who can write to the root can also forge valid values; that is not tested here.)

import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { Blobs } from '../../src/blobs/blobs.js'
import { CacheHandle } from '../../src/cache/cache.js'
import { countersPosition } from '../../src/counters/record.js'
import { Descriptors } from '../../src/files/descriptors.js'
import type { CacheWarning } from '../../src/index.js'
import type { Environment } from '../../src/log/environment.js'
import { HashSeed } from '../../src/log/hash-seed.js'
import { LogMap } from '../../src/log-map/log-map.js'
import { changeOf, hashedPosition, type Position } from '../../src/log-map/record.js'
import { encodePrefix } from '../../src/manifest/key.js'
import { Manifest } from '../../src/manifest/manifest.js'
import { entryPosition } from '../../src/manifest/records.js'
import type { BlobRef } from '../../src/packs/blob.js'
import { newEnvironment } from '../store/environment.js'
import { repeatedCodes } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { counting, inRounds } from '../support/torture.js'

const count = counting()
const ROOT = join('/', 'disk', 'cache')
const SOURCE = join('/', 'disk', 'source.js')
/** Many times what the values of these tests take. */
const MAX_BYTES = 8 * 1024 * 1024
const MAX_MS = 5_000

/** The most that a read was given room for. */
let mostBytes = 0

const files = (disk: MemoryDisk) =>
  interceptedFiles(
    call => {
      if (call.name === 'read') mostBytes = Math.max(mostBytes, (call.args[1] as Uint8Array).length)
      return call.proceed()
    },
    { files: disk.files },
  )

function open(disk: MemoryDisk, warnings: CacheWarning[] = []): CacheHandle {
  return new CacheHandle({ dir: ROOT, onWarning: warning => warnings.push(warning) }, { files: files(disk) })
}

function filled(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.write(SOURCE, Buffer.from('const a = 1'), 1000)
  disk.files.makeDirectory(join('/', 'disk'))
  const cache = open(disk)
  const entries = cache.namespace('tool')
  entries.set('key', { a: 1 }, { files: [SOURCE], ttl: 1e12 })
  entries.set('other', 'untouched')
  compute(cache)
  entries.get('nothing')
  cache.close()
  return disk
}

function compute(cache: CacheHandle): unknown[] {
  const entries = cache.namespace('tool')
  return [
    entries.getOrSetSync('computed', () => 'once'),
    entries.analyzeSync('text', SOURCE, context => context.source),
    // Of more inputs than an entry holds itself, and in two states.
    ...['one', 'two'].map(state => {
      process.env.WICKED_CACHE_FORGED = state
      const value = entries.getOrSetSync('many', ({ env, exists }) => {
        for (const name of ['a', 'b', 'c', 'd', 'e']) exists(join('/', 'disk', name))
        return env('WICKED_CACHE_FORGED')
      })
      delete process.env.WICKED_CACHE_FORGED
      return value
    }),
  ]
}

const layoutPath = (identity: string) => join(layoutOf(ROOT).version, ...identity.split('/'))

const template = filled()

/** Each map's place, and where in it a key stands. */
const MAPS: Record<string, { identity: string; positionOf: (environment: Environment, key: Buffer) => Position }> = {
  index: { identity: 'blobs/index', positionOf: hashedPosition },
  hashes: { identity: 'file-hashes', positionOf: hashedPosition },
  manifest: { identity: 'namespaces/tool/manifest', positionOf: entryPosition },
  counters: {
    identity: 'namespaces/tool/counters',
    positionOf: (_environment, key) => countersPosition(key) as Position,
  },
  lists: { identity: 'namespaces/%lists/manifest', positionOf: entryPosition },
}

/** One of the map's records gets another value. */
function forgeRecord(disk: MemoryDisk, name: string, forge: (value: Buffer) => Buffer, which: number): void {
  const { identity, positionOf } = MAPS[name] as (typeof MAPS)[string]
  const environment = newEnvironment({ files: disk.files })
  const map = new LogMap(environment, layoutPath(identity), identity, key => positionOf(environment, key))
  const records = [...map.records()].map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }))
  const { key, value } =
    records.filter(each => !each.key.includes('other'))[which % records.length] ?? (records[0] as (typeof records)[0])
  map.write([changeOf('put', positionOf(environment, key), key, forge(value))])
  map.close()
}

/** The key's value becomes these bytes, as if they had been encoded. */
function forgeValue(disk: MemoryDisk, bytes: Uint8Array): void {
  const layout = layoutOf(ROOT)
  const hashSeed = new HashSeed(disk.files, new Descriptors(disk.files), layout.hashSeed, Math.random)
  const environment = newEnvironment({ files: disk.files, hashSeed })
  const blobs = new Blobs(environment, layout)
  const manifest = new Manifest(environment, layout.manifest('tool'), 'namespaces/tool/manifest')
  const prefix = encodePrefix({ version: '', scope: 'project', kind: 'plain', project: process.cwd() })
  const key = manifest.keyOf(prefix, 'key')
  const stored = blobs.put([bytes])
  const blob = stored.refs[0] as BlobRef
  manifest.put(key, { blob, createdAt: Date.now(), usedAt: Date.now(), epoch: 1 })
  blobs.confirm(stored)
  blobs.flush()
  blobs.close()
  manifest.close()
}

async function exercise(disk: MemoryDisk): Promise<void> {
  const start = performance.now()
  const warnings: CacheWarning[] = []
  const cache = open(disk, warnings)
  const entries = cache.namespace('tool')
  entries.get('key')
  entries.has('key')
  entries.explain('key')
  entries.find('key')
  const [once, source, ...states] = compute(cache)
  expect([once, source]).toEqual(['once', 'const a = 1'])
  // A record that says of a result that it has no inputs is believed.
  for (const state of states) expect(['one', 'two']).toContain(state)
  expect(entries.getMany(['other', 'nothing'])).toEqual(['untouched', undefined])
  expect([...entries.keys()].length).toBeGreaterThan(0)
  expect([...entries.entries({ allVersions: true })].length).toBeGreaterThan(0)
  cache.stats()
  await cache.gc().catch(error => expect(error.name).toMatch(/^(CacheError|RangeError)$/))
  expect(entries.set('key', 'mended')).toBe(true)
  expect(entries.get('key')).toBe('mended')
  await cache.verify({ repair: true })
  expect(entries.getMany(['other', 'key'])).toEqual(['untouched', 'mended'])
  cache.close()
  expect(repeatedCodes(warnings)).toEqual([])
  expect(performance.now() - start).toBeLessThan(MAX_MS)
  expect(mostBytes).toBeLessThan(MAX_BYTES)
  count('forged stores')
}

const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x55)), {
  minLength: 1,
  maxLength: 6,
})
const forging = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map(bytes => () => Buffer.from(bytes)),
  fc.nat(80).map(length => (value: Buffer) => value.subarray(0, length)),
  changes.map(list => (value: Buffer) => {
    const bytes = Buffer.from(value)
    if (bytes.length > 0) for (const [at, byte] of list) bytes[at % bytes.length] = byte
    return bytes
  }),
)

test('forged records are rejected, and other entries are unchanged', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(...Object.keys(MAPS)),
    forging,
    fc.nat(),
    async (map, forge, which) => {
      const disk = template.clone()
      forgeRecord(disk, map, forge, which)
      await exercise(disk)
    },
  )
  await inRounds({ short: 1, share: 0.05 }, seed => fc.assert(property, { seed, numRuns: 150 }))
})

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Codec 4 without lists of keys. */
const CBOR = hex('04 02 00 5b 5d')
const cbor = (text: string) => Buffer.concat([CBOR, hex(text)])

test.each([
  ['a million nested arrays', Buffer.concat([CBOR, Buffer.alloc(1_000_000, 0x81)])],
  ['many lists with large declared lengths', Buffer.concat([CBOR, Buffer.alloc(300_000, hex('9a 00 00 ff ff'))])],
  ['a map of four billion pairs', cbor('ba ff ff ff ff')],
  ['bytes without end', cbor('5b 00 00 00 00 ff ff ff ff')],
  ['a record with the key __proto__', cbor('d9 df ff 83 19 e0 00 81 69 5f5f70726f746f5f5f a0')],
  ['an integer of a million digits', Buffer.concat([cbor('c2 5a 00 07 ff f0'), Buffer.alloc(0x7fff0, 0xff)])],
  ['an invalid regular expression', cbor('d8 1b 83 66 526567457870 61 28 60')],
  ['nothing', Buffer.alloc(0)],
  ['JSON that ends early', hex('01 7b')],
])('a forged value, %s, is a miss that is reported as damage', (_what, bytes) => expectMiss(bytes, 'ERR_CACHE_CORRUPT'))

test('a value with an unknown codec is a miss that is reported as such', () =>
  expectMiss(hex('7f 01'), 'ERR_CACHE_CODEC'))

async function expectMiss(bytes: Buffer, code: string): Promise<void> {
  const disk = template.clone()
  forgeValue(disk, bytes)
  const warnings: CacheWarning[] = []
  const cache = open(disk, warnings)
  const start = performance.now()
  expect(cache.namespace('tool').get('key')).toBeUndefined()
  expect(performance.now() - start).toBeLessThan(MAX_MS)
  expect(warnings.map(({ code }) => code)).toEqual([code])
  expect(({} as { a?: unknown }).a).toBeUndefined()
  cache.close()
  await exercise(disk)
}

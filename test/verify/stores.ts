// Stores to be damaged, and what is asked of them before and after.

import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { FORMAT_VERSION, FRAME } from '../../src/base/layout.js'
import { CacheHandle } from '../../src/cache/cache.js'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { createHashing } from '../../src/hashing/hashing.js'
import type { Cache, VerifyOptions, VerifyReport } from '../../src/index.js'
import { FrameWriter } from '../../src/log/frames.js'
import { hashedPosition, type Position } from '../../src/log-map/record.js'
import { entryPosition } from '../../src/manifest/records.js'
import { seedIn } from '../store/environment.js'

export const NOW = Date.UTC(2026, 0, 1)

/** Values by key, by namespace. */
export type Contents = Record<string, Record<string, unknown>>

export const SMALL: Contents = {
  one: { text: 'the first value', number: 12.5, list: [1, 2, { three: 'x' }], ttl: 'ends late' },
  two: { text: 'another namespace', shared: 'the first value' },
}

/** A namespace whose manifest has been split, and as many different values. */
export function large(count = 10_000): Contents {
  const entries = Array.from({ length: count }, (_, index) => [`key ${index}`, `value ${index} ${'x'.repeat(20)}`])
  return { large: Object.fromEntries(entries), ...SMALL }
}

/** A cache that shares nothing with others of this process but the disk. */
export function open(dir: string, files: Files = nodeFiles, readOnly = false, random = Math.random): Cache {
  return new CacheHandle(
    { dir, mode: readOnly ? 'readonly' : 'readwrite', clock: () => NOW, onWarning: () => undefined },
    { files, random },
  )
}

export function fill(cache: Cache, contents: Contents): void {
  for (const [name, values] of Object.entries(contents)) {
    const entries = cache.namespace(name)
    entries.setMany(
      Object.entries(values).map(([key, value]) => ({ key, value, ...(key === 'ttl' ? { ttl: 1e9 } : {}) })),
    )
  }
}

/** `namespace/key` of every entry that hits; throws for a value that is not the one that was set. */
export function hitsOf(dir: string, contents: Contents, files: Files = nodeFiles): Set<string> {
  const cache = open(dir, files, true)
  const hits = new Set<string>()
  for (const [name, values] of Object.entries(contents)) {
    for (const [key, value] of Object.entries(values)) {
      const actual = cache.namespace(name).get(key)
      if (actual === undefined) continue
      if (JSON.stringify(actual) !== JSON.stringify(value))
        throw new Error(`${name}/${key} is ${JSON.stringify(actual)}`)
      hits.add(`${name}/${key}`)
    }
  }
  cache.close()
  return hits
}

export async function verifyAt(
  dir: string,
  options: VerifyOptions = {},
  files: Files = nodeFiles,
): Promise<VerifyReport> {
  const cache = open(dir, files, !options.repair)
  try {
    return await cache.verify(options)
  } finally {
    cache.close()
  }
}

/** A file of the store, by its path with `/`. */
export const pathIn = (dir: string, file: string) => join(dir, ...file.split('/'))

export function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.length, offset)
  closeSync(fd)
}

export function flip(path: string, offset: number, mask = 0xff): void {
  overwrite(path, offset, Buffer.from([(readFileSync(path)[offset] as number) ^ mask]))
}

export const sizeOf = (path: string) => statSync(path).size

export const hashing = createHashing()

/** What a frame says besides its type. */
export interface Forged {
  payload: Uint8Array
  hash?: number
  tag?: number
  keyBytes?: number
}

/** A frame that is valid in the file of this identity. */
export function forged(identity: string, type: number, { payload, hash, tag, keyBytes }: Forged): Buffer {
  const name = Buffer.from(identity)
  const writer = new FrameWriter().begin(type, hash, tag, keyBytes).put(payload).end()
  writer.check(hashing, hashing.hash32(name, 0, name.length, FORMAT_VERSION))
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

export function recordOf({ hash, tag }: Position, key: Uint8Array, value: Uint8Array): Forged {
  return { hash, tag, keyBytes: key.length, payload: Buffer.concat([key, value]) }
}

/** Where the cache puts an entry's key; with a start, one that belongs with all that are equal from there on. */
export function positionIn(dir: string, key: Buffer, start?: number): Position {
  const environment = {
    hashing,
    hashSeed: seedIn(dir),
  }
  return start === undefined ? entryPosition(environment, key) : hashedPosition(environment, key, start)
}

export { FRAME }

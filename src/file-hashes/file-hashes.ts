// Remembers the content hash of files by path, and proves it by metadata. So checking ten thousand unchanged files takes ten
// thousand stats and no reads. One map serves all namespaces of a cache.
//
// The map is only a shortcut: a lost, damaged or outdated record costs a read of the file. So records are written in batches,
// and a killed process loses its pending records. A racy file, which a later change could leave with the same metadata, is not
// remembered, because it must be checked by content anyway.

import { errnoOf } from '../base/errors.js'
import { BUCKET_BYTES } from '../base/layout.js'
import type { Input } from '../inputs/input.js'
import { decodeInputs, encodeInputs } from '../inputs/input-bytes.js'
import type { FileHashes } from '../inputs/source.js'
import type { Environment } from '../log/environment.js'
import { LogMap } from '../log-map/log-map.js'
import { changeOf, hashedPosition } from '../log-map/record.js'

/** Records are written at exit, and when this many are pending. */
const FLUSH_COUNT = 1024
const MAX_NAME_BYTES = 0xffff
/** How many decoded records are kept in memory. */
const MAX_KEPT = 100_000

export function createFileHashes(environment: Environment, path: string, identity: string): FileHashMap {
  return new FileHashMap(environment, path, identity)
}

export class FileHashMap implements FileHashes {
  readonly #environment: Environment
  readonly #map: LogMap
  readonly #pending = new Map<string, Input>()
  readonly #kept = new Map<string, Input>()
  #dueCount = FLUSH_COUNT

  /** `identity` is the map's path below the root. */
  constructor(environment: Environment, path: string, identity: string) {
    this.#environment = environment
    this.#map = new LogMap(environment, path, identity, bytes => hashedPosition(environment, bytes), BUCKET_BYTES, true)
  }

  /** Writes pending records if there are many. Errors are reported. */
  flushIfDue(report: (error: unknown) => void): void {
    if (!this.isDue) return
    try {
      this.flush()
    } catch (error) {
      report(error)
    }
  }

  /** Whether many records are pending since the last `flush`, successful or not. */
  get isDue(): boolean {
    return this.#pending.size >= this.#dueCount
  }

  /** Returns the remembered input of a name, which may be outdated. @throws errno-style errors */
  recall(name: string): Input | undefined {
    const known = this.#kept.get(name)
    if (known) return known
    const key = Buffer.from(name)
    const position = hashedPosition(this.#environment, key)
    // The record in memory is good enough: the caller validates it, and an outdated one costs a read of the file.
    const found = this.#map.getLoaded(position, key) ?? this.#map.get(position, key)
    const input = found?.isPut ? decode(found.value) : undefined
    if (input) this.#keep(name, input)
    return input
  }

  /** Takes effect for other processes with the next `flush`. */
  remember(name: string, input: Input): void {
    if (this.#environment.readOnly || !name.isWellFormed() || Buffer.byteLength(name) > MAX_NAME_BYTES) return
    this.#keep(name, input)
    this.#pending.set(name, input)
  }

  #keep(name: string, input: Input): void {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(name, input)
  }

  /** @throws errno-style errors; CacheError `ERR_CACHE_IO`; the records stay pending in that case */
  flush(): void {
    // If writing fails, it isn't tried again for each record.
    this.#dueCount = this.#pending.size + FLUSH_COUNT
    if (this.#pending.size === 0) return
    this.#map.write(
      Array.from(this.#pending, ([name, input]) => {
        const key = Buffer.from(name)
        return changeOf('put', hashedPosition(this.#environment, key), key, encodeInputs([input], 'full'))
      }),
    )
    this.#pending.clear()
    this.#dueCount = FLUSH_COUNT
  }

  /**
   * Removes the records of deleted files from the bucket of this hash. Returns the first hash after the bucket.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  pruneAt(hash: number): number {
    const { part, next } = this.#map.partAt(hash)
    const gone = part?.records().filter(({ key }) => this.#isGone(key.toString())) ?? []
    this.#map.write(
      gone.map(({ key, check }) => {
        const position = hashedPosition(this.#environment, key)
        return changeOf('remove', position, Buffer.from(key), Buffer.alloc(0), check)
      }),
    )
    this.#map.compactAt(hash)
    return next
  }

  #isGone(name: string): boolean {
    try {
      return this.#environment.files.stat(name.split('\0', 1)[0] as string) === undefined
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return false
    }
  }

  close(): void {
    this.#map.close()
  }
}

/** Returns undefined for an invalid record. */
function decode(bytes: Buffer): Input | undefined {
  try {
    return decodeInputs(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, 'full').inputs[0]
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

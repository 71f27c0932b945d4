// What a file's content hashes to, remembered by its path and proved by its stat: a tool that asks for the digests of
// ten thousand unchanged files makes ten thousand stats and opens none. One memo serves all namespaces of a cache.
//
// Only a shortcut: a record that is lost, damaged or out of date costs a read of the file. So records are gathered and
// written in batches, and a killed process loses what it had not written yet. Racy fingerprints are not remembered,
// because they would have to be proved by content anyway.

import { errnoOf } from '../base/errors.js'
import { fingerprintBytes, flagsOf, readFingerprint, writeFingerprint } from '../fingerprint/bytes.js'
import { ABSENT, type Fingerprint } from '../fingerprint/fingerprint.js'
import type { Environment } from '../log/environment.js'
import { LogMap } from '../log-map/log-map.js'
import { changeOf, hashedPosition } from '../log-map/record.js'

/** Records are written when this many have gathered, and on exit. */
const FLUSH_COUNT = 1024
const MAX_PATH_BYTES = 0xffff

export class Memo {
  readonly #environment: Environment
  readonly #map: LogMap
  readonly #pending = new Map<string, Fingerprint>()
  #dueCount = FLUSH_COUNT

  /** `identity` is the memo's place below the root. */
  constructor(environment: Environment, path: string, identity: string) {
    this.#environment = environment
    this.#map = new LogMap(environment, path, identity, bytes => hashedPosition(environment.hashing, bytes))
  }

  /** Whether enough has gathered since the last `flush`, successful or not. */
  get isDue(): boolean {
    return this.#pending.size >= this.#dueCount
  }

  /** What was remembered of a path, true or not by now. @throws errno-style errors */
  recall(path: string): Fingerprint | undefined {
    const pending = this.#pending.get(path)
    if (pending) return pending
    const key = Buffer.from(path)
    const position = hashedPosition(this.#environment.hashing, key)
    // What is in memory will do: the caller proves it, and what is out of date costs one read of the file.
    const found = this.#map.getLoaded(position, key) ?? this.#map.get(position, key)
    return found && decode(found.value)
  }

  /** Takes effect for other processes with the next `flush`. */
  remember(path: string, fingerprint: Fingerprint): void {
    if (fingerprint.isRacy || fingerprint === ABSENT) return
    if (path.isWellFormed() && Buffer.byteLength(path) <= MAX_PATH_BYTES) this.#pending.set(path, fingerprint)
  }

  /** @throws errno-style errors; CacheError `ERR_CACHE_IO`; what was gathered stays in memory then */
  flush(): void {
    // Where nothing can be written, it is not tried again for each record.
    this.#dueCount = this.#pending.size + FLUSH_COUNT
    if (this.#pending.size === 0) return
    this.#map.write(
      Array.from(this.#pending, ([path, fingerprint]) => {
        const key = Buffer.from(path)
        return changeOf('put', hashedPosition(this.#environment.hashing, key), key, encode(fingerprint))
      }),
    )
    this.#pending.clear()
    this.#dueCount = FLUSH_COUNT
  }

  /**
   * Forgets the files that are no longer there, of the bucket at this place; returns the first place that is not its.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  pruneAt(place: number): number {
    const { part, next } = this.#map.partAt(place)
    const gone = part?.records().filter(({ key }) => this.#isGone(key.toString())) ?? []
    this.#map.write(
      gone.map(({ key, check }) => {
        const position = hashedPosition(this.#environment.hashing, key)
        return changeOf('remove', position, Buffer.from(key), Buffer.alloc(0), check)
      }),
    )
    this.#map.compactAt(place)
    return next
  }

  #isGone(path: string): boolean {
    try {
      return this.#environment.files.stat(path) === undefined
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return false
    }
  }

  close(): void {
    this.#map.close()
  }
}

function encode(fingerprint: Fingerprint): Buffer {
  const bytes = Buffer.allocUnsafe(1 + fingerprintBytes(fingerprint))
  writeFingerprint(fingerprint, bytes, bytes.writeUInt8(flagsOf(fingerprint), 0))
  return bytes
}

/** Undefined for a record that is none. */
function decode(bytes: Buffer): Fingerprint | undefined {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const fingerprint = readFingerprint(view.getUint8(0), view, 1)
    // The bytes are a view of a file that may be given up.
    return { ...fingerprint, digest: Buffer.from(fingerprint.digest) }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

// Values that were read lately, as bytes, so that reading one again takes no look into the files' contents: only whether
// its record is still the same, which is known of its bucket, and whether it is still valid, which is asked anew each time.
//
// A run that reads each key once must not pay for this: one read in four is remembered. What is read again and again gets
// there soon.

import { decodeEntry, type Entry, encodeEntry } from '../manifest/entry.js'
import type { EntryKey } from '../manifest/manifest.js'

export interface Recent {
  key: EntryKey
  /** The manifest's revision at the key when this was read. */
  revision: number
  entry: Entry
  check: number
  /** The value's bytes, in a buffer of their own. */
  bytes: Buffer
}

/** Kept for one handle of a namespace, at most. */
const MAX_BYTES = 4 * 1024 * 1024
const MAX_ENTRIES = 8192
const SHARE = 4

export class RecentValues {
  readonly #byKey = new Map<string, Recent>()
  #bytes = 0
  #turn = 0

  get(key: string): Recent | undefined {
    return this.#byKey.get(key)
  }

  offer(key: string, read: Omit<Recent, 'bytes'>, bytes: Buffer): void {
    if (++this.#turn % SHARE !== 0 || bytes.length > MAX_BYTES / SHARE) return
    this.forget(key)
    // Copied: what was read is views of buffers that are much larger, or used again.
    this.#byKey.set(key, { ...read, entry: decodeEntry(encodeEntry(read.entry)), bytes: Buffer.from(bytes) })
    this.#bytes += bytes.length
    for (const oldest of this.#byKey.keys()) {
      if (this.#bytes <= MAX_BYTES && this.#byKey.size <= MAX_ENTRIES) return
      this.forget(oldest)
    }
  }

  forget(key: string): void {
    this.#bytes -= this.#byKey.get(key)?.bytes.length ?? 0
    this.#byKey.delete(key)
  }
}

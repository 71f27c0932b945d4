// How old the entries are and what they take, worked out from a few buckets: keys lie in buckets by their hashes, so one
// bucket is a fair sample of its namespace. It tells where the cut is without reading all manifests.

import { blobLength } from '../packs/packs.js'
import { blobCost, entryCost, lastUseOf } from './census.js'
import type { CollectedNamespace } from './input.js'

/** Of entries last used before this time all go, of those used in that very millisecond this share. */
export interface Cut {
  lastUse: number
  share: number
}

interface SampledEntry {
  directory: string
  lastUse: number
  ownBytes: number
  blobBytes: number
  /** Entries that it stands for. */
  weight: number
}

export interface SampleLimits {
  maxSizeBytes: number
  maxEntries: number
  maxAgeMs: number
}

export class Sample {
  readonly #entries: SampledEntry[] = []

  /** Looks at a bucket at this place of each namespace, until the time is up. */
  constructor(namespaces: readonly CollectedNamespace[], place: number, isOver: () => boolean) {
    let lookedAt = 0
    for (const { directory, manifest } of namespaces) {
      if (lookedAt > 0 && isOver()) break
      lookedAt++
      const { entries, share } = manifest.partAt(place)
      for (const { entry, frameBytes } of entries) {
        const lastUse = lastUseOf(entry)
        const blobBytes = blobCost(blobLength(entry.blob.id))
        this.#entries.push({ directory, lastUse, ownBytes: entryCost(frameBytes), blobBytes, weight: 1 / share })
      }
    }
    // Those that were not looked at are taken to be like the others.
    for (const entry of this.#entries) entry.weight *= namespaces.length / lookedAt
    this.#entries.sort((a, b) => b.lastUse - a.lastUse)
  }

  /**
   * Where the cut is for the limits; undefined when they are kept. `packBytes` is what all values take at most, of the whole
   * cache: entries share them.
   */
  cut(limits: SampleLimits, nowMs: number, directory?: string, packBytes = Number.POSITIVE_INFINITY): Cut | undefined {
    const entries = directory === undefined ? this.#entries : this.#entries.filter(each => each.directory === directory)
    const blobBytes = entries.reduce((sum, each) => sum + each.blobBytes * each.weight, 0)
    const ownShare = Math.min(1, packBytes / blobBytes)
    let bytes = 0
    let count = 0
    for (let start = 0, end = 0; start < entries.length; start = end) {
      const { lastUse } = entries[start] as SampledEntry
      const before = { bytes, count }
      for (; entries[end]?.lastUse === lastUse; end++) {
        const each = entries[end] as SampledEntry
        bytes += (each.ownBytes + each.blobBytes * ownShare) * each.weight
        count += each.weight
      }
      if (nowMs - lastUse > limits.maxAgeMs) return { lastUse: nowMs - limits.maxAgeMs, share: 0 }
      const excess = Math.max(
        (bytes - limits.maxSizeBytes) / (bytes - before.bytes),
        (count - limits.maxEntries) / (count - before.count),
      )
      if (excess > 0) return { lastUse, share: Math.min(1, excess) }
    }
    return undefined
  }
}

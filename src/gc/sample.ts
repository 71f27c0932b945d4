// How old the entries are and what they take, worked out from a few buckets: keys lie in buckets by their hashes, so one
// bucket is a fair sample of its namespace. Of many namespaces some are chosen, the likelier the larger they are. It tells
// where the cut is without reading all manifests.

import { blobLength } from '../packs/packs.js'
import { blobCost, entryCost, lastUseOf } from './census.js'
import type { Namespaces } from './input.js'

/** Of entries last used before this time all go, of those used in that very millisecond this share. */
export interface Cut {
  lastUse: number
  share: number
}

/** A namespace whose entries stand for others'. */
export interface Chosen {
  directory: string
  /** Of its manifest. */
  bytes: number
  /** The larger, the sooner it is chosen. */
  rank: number
}

/** So many namespaces stand for all. */
const MAX_CHOSEN = 16

/** Takes a namespace into the choice with a probability that goes with its size (https://doi.org/10.1016/j.ipl.2005.11.003). */
export function choose(chosen: readonly Chosen[], directory: string, bytes: number, random: () => number): Chosen[] {
  if (bytes === 0) return [...chosen]
  const all = [...chosen, { directory, bytes, rank: random() ** (1 / bytes) }]
  return all.sort((a, b) => b.rank - a.rank).slice(0, MAX_CHOSEN)
}

interface SampledEntry {
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

export interface SampleInput {
  namespaces: Namespaces
  nowMs: number
  random(): number
  /** Whether the time for it is up. */
  isOver(): boolean
}

export class Sample {
  readonly #entries: SampledEntry[] = []

  /** Looks at a bucket of each of the chosen namespaces until the time is up; `totalBytes` are all manifests'. */
  constructor({ namespaces, nowMs, random, isOver }: SampleInput, chosen: readonly Chosen[], totalBytes: number) {
    const looked: { entries: SampledEntry[]; bytes: number; share: number }[] = []
    for (const { directory, bytes } of chosen) {
      if (looked.length > 0 && isOver()) break
      const namespace = namespaces.open(directory)
      if (!namespace) continue
      const { entries, share } = namespace.manifest.partAt(Math.floor(random() * 2 ** 32))
      const sampled = entries.map(({ entry, frameBytes }) => ({
        lastUse: lastUseOf(entry, nowMs),
        ownBytes: entryCost(frameBytes),
        blobBytes: blobCost(blobLength(entry.blob.id)),
        weight: 1 / share,
      }))
      looked.push({ entries: sampled, bytes, share })
      namespace.close()
    }
    const lookedBytes = looked.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { entries, bytes } of looked) {
      // A large one was likelier to be chosen among others, so that its entries stand for fewer. Where all were chosen, those that
      // were not looked at are taken to be like the others.
      const factor = chosen.length < MAX_CHOSEN ? totalBytes / lookedBytes : totalBytes / looked.length / bytes
      for (const entry of entries) {
        entry.weight *= factor
        this.#entries.push(entry)
      }
    }
    this.#entries.sort((a, b) => b.lastUse - a.lastUse)
  }

  /**
   * Where the cut is for the limits; undefined when they are kept. `packBytes` is what all values take at most, of the whole
   * cache: entries share them.
   */
  cut(limits: SampleLimits, nowMs: number, packBytes = Number.POSITIVE_INFINITY): Cut | undefined {
    const entries = this.#entries
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

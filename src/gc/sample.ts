// Estimates the ranks and sizes of entries from a few buckets. Keys are spread over buckets by hash, so a bucket is a fair
// sample of its namespace. If there are many namespaces, some are chosen, with a probability that grows with their size. This
// gives the cutoff without reading all manifests.

import { LISTS_DIRECTORY } from '../base/layout.js'
import { blobLength } from '../packs/blob.js'
import { blobCost, entryCost } from './census.js'
import type { Namespaces } from './input.js'
import { rankOf, useForAge } from './rank.js'

/** Drops all entries with a lower rank, this share of those with exactly this rank, and all last used before `lastUse`. */
export interface EstimatedCutoff {
  rank: number
  share: number
  lastUse: number
}

/** A sampled namespace, whose entries represent those of others. */
export interface Chosen {
  directory: string
  /** Size of its manifest. */
  bytes: number
  /** Namespaces with larger values are chosen first. */
  rank: number
}

/** Lower than any rank or time of an entry. A cutoff is stored as JSON, which has no infinity. */
const LOWEST = Number.MIN_SAFE_INTEGER

/** How many namespaces are sampled. */
const MAX_CHOSEN = 16
/** Buckets sampled of each namespace at most. ENOUGH_ENTRIES ends sampling: enough for an estimate to a few percent. */
const MAX_ROUNDS = 8
const ENOUGH_ENTRIES = 2000

/** Samples namespaces with a probability that grows with their size (https://doi.org/10.1016/j.ipl.2005.11.003). */
export function choose(chosen: readonly Chosen[], directory: string, bytes: number, random: () => number): Chosen[] {
  if (bytes === 0) return [...chosen]
  const all = [...chosen, { directory, bytes, rank: random() ** (1 / bytes) }]
  return all.sort((a, b) => b.rank - a.rank).slice(0, MAX_CHOSEN)
}

interface SampledEntry {
  rank: number
  lastUse: number
  ownBytes: number
  blobBytes: number
  /** How many entries it represents. */
  weight: number
}

export interface SampleLimits {
  maxSizeBytes: number
  maxEntries: number
  maxAgeMs: number
}

export interface Sampling {
  namespaces: Namespaces
  nowMs: number
  random(): number
  /** Whether the time for sampling is over. */
  isOver(): boolean
}

export class Sample {
  readonly #entries: SampledEntry[] = []

  /**
   * Reads buckets of the chosen namespaces until there are enough or time is up. `totalBytes` is the size of all manifests.
   */
  constructor({ namespaces, nowMs, random, isOver }: Sampling, chosen: readonly Chosen[], totalBytes: number) {
    const looked = new Map<string, { entries: SampledEntry[]; bytes: number; share: number }>()
    const start = random()
    let count = 0
    for (let round = 0; round < MAX_ROUNDS && count < ENOUGH_ENTRIES; round++) {
      for (const { directory, bytes } of chosen) {
        const known = looked.get(directory) ?? { entries: [], bytes, share: 0 }
        if (known.share >= 1 || (looked.size > 0 && isOver())) continue
        const namespace = namespaces.open(directory)
        if (!namespace) continue
        looked.set(directory, known)
        // Far from each other, so that they are different buckets.
        const hash = Math.floor(((start + round / MAX_ROUNDS) % 1) * 2 ** 32)
        const { entries, share } = namespace.manifest.partAt(hash)
        for (const { entry, frameBytes } of entries) {
          const blobBytes = blobCost(blobLength(entry.blob.id))
          known.entries.push({
            rank: rankOf(entry, nowMs, directory === LISTS_DIRECTORY),
            lastUse: useForAge(entry, nowMs),
            ownBytes: entryCost(frameBytes),
            blobBytes,
            weight: 1,
          })
        }
        known.share += share
        count += entries.length
        namespace.close()
      }
    }
    const lookedBytes = [...looked.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { entries, bytes, share } of looked.values()) {
      // A large namespace was more likely to be chosen, so each of its entries stands for fewer. If all were chosen, those
      // that were not sampled are assumed to be like the others.
      const factor = chosen.length < MAX_CHOSEN ? totalBytes / lookedBytes : totalBytes / looked.size / bytes
      for (const entry of entries) {
        entry.weight = factor / share
        this.#entries.push(entry)
      }
    }
    this.#entries.sort((a, b) => b.rank - a.rank)
  }

  /**
   * Returns the cutoff for the limits; undefined if they hold. `packBytes`, the size of all packs, caps the values' size,
   * because entries share values.
   */
  cut(limits: SampleLimits, nowMs: number, packBytes = Number.POSITIVE_INFINITY): EstimatedCutoff | undefined {
    const oldest = limits.maxAgeMs === Number.POSITIVE_INFINITY ? LOWEST : nowMs - limits.maxAgeMs
    const entries = this.#entries.filter(({ lastUse }) => lastUse >= oldest)
    const blobBytes = this.#entries.reduce((sum, each) => sum + each.blobBytes * each.weight, 0)
    const ownShare = Math.min(1, packBytes / blobBytes)
    let bytes = 0
    let count = 0
    for (let start = 0, end = 0; start < entries.length; start = end) {
      const { rank } = entries[start] as SampledEntry
      const before = { bytes, count }
      for (; entries[end]?.rank === rank; end++) {
        const each = entries[end] as SampledEntry
        bytes += (each.ownBytes + each.blobBytes * ownShare) * each.weight
        count += each.weight
      }
      const excess = Math.max(
        (bytes - limits.maxSizeBytes) / (bytes - before.bytes),
        (count - limits.maxEntries) / (count - before.count),
      )
      if (excess > 0) return { rank, share: Math.min(1, excess), lastUse: oldest }
    }
    return entries.length < this.#entries.length ? { rank: LOWEST, share: 0, lastUse: oldest } : undefined
  }
}

// Chooses what the background gc drops. It measures the files and samples a few buckets, and estimates from these below which
// rank entries must go. Nothing is exact: for example, it doesn't know which entries share a value.

import { BLOB_FRAME_BYTES, escapeNamespace, LISTS_DIRECTORY } from '../base/layout.js'
import { fileBytes } from '../files/disk-usage.js'
import type { StoredEntry } from '../manifest/records.js'
import { blobLength } from '../packs/blob.js'
import { type CacheLimits, requiredLimits } from '../policy/configured-limits.js'
import { MIN_GARBAGE_SHARE } from '../policy/garbage.js'
import type { ParsedLimits } from '../policy/limits.js'
import { isExpired } from '../policy/policy.js'
import type { CollectedNamespace, CycleInput } from './input.js'
import { rankOf, useForAge } from './rank.js'
import { type Chosen, choose, type EstimatedCutoff, Sample } from './sample.js'
import { type Choice, type Drop, type PackUse, phaseKey, type State, withPhase } from './state.js'
import { HASH_END, type Walk } from './walk.js'

/** Sums collected while namespaces are measured. */
interface Measuring {
  /** Bytes of all manifests, and of all other files below the namespaces. */
  manifestBytes: number
  otherBytes: number
  chosen: Chosen[]
}

/** The plan of a cycle: what to drop, and what the walk has found. */
interface Dropping {
  /** The cutoff for all entries. */
  cut?: EstimatedCutoff | undefined
  /** The cutoffs for namespaces, by directory. */
  cuts: Record<string, EstimatedCutoff>
  /** Bytes over FULL_SHARE of the limit. */
  excessBytes: number
  /** The length of each pack at the start: blobs that are set later may be in packs that the walk has already counted. */
  packBytes: Record<string, number>
  /** Live bytes by pack, from the entries seen so far. */
  liveBytes: Record<string, number>
}

export type SamplePlan = Measuring | Dropping

export interface SampleInput extends CycleInput {
  limits(): CacheLimits
  /** Whether the time for sampling is over. */
  isOver(): boolean
}

/** A cycle begins at this share of a limit, */
const FULL_SHARE = 0.9
/** and evicts down to this one. */
const KEPT_SHARE = 0.8

export class SampleChoice implements Choice<SamplePlan> {
  /** The last measurement: all bytes, and those of packs. */
  measured = { bytes: 0, packBytes: 0 }
  readonly #input: SampleInput

  constructor(input: SampleInput) {
    this.#input = input
  }

  plan(): Measuring {
    return { manifestBytes: 0, otherBytes: 0, chosen: [] }
  }

  choose(state: State<SamplePlan>, walk: Walk): State<SamplePlan> | undefined {
    const { plan } = state
    if ('cuts' in plan) return this.#choosePacks(state, plan)
    const next = walk.next(phaseKey(state), state, namespace => this.#measure(namespace, plan))
    if (next) return { ...state, ...next }
    walk.close()
    const dropping = this.#decide(plan)
    return dropping && { ...withPhase(state, 'drop'), plan: dropping }
  }

  dropOf({ directory }: CollectedNamespace, stored: StoredEntry, state: State<SamplePlan>): Drop | undefined {
    const { environment, now } = this.#input
    const { plan } = state
    if (!('cuts' in plan)) return undefined
    const { createdAt, ttlMs, blob } = stored.entry
    if (ttlMs !== undefined && isExpired(createdAt, ttlMs, now())) {
      return { stored, removal: { cause: 'expired' }, isExcess: false }
    }
    const lastUse = useForAge(stored.entry, now())
    const rank = rankOf(stored.entry, now(), directory === LISTS_DIRECTORY)
    const isCutOff = (cut: EstimatedCutoff | undefined) =>
      cut && (lastUse < cut.lastUse || rank < cut.rank || (rank === cut.rank && environment.random() < cut.share))
    if (isCutOff(plan.cut) || isCutOff(plan.cuts[directory])) {
      return { stored, removal: { cause: 'evicted' }, isExcess: true }
    }
    const { pack } = blob.location
    plan.liveBytes[pack] = (plan.liveBytes[pack] ?? 0) + blobLength(blob.id) + BLOB_FRAME_BYTES
    return undefined
  }

  #measure({ directory }: CollectedNamespace, plan: Measuring): number {
    const { environment, layout } = this.#input
    const { files, random } = environment
    const manifestBytes = fileBytes(files, layout.manifest(directory))
    plan.manifestBytes += manifestBytes
    plan.otherBytes += fileBytes(files, layout.counters(directory))
    plan.chosen = choose(plan.chosen, directory, manifestBytes, random)
    return HASH_END
  }

  /** Undefined if nothing needs to be dropped. */
  #decide({ manifestBytes, otherBytes, chosen }: Measuring): Dropping | undefined {
    const { environment, blobs, layout, namespaces, now, isOver } = this.#input
    const { files, random } = environment
    const { packs } = blobs
    const { whole, namespaces: named } = this.#input.limits()
    const allPackBytes = fileBytes(files, layout.packs)
    const indexBytes = fileBytes(files, layout.blobIndex)
    // Files that a cycle can't shrink: counters, file hashes, the journal.
    const fixedBytes =
      otherBytes +
      fileBytes(files, layout.fileHashes) +
      fileBytes(files, layout.history) +
      (files.linkStat(layout.upkeep)?.sizeBytes ?? 0)
    const sizeBytes = fixedBytes + manifestBytes + allPackBytes + indexBytes
    this.measured = { bytes: sizeBytes, packBytes: allPackBytes }
    const sampling = { namespaces, nowMs: now(), random, isOver }
    const cuts: Record<string, EstimatedCutoff> = {}
    for (const [name, own] of named) {
      const limits = requiredLimits(own)
      const directory = escapeNamespace(name)
      const sample = new Sample(sampling, [{ directory, bytes: 1, rank: 1 }], 1)
      const isFull = sample.cut(partOf(limits, FULL_SHARE), now())
      const cut = isFull && sample.cut(partOf(limits, KEPT_SHARE), now())
      if (cut) cuts[directory] = cut
    }
    const sample = new Sample(sampling, chosen, manifestBytes)
    const full = partOf(requiredLimits(whole), FULL_SHARE)
    const isFull =
      sizeBytes > full.maxSizeBytes || sample.cut({ ...full, maxSizeBytes: Number.POSITIVE_INFINITY }, now())
    if (!isFull && Object.keys(cuts).length === 0) return undefined
    const kept = partOf(requiredLimits(whole), KEPT_SHARE)
    const cut = sample.cut({ ...kept, maxSizeBytes: kept.maxSizeBytes - fixedBytes }, now(), allPackBytes)
    return {
      cut: isFull ? cut : undefined,
      cuts,
      excessBytes: Math.max(0, sizeBytes - full.maxSizeBytes),
      packBytes: Object.fromEntries(packs.numbers().map(pack => [pack, packs.sizeOf(pack)])),
      liveBytes: {},
    }
  }

  /**
   * Packs with enough garbage. If there is none and the limit is still exceeded, the oldest pack: shared values count several
   * times in `liveBytes`, which hides garbage.
   */
  #choosePacks(state: State<SamplePlan>, plan: Dropping): State<SamplePlan> {
    const { packs } = this.#input.blobs
    const uses = packs.numbers().map((pack): PackUse => {
      const sizeBytes = plan.packBytes[pack] ?? 0
      return { pack, sizeBytes, garbageBytes: sizeBytes - (plan.liveBytes[pack] ?? 0) }
    })
    const worst = uses.filter(
      ({ pack, sizeBytes, garbageBytes }) => packs.isRetired(pack) || garbageBytes > sizeBytes * MIN_GARBAGE_SHARE,
    )
    const chosen = worst.length === 0 && plan.excessBytes > 0 ? uses.slice(0, 1) : worst
    return { ...withPhase(state, 'retire'), plan: { ...plan, packBytes: {}, liveBytes: {} }, packs: chosen }
  }
}

/** The limits multiplied by a share; `maxAge` is unchanged. */
function partOf({ maxSizeBytes, maxEntries, maxAgeMs }: Required<ParsedLimits>, share: number): Required<ParsedLimits> {
  return { maxSizeBytes: maxSizeBytes * share, maxEntries: maxEntries * share, maxAgeMs }
}

// The garbage collection, as a sequence of steps of some milliseconds. Each step continues from the state that the last one
// returned; see docs/adr/0050-one-collector.md. `gc()` runs all of them, and the background gc takes some of them in any
// process that sets.
//
// A pack is retired before the manifests are read to find its live blobs. A later set stores its value again. Live blobs are
// copied and synced before the pack is removed. If the process is killed at any point, all blobs that entries refer to can
// still be found through the index, and the next cycle continues with the retired packs. A power cut loses nothing that was
// on disk before. A manifest that cannot be read ends the cycle.
//
// On a full disk, packs without live blobs are removed first, which takes no write. The others follow, least live bytes
// first. A pack that there is no room to copy is removed whole, then its entries are dropped.
//
// Not guaranteed: that all garbage is removed. A pack that is mostly alive is not copied while there is room.

import type { GcProgress } from '../api/index.js'
import { LISTS_DIRECTORY } from '../base/layout.js'
import { locationIn, positionOf } from '../blobs/blob-index.js'
import type { Counters } from '../counters/counters.js'
import type { RecordView } from '../log-map/record.js'
import { removalChange } from '../manifest/changes.js'
import type { EntryChange, StoredEntry } from '../manifest/records.js'
import type { Location } from '../packs/blob.js'
import type { Packs } from '../packs/packs.js'
import { MIN_GARBAGE_SHARE } from '../policy/garbage.js'
import { countDrop, createHistory } from './history.js'
import type { CollectedNamespace, CycleInput } from './input.js'
import { forgetFiles, removeLeftovers } from './leftovers.js'
import { Rewrite } from './rewrite.js'
import { hasRoomFor, ifRoom, isNoRoom } from './room.js'
import {
  type Choice,
  type Drop,
  liveBytesOf,
  type Marks,
  type PackUse,
  phaseKey,
  type State,
  withPhase,
} from './state.js'
import { HASH_END, Walk } from './walk.js'

/** If at least this share of a bucket's records is dropped, it is rewritten. Fewer are removed one by one. */
const MIN_USELESS_SHARE = 0.2

/** The state of the packs at this process's first step of a phase. */
interface Known {
  key: string
  isThere(location: Location): boolean
  /** Packs are retired in a separate phase, so that a location that a later phase keeps stays valid. */
  isKept(location: Location): boolean
}

export class Cycle<Plan> {
  /** Unused values that this object removed. */
  removedBlobs = 0
  /** Counts of what this object has dropped. */
  readonly history: Counters
  readonly #input: CycleInput
  readonly #choice: Choice<Plan>
  readonly #marks: Marks
  readonly #walk: Walk
  readonly #rewrite: Rewrite
  #known: Known | undefined
  #packCount = 0

  /** A step that rewrites a pack takes about `pieceMs`. */
  constructor(input: CycleInput, choice: Choice<Plan>, marks: Marks, pieceMs: number) {
    this.#input = input
    this.#choice = choice
    this.#marks = marks
    this.#walk = new Walk(input.namespaces)
    this.history = createHistory(input)
    this.#rewrite = new Rewrite(input.blobs, blob => marks.rowOf(blob) >= 0, pieceMs)
  }

  begin(): State<Plan> {
    const id = Math.floor(this.#input.environment.random() * 2 ** 32)
    const start = { directory: '', hash: 0, from: 0 }
    const lists = { packs: [], live: [], targets: [], emptied: [] }
    const flags = { hasMoved: false, hasRest: false, isRest: false }
    return { phase: 'choose', id, plan: this.#choice.plan(), ...start, ...lists, ...flags }
  }

  /**
   * Takes one step. Returns the next state, or undefined when the cycle is over. May change the given state.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  step(state: State<Plan>): State<Plan> | undefined {
    switch (state.phase) {
      case 'choose':
        return this.#choice.choose(state, this.#walk)
      case 'drop':
        return (
          this.#eachBucket(state, (...at) => this.#drop(...at, state)) ??
          withPhase(state, state.isRest ? 'index' : 'choose')
        )
      case 'retire':
        return this.#retire(state)
      case 'mark':
        return this.#eachBucket(state, (...at) => this.#mark(...at, state)) ?? this.#beginRewriting(state)
      case 'locate':
        return this.#locate(state)
      case 'rewrite':
        return this.#rewriteOn(state)
      case 'sync':
        return this.#sync(state)
      case 'index':
        return this.#tidyIndex(state)
      case 'files': {
        const hash = forgetFiles(this.#input, state.hash)
        if (hash < HASH_END) return { ...state, hash }
        this.#input.blobs.index.removeLeftovers()
        return withPhase(state, 'leftovers')
      }
      case 'leftovers':
        return this.#eachBucket(state, namespace => {
          removeLeftovers(this.#input, namespace)
          return HASH_END
        })
    }
  }

  /** The progress of the part of the cycle that this process has done. */
  progress(state: State<Plan>): GcProgress {
    const { phase, isRest, packs } = state
    if (phase === 'choose') return { step: 'entries', fraction: 1 }
    if (phase === 'drop' && !isRest) return { step: 'entries', fraction: this.#walk.fraction(state) }
    const isBefore = phase === 'retire' || phase === 'mark' || phase === 'locate'
    return { step: 'values', fraction: isBefore ? 0 : packs.length > 0 ? 1 - packs.length / this.#packCount : 1 }
  }

  /** Call this before the process uses the cache otherwise. */
  close(): void {
    this.#walk.close()
    this.history.close()
  }

  /** Drops entries with one write for each bucket. An entry that was set again meanwhile stays. */
  #drop(namespace: CollectedNamespace, hash: number, state: State<Plan>): number {
    const { environment, isDryRun } = this.#input
    const { manifest } = namespace
    if (!state.isRest && this.#choice.isPassedOver?.(namespace)) return HASH_END
    const { entries, rest, next, unreadableCount } = manifest.partAt(hash, environment.files.now())
    const drops: Drop[] = []
    for (const stored of entries) {
      const drop = this.#choice.dropOf(namespace, stored, state)
      if (drop) drops.push(drop)
      else if (state.isRest && this.#isDangling(stored, state))
        drops.push({ stored, removal: { cause: 'evicted' }, isExcess: true })
    }
    const changes: EntryChange[] = drops.map(({ stored, removal }) => removalChange(stored, removal))
    // These records belong to no entry.
    for (const { key, check, isOfUse } of rest) {
      if (!isOfUse) changes.push({ key, removal: { cause: 'evicted' }, expected: check })
    }
    const written = isDryRun ? drops.map(() => true) : ifRoom(() => manifest.write(changes))
    // Some of them may have been written before the disk was full.
    if (!written) environment.tick.end()
    const left = written ? undefined : new Set(manifest.partAt(hash).entries.map(({ check }) => check))
    const undone = drops.filter(({ stored }) => left?.has(stored.check))
    const done = drops.filter(({ stored }, at) => (written ? written[at] : !left?.has(stored.check)))
    if (undone.length > 0) state.hasRest = true
    this.#choice.dropped?.(namespace, done, undone, unreadableCount)
    // Lists of inputs are internal: callers don't see them.
    if (namespace.directory !== LISTS_DIRECTORY) {
      for (const { stored, removal } of done) countDrop(this.history, stored, removal.cause)
    }
    if (!isDryRun) ifRoom(() => manifest.compactAt(hash))
    return next
  }

  #isDangling({ entry: { blob } }: StoredEntry, state: State<Plan>): boolean {
    if (this.#knownOf(state).isThere(blob.location)) return false
    return this.#input.blobs.get({ ...blob, id: Buffer.from(blob.id) }) === undefined
  }

  #retire(state: State<Plan>): State<Plan> {
    const { packs, from } = state
    const use = packs[from]
    if (use && this.#isRetired(use)) return { ...state, from: from + 1 }
    if (use) return { ...state, packs: packs.filter(each => each !== use) }
    // From now on every set finds, when it confirms its blobs, that these packs are gone. The manifests that are read next
    // must include everything that was set before.
    this.#input.environment.tick.end()
    return packs.length > 0 ? withPhase(state, 'mark') : this.#afterPacks(state)
  }

  /** Retires the pack. False if the disk has no room for that, or for copying a pack with little garbage. */
  #isRetired(use: PackUse): boolean {
    const { packs } = this.#input.blobs
    const hasMuchGarbage = use.garbageBytes >= use.sizeBytes * MIN_GARBAGE_SHARE
    if (!hasMuchGarbage && !packs.isRetired(use.pack) && !this.#hasRoom(liveBytesOf(use))) return false
    const isDone = ifRoom(() => {
      packs.retire(use.pack)
      return true
    })
    return isDone === true
  }

  #mark(namespace: CollectedNamespace, hash: number, state: State<Plan>): number {
    const { isThere, isKept } = this.#knownOf(state)
    const { entries, next } = namespace.manifest.partAt(hash)
    for (const stored of entries) {
      const { id, location } = stored.entry.blob
      // An entry whose pack is kept has its value there.
      if (isKept(location)) continue
      // The entry is dropped later, because the disk was full.
      if (state.hasRest && this.#choice.dropOf(namespace, stored, { ...state, isRest: true })) continue
      this.#marks.add(positionOf(id))
      if (!isThere(location)) state.hasMoved = true
      else if (!state.live.includes(location.pack)) state.live.push(location.pack)
    }
    return next
  }

  /** Finds the packs of blobs that are not where their entries say. */
  #locate(state: State<Plan>): State<Plan> {
    const { part, next } = this.#input.blobs.index.partAt(state.hash)
    const packs = new Set(state.packs.map(({ pack }) => pack))
    for (const live of state.live) packs.delete(live)
    for (const record of packs.size > 0 ? (part?.records() ?? []) : []) {
      const { pack } = locationIn(record)
      if (packs.has(pack) && this.#marks.rowOf(positionOf(record.key)) >= 0) {
        state.live.push(pack)
        packs.delete(pack)
      }
    }
    return next < HASH_END ? { ...state, hash: next } : this.#beginRewriting({ ...state, hasMoved: false })
  }

  #beginRewriting(state: State<Plan>): State<Plan> {
    if (state.hasMoved) return withPhase(state, 'locate')
    const rank = (use: PackUse) => (state.live.includes(use.pack) ? liveBytesOf(use) : -1)
    const packs = state.packs.toSorted((a, b) => rank(a) - rank(b))
    const emptied = packs.map(({ pack }) => pack).filter(pack => !state.live.includes(pack))
    this.#packCount = packs.length
    // If there is room, the index records are removed first, so that they never refer to missing blobs.
    return withPhase(
      { ...state, packs, emptied, from: 0 },
      emptied.length > 0 && this.#hasRoom(0) ? 'index' : 'rewrite',
    )
  }

  #rewriteOn(state: State<Plan>): State<Plan> {
    const { packs: all } = this.#input.blobs
    const { packs, live, from } = state
    const [use] = packs
    if (!use) return this.#afterPacks(state)
    const { pack, sizeBytes } = use
    if (!live.includes(pack) || (from === 0 && !this.#hasRoom(liveBytesOf(use)))) return this.#giveUp(state, pack)
    try {
      const { removedBlobs, next } = this.#rewrite.next(pack, from)
      this.removedBlobs += removedBlobs
      if (next !== undefined) return { ...state, from: next }
    } catch (error) {
      // Other programs may have filled the disk by now.
      if (!isNoRoom(error) || this.#hasRoom(sizeBytes)) throw error
      return this.#giveUp(state, pack)
    }
    return withPhase({ ...state, targets: all.numbers().filter(each => !all.isRetired(each)) }, 'sync')
  }

  /** Removes a pack and all its blobs. */
  #giveUp(state: State<Plan>, pack: number): State<Plan> {
    const hasRest = state.hasRest || state.live.includes(pack)
    this.#input.blobs.packs.remove(pack)
    const emptied = [...new Set([...state.emptied, pack])]
    return { ...state, packs: state.packs.slice(1), from: 0, emptied, hasRest }
  }

  /** Syncs all copies, also those of other processes, before the pack is removed. */
  #sync(state: State<Plan>): State<Plan> {
    const { packs: all, index } = this.#input.blobs
    const [use, ...packs] = state.packs
    const [target, ...targets] = state.targets
    if (target !== undefined) {
      // A repair may have removed it.
      if (all.sizeOf(target) > 0) all.sync(target)
      return { ...state, targets }
    }
    if (state.hash < HASH_END) return { ...state, hash: index.syncAt(state.hash) }
    all.syncNames()
    if (use) all.remove(use.pack)
    return withPhase({ ...state, packs, from: 0 }, 'rewrite')
  }

  #afterPacks(state: State<Plan>): State<Plan> {
    return state.hasRest ? withPhase({ ...state, isRest: true }, 'drop') : withPhase(state, 'index')
  }

  /** Removes the index records of packs that are removed without being read. */
  #tidyIndex(state: State<Plan>): State<Plan> | undefined {
    const { blobs, fileHashes, isDryRun } = this.#input
    const { index } = blobs
    const { isThere, isKept } = this.#knownOf(state)
    const { part, next } = index.partAt(state.hash)
    let read: RecordView[] | undefined
    const records = () => {
      read ??= part?.records() ?? []
      return read
    }
    const isLast = state.packs.length === 0
    if (isLast) this.#choice.indexed?.(records)
    if (!isDryRun) {
      const isEmptied = (record: RecordView) => state.emptied.includes(locationIn(record).pack)
      const isGone = (location: Location) => !isThere(location) && !isKept(location)
      const isUseless = (record: RecordView) => isEmptied(record) || isGone(locationIn(record))
      const useless = state.emptied.length > 0 ? records().filter(isUseless) : []
      const isMuch = useless.length > 0 && useless.length >= records().length * MIN_USELESS_SHARE
      const emptiedCount = useless.filter(isEmptied).length
      const isDone = ifRoom(() => {
        if (isMuch) index.compactAt(state.hash, isUseless)
        else blobs.unindex(useless.map(record => ({ id: Buffer.from(record.key), location: locationIn(record) })))
        return true
      })
      if (isDone || isLast) this.removedBlobs += emptiedCount
      if (!isMuch) ifRoom(() => index.compactAt(state.hash))
    }
    if (next < HASH_END) return { ...state, hash: next }
    if (!isLast) return withPhase(state, 'rewrite')
    return isDryRun || !fileHashes ? undefined : withPhase(state, 'files')
  }

  #eachBucket(
    state: State<Plan>,
    work: (namespace: CollectedNamespace, hash: number) => number,
  ): State<Plan> | undefined {
    const next = this.#walk.next(phaseKey(state), state, work)
    return next && { ...state, ...next }
  }

  #hasRoom(bytes: number): boolean {
    return hasRoomFor(this.#input.environment.files, this.#input.layout.packs, bytes)
  }

  #knownOf(state: State<Plan>): Known {
    const { packs } = this.#input.blobs
    const key = phaseKey(state)
    if (this.#known?.key !== key) this.#known = { key, isThere: packs.places(), isKept: keptPlacesIn(packs) }
    return this.#known
  }
}

/**
 * Returns a function that tells whether entries may keep referring to a location. They may refer to blobs that other
 * processes put into the last pack or later ones.
 */
function keptPlacesIn(packs: Packs): (location: Location) => boolean {
  const sizes = new Map(packs.numbers().map(pack => [pack, packs.keptBytes(pack)]))
  const last = Math.max(-1, ...sizes.keys())
  const grows = packs.isRetired(last) ? last + 1 : last
  return ({ pack, offset }) => pack >= grows || offset < (sizes.get(pack) ?? 0)
}

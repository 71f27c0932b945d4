// The state that one step of a gc cycle hands to the next.

import type { Position, RecordView } from '../log-map/record.js'
import type { Removal } from '../manifest/entry.js'
import type { StoredEntry } from '../manifest/records.js'
import type { CollectedNamespace } from './input.js'
import type { Cursor, Walk } from './walk.js'

/** A pack, and how much of it is not alive: an estimate. */
export interface PackUse {
  pack: number
  sizeBytes: number
  garbageBytes: number
}

/** An entry to be dropped, and the reason. `isExcess`: because a limit is exceeded. */
export interface Drop {
  stored: StoredEntry
  removal: Removal
  isExcess: boolean
}

/** Where a cycle is. It is stored as JSON between two slices. */
export interface State<Plan = unknown> extends Cursor {
  phase: 'choose' | 'drop' | 'retire' | 'mark' | 'locate' | 'rewrite' | 'sync' | 'index' | 'files' | 'leftovers'
  /** Of the cycle. */
  id: number
  /** What the choice notes. */
  plan: Plan
  /** Packs to be retired, then to be rewritten, one after the other. */
  packs: PackUse[]
  /** First: packs retired so far. Then: where to go on in the first one. */
  from: number
  /** Packs with something alive in them, retired ones among them. */
  live: number[]
  /** Packs to be synced before the first one goes. */
  targets: number[]
  /** Packs that were or will be removed without copying. */
  emptied: number[]
  /** Whether entries refer to blobs that were moved before. */
  hasMoved: boolean
  /** Whether entries stayed for lack of disk space, or have lost their values. */
  hasRest: boolean
  /** Whether these are being dropped now. */
  isRest: boolean
}

/** Chooses what is dropped, and gathers figures about it. */
export interface Choice<Plan = unknown> {
  /** What a cycle begins with. */
  plan(): Plan
  /** One step of choosing; the state with phase `choose` to go on, `drop` or `retire` for what is to come, undefined for nothing. */
  choose(state: State<Plan>, walk: Walk): State<Plan> | undefined
  /** Whether nothing of the namespace will be dropped now. */
  isPassedOver?(namespace: CollectedNamespace): boolean
  /** The drop of an entry in the current bucket; undefined if the entry stays. */
  dropOf(namespace: CollectedNamespace, stored: StoredEntry, state: State<Plan>): Drop | undefined
  /** Called with the drops that were made, those that failed, and the number of unreadable records in the bucket. */
  dropped?(namespace: CollectedNamespace, drops: readonly Drop[], undone: readonly Drop[], unreadable: number): void
  /** Called for each bucket of the index once all is done. */
  indexed?(records: () => readonly RecordView[]): void
}

/** The blobs that were found alive in retired packs. */
export interface Marks {
  add(blob: Position): unknown
  /** The row of a marked blob, or -1. */
  rowOf(blob: Position): number
}

/** The state with which another phase begins. */
export function withPhase<Plan>(state: State<Plan>, phase: State['phase']): State<Plan> {
  return { ...state, phase, directory: '', hash: 0 }
}

/** Identifies this phase of this cycle. */
export function phaseKey({ id, phase, isRest }: State): string {
  return `${id} ${phase} ${isRest}`
}

export function liveBytesOf({ sizeBytes, garbageBytes }: PackUse): number {
  return Math.max(0, sizeBytes - garbageBytes)
}

// The state that one step of a gc cycle hands to the next.

import type { Position, RecordView } from '../log-map/record.js'
import type { Removal } from '../manifest/entry.js'
import type { StoredEntry } from '../manifest/records.js'
import type { CollectedNamespace } from './input.js'
import type { Cursor, Walk } from './walk.js'

/** A pack, and an estimate of how much of it is garbage. */
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

/** The progress of a cycle. It is stored as JSON between two slices. */
export interface State<Plan = unknown> extends Cursor {
  phase: 'choose' | 'drop' | 'retire' | 'mark' | 'locate' | 'rewrite' | 'sync' | 'index' | 'files' | 'leftovers'
  /** Identifies the cycle. */
  id: number
  /** The state of the choice. */
  plan: Plan
  /** Packs to retire, then to rewrite, one after the other. */
  packs: PackUse[]
  /** First: packs retired so far. Then: where to continue in the first one. */
  from: number
  /** Packs with live blobs, including retired ones. */
  live: number[]
  /** Packs to sync before the first one is removed. */
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

/** Chooses the entries to drop, and collects figures about it. */
export interface Choice<Plan = unknown> {
  /** The initial state. */
  plan(): Plan
  /**
   * Takes a step. Returns the state with phase `choose` to continue, with `drop` or `retire` when done; undefined: nothing to
   * do.
   */
  choose(state: State<Plan>, walk: Walk): State<Plan> | undefined
  /** Whether no entry of the namespace will be dropped now. */
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

/** The state at the beginning of another phase. */
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

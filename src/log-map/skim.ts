// The way into `skim.wat`, whose function is with xxhash's in one module.

import type { Held } from '../hashing/hashing.js'
import type { Slots } from './slots.js'

/** `skim.wat`, which says what they do. */
interface Skimming {
  skim(at: number, end: number, origin: number, seed: number, table: number, mask: number, room: number): number
  readonly skimmed: { readonly value: number }
}

/** For the size of a table that is made at once; most records are longer. */
const TYPICAL_RECORD_BYTES = 64

/**
 * Adds puts of new keys to the slots, from this position in a bucket's bytes on, and returns where it stopped. The slots have
 * their table in the WebAssembly's memory afterwards.
 */
export function skim(held: Held, at: number, slots: Slots): number {
  const { exports, seed, spare } = held
  const { skim, skimmed } = exports as Skimming
  slots.borrow(spare)
  slots.reserve((held.bytes.length - at) / TYPICAL_RECORD_BYTES)
  if (!slots.isLent) return at
  const end = held.reach(at)
  const origin = held.addressOf(0)
  const stop = skim(origin + at, origin + end, origin, seed, spare.byteOffset, slots.mask, slots.room)
  slots.count += skimmed.value
  return stop - origin
}

// How epochs are drawn, and what they say.

import type { Removal } from './entry.js'

/** A number of 48 bits that no one has drawn before. */
export function drawEpoch(random: () => number): number {
  return Math.floor(random() * 2 ** 48)
}

/** The next epoch of a computed key; odd after a caller has removed the key. */
export function drawComputedEpoch(random: () => number, removal: Removal | undefined): number {
  const isRemoved = removal?.cause === 'deleted' || removal?.cause === 'invalidated'
  return 2 * Math.floor(drawEpoch(random) / 2) + (isRemoved ? 1 : 0)
}

/** Whether older answers of the computed key are void wherever they are. */
export function isVoidEpoch(epoch: number | undefined): boolean {
  return epoch !== undefined && epoch % 2 === 1
}

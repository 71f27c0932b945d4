// Prefixes of buckets, and the hashes that begin with them.

import { BUCKET_FANOUT } from '../base/layout.js'
import { type BucketName, DIGIT_COUNT, digitsOf } from './directory.js'

/** How many hashes there are. */
export const HASH_COUNT = BUCKET_FANOUT ** DIGIT_COUNT

/** The names of the four parts of a bucket, or of the bucket itself one generation on. */
export function successorsOf({ prefix, generation }: BucketName, isSplit: boolean): BucketName[] {
  if (!isSplit) return [{ prefix, generation: generation + 1 }]
  return Array.from({ length: BUCKET_FANOUT }, (_, digit) => ({
    prefix: prefix + digit,
    generation: generation + 1,
  }))
}

export function hashAfter(prefix: string): number {
  return Number.parseInt(prefix.padEnd(DIGIT_COUNT, '3'), BUCKET_FANOUT) + 1
}

export function prefixOf(hash: number, depth: number): string {
  return digitsOf(hash).slice(0, depth)
}

/** The share of all hashes that begin with these digits. */
export function shareOf(prefix: string): number {
  return BUCKET_FANOUT ** -prefix.length
}

export function hasPrefix(hash: number, prefix: string): boolean {
  return prefix === '' || hash >>> (32 - 2 * prefix.length) === Number.parseInt(prefix, BUCKET_FANOUT)
}

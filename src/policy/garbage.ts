// Which packs are worth rewriting, by numbers alone.

/** A pack is rewritten when this share of it is garbage, */
export const MIN_GARBAGE_SHARE = 0.25
/** or any of it, as long as it is as small as this. */
const SMALL_PACK_BYTES = 1024 * 1024

/** Whether a gc rewrites a pack with so much garbage, however much room there is. */
export function isWorthRewriting(sizeBytes: number, garbageBytes: number): boolean {
  return garbageBytes > 0 && (garbageBytes >= sizeBytes * MIN_GARBAGE_SHARE || sizeBytes <= SMALL_PACK_BYTES)
}

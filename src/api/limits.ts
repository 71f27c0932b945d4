/** Limits of a cache or a namespace. A limit that is left out doesn't apply. */
export interface Limits {
  /**
   * Bytes, or a size such as `'2GB'`. Of a cache: all its files together. Of a namespace: its entries and their values, as if
   * nothing were shared. `Infinity`: no limit.
   */
  maxSize?: number | string
  /** Ms, or a duration such as `'30d'`, since an entry was last set or read (known to within a few hours). */
  maxAge?: number | string
  /** Number of entries, over all versions and projects. */
  maxEntries?: number
}

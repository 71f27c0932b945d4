// Blobs and their locations.

/** Where a blob's frame begins. */
export interface Location {
  pack: number
  offset: number
}

export interface Blob {
  /** 128-bit hash, length u32, variant u8: see FORMAT.md. */
  id: Buffer
  bytes: Uint8Array
}

/** A blob and its location when it was put. If a gc has moved it since, the blob index has the new location. */
export interface BlobRef {
  id: Buffer
  location: Location
}

export function blobLength(id: Uint8Array): number {
  return (
    ((id[16] as number) | ((id[17] as number) << 8) | ((id[18] as number) << 16) | ((id[19] as number) << 24)) >>> 0
  )
}

import type { Digest } from '../api/index.js'
import { blobLength } from '../packs/blob.js'

const VARIANT_AT = 20

/** The blob id in the form that callers see. */
export function digestOf(id: Uint8Array): Digest {
  const hash = Buffer.from(id.subarray(0, 16)).toString('hex')
  const variant = id[VARIANT_AT] as number
  return `${hash}-${blobLength(id)}${variant > 0 ? `+${variant}` : ''}` as Digest
}

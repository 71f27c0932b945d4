import type { Environment } from '../log/environment.js'
import { type Change, changeOf } from '../log-map/record.js'
import type { Location } from '../packs/blob.js'
import { indexPosition } from './blob-index.js'

/** What the index is to be told of a blob: pack u32, offset u32. */
export function indexChange(
  environment: Environment,
  id: Buffer,
  { pack, offset }: Location,
  expected?: number,
): Change {
  const value = Buffer.allocUnsafe(8)
  value.writeUInt32LE(pack, 0)
  value.writeUInt32LE(offset, 4)
  return changeOf('put', indexPosition(environment, id), id, value, expected)
}

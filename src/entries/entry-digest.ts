// What a computation saw that read another entry: which value a get would give now.

import { parseEntryName } from '../inputs/entry-name.js'
import { NO_DIGEST } from '../inputs/input.js'
import type { Asker, Snapshot } from '../inputs/snapshot.js'
import { encodePrefix } from '../manifest/key.js'
import type { Manifest } from '../manifest/manifest.js'
import { isExpired } from '../policy/policy.js'

/** Undefined for a miss. @throws errno-style errors */
export function entryDigest(
  manifestOf: (directory: string) => Manifest,
  name: string,
  asker: Asker,
  snapshot: Snapshot,
): Buffer | undefined {
  const { namespace, version, scope, project, key, isSetOnly } = parseEntryName(name)
  const dir = scope === 'project' ? project || (asker.dir ?? '') : ''
  const manifest = manifestOf(namespace)
  const prefix = encodePrefix({ version, scope, kind: 'plain', project: dir })
  const { entry } = manifest.look(manifest.keyOf(prefix, key))
  if (!entry || (isSetOnly && entry.computeMs !== undefined)) return undefined
  if (entry.ttlMs !== undefined && isExpired(entry.createdAt, entry.ttlMs, asker.now())) return undefined
  const owner: Asker = {
    ...asker,
    dir: dir || undefined,
    place: asker.place,
    location: '',
    file: undefined,
    text: undefined,
  }
  if (entry.inputs && snapshot.validate(entry.inputs, owner, 'auto').reason !== undefined) return undefined
  return valueDigest(entry)
}

/** The part of a blob's name that says which value it is. */
export function valueDigest({ blob }: { blob: { id: Buffer } }): Buffer {
  return Buffer.from(blob.id.subarray(0, NO_DIGEST.length))
}

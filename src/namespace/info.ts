// Describes entries to people and tools.

import type { EntryInfo, Mode } from '../api/index.js'
import { digestOf } from '../blobs/digest-of.js'
import type { Entries } from '../entries/entries.js'
import { filesOf } from '../entries/files-of.js'
import type { Asker } from '../inputs/snapshot.js'
import type { Entry } from '../manifest/entry.js'
import type { KeyParts } from '../manifest/key-parts.js'
import { askerOf, labelOf, nameOf, originOf } from '../manifest/owner.js'
import { blobLength } from '../packs/blob.js'

export function infoOf(entries: Entries, parts: KeyParts, entry: Entry): EntryInfo {
  const { createdAt, ttlMs, blob, inputs, computeMs } = entry
  const asker = inputs && askerFor(entries, parts, entry)
  const files = asker ? entries.attempt([], () => filesOf(entries.store, inputs, asker)) : []
  const name = nameOf(parts)
  return {
    key: labelOf(parts),
    ...(name === undefined ? {} : { name }),
    origin: originOf(parts, entry),
    version: parts.version,
    project: parts.scope === 'project' ? parts.project : null,
    isPortable: parts.scope === 'portable',
    mode: modeOf(entry),
    valid: entries.attempt(false, () => {
      const { reason } = asker ? entries.validate(entry, asker) : entries.validateAge(entry)
      return reason === undefined
    }),
    sizeBytes: blobLength(blob.id),
    createdAt,
    ageMs: entries.store.now() - createdAt,
    computeMs: computeMs === undefined ? null : Math.round(computeMs * 1000) / 1000,
    ...(ttlMs === undefined ? {} : { expiresAt: createdAt + ttlMs }),
    files,
    digest: digestOf(blob.id),
  }
}

/** Where the paths of the entry's inputs start from. */
function askerFor(entries: Entries, parts: KeyParts, entry: Entry): Asker {
  const own = entries.asker()
  const owner = askerOf(parts, entry)
  // In another project, the working directory isn't the one that the entry was computed in.
  return owner.dir === own.dir ? { ...owner, place: own.place, home: own.home, now: own.now } : owner
}

export function modeOf({ inputs, ttlMs }: Entry): Mode {
  return inputs ? 'file' : ttlMs === undefined ? 'manual' : 'ttl'
}

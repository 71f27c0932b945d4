// Describes entries to people and tools.

import type { EntryInfo, Mode } from '../api/index.js'
import { digestOf } from '../blobs/digest-of.js'
import type { Entries } from '../entries/entries.js'
import { filesOf } from '../entries/files-of.js'
import { askerWhereRecorded } from '../inputs/recorded-place.js'
import type { Asker } from '../inputs/snapshot.js'
import type { Entry } from '../manifest/entry.js'
import type { KeyParts } from '../manifest/key-parts.js'
import { askerOf, labelOf, nameOf, originOf } from '../manifest/owner.js'
import { blobLength } from '../packs/blob.js'

export function infoOf(entries: Entries, parts: KeyParts, entry: Entry): EntryInfo {
  const { createdAt, ttlMs, blob, inputs, computeMs } = entry
  const isValid = (asker?: Asker) =>
    entries.attempt(false, () => {
      const { reason } = asker ? entries.validate(entry, asker) : entries.validateAge(entry)
      return reason === undefined
    })
  const askers = inputs ? askersFor(entries, parts, entry) : []
  const validFor = askers.find(isValid)
  const asker = validFor ?? askers[0]
  const files = inputs && asker ? entries.attempt([], () => filesOf(entries.store, inputs, asker)) : []
  const name = nameOf(parts)
  return {
    key: labelOf(parts),
    ...(name === undefined ? {} : { name }),
    origin: originOf(parts, entry),
    version: parts.version,
    project: parts.scope === 'project' ? parts.project : null,
    isPortable: parts.scope === 'portable',
    mode: modeOf(entry),
    valid: inputs ? validFor !== undefined : isValid(),
    sizeBytes: blobLength(blob.id),
    createdAt,
    ageMs: entries.store.now() - createdAt,
    computeMs: computeMs === undefined ? null : Math.round(computeMs * 1000) / 1000,
    ...(ttlMs === undefined ? {} : { expiresAt: createdAt + ttlMs }),
    files,
    digest: digestOf(blob.id),
  }
}

/**
 * Who may find the entry: its project. A portable one may be valid in this project, or in the checkout in which it was last
 * stored.
 */
function askersFor(entries: Entries, parts: KeyParts, entry: Entry): Asker[] {
  const { lists, now } = entries.store
  const own = entries.asker()
  const askerIn = (seenIn: string | undefined): Asker => {
    const owner = { ...askerOf(parts, { seenIn }), now }
    if (owner.dir === own.dir) return { ...owner, place: own.place, home: own.home }
    // This process doesn't run in the other checkout, but plugins there do.
    if (parts.scope !== 'portable') return owner
    return askerWhereRecorded(owner, entry.inputs ?? [], id => entries.attempt(undefined, () => lists.load(id)))
  }
  const stored = askerIn(entry.seenIn)
  const isElsewhere = parts.scope === 'portable' && own.dir !== undefined && entry.seenIn !== own.dir
  return isElsewhere ? [askerIn(own.dir), stored] : [stored]
}

export function modeOf({ inputs, ttlMs }: Entry): Mode {
  return inputs ? 'file' : ttlMs === undefined ? 'manual' : 'ttl'
}

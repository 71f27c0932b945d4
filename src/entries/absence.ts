// Finds out why there is nothing under a key.

import type { MissReason } from '../api/index.js'
import type { KeyParts } from '../manifest/key-parts.js'
import type { Manifest } from '../manifest/manifest.js'
import type { EntryKey } from '../manifest/records.js'

/** The reason for a miss of a key without a record. @throws errno-style errors */
export function whyAbsent(manifest: Manifest, key: EntryKey): MissReason {
  const others = manifest.lookEverywhere(key)
  if (others.length === 0) return 'never-set'
  const { version, scope, project, kind } = manifest.partsOf(key)
  const isOtherVersion = (other: KeyParts) =>
    other.version !== version && other.scope === scope && other.project === project && other.kind === kind
  return others.some(isOtherVersion) ? 'version-changed' : 'never-set'
}

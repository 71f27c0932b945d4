// Why a key is a hit or a miss, for people.

import type { EntryInfo, Explanation, MissReason, SourceState } from '../base/types.js'
import { type Fingerprint, readSource } from '../fingerprint/fingerprint.js'
import type { Entry, Source } from '../manifest/entry.js'
import type { EntryKey } from '../manifest/manifest.js'
import type { Entries, Outcome } from './entries.js'

type Sentence = (file: string) => string

const SENTENCES: Record<MissReason, Sentence> = {
  'never-set': () => 'Nothing was ever set under this key, or it was cleared or collected since.',
  'version-changed': () => 'The key was set under other versions of the plugin, not under this one.',
  deleted: () => 'The entry was deleted.',
  invalidated: () => 'The plugin invalidated the entry.',
  expired: () => 'The time that the entry was to live for is over.',
  'source-changed': file => `The content of ${file} is not what it was.`,
  'source-missing': file => `${file} is gone.`,
  'source-appeared': file => `${file} exists now; it did not when the entry was made.`,
  'blob-missing': () => 'The entry is there, but its value is not in the blob store.',
  corrupt: () => 'The entry or its value is damaged.',
  unreadable: file => `${file} cannot be read, so that nothing can be said.`,
}

/** `outcome` is what a read of the key gives now. */
export function explain(
  entries: Entries,
  key: EntryKey,
  outcome: Outcome,
  infoOf: (entry: Entry) => EntryInfo,
): Omit<Explanation, 'key' | 'version'> {
  const looked = entries.attempt(undefined, () => entries.store.manifest.look(key))
  const entry = looked?.entry && { entry: infoOf(looked.entry) }
  const { reason } = outcome
  if (reason === undefined) return { isHit: true, message: hitMessage(looked?.entry), ...entry }
  const miss = (file: string | undefined) => ({
    isHit: false,
    reason,
    message: SENTENCES[reason](file ?? 'A source'),
    ...(file === undefined ? {} : { file }),
    ...entry,
  })
  if (!looked) return miss(undefined)
  if (!looked.entry) {
    const others = reason === 'version-changed' ? entries.store.manifest.lookAllVersions(key) : []
    const otherVersions = others.map(({ version }) => version)
    return { ...miss(looked.removal?.path), ...(others.length > 0 ? { otherVersions } : {}) }
  }
  const verdict = entries.attempt(undefined, () => entries.judge(looked.entry))
  const { path, source } = verdict ?? {}
  if (path === undefined || verdict?.reason !== reason) return miss(undefined)
  return { ...miss(path), ...statesOf(entries, path, source) }
}

function hitMessage(entry: Entry | undefined): string {
  const count = entry?.sources?.length ?? 0
  if (count === 0) return 'The entry is valid.'
  return count === 1
    ? 'The entry is valid: its source is unchanged.'
    : `The entry is valid: its ${count} sources are unchanged.`
}

function statesOf(
  entries: Entries,
  path: string,
  source: Source | undefined,
): { before?: SourceState; after?: SourceState } {
  if (!source) return {}
  const after = entries.attempt(undefined, () => readSource(entries.store.environment, path).fingerprint)
  return { before: stateOf(source), ...(after ? { after: stateOf(after) } : {}) }
}

function stateOf({ kind, sizeBytes, mtimeMs, ctimeMs, inode, digest }: Fingerprint): SourceState {
  if (kind === 'absent') return { kind }
  return { kind, sizeBytes, mtimeMs, ctimeMs, inode, digest: digest.toString('hex') }
}

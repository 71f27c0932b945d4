// Why a key is a hit or a miss, for people.

import type { EntryInfo, Explanation, MissReason, SourceState } from '../base/types.js'
import { type Fingerprint, readSource } from '../fingerprint/fingerprint.js'
import type { Entry, Source } from '../manifest/entry.js'
import type { EntryKey } from '../manifest/manifest.js'
import type { Entries, Outcome } from './entries.js'

interface Details {
  file?: string | undefined
  entry?: EntryInfo | undefined
  otherVersions?: string[]
}

const SENTENCES: Record<MissReason, (details: Details) => string> = {
  'never-set': () => 'Nothing was ever set under this key, or it was cleared or collected since.',
  'version-changed': ({ otherVersions }) =>
    `The key was set under other versions, not under this one: ${otherVersions?.map(text => JSON.stringify(text)).join(', ')}.`,
  deleted: () => 'The entry was deleted.',
  evicted: () => 'A gc removed the entry: there was too much in the cache, or it had not been used for long.',
  invalidated: () => 'The plugin invalidated the entry.',
  expired: ({ entry }) =>
    entry?.expiresAt === undefined
      ? 'The entry expired and was removed.'
      : `The entry expired at ${timeText(entry.expiresAt)}.`,
  'source-changed': ({ file }) => `The content of ${file ?? 'a source'} is not what it was.`,
  'source-missing': ({ file }) => `${file ?? 'A source'} is gone.`,
  'source-appeared': ({ file }) => `${file ?? 'A source'} exists now; it did not when the entry was made.`,
  'blob-missing': () => 'The entry is there, but its value is not in the blob store.',
  corrupt: () => 'The entry or its value is damaged.',
  unreadable: ({ file }) => `${file ?? 'The cache or a source'} cannot be read, so nothing can be said.`,
}

/** `outcome` is what a read of the key gives now. */
export function explain(
  entries: Entries,
  key: EntryKey,
  outcome: Outcome,
  infoOf: (entry: Entry) => EntryInfo,
): Omit<Explanation, 'key' | 'version'> {
  const looked = entries.attempt(undefined, () => entries.store.manifest.look(key))
  const entry = looked?.entry && infoOf(looked.entry)
  const { reason } = outcome
  if (reason === undefined) return { isHit: true, message: hitMessage(entry), ...(entry && { entry }) }
  const verdict = looked?.entry && entries.attempt(undefined, () => entries.judge(looked.entry))
  const isTheReason = verdict?.reason === reason
  const file = isTheReason ? verdict.path : looked?.entry ? undefined : looked?.removal?.path
  const otherVersions =
    reason === 'version-changed' ? entries.attempt([], () => entries.store.manifest.versionsOf(key)) : undefined
  const details = {
    ...(file !== undefined && { file }),
    ...(entry && { entry }),
    ...(otherVersions && { otherVersions }),
  }
  const states = isTheReason && file !== undefined ? statesOf(entries, file, verdict.source) : {}
  return { isHit: false, reason, message: SENTENCES[reason](details), ...details, ...states }
}

function hitMessage(entry: EntryInfo | undefined): string {
  const count = entry?.files.length ?? 0
  if (count === 0) return 'The entry is valid.'
  return count === 1
    ? 'The entry is valid: its source is unchanged.'
    : `The entry is valid: its ${count} sources are unchanged.`
}

/** A ttl may reach past the last date there is. */
function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? `${ms} ms after 1970` : date.toISOString()
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

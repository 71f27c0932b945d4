// Removes other leftovers. Only an explicit gc does this, because it stats the user's files.

import type { Layout } from '../base/layout.js'
import type { Files } from '../files/files.js'
import type { CollectedNamespace, CycleInput } from './input.js'
import { ifRoom } from './room.js'
import { HASH_END } from './walk.js'

/** Removes the hashes of deleted files from one bucket. Returns the first hash after the bucket. */
export function forgetFiles({ fileHashes }: CycleInput, hash: number): number {
  return ifRoom(() => fileHashes?.pruneAt(hash)) ?? HASH_END
}

/** Removes candidates of processes that died, and the files of a namespace that was removed. */
export function removeLeftovers({ environment, layout }: CycleInput, namespace: CollectedNamespace): void {
  const { manifest, counters } = namespace
  for (const map of [manifest, counters]) map.removeLeftovers()
  if (counters.isEmpty && manifest.isEmpty) ifRoom(() => removeFilesOf(environment.files, layout, namespace))
}

/**
 * Removes the files of an empty namespace, unless another process writes to it at the same time. Only for the holder of the
 * lock.
 */
export function removeFilesOf(
  files: Files,
  layout: Layout,
  { directory, manifest, counters }: Pick<CollectedNamespace, 'directory' | 'manifest' | 'counters'>,
): void {
  const isRemoved = [manifest, counters].map(map => map.removeIfEmpty()).every(Boolean)
  for (const map of [layout.manifest, layout.counters]) files.removeDirectory(map(directory))
  if (isRemoved) files.removeDirectory(layout.namespace(directory))
}

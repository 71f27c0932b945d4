// Records a plain get within a computation as an input of that computation.

import { currentComputation } from '../compute/frame.js'
import type { Entries } from '../entries/entries.js'
import { valueDigest } from '../entries/entry-digest.js'
import { entryName } from '../inputs/entry-name.js'
import { inputOf, NO_DIGEST } from '../inputs/input.js'
import type { Entry } from '../manifest/entry.js'

/** Records the value that was read, or that there was none, as an input of the running computation. */
export function recordRead(entries: Entries, key: string, entry: Entry | undefined): void {
  const recorder = currentComputation()?.recorder
  if (!recorder) return
  const { store, options, scope: own } = entries
  const scopes = options.isPortable ? [own, 'portable' as const] : [own]
  const { snapshotMeans, directory } = store
  const isRecorded = entries.attempt(false, () => {
    if (!recorder.knows(store.lists)) return false
    recorder.askThrough(entries)
    const snapshot = store.snapshot()
    const asker = entries.asker()
    const read = entry ? valueDigest(entry) : NO_DIGEST
    const found = scopes.map(scope => {
      const name = { namespace: directory, version: options.version, scope, project: '', key }
      const digest = snapshotMeans.entryDigest(entryName(name), asker, snapshot) ?? NO_DIGEST
      const isSameProject = recorder.project?.dir === entries.project?.dir
      const project = scope !== 'user' && !isSameProject ? (entries.project?.dir ?? '') : ''
      recorder.add(inputOf('entry', entryName({ ...name, project }), false, digest))
      return digest
    })
    // Another process may have changed the entry between the two lookups.
    return (found.find(digest => !digest.equals(NO_DIGEST)) ?? NO_DIGEST).equals(read)
  })
  if (!isRecorded) recorder.spoil()
}

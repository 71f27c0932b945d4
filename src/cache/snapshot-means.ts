// What snapshots need besides the disk: the cache's file hashes, input lists and entries.

import { entryDigest } from '../entries/entry-digest.js'
import type { InputListStore } from '../entries/input-lists.js'
import type { SnapshotMeans } from '../inputs/snapshot.js'
import type { FileHashes } from '../inputs/source.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import type { Projects } from '../project/project.js'

/** The storage of one root. */
interface LookedAt {
  readonly environment: Environment
  readonly projects: Projects
  readonly fileHashes: FileHashes
  readonly lists: InputListStore
  namespace(directory: string): { manifest: Manifest }
}

export function createSnapshotMeans(storage: LookedAt, report: (error: unknown) => void): SnapshotMeans {
  const { environment, projects } = storage
  /** If the cache's records can't be read, the host's computations go on without them. */
  const guarded = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      report(error)
      return undefined
    }
  }
  const entryMeans = { environment, projects, manifestOf: (directory: string) => storage.namespace(directory).manifest }
  return {
    files: environment.files,
    hashing: environment.hashing,
    fileHashes: {
      recall: name => guarded(() => storage.fileHashes.recall(name)),
      remember: (name, input) => guarded(() => storage.fileHashes.remember(name, input)),
    },
    list: id => storage.lists.load(id),
    listId: inputs => storage.lists.idOf(inputs),
    entryDigest: (name, asker, snapshot) => entryDigest(entryMeans, name, asker, snapshot),
  }
}

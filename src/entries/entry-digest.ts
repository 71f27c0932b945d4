// The state of another entry as an input: the digest of the value that a get would return now.

import { parseEntryName } from '../inputs/entry-name.js'
import { NO_DIGEST } from '../inputs/input.js'
import type { Asker, Snapshot } from '../inputs/snapshot.js'
import type { Environment } from '../log/environment.js'
import type { Entry } from '../manifest/entry.js'
import { encodePrefix } from '../manifest/key.js'
import type { Manifest } from '../manifest/manifest.js'
import { isExpired } from '../policy/policy.js'
import { homeFor, workingPlace } from '../project/paths.js'
import type { Projects } from '../project/project.js'
import { findAnswer } from './answers.js'

/** What reading other entries needs from the cache. */
export interface EntryMeans {
  environment: Environment
  projects: Projects
  manifestOf(directory: string): Manifest
}

/** Returns undefined for a miss. @throws errno-style errors */
export function entryDigest(means: EntryMeans, name: string, asker: Asker, snapshot: Snapshot): Buffer | undefined {
  const { namespace, version, scope, project, key, isSetOnly } = parseEntryName(name)
  const dir = scope === 'user' ? undefined : project || asker.dir
  const manifest = means.manifestOf(namespace)
  const prefix = encodePrefix({ version, scope, kind: 'plain', project: scope === 'project' ? (dir ?? '') : '' })
  const entryKey = manifest.keyOf(prefix, key)
  const { head, entry } = manifest.look(entryKey)
  if (!head || (isSetOnly && entry?.computeMs !== undefined)) return undefined
  const owner = ownerOf(means, dir, asker)
  if (entry && isValid(entry, owner, snapshot)) return valueDigest(entry)
  if (isSetOnly || (entry && entry.computeMs === undefined)) return undefined
  const { environment } = means
  const found = findAnswer({ manifest, environment }, entryKey, head.epoch, entry?.question, owner, snapshot)
  return found && isValid(found.entry, owner, snapshot) ? valueDigest(found.entry) : undefined
}

/** The directories that the inputs of an entry of this project are resolved against. */
function ownerOf({ projects }: EntryMeans, dir: string | undefined, asker: Asker): Asker {
  const { now } = asker
  const place = dir === asker.dir ? asker.place : workingPlace(dir === undefined ? undefined : projects.at(dir))
  const home = dir === asker.dir ? asker.home : homeFor(projects, dir)
  return { dir, place, home, location: '', file: undefined, text: undefined, now }
}

function isValid({ ttlMs, createdAt, inputs }: Entry, owner: Asker, snapshot: Snapshot): boolean {
  if (ttlMs !== undefined && isExpired(createdAt, ttlMs, owner.now())) return false
  return !inputs || snapshot.validate(inputs, owner, 'auto').reason === undefined
}

/** The part of a blob's id that identifies the value. */
export function valueDigest({ blob }: { blob: { id: Buffer } }): Buffer {
  return Buffer.from(blob.id.subarray(0, NO_DIGEST.length))
}

// Garbage collection: drops entries that expired or whose sources changed, then blobs that no entry refers to.
//
// Roots are the manifests; when one cannot be read, nothing is swept. Readers and writers go on all the while. Packs
// with garbage worth it are retired, which tells every set from now on that a blob in them needs storing again; only
// then are the manifests read to find what is alive. That is copied to other packs, the index is pointed there, and the
// packs are removed. Killed at any point, all blobs that entries refer to are still found through the index; the next
// gc goes on with the packs that are retired.

import { CacheError } from '../base/errors.js'
import type { GcReport } from '../base/types.js'
import { type Blobs, indexRecord, locationIn, positionOf } from '../blobs/blobs.js'
import { diskUsage } from '../files/disk-usage.js'
import type { Environment } from '../log/environment.js'
import { NO_RECORD } from '../log-map/record.js'
import type { Manifest } from '../manifest/manifest.js'
import { encodeVersion } from '../manifest/manifest.js'
import { judge } from '../manifest/verdict.js'
import type { Blob, Location } from '../packs/packs.js'
import { acquire, release } from './lock.js'

export interface GcInput {
  environment: Environment
  blobs: Blobs
  /** The manifests of all namespaces that are on disk at the time of the call. */
  manifests(): Manifest[]
  versionDirectory: string
  lockPath: string
  now(): number
}

/** A pack is rewritten when this share of it is garbage, */
const MIN_DEAD_SHARE = 0.25
/** or any of it, as long as it is as small as this. */
const SMALL_PACK_BYTES = 1024 * 1024
/** Live blobs are copied in writes of about this length. */
const COPY_BYTES = 1024 * 1024

/** @throws CacheError `ERR_CACHE_BUSY` while another gc runs; errno-style errors, with all live entries intact */
export async function collect(input: GcInput): Promise<GcReport> {
  const { environment, versionDirectory, lockPath } = input
  const { files } = environment
  const report: GcReport = {
    expiredEntries: 0,
    staleEntries: 0,
    keptEntries: 0,
    removedBlobs: 0,
    keptBlobs: 0,
    diskBytesBefore: diskUsage(files, versionDirectory),
    diskBytesAfter: 0,
  }
  if (!files.stat(versionDirectory)) return report
  if (!acquire(files, lockPath)) throw new CacheError('ERR_CACHE_BUSY', 'Another gc is running on this cache.')
  try {
    await dropEntries(input, report)
    await sweep(input, report)
  } finally {
    release(files, lockPath)
  }
  report.diskBytesAfter = diskUsage(files, versionDirectory)
  return report
}

/** Lets the host's event loop turn between two pieces of work. */
const pause = () => new Promise<void>(resolve => setImmediate(resolve))

async function dropEntries({ environment, manifests, now }: GcInput, report: GcReport): Promise<void> {
  for (const manifest of manifests()) {
    for (const { version, key, entry, check } of manifest.entries()) {
      const { reason, path } = judge(environment, entry, { nowMs: now(), base: undefined })
      if (!reason || reason === 'unreadable') {
        report.keptEntries++
        continue
      }
      const isGone = manifest.swap(
        { key: manifest.keyOf(encodeVersion(version), key), removal: { cause: reason, path } },
        check,
      )
      if (!isGone) report.keptEntries++
      else if (reason === 'expired') report.expiredEntries++
      else report.staleEntries++
    }
    manifest.compact()
    await pause()
  }
}

async function sweep(input: GcInput, report: GcReport): Promise<void> {
  const { environment, blobs } = input
  const { packs } = blobs
  const before = await mark(input)
  const chosen: number[] = []
  for (const pack of packs.numbers()) {
    let deadBytes = 0
    let count = 0
    const tornBytes = packs.scan(pack, (location, id, bytes) => {
      if (!isKept(blobs, before, location, id)) deadBytes += bytes.length
      else count++
    })
    const sizeBytes = packs.sizeOf(pack)
    const garbage = deadBytes + tornBytes
    const isWorth = garbage > 0 && (garbage >= sizeBytes * MIN_DEAD_SHARE || sizeBytes <= SMALL_PACK_BYTES)
    if (isWorth || !packs.isKept(pack)) chosen.push(pack)
    else report.keptBlobs += count
    await pause()
  }
  if (chosen.length === 0) return
  for (const pack of chosen) packs.retire(pack)
  // Every set from here on finds, when it confirms its blobs, that these packs are gone, and everything set before is in the manifests now.
  environment.turn.end()
  const live = await mark(input)
  for (const pack of chosen) {
    rewrite(blobs, live, pack, report)
    await pause()
  }
  blobs.index.compact()
}

/** Ids of all blobs that entries refer to. */
async function mark({ manifests }: GcInput): Promise<Set<string>> {
  const live = new Set<string>()
  for (const manifest of manifests()) {
    for (const { entry } of manifest.entries()) live.add(entry.blob.id.toString('latin1'))
    await pause()
  }
  return live
}

/** Of several copies of a blob the one that the index knows is kept, unless that one is damaged. */
function isKept({ index, packs }: Blobs, live: Set<string>, { pack, offset }: Location, id: Buffer): boolean {
  if (!live.has(id.toString('latin1'))) return false
  const found = index.get(positionOf(id), id)
  if (found?.kind !== 'put') return true
  const known = locationIn(found)
  return (known.pack === pack && known.offset === offset) || packs.read(known, id) === undefined
}

/** Copies a retired pack's live blobs elsewhere, forgets its dead ones, and removes it. */
function rewrite(blobs: Blobs, live: Set<string>, pack: number, report: GcReport): void {
  const { packs, index } = blobs
  let batch: Blob[] = []
  let batchBytes = 0
  const moved = new Set<string>()
  const move = () => {
    if (batch.length === 0) return
    const locations = packs.append(batch)
    for (const [at, { id }] of batch.entries()) {
      // Only while the index still points into this pack: a set may have stored the blob again meanwhile.
      const expected = checkInPack(blobs, id, pack)
      if (expected !== undefined) index.swap({ ...indexRecord(id, locations[at] as Location), expected })
    }
    report.keptBlobs += batch.length
    batch = []
    batchBytes = 0
  }
  packs.scan(pack, (location, id, bytes) => {
    const name = id.toString('latin1')
    if (moved.has(name)) return
    if (isKept(blobs, live, location, id)) {
      moved.add(name)
      batch.push({ id: Buffer.from(id), bytes: Buffer.from(bytes) })
      batchBytes += bytes.length
      if (batchBytes >= COPY_BYTES) move()
    } else if (!live.has(name)) {
      const expected = checkInPack(blobs, id, pack)
      if (expected) index.swap({ kind: 'remove', ...positionOf(id), key: id, value: Buffer.alloc(0), expected })
      report.removedBlobs++
    }
  })
  move()
  packs.remove(pack)
}

/** The check of the index record that points into this pack, `NO_RECORD` for none at all, undefined for one elsewhere. */
function checkInPack({ index }: Blobs, id: Buffer, pack: number): number | undefined {
  const found = index.get(positionOf(id), id)
  if (found?.kind !== 'put') return NO_RECORD
  return locationIn(found).pack === pack ? found.check : undefined
}

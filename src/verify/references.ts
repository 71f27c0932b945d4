// Checks the references to blobs, from the index and from the entries of all namespaces. A reference that doesn't match the
// shelf is looked up on disk, and again at the end, when writers have gone on. Only then is it reported as dangling.

import { BLOB_ID_BYTES, MAX_VALUE_BYTES } from '../base/layout.js'
import { locationIn } from '../blobs/blob-index.js'
import type { LogMap } from '../log-map/log-map.js'
import type { RecordView } from '../log-map/record.js'
import type { Head } from '../manifest/entry.js'
import { decodeHead } from '../manifest/head.js'
import { keyStart } from '../manifest/key.js'
import { parseKey } from '../manifest/key-parts.js'
import { decodeNode } from '../manifest/node.js'
import { type BlobRef, blobLength, type Location } from '../packs/blob.js'
import type { Inspection } from './inspection.js'
import type { Place } from './maps.js'
import { isFailure } from './scan.js'

const LOCATION_BYTES = 8
/** A broken index costs many listings for each lookup. */
const MAX_FAILED_LOOKUPS = 10

export class References {
  readonly #inspection: Inspection
  /** Blobs that entries refer to and the index does not know. */
  #unindexedCount = 0
  #failedLookups = 0

  constructor(inspection: Inspection) {
    this.#inspection = inspection
  }

  checkIndexRecord(found: RecordView, { path, offset }: Place): void {
    const { blobs, findings, mender, shelf } = this.#inspection
    if (found.value.length !== LOCATION_BYTES || found.key.length !== BLOB_ID_BYTES) {
      const message = 'An index record does not hold a location.'
      const problem = findings.problem({ kind: 'corrupt', path, offset, message })
      mender?.record(problem, blobs.index, found)
      return
    }
    if (shelf.index(locationIn(found), found.key)) return
    const record = { key: Buffer.from(found.key), check: found.check }
    const isDangling = () => {
      const now = this.#lookUp(record.key)
      return now?.check === record.check && !this.#isThere(locationIn(now), record.key)
    }
    if (!isDangling()) return
    this.#inspection.doubt(() => {
      if (!isDangling()) return
      const message = 'The index has a wrong location for a blob.'
      const problem = findings.problem({ kind: 'dangling', path, offset, message })
      mender?.record(problem, blobs.index, record)
    })
  }

  checkEntry(namespace: string, manifest: LogMap, found: RecordView, { path, offset }: Place): void {
    const { findings, mender, shelf } = this.#inspection
    const { version, key, isAnswer } = parseKey(found.key)
    const names = { namespace, version, key }
    const head = headIn(found, isAnswer)
    if (!head || keyStart(found.key) >= found.key.length) {
      const message = 'An entry cannot be decoded.'
      const problem = findings.problem({ kind: 'corrupt', path, offset, ...names, message })
      mender?.record(problem, manifest, found)
      return
    }
    const { entry } = head
    if (!entry) return
    this.#inspection.entryCount++
    const { id, location } = entry.blob
    const used = shelf.use(location, id)
    if (used) {
      if (!used.isIndexed) this.#checkIndexed(entry.blob)
      return
    }
    if (this.#find(entry.blob)) return
    const record = { key: Buffer.from(found.key), check: found.check }
    const blob = { id: Buffer.from(id), location }
    this.#inspection.doubt(() => {
      const now = manifest.positionOf(record.key)
      const isSame = now && this.#guarded(() => manifest.get(now, record.key))?.check === record.check
      if (!isSame || this.#find(blob)) return
      const message = 'The value of an entry is missing, so the entry is a miss.'
      const problem = findings.problem({ kind: 'dangling', path, offset, ...names, message })
      mender?.record(problem, manifest, record)
    })
  }

  /** Reports in one note the blobs that are missing in the index because their writers were killed. */
  reportUnindexed(): void {
    if (this.#unindexedCount === 0) return
    const { findings, layout } = this.#inspection
    const blobs = `${this.#unindexedCount} of the blobs that entries refer to`
    const message = `The index lacks ${blobs}: gets work without it, but equal values are stored again.`
    findings.note({ kind: 'orphaned', path: layout.blobIndex, message })
  }

  /** Finds a blob that is not where its entry says: a gc may have moved it, or a set has just written it. */
  #find({ id, location }: BlobRef): boolean {
    const found = this.#lookUp(id)
    const known = found?.value.length === LOCATION_BYTES ? locationIn(found) : undefined
    if (known && (this.#inspection.shelf.use(known, id) || this.#isThere(known, id))) return true
    return this.#isThere(location, id)
  }

  #checkIndexed({ id, location }: BlobRef): void {
    const { blobs, mender, shelf } = this.#inspection
    if (this.#lookUp(id)) return
    // Once for each blob, however many entries refer to it.
    shelf.index(location, id)
    this.#unindexedCount++
    mender?.index(blobs, Buffer.from(id), location)
  }

  #lookUp(id: Buffer): RecordView | undefined {
    if (this.#failedLookups >= MAX_FAILED_LOOKUPS) return undefined
    return this.#guarded(
      () => this.#inspection.blobs.recordOf(id),
      () => this.#failedLookups++,
    )
  }

  #isThere(location: Location, id: Buffer): boolean {
    if (blobLength(id) > MAX_VALUE_BYTES) return false
    return this.#guarded(() => this.#inspection.blobs.packs.read(location, id)) !== undefined
  }

  /** Bytes that can't be read count as missing. The unreadable file is reported elsewhere. */
  #guarded<T>(look: () => T | undefined, onFailure: () => void = () => undefined): T | undefined {
    try {
      return look()
    } catch (error) {
      if (!isFailure(error)) throw error
      onFailure()
      return undefined
    }
  }
}

function headIn({ value }: RecordView, mayBeNode: boolean): Head | undefined {
  try {
    if (mayBeNode && decodeNode(value)) return { epoch: 0 }
    return decodeHead(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

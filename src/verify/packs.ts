// Checks every frame of every pack. Intact blobs go to the shelf, against which entries and the index are checked later.

import { BLOB_ID_BYTES, FRAME } from '../base/layout.js'
import type { Inspection } from './inspection.js'
import { type FrameCheck, isFailure, type Scan, scanLog } from './scan.js'
import type { PackFile } from './survey.js'
import { doubtTail, reportFlaws } from './tails.js'
import { isWhole } from './whole.js'

export async function checkPacks(inspection: Inspection, files: readonly PackFile[]): Promise<void> {
  for (const file of files) {
    await checkPack(inspection, file)
    await inspection.pause()
  }
}

async function checkPack(inspection: Inspection, file: PackFile): Promise<void> {
  const { blobs, mender, shelf, findings } = inspection
  const { pack } = file
  try {
    let found = shelve(inspection, file)
    if (found && found.scan.flaws.length > 0) {
      // Not at the first check: a frame that looks damaged may be in the middle of being written.
      await inspection.pause()
      found = shelve(inspection, file)
    }
    if (!found) return
    const { scan, path } = found
    inspection.checked(path, scan.sizeBytes)
    const problems = reportFlaws(inspection, path, scan)
    if (mender && (problems.length > 0 || file.isRetired)) {
      if (mender.pack(problems, blobs, pack, path, scan.flaws)) shelf.forget(pack)
    } else {
      doubtTail(inspection, path, scan)
      if (file.isRetired) doubtRetired(inspection, path, scan.sizeBytes)
    }
  } catch (error) {
    if (!isFailure(error)) throw error
    findings.problem({ kind: 'unreadable', path: file.path, message: error.message })
  }
}

/**
 * Scans the pack, also under the name of a retired pack, and puts its blobs on the shelf. Returns undefined if it is gone.
 */
function shelve(inspection: Inspection, { pack, path }: PackFile): { scan: Scan; path: string } | undefined {
  const { environment, shelf } = inspection
  for (const each of [path, path.replace(/pack$/, 'retired')]) {
    let isSealed = false
    shelf.begin(pack)
    const check: FrameCheck = (type, bytes, start, end, offset) => {
      if (type === FRAME.seal) isSealed = true
      if (type === FRAME.seal) return undefined
      if (type !== FRAME.blob) return 'No pack has frames of this type.'
      const id = bytes.subarray(start, start + BLOB_ID_BYTES)
      const isBlob = end - start >= BLOB_ID_BYTES
      if (!isBlob || !isWhole(environment.hashing, id, bytes.subarray(start + BLOB_ID_BYTES, end))) {
        return 'The bytes of a blob are not those that its id stands for.'
      }
      if (!isSealed) shelf.add({ pack, offset }, id)
      return undefined
    }
    const scan = scanLog(environment, each, `blobs/packs/${pack}`, check)
    if (scan) return { scan, path: each }
  }
  shelf.forget(pack)
  return undefined
}

function doubtRetired(inspection: Inspection, path: string, bytes: number): void {
  const { environment, findings } = inspection
  inspection.doubt(() => {
    if (!environment.files.linkStat(path)) return
    const message = 'An unfinished gc is moving the blobs of this pack. Until it ends, they are found here.'
    findings.note({ kind: 'orphaned', path, bytes, message })
  })
}

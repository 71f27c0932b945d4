// Lists what is below the root, by name and kind: packs, maps, and what doesn't belong there. Only directories with names of
// the cache are entered, and never links, so that the walk ends and stays below the root.

import { join } from 'node:path'
import { BUCKET_MAX_DEPTH, CACHE_TAG, LISTS_DIRECTORY } from '../base/layout.js'
import { unescapeNamespace } from '../base/namespace-name.js'
import { BUCKET_FILE, BucketDirectory, DIRECTORY } from '../log-map/directory.js'
import type { Inspection } from './inspection.js'
import { Walk } from './walk.js'

export interface PackFile {
  pack: number
  path: string
  isRetired: boolean
}

export interface Survey {
  packs: PackFile[]
  /** Bucket files by the directory of their map. */
  buckets: Map<string, string[]>
  /** Directories of namespaces. */
  namespaces: string[]
}

const VERSION_DIRECTORIES = ['blobs', 'file-hashes', 'history', 'namespaces']
const NAMESPACE_DIRECTORIES = ['manifest', 'counters']
const VERSION = /^v\d+$/
const PACK = /^(\d{1,10})\.(pack|retired)$/
const MAX_PACK = 0xffffffff
/** Another spelling of the number would mean a file that doesn't exist. */
const NUMBER = /^(?:0|[1-9]\d*)$/
const CANDIDATE = /^([0-3]{1,3}|_)\.([1-9]\d{0,14})\.[0-9a-f]+\.new$/
const MAX_TAG_BYTES = 65536
const SIGNATURE = CACHE_TAG.slice(0, CACHE_TAG.indexOf('\n'))

export function survey(inspection: Inspection): Survey {
  const { layout } = inspection
  const found: Survey = { packs: [], buckets: new Map(), namespaces: [] }
  const walk = new Walk(inspection)
  for (const name of walk.names(layout.root)) {
    const path = join(layout.root, name)
    const isKnown = [layout.tag, layout.config, layout.version, layout.lostAndFound].includes(path)
    if (isKnown || VERSION.test(name)) continue
    walk.foreign(path)
  }
  checkTag(inspection, walk)
  for (const name of walk.names(layout.version)) {
    const path = join(layout.version, name)
    if ([layout.gcLock, layout.upkeep, layout.hashSeed].includes(path)) walk.expect(path, 'file')
    else if (!VERSION_DIRECTORIES.includes(name)) walk.foreign(path)
  }
  for (const name of walk.names(join(layout.version, 'blobs'))) {
    if (name !== 'index' && name !== 'packs') walk.foreign(join(layout.version, 'blobs', name))
  }
  for (const name of walk.names(layout.packs)) surveyPack(walk, join(layout.packs, name), name, found)
  for (const map of [layout.blobIndex, layout.fileHashes, layout.history]) surveyMap(inspection, walk, map, found)
  for (const name of walk.names(layout.namespaces)) {
    const path = layout.namespace(name)
    if (!walk.isDirectory(path)) {
      walk.foreign(path)
      continue
    }
    if (unescapeNamespace(name) === undefined && name !== LISTS_DIRECTORY)
      walk.note(path, 'No namespace has this directory.')
    found.namespaces.push(name)
    for (const each of walk.names(path)) {
      if (!NAMESPACE_DIRECTORIES.includes(each)) walk.foreign(join(path, each))
    }
    for (const each of NAMESPACE_DIRECTORIES) surveyMap(inspection, walk, join(path, each), found)
  }
  // If two files have the same number, the retired one has the blobs: see `packs`.
  found.packs.sort((a, b) => a.pack - b.pack || Number(a.isRetired) - Number(b.isRetired))
  inspection.fileCount = walk.fileCount
  inspection.totalBytes = walk.totalBytes
  return found
}

function checkTag({ environment: { files }, layout, findings, mender }: Inspection, walk: Walk): void {
  if (!files.linkStat(layout.version)) return
  if (files.linkStat(layout.tag) && !walk.expect(layout.tag, 'file') && !mender) return
  const stat = files.linkStat(layout.tag)
  const content = stat && stat.sizeBytes < MAX_TAG_BYTES ? files.readFile(layout.tag) : undefined
  if (content?.toString('latin1').startsWith(SIGNATURE)) return
  const message = 'Without its signature, backups do not know that this is a cache.'
  // The process that created it was killed before writing to it.
  if (stat?.kind === 'file' && stat.sizeBytes === 0 && !mender) {
    findings.note({ kind: 'torn', path: layout.tag, message })
    return
  }
  const problem = findings.problem({
    kind: stat ? 'corrupt' : 'missing',
    path: layout.tag,
    bytes: stat?.sizeBytes ?? 0,
    message,
  })
  mender?.tag(problem, stat !== undefined)
}

function surveyPack(walk: Walk, path: string, name: string, found: Survey): void {
  const [, number, ending] = PACK.exec(name) ?? []
  if (number === undefined) walk.foreign(path)
  else if (Number(number) > MAX_PACK || !NUMBER.test(number)) walk.misplaced(path, 'No pack can have this number.')
  else if (walk.expect(path, 'file')) {
    found.packs.push({ pack: Number(number), path, isRetired: ending === 'retired' })
  }
}

function surveyMap(inspection: Inspection, walk: Walk, map: string, found: Survey): void {
  const buckets: string[] = []
  const names = new BucketDirectory(inspection.environment.files, map)
  const enter = (directory: string, prefix: string) => {
    for (const name of walk.names(directory)) {
      const path = join(directory, name)
      const [, digits, generation] = BUCKET_FILE.exec(name) ?? []
      const candidate = CANDIDATE.exec(name)
      if (DIRECTORY.test(name) && prefix.length < BUCKET_MAX_DEPTH) enter(path, prefix + name)
      else if (digits !== undefined && (digits !== '_' || prefix === '')) {
        if (!NUMBER.test(generation as string)) walk.misplaced(path, 'No bucket can have this generation.')
        else if (walk.expect(path, 'file')) buckets.push(path)
      } else if (candidate) {
        const generation = Number(candidate[2]) - 1
        // Itself one generation back, or the bucket that was split.
        const parent = candidate[1] === '_' ? '' : (prefix + candidate[1]).slice(0, -1)
        doubtCandidate(inspection, path, [
          join(directory, `${candidate[1]}.${generation}`),
          names.file({ prefix: parent, generation }),
        ])
      } else walk.foreign(path)
    }
  }
  enter(map, '')
  found.buckets.set(map, buckets)
}

/** Whether a candidate lost, or its process was killed: the bucket that it would have replaced is gone. */
function doubtCandidate(inspection: Inspection, path: string, predecessors: readonly string[]): void {
  const { environment, findings } = inspection
  const { files } = environment
  if (predecessors.some(each => files.linkStat(each))) return
  inspection.doubt(() => {
    const stat = files.linkStat(path)
    if (!stat) return
    const message = 'A prepared copy of records that is no longer needed.'
    findings.note({ kind: 'orphaned', path, bytes: stat.sizeBytes, message })
  })
}

// Checks every frame, record and blob of every file, and reports what is wrong and where. With `repair`, repairs it.
//
// Guarantees: nothing is written without `repair`. Nothing outside of the root is read. Whatever the files contain, verify
// ends. It needs memory for one chunk, bucket or blob at a time, and 13 bytes for each blob. Other processes can get and set
// meanwhile: suspicious findings are checked again, and a repair removes no intact value. If a repair is killed at any point,
// the store still works, and the next repair continues.
//
// Not guaranteed: that orphans are still orphans when the report is read. A file that was cut exactly at the end of a frame
// looks like an earlier state of itself, which can't be detected.

import { join, relative, sep } from 'node:path'
import type { Problem, VerifyOptions, VerifyReport } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import type { Layout } from '../base/layout.js'
import { unescapeNamespace } from '../base/namespace-name.js'
import { countersPosition } from '../counters/record.js'
import { Descriptors } from '../files/descriptors.js'
import type { Files } from '../files/files.js'
import { type Environment, Tick } from '../log/environment.js'
import { HashSeed } from '../log/hash-seed.js'
import { LogMap } from '../log-map/log-map.js'
import { hashedPosition, type Position } from '../log-map/record.js'
import { entryPosition } from '../manifest/records.js'
import { isWorthRewriting } from '../policy/garbage.js'
import { confine } from './confine.js'
import { Findings } from './findings.js'
import { Inspection } from './inspection.js'
import { LostAndFound } from './lost-and-found.js'
import { checkMap, type Visit } from './maps.js'
import { Mender } from './mender.js'
import { checkPacks } from './packs.js'
import { References } from './references.js'
import { type Survey, survey } from './survey.js'
import { Walk } from './walk.js'

/** The gc's lock: no gc and no other repair runs while a repair holds it. */
export interface RepairLock {
  acquireAfterStep(): Promise<boolean>
  keep(): void
  release(): void
}

export interface VerifyInput {
  environment: Environment
  layout: Layout
  lockOn(files: Files): RepairLock
}

/**
 * @throws CacheError `ERR_CACHE_BUSY` for a repair while a gc or another repair runs; the reason of the caller's signal
 */
export async function verify(input: VerifyInput, options: VerifyOptions): Promise<VerifyReport> {
  return options.repair ? repair(input, options) : inspect(input, options)
}

async function repair(input: VerifyInput, options: VerifyOptions): Promise<VerifyReport> {
  const { layout } = input
  const findings = new Findings(layout.root)
  const environment = confined(input, false)
  const lostAndFound = new LostAndFound(environment, layout, path => findings.fileOf(path))
  const mender = new Mender(environment, layout, lostAndFound)
  // Removes anything that would prevent taking the lock.
  const walk = new Walk({ environment, findings, layout, mender })
  const isThere = walk.expect(layout.version, 'directory')
  if (isThere) walk.expect(layout.gcLock, 'file')
  const lock = input.lockOn(environment.files)
  if (isThere && !(await lock.acquireAfterStep()))
    throw new CacheError('ERR_CACHE_BUSY', 'A gc or a repair is running on this cache.')
  try {
    const check = () => {
      if (isThere) lock.keep()
    }
    const first = await inspect(input, options, { environment, findings, mender, check })
    const after = await inspect(input, options, { check })
    const { problems, problemCount } = withRemaining(first, after)
    return { ...after, problems, problemCount, lostAndFound: lostAndFound.kept.map(path => findings.fileOf(path)) }
  } finally {
    lock.release()
  }
}

/** The findings before the repair, and those that the repair revealed. */
function withRemaining(before: VerifyReport, after: VerifyReport): Pick<VerifyReport, 'problems' | 'problemCount'> {
  const nameOf = ({ kind, file, offset }: Problem) => `${kind} ${file} ${offset}`
  const known = new Set(before.problems.map(nameOf))
  const added = after.problems.filter(problem => !known.has(nameOf(problem)))
  return { problems: [...before.problems, ...added], problemCount: before.problemCount + added.length }
}

interface Repair {
  environment?: Environment
  findings?: Findings
  mender?: Mender
  /** Called before each piece of work. Throws if the work must stop. */
  check(): void
}

/** Checks everything once, and repairs it if asked to. */
async function inspect(input: VerifyInput, options: VerifyOptions, repair?: Repair): Promise<VerifyReport> {
  const { layout } = input
  const environment = repair?.environment ?? confined(input, true)
  const findings = repair?.findings ?? new Findings(layout.root)
  const generation = input.environment.rootGeneration()
  const inspection = new Inspection({ environment, layout, findings, mender: repair?.mender }, options, () => {
    // The root was replaced, so the findings so far mean nothing.
    input.environment.tick.current()
    if (input.environment.rootGeneration() !== generation)
      throw new CacheError('ERR_CACHE_ROOT', `The cache directory ${layout.root} was replaced meanwhile.`)
    repair?.check()
  })
  try {
    // References are checked after their targets.
    const surveyed = survey(inspection)
    await checkPacks(inspection, surveyed.packs)
    await checkMaps(inspection, surveyed)
    checkHashSeed(inspection, surveyed)
    await inspection.settleDoubts()
    reportOrphans(inspection)
  } finally {
    inspection.close()
  }
  const { fileCount, checkedBytes, entryCount, shelf } = inspection
  const { problems, problemCount, notes, noteCount } = findings
  const isWhole = problemCount === 0
  const counts = { fileCount, checkedBytes, blobCount: shelf.blobCount, entryCount }
  return { isWhole, ...counts, problems, problemCount, notes, noteCount, lostAndFound: [] }
}

async function checkMaps(inspection: Inspection, { buckets, namespaces }: Survey): Promise<void> {
  const { blobs, environment, layout } = inspection
  const references = new References(inspection)
  const check = async (map: LogMap, visit: Visit = () => undefined) => {
    await checkMap(inspection, map, buckets.get(map.path) ?? [], visit)
    map.close()
  }
  const mapAt = (path: string, positionOf: (key: Buffer) => Position | undefined) =>
    new LogMap(environment, path, relative(layout.version, path).split(sep).join('/'), positionOf)
  await check(blobs.index, (found, place) => references.checkIndexRecord(found, place))
  await check(mapAt(layout.fileHashes, key => hashedPosition(environment, key)))
  await check(mapAt(layout.history, countersPosition))
  for (const directory of namespaces) {
    const name = unescapeNamespace(directory) ?? directory
    const manifest = mapAt(layout.manifest(directory), key => entryPosition(environment, key))
    await check(manifest, (found, place) => references.checkEntry(name, manifest, found, place))
    await check(mapAt(layout.counters(directory), countersPosition))
  }
  inspection.doubt(() => references.reportUnindexed())
}

/** Every log repeats the seed, so it is known by now even if its own file is lost. */
function checkHashSeed({ environment, findings, layout, mender }: Inspection, { buckets }: Survey): void {
  if (environment.hashSeed.isEstablished || ![...buckets.values()].some(files => files.length > 0)) return
  const path = layout.hashSeed
  const stat = environment.files.linkStat(path)
  // The survey has reported everything that isn't a file.
  if (stat && stat.kind !== 'file') return
  const kind = stat ? 'corrupt' : 'missing'
  const problem = findings.problem({ kind, path, message: 'The seed under which keys are hashed is not there.' })
  mender?.hashSeed(problem, path)
}

/** Reports orphans by pack, with what the next gc will do about them. */
function reportOrphans({ findings, layout, shelf }: Inspection): void {
  for (const [pack, { count, bytes, keptBytes, firstOffset }] of shelf.orphans()) {
    const isWorth = isWorthRewriting(bytes + keptBytes, bytes)
    const fate = isWorth ? 'the next gc removes them' : 'they stay until more of the pack is of no use'
    const message = `${count} blobs, this one the first, that no entry refers to: ${fate}.`
    const path = join(layout.packs, `${pack}.pack`)
    findings.note({ kind: 'orphaned', path, offset: firstOffset, bytes, message })
  }
}

/** The disk as verify sees it, with descriptors and ticks of its own: as if it were another process. */
function confined({ environment, layout }: VerifyInput, readOnly: boolean): Environment {
  const files = confine(environment.files, layout.root)
  const descriptors = new Descriptors(files)
  const hashSeed = new HashSeed(files, descriptors, layout.hashSeed, environment.random)
  return { ...environment, files, descriptors, hashSeed, tick: new Tick(), readOnly }
}

// Gathers the data of a report. All entries are read once, and only totals and the first few of each list are kept.

import type { Cache, CacheStats, EntrySummary, GcProgress, GcReport, NamespaceSummary } from '../../src/index.js'
import { Largest } from '../listing/largest.js'
import { damageText } from '../stats-text.js'
import { type SizeNode, SizeTree } from './size-tree.js'

export interface ProjectFigures {
  project: string
  entryCount: number
  bytes: number
  /** The known compute time of the stored values. */
  computeMs: number
  /** The last known use of any entry; 0 if there is none. */
  usedAt: number
  /** Its hits and misses; null if there were none or they aren't kept any more. */
  asked: NamespaceSummary | null
}

export interface Report {
  dir: string
  madeAt: number
  stats: CacheStats
  /** The projects with the most bytes, and then those with the most reads. */
  projects: ProjectFigures[]
  projectCount: number
  sizes: SizeNode
  largest: EntrySummary[]
  oldest: EntrySummary[]
  slowest: EntrySummary[]
  /** What a gc would do now; undefined if unknown. */
  gc: GcReport | undefined
  /** The parts that could not be read, in sentences. */
  problems: string[]
}

const ENTRIES_SHOWN = 20
const PROJECTS_SHOWN = 100
const TREE_NODES = 400

export interface GatherOptions {
  now(): number
  /** The warnings of the cache so far. */
  problems(): string[]
  onProgress(what: string, fraction: number): void
}

export async function gather(cache: Cache, { now, problems, onProgress }: GatherOptions): Promise<Report> {
  const gc = await wouldFree(cache, progress => onProgress('Looking at what a gc would free', progress.fraction / 2))
  const places = new Map<string, ProjectFigures>()
  const sizes = new SizeTree()
  const largest = new Largest<EntrySummary>(ENTRIES_SHOWN)
  const oldest = new Largest<EntrySummary>(ENTRIES_SHOWN)
  const slowest = new Largest<EntrySummary>(ENTRIES_SHOWN)
  const onEntry = (entry: EntrySummary) => {
    sizes.add(entry)
    largest.add(entry.sizeBytes, entry)
    oldest.add(-entry.createdAt, entry)
    if (entry.computeMs !== null) slowest.add(entry.computeMs, entry)
    if (entry.project !== null) addTo(figuresOf(places, entry.project), entry)
  }
  const stats = cache.stats({ onEntry, onProgress: fraction => onProgress('Reading entries', 0.5 + fraction / 2) })
  const projects = new Largest<ProjectFigures>(PROJECTS_SHOWN)
  // A project that only has portable answers has no entries of its own.
  for (const [project, asked] of Object.entries(stats.byProject ?? {})) figuresOf(places, project).asked = asked
  for (const each of places.values()) projects.add(each.bytes || -1 / questionsOf(each), each)
  return {
    dir: cache.dir,
    madeAt: now(),
    stats,
    projects: projects.sorted(),
    projectCount: places.size,
    sizes: sizes.largest(TREE_NODES),
    largest: largest.sorted(),
    oldest: oldest.sorted(),
    slowest: slowest.sorted(),
    gc: gc.report,
    problems: [...problems(), ...gc.problems, ...damageIn(stats)],
  }
}

function damageIn({ namespaces }: CacheStats): string[] {
  return Object.entries(namespaces).flatMap(([name, stats]) => damageText(name, stats))
}

/** A failed dry run is a problem in the report, which still shows everything else. */
async function wouldFree(cache: Cache, onProgress: (progress: GcProgress) => void) {
  try {
    return { report: await cache.gc({ dryRun: true, onProgress }), problems: [] }
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== 'string') throw error
    return { report: undefined, problems: [`What a gc would free can't be told: ${(error as Error).message}`] }
  }
}

function figuresOf(places: Map<string, ProjectFigures>, project: string): ProjectFigures {
  let figures = places.get(project)
  if (!figures) {
    figures = { project, entryCount: 0, bytes: 0, computeMs: 0, usedAt: 0, asked: null }
    places.set(project, figures)
  }
  return figures
}

function addTo(figures: ProjectFigures, entry: EntrySummary): void {
  if (!entry.isPastAnswer) figures.entryCount++
  figures.bytes += entry.sizeBytes
  figures.computeMs += entry.computeMs ?? 0
  figures.usedAt = Math.max(figures.usedAt, entry.usedAt)
}

/** Adds one. */
function questionsOf({ asked }: ProjectFigures): number {
  return 1 + (asked ? asked.hitCount + asked.missCount : 0)
}

// What a cache is: a map in memory, without files, processes or time of its own. It says what each operation of the test must
// give; the one freedom that it leaves is named where it is.

import type { MissReason } from '../../src/index.js'
import { CONTENTS, DIRECTORY, FILES, type Life } from './operations.js'

export interface ModelEntry {
  version: string
  key: string
  value: unknown
  createdAt: number
  ttlMs?: number | undefined
  /** What each source was. */
  sources?: { source: number; state: string }[] | undefined
}

interface Counts {
  hits: number
  misses: number
  sets: number
}

/** Counts are added to the totals when this many have gathered. */
const FLUSH_COUNT = 1024
/** How far the clock may be behind the one that set an entry. */
const CLOCK_SKEW_MS = 60_000

export class ModelNamespace {
  readonly entries = new Map<string, ModelEntry>()
  /** Why a key has no entry any more. A file that is rewritten forgets this. */
  readonly causes = new Map<string, MissReason>()
  totals: Counts = noCounts()
  /** By process, what it has not added yet. */
  readonly pending = new Map<number, Counts>()
  readonly #model: Model

  constructor(model: Model) {
    this.#model = model
  }

  at(version: string, key: string): ModelEntry | undefined {
    return this.entries.get(nameOf(version, key))
  }

  /** All reasons for which a get may miss; none where it must hit. */
  reasons(version: string, key: string): MissReason[] {
    const entry = this.at(version, key)
    if (entry) return this.#model.staleness(entry)
    const cause = this.causes.get(nameOf(version, key))
    const isElsewhere = [...this.entries.values()].some(each => each.key === key)
    return [...(cause ? [cause] : []), isElsewhere ? 'version-changed' : 'never-set']
  }

  /** The value that a get must give; undefined for a miss. */
  valueOf(version: string, key: string): unknown {
    return this.reasons(version, key).length === 0 ? this.at(version, key)?.value : undefined
  }

  put(entry: ModelEntry): void {
    this.entries.set(nameOf(entry.version, entry.key), entry)
    this.causes.delete(nameOf(entry.version, entry.key))
  }

  remove(version: string, key: string, cause: MissReason): boolean {
    const isRemoved = this.entries.delete(nameOf(version, key))
    if (isRemoved) this.causes.set(nameOf(version, key), cause)
    return isRemoved
  }

  clear(): number {
    const count = this.entries.size
    this.entries.clear()
    this.causes.clear()
    return count
  }

  count(process: number, what: keyof Counts, by = 1): void {
    const pending = this.pending.get(process) ?? noCounts()
    pending[what] += by
    this.pending.set(process, pending)
    if (pending.hits + pending.misses + pending.sets >= FLUSH_COUNT) this.flush(process)
  }

  flush(process: number): void {
    this.totals = this.countsSeenBy(process)
    this.pending.delete(process)
  }

  countsSeenBy(process: number): Counts {
    const { hits, misses, sets } = this.pending.get(process) ?? noCounts()
    return { hits: this.totals.hits + hits, misses: this.totals.misses + misses, sets: this.totals.sets + sets }
  }
}

export class Model {
  nowMs = Date.UTC(2026, 0, 1)
  /** Content of the files that exist, by index. */
  readonly files = new Map<number, number>()
  readonly #namespaces = new Map<string, ModelNamespace>()

  namespace(name: string): ModelNamespace {
    const namespace = this.#namespaces.get(name) ?? new ModelNamespace(this)
    this.#namespaces.set(name, namespace)
    return namespace
  }

  newEntry(version: string, key: string, value: unknown, life: Life, alsoFrom: readonly number[] = []): ModelEntry {
    const { ttlMs, files } = life
    const sources = files || alsoFrom.length > 0 ? [...new Set([...(files ?? []), ...alsoFrom])] : undefined
    const states = sources?.map(source => ({ source, state: this.stateOf(source) }))
    return { version, key, value, createdAt: this.nowMs, ttlMs, sources: states }
  }

  /** Why the entry is no longer valid. */
  staleness({ createdAt, ttlMs, sources }: ModelEntry): MissReason[] {
    const ageMs = this.nowMs - createdAt
    if (ttlMs !== undefined && (ageMs >= ttlMs || ageMs < -CLOCK_SKEW_MS)) return ['expired']
    for (const { source, state } of sources ?? []) {
      const now = this.stateOf(source)
      if (now === state) continue
      if (state === 'absent') return ['source-appeared']
      return [now === 'absent' ? 'source-missing' : 'source-changed']
    }
    return []
  }

  /** Everything about a source that an entry may depend on. */
  stateOf(source: number): string {
    if (source === DIRECTORY) return `directory of ${[...this.files.keys()].sort()}`
    const content = this.files.get(source)
    return content === undefined ? 'absent' : `file of ${CONTENTS[content]}`
  }

  gc(process: number): { expiredEntries: number; staleEntries: number; keptEntries: number } {
    const report = { expiredEntries: 0, staleEntries: 0, keptEntries: 0 }
    for (const namespace of this.#namespaces.values()) {
      namespace.flush(process)
      for (const entry of [...namespace.entries.values()]) {
        const [reason] = this.staleness(entry)
        if (!reason) report.keptEntries++
        else if (reason === 'expired') report.expiredEntries++
        else report.staleEntries++
        if (reason) namespace.remove(entry.version, entry.key, reason)
      }
    }
    return report
  }

  /** Of all namespaces, the largest number of counts that a process has not added yet. */
  pendingCountOf(process: number): number {
    const counts = [...this.#namespaces.values()].map(({ pending }) => pending.get(process) ?? noCounts())
    return Math.max(0, ...counts.map(({ hits, misses, sets }) => hits + misses + sets))
  }

  /** The process has ended. */
  end(process: number, isKill: boolean): void {
    for (const namespace of this.#namespaces.values()) {
      if (isKill) namespace.pending.delete(process)
      else namespace.flush(process)
    }
  }

  /** The content of a file, undefined for what is none. */
  contentOf(source: number): string | undefined {
    const content = source < FILES.length ? this.files.get(source) : undefined
    return content === undefined ? undefined : CONTENTS[content]
  }
}

function noCounts(): Counts {
  return { hits: 0, misses: 0, sets: 0 }
}

/** Versions hold no line break. */
export function nameOf(version: string, key: string): string {
  return `${version}\n${key}`
}

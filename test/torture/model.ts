// What a cache is: a map in memory, without files, processes or time of its own. It says what each operation of the test must
// give; the one freedom that it leaves is named where it is.

import type { EntryInfo, MissReason } from '../../src/index.js'
import { CONTENTS, DIRECTORY, FILES, type Life } from './operations.js'

export interface ModelEntry {
  version: string
  key: string
  /** Its key as it is listed. */
  label: string
  origin: EntryInfo['origin']
  /** The files that were declared, of a computed one. */
  question?: string | undefined
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

/** What a read may find. */
export interface Expected {
  /** It finds one of these; */
  found: ModelEntry[]
  /** or nothing. */
  mayMiss: boolean
}

/** More lists of inputs than this aren't kept of one question. */
const MAX_LISTS = 8
/** Counts are added to the totals when this many have gathered. */
const FLUSH_COUNT = 1024
/** How far the clock may be behind the one that set an entry. */
const CLOCK_SKEW_MS = 60_000

export class ModelNamespace {
  readonly entries = new Map<string, ModelEntry>()
  /** Why a key has no entry any more. A file that is rewritten forgets this. */
  /** Why a key has no entry: any of these. */
  readonly causes = new Map<string, MissReason[]>()
  /** Computed entries that were the current ones of their key, by key and state. */
  readonly answers = new Map<string, Map<string, ModelEntry>>()
  /** Keys of which it isn't known whether a killed process has voided the answers. */
  readonly doubtful = new Set<string>()
  totals: Counts = noCounts()
  /** By process, what it has not added yet. */
  readonly pending = new Map<number, Counts>()
  #wasCleared = false
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
    const causes = this.causes.get(nameOf(version, key)) ?? []
    const isElsewhere = [...this.entries.values()].some(each => each.key === key)
    return [...causes, ...(this.#wasCleared ? ['deleted' as const] : []), isElsewhere ? 'version-changed' : 'never-set']
  }

  /** What a get finds, or a computing call that asks a question. */
  expect(version: string, key: string, asked?: { question: string; ttlMs?: number | undefined }): Expected {
    const current = this.at(version, key)
    let question = asked?.question ?? current?.question ?? ''
    if (current && !(asked && current.question !== undefined && current.question !== asked.question)) {
      if (this.#model.staleness(current, asked?.ttlMs).length === 0) return { found: [current], mayMiss: false }
      if (current.question === undefined) return { found: [], mayMiss: true }
      question = asked?.question ?? current.question
    }
    const all = [...(this.answers.get(nameOf(version, key))?.values() ?? [])].filter(each => each.question === question)
    const candidates = all.filter(each => this.#model.hasStates(each))
    const found = candidates.filter(each => this.#model.staleness(each, asked?.ttlMs).length === 0)
    const isCrowded =
      new Set(all.map(({ sources = [] }) => String(sources.map(({ source }) => source)))).size > MAX_LISTS
    const isDoubtful = isCrowded || this.doubtful.has(nameOf(version, key))
    return { found, mayMiss: found.length === 0 || found.length < candidates.length || isDoubtful }
  }

  /** Sets an entry, or removes one: what was computed for the key is void. */
  put(entry: ModelEntry): void {
    this.#void(nameOf(entry.version, entry.key))
    this.#makeCurrent(entry)
  }

  /** The result of a computation, or an answer that was found, becomes the current entry. */
  answer(entry: ModelEntry): void {
    const before = this.at(entry.version, entry.key)
    // An answer from the same inputs takes the place of the earlier one, also where it has a shorter ttl.
    const isReplaced = before && stateOf(before) === stateOf(entry)
    if (before?.question !== undefined && !this.#model.isExpired(before) && !isReplaced) this.#keep(before)
    this.#makeCurrent(entry)
  }

  #makeCurrent(entry: ModelEntry): void {
    this.entries.set(nameOf(entry.version, entry.key), entry)
    this.causes.delete(nameOf(entry.version, entry.key))
  }

  #keep(entry: ModelEntry): void {
    const name = nameOf(entry.version, entry.key)
    const answers = this.answers.get(name) ?? new Map()
    this.answers.set(name, answers.set(stateOf(entry), entry))
  }

  #void(name: string): void {
    this.answers.delete(name)
    this.doubtful.delete(name)
  }

  /** A gc leaves the answers. */
  drop(version: string, key: string, cause: MissReason): boolean {
    const isRemoved = this.entries.delete(nameOf(version, key))
    if (isRemoved) this.causes.set(nameOf(version, key), [cause])
    return isRemoved
  }

  remove(version: string, key: string, cause: MissReason): boolean {
    this.#void(nameOf(version, key))
    const isRemoved = this.drop(version, key, cause)
    // What a computation that stored nothing left is removed as well; of nothing, the first cause stays.
    if (!isRemoved) this.causes.set(nameOf(version, key), [cause, ...(this.causes.get(nameOf(version, key)) ?? [])])
    return isRemoved
  }

  clear(): number {
    const count = this.entries.size
    this.#wasCleared = true
    this.entries.clear()
    this.answers.clear()
    this.doubtful.clear()
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

  newEntry(version: string, key: string, value: unknown, { ttlMs, files }: Life): ModelEntry {
    const sources = files && this.#statesOf(files)
    return { version, key, label: key, origin: 'set', value, createdAt: this.nowMs, ttlMs, sources }
  }

  /** Of a computation that looks at sources besides those that were declared. */
  newAnswer(version: string, key: string, value: unknown, life: Life, reads: readonly number[]): ModelEntry {
    const files = [...new Set([...(life.files ?? []), ...reads])]
    const entry = this.newEntry(version, key, value, { ...life, ...(files.length > 0 && { files }) })
    return { ...entry, origin: 'getOrSet', question: questionOf(life) }
  }

  #statesOf(sources: readonly number[]) {
    return sources.map(source => ({ source, state: this.stateOf(source) }))
  }

  isExpired({ createdAt, ttlMs }: ModelEntry, askedMs = Number.POSITIVE_INFINITY): boolean {
    const ageMs = this.nowMs - createdAt
    const lifetimeMs = Math.min(ttlMs ?? Number.POSITIVE_INFINITY, askedMs)
    return lifetimeMs !== Number.POSITIVE_INFINITY && (ageMs >= lifetimeMs || ageMs < -CLOCK_SKEW_MS)
  }

  /** Whether all sources of the entry are as they were. */
  hasStates({ sources = [] }: ModelEntry): boolean {
    return sources.every(({ source, state }) => this.stateOf(source) === state)
  }

  /** Why the entry is no longer valid. */
  staleness(entry: ModelEntry, askedMs?: number): MissReason[] {
    const { sources } = entry
    if (this.isExpired(entry, askedMs)) return ['expired']
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
        const isComputed = entry.question !== undefined
        const [reason] = isComputed && !this.isExpired(entry) ? [] : this.staleness(entry)
        if (!reason) report.keptEntries++
        else if (reason === 'expired') report.expiredEntries++
        else report.staleEntries++
        if (reason) namespace.drop(entry.version, entry.key, reason)
      }
      for (const answers of namespace.answers.values()) {
        for (const [state, entry] of answers) {
          if (!this.isExpired(entry)) report.keptEntries++
          else {
            report.expiredEntries++
            answers.delete(state)
          }
        }
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

/** What a computing call declares. */
export function questionOf({ files = [] }: Life): string {
  return String(files)
}

/** What an answer was given to, and from. */
function stateOf({ question, sources }: ModelEntry): string {
  return JSON.stringify([question, sources])
}

function noCounts(): Counts {
  return { hits: 0, misses: 0, sets: 0 }
}

/** Versions hold no line break. */
export function nameOf(version: string, key: string): string {
  return `${version}\n${key}`
}

// An index from paths to the entries that depend on them: the entries of all namespaces with a source below the watched roots,
// as of the last read of the manifests.
//
// Updating it costs a stat for each part of a manifest, and a read of the parts that have changed. Of entries that were set and
// removed in between, the removals are seen, unless the part was rewritten as well.

import type { Invalidation } from '../api/index.js'
import type { KeyParts } from '../manifest/key-parts.js'
import type { Manifest } from '../manifest/manifest.js'
import { askerOf, originOf } from '../manifest/owner.js'
import type { EntryKey } from '../manifest/records.js'
import { fileInputs, type Lists, pathOf } from './file-inputs.js'
import type { Pace } from './pace.js'
import { isWithin, SourceTree, type WatchedSource } from './source-tree.js'

export interface WatchedEntry {
  readonly namespace: string
  readonly manifest: Manifest
  readonly parts: KeyParts
  readonly origin: Invalidation['origin']
  /** The paths of its inputs. */
  readonly project: string | null
  readonly key: EntryKey
  readonly check: number
  readonly sources: WatchedSource<WatchedEntry>[]
  /** Whether the entry was dropped or reported. */
  isOver: boolean
}

/** The entries of one part of a manifest by version and key. */
interface WatchedPart {
  stamp: string
  entries: Map<string, WatchedEntry>
}

type Part = ReturnType<Manifest['parts']> extends Iterable<infer P> ? P : never

export interface Differences {
  added: WatchedEntry[]
  /** Entries whose keys have no entry any more. */
  removed: WatchedEntry[]
  /** Keys of entries that were set and removed since the last read. */
  missed: { namespace: string; manifest: Manifest; key: EntryKey }[]
}

export interface IndexInput {
  roots: readonly string[]
  /** The manifests that are on disk, by the names of their namespaces. */
  manifests(): Map<string, Manifest>
  lists: Lists
  /** Whether invalid entries stay in the manifests, as in a read-only cache. */
  keepsOver: boolean
  report(error: unknown): void
}

export class EntryIndex {
  readonly sources = new SourceTree<WatchedEntry>()
  #entryCount = 0
  readonly #input: IndexInput
  readonly #namespaces = new Map<string, Map<string, WatchedPart>>()

  constructor(input: IndexInput) {
    this.#input = input
  }

  get entryCount(): number {
    return this.#entryCount
  }

  async catchUp(pace: Pace): Promise<Differences> {
    const differences: Differences = { added: [], removed: [], missed: [] }
    const manifests = this.#input.manifests()
    for (const [namespace, manifest] of manifests) {
      try {
        await this.#catchUp(namespace, manifest, differences, pace)
      } catch (error) {
        this.#input.report(error)
      }
    }
    for (const [namespace, parts] of this.#namespaces) {
      if (manifests.has(namespace)) continue
      for (const { entries } of parts.values()) this.#forget(entries, differences)
      this.#namespaces.delete(namespace)
    }
    return differences
  }

  /** Whether the path is below one of the roots. */
  covers(path: string): boolean {
    return this.#input.roots.some(root => isWithin(path, root))
  }

  /** Stops watching the entry's sources. */
  end(entry: WatchedEntry): void {
    if (entry.isOver) return
    entry.isOver = true
    this.#entryCount--
    for (const source of entry.sources) this.sources.remove(source, entry)
  }

  async #catchUp(namespace: string, manifest: Manifest, differences: Differences, pace: Pace): Promise<void> {
    const parts = this.#namespaces.get(namespace) ?? new Map<string, WatchedPart>()
    this.#namespaces.set(namespace, parts)
    const prefixes = new Set<string>()
    for (const part of manifest.parts(error => this.#input.report(error))) {
      prefixes.add(part.prefix)
      if (parts.get(part.prefix)?.stamp === part.stamp) continue
      parts.set(part.prefix, this.#read(namespace, manifest, part, parts, differences))
      if (pace.isDue) await pace.breathe()
    }
    for (const [prefix, { entries }] of parts) {
      if (prefixes.has(prefix)) continue
      this.#forget(entries, differences)
      parts.delete(prefix)
    }
  }

  #read(
    namespace: string,
    manifest: Manifest,
    part: Part,
    parts: ReadonlyMap<string, WatchedPart>,
    differences: Differences,
  ): WatchedPart {
    const entries = new Map<string, WatchedEntry>()
    const before = parts.get(part.prefix)
    const gone = new Map(before?.entries)
    const wholes = partsAbove(parts, part.prefix)
    for (const listed of part.entries()) {
      const { entry, check, isAnswer, keyBytes } = listed
      // Answers to earlier states of the inputs are stale anyway.
      if (!entry.inputs || isAnswer) continue
      const id = keyBytes.toString('latin1')
      const known = gone.get(id) ?? wholes.find(whole => whole.entries.has(id))?.entries.get(id)
      gone.delete(id)
      if (known?.check === check && (!known.isOver || this.#input.keepsOver)) {
        entries.set(id, known)
        continue
      }
      // Not counted as removed: its key is examined with the new entry, and must not be reported twice.
      if (known) this.end(known)
      const inputs = fileInputs(entry.inputs, this.#input.lists)
      const asker = askerOf(listed, entry)
      const paths = new Set(inputs.flatMap(input => pathOf(input, asker) ?? []))
      const key = manifest.keyAt(keyBytes)
      const watched: WatchedEntry = {
        namespace,
        manifest,
        parts: manifest.partsOf(key),
        origin: originOf(listed, entry),
        project: asker.dir ?? null,
        key,
        check,
        sources: [],
        isOver: false,
      }
      for (const path of paths) {
        if (this.covers(path)) watched.sources.push(this.sources.add(path, watched))
      }
      if (watched.sources.length === 0) continue
      this.#entryCount++
      entries.set(id, watched)
      differences.added.push(watched)
    }
    this.#forget(gone, differences)
    for (const keyBytes of before ? part.removedSince(before.stamp) : []) {
      if (before?.entries.has(keyBytes.toString('latin1'))) continue
      differences.missed.push({ namespace, manifest, key: manifest.keyAt(keyBytes) })
    }
    for (const whole of wholes) for (const id of entries.keys()) whole.entries.delete(id)
    return { stamp: part.stamp, entries }
  }

  #forget(entries: Map<string, WatchedEntry>, { removed }: Differences): void {
    for (const entry of entries.values()) {
      if (entry.isOver) continue
      this.end(entry)
      removed.push(entry)
    }
  }
}

/** The parts that were split into this one and others. */
function partsAbove(parts: ReadonlyMap<string, WatchedPart>, prefix: string): WatchedPart[] {
  return Array.from(prefix, (_, length) => parts.get(prefix.slice(0, length))).filter(part => part !== undefined)
}

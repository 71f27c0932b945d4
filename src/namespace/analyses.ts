// Results by the content of the file that they are of. An entry is found by what the file holds now, so it is never
// stale, and the states of a file that a branch switch brings back are all still there.
//
// A result that depends on the file alone is found in one look, under the content's digest and the extension, which tells a
// parser what language to read. One that depends on other
// sources as well is found in two: the paths of those that were named for this content and path before, then, under the
// digests of what these hold now, the result (ccache's direct mode works alike, https://ccache.dev/manual/latest.html).
// The path counts then, because two equal files in different places may find different neighbours; where one of the
// sources lies outside of the base, it is the absolute path, because from there a moved tree finds others, too.

import { basename, resolve } from 'node:path'
import type { AnalyzeOptions, MissReason } from '../base/types.js'
import { checkFingerprint, type Fingerprint, type Reading, readSource } from '../fingerprint/fingerprint.js'
import type { Source } from '../manifest/entry.js'
import { type EntryKey, encodeVersion } from '../manifest/manifest.js'
import { pathOf, sourceOf } from '../manifest/verdict.js'
import type { Computing } from './compute.js'
import { Analysis, expectFile } from './dependencies.js'
import type { Entries } from './entries.js'
import type { Landed } from './flights.js'
import { runAsync, runSync, type Steps } from './steps.js'

type Compute = (context: Analysis) => unknown
/** Where a source is: what of it can be kept without its content. */
type Place = Pick<Source, 'path' | 'isRelative'>

/** One content of a file. */
interface Subject {
  /** Absolute. */
  path: string
  /** From the base. */
  place: string
  /** In hex. */
  digest: string
}

interface Hit {
  value: unknown
  subject?: undefined
}

interface Miss {
  value?: undefined
  subject: Subject
  content: Buffer
  reason: MissReason
}

/** Of one content in one place, this many lists of sources are kept: the latest ones. */
const MAX_SOURCE_LISTS = 8

export class Analyses {
  readonly #entries: Entries
  readonly #computing: Computing
  readonly #versionBytes: Buffer
  readonly #isByPath: boolean

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(entries: Entries, computing: Computing, { version, path }: Required<AnalyzeOptions>) {
    this.#entries = entries
    this.#computing = computing
    // No version of a namespace holds a NUL, so no caller's key is ever one of these.
    this.#versionBytes = encodeVersion(`${entries.version}\0${version}`)
    this.#isByPath = path
  }

  /** @throws errno-style errors when the file cannot be read; what `compute` throws */
  async analyze(file: string, compute: Compute): Promise<unknown> {
    const found = this.#find(file)
    if (!found.subject) return found.value
    const { digest, path } = found.subject
    const name = `${this.#versionBytes.toString('latin1')}\0${digest} ${path}`
    return this.#computing.share(name, () => runAsync(this.#compute(found, compute)))
  }

  /** @throws the same */
  analyzeSync(file: string, compute: Compute): unknown {
    const found = this.#find(file)
    return found.subject ? runSync(this.#compute(found, compute)).value : found.value
  }

  #find(file: string): Hit | Miss {
    const path = resolve(file)
    let { reading, isChanged } = this.#lookAt(path)
    for (;;) {
      if (reading.fingerprint.kind !== 'file') expectFile(reading, file)
      const place = sourceOf(path, this.#entries.base, reading.fingerprint).path
      const subject = { path, place, digest: reading.fingerprint.digest.toString('hex') }
      const value = this.#stored(subject)
      if (value !== undefined) {
        this.#entries.count('hits')
        return { value }
      }
      const { content } = reading
      if (content) return { subject, content, reason: isChanged ? 'source-changed' : 'never-set' }
      // The digest was remembered. What is read now counts, the same or not.
      reading = readSource(this.#entries.store.environment, path)
    }
  }

  *#compute({ subject, content, reason }: Miss, compute: Compute): Steps<Landed> {
    this.#entries.count(reason)
    const context = new Analysis(this.#entries, subject.path, content)
    const landed = yield* this.#computing.run(compute, context)
    const { bytes, sources } = landed
    if (!bytes || !context.isConsistent) return landed
    if (sources.length === 0) this.#entries.set([{ key: this.#keyAlone(subject), bytes }])
    else this.#setWithSources(subject, bytes, sources)
    return landed
  }

  #stored(subject: Subject): unknown {
    const alone = this.#look(this.#keyAlone(subject))
    if (alone !== undefined) return alone
    for (const places of this.#sourceLists(subject)) {
      const sources = this.#sourcesNow(places)
      const value = sources && this.#look(this.#keyWith(subject, sources))
      if (value !== undefined) return value
    }
    return undefined
  }

  #setWithSources(subject: Subject, bytes: Buffer, sources: readonly Source[]): void {
    const places = sources.map(({ path, isRelative }) => ({ path, isRelative }))
    const others = this.#sourceLists(subject).filter(list => JSON.stringify(list) !== JSON.stringify(places))
    const lists = [places, ...others].slice(0, MAX_SOURCE_LISTS)
    this.#entries.set([
      { key: this.#keyWith(subject, sources), bytes },
      { key: this.#keyOfLists(subject), bytes: this.#entries.encode(lists) },
    ])
  }

  #sourceLists(subject: Subject): readonly (readonly Place[])[] {
    return (this.#look(this.#keyOfLists(subject)) as Place[][] | undefined) ?? []
  }

  /** Undefined where one of them cannot be read. */
  #sourcesNow(places: readonly Place[]): Source[] | undefined {
    try {
      return places.map(place => {
        const path = pathOf(place, this.#entries.base) ?? place.path
        return { ...place, ...this.#lookAt(path).reading.fingerprint }
      })
    } catch (error) {
      this.#entries.store.report(error)
      return undefined
    }
  }

  #keyAlone({ digest, place }: Subject): EntryKey {
    return this.#keyOf(`result ${digest}${this.#isByPath ? ` ${place}` : extensionOf(place)}`)
  }

  #keyWith({ digest, place, path }: Subject, sources: readonly Source[]): EntryKey {
    const states = sources.map(source => [source.path, source.kind, source.digest.toString('hex')])
    const all = this.#entries.store.environment.hashing.contentDigest(Buffer.from(JSON.stringify(states)))
    const isInside = sources.every(({ isRelative }) => isRelative)
    return this.#keyOf(`result ${digest}+${all.toString('hex')} ${isInside ? place : path}`)
  }

  #keyOfLists({ digest, place }: Subject): EntryKey {
    return this.#keyOf(`sources ${digest} ${place}`)
  }

  #keyOf(key: string): EntryKey {
    return this.#entries.keyOf(key, this.#versionBytes)
  }

  #look(key: EntryKey): unknown {
    return this.#entries.look(key).value
  }

  /** The source as it is now; its content only where it had to be read. */
  #lookAt(path: string): { reading: Reading; isChanged: boolean } {
    const { environment } = this.#entries.store
    const known = this.#entries.attempt(undefined, () => this.#entries.store.memo.recall(path))
    const verdict = known && checkFingerprint(environment, path, known, this.#entries.strictness)
    if (!known || !verdict?.isFresh) {
      const reading = (verdict?.isFresh === false && verdict.reading) || readSource(environment, path)
      this.#remember(path, reading.fingerprint)
      return { reading, isChanged: known !== undefined }
    }
    const { refreshed = known } = verdict
    if (refreshed !== known) this.#remember(path, refreshed)
    return { reading: { fingerprint: refreshed, content: undefined }, isChanged: false }
  }

  #remember(path: string, fingerprint: Fingerprint): void {
    const { canWrite, memo } = this.#entries.store
    if (!canWrite) return
    memo.remember(path, fingerprint)
    if (memo.isDue) this.#entries.attempt(undefined, () => memo.flush())
  }
}

/** From the first dot on: `.d.ts` is not `.ts`, nor is a file that is called `.js` one without an extension. */
function extensionOf(place: string): string {
  const name = basename(place)
  const dot = name.indexOf('.')
  return dot < 0 ? '' : name.slice(dot)
}

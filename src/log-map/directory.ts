// The file names of a log map.
//
// A bucket holds the keys whose place begins with its prefix of hex digits. The bucket of prefix `ab`, in its third
// generation, is the file `a/b.3`; the one of the empty prefix is `_.0`, with which every map begins. A bucket's
// successors, itself compacted or its sixteen parts, carry the next generation. So along the way from the empty prefix
// to a key the file with the highest generation is the one in force, and a listing of one directory a digit finds it.
//
// Names never come back once they are gone, except `_.0`, so no file is ever renamed over another one.

import { dirname, join, relative, sep } from 'node:path'
import { BUCKET_FANOUT } from '../base/layout.js'
import type { Files } from '../files/files.js'

export interface BucketName {
  /** Hex digits, one a level. */
  prefix: string
  generation: number
}

interface Listing {
  /** Highest generation by digit; `_` for the empty prefix. */
  generations: Map<string, number>
  directories: Set<string>
  /** Of both together. */
  size: number
}

const BUCKET_FILE = /^([0-9a-f_])\.(\d{1,15})$/
const CANDIDATE_FILE = /^([0-9a-f_])\.\d{1,15}\.[0-9a-f]+\.new$/
const NOTHING: Listing = { generations: new Map(), directories: new Set(), size: 0 }

export class BucketDirectory {
  readonly path: string
  readonly #files: Files
  readonly #listings = new Map<string, Listing>()

  constructor(files: Files, path: string) {
    this.#files = files
    this.path = path
  }

  /** The bucket in force for a place, as last listed; undefined, as of now, where there is none. */
  find(place: number): BucketName | undefined {
    const isNew = this.#listings.size === 0
    const found = this.#search(place)
    // A link may have taken the place of a directory since it was listed,
    if (isNew || (found && this.#isOwn(found.prefix.slice(0, -1)))) return found
    // or another process may have made it.
    this.forget()
    return this.#search(place)
  }

  #search(place: number): BucketName | undefined {
    let best: BucketName | undefined
    const consider = (prefix: string, generation: number | undefined) => {
      if (generation !== undefined && (!best || generation > best.generation)) best = { prefix, generation }
    }
    const digits = (place >>> 0).toString(16).padStart(8, '0')
    let listing = this.#list('')
    consider('', listing.generations.get('_'))
    for (let depth = 0; depth < digits.length; depth++) {
      const digit = digits[depth] as string
      consider(digits.slice(0, depth + 1), listing.generations.get(digit))
      if (!listing.directories.has(digit)) break
      listing = this.#list(digits.slice(0, depth + 1))
    }
    return best
  }

  /**
   * The bucket to begin where none is in force: the first one of an empty map, or the part whose file was deleted from
   * under it.
   */
  missing(place: number): BucketName {
    const digits = (place >>> 0).toString(16).padStart(8, '0')
    let prefix = ''
    for (let listing = this.#list(''); listing !== NOTHING && listing.size > 0; listing = this.#list(prefix)) {
      prefix = digits.slice(0, prefix.length + 1)
      if (!listing.directories.has(prefix.at(-1) as string)) break
    }
    return { prefix, generation: 0 }
  }

  /** Forgets what was listed, so that the next `find` looks again. */
  forget(): void {
    this.#listings.clear()
  }

  /** Every bucket on disk, also those that have successors. */
  buckets(): BucketName[] {
    this.forget()
    return this.directories().flatMap(directory => {
      const digits = relative(this.path, directory).split(sep).join('')
      return (this.#files.list(directory) ?? []).flatMap(name => {
        const [, digit, generation] = BUCKET_FILE.exec(name) ?? []
        if (digit === undefined || (digit === '_' && digits !== '')) return []
        return { prefix: digit === '_' ? '' : digits + digit, generation: Number(generation) }
      })
    })
  }

  /** The candidates on disk, by the prefix that they would be in force for. */
  candidates(): { path: string; prefix: string }[] {
    this.forget()
    return this.directories().flatMap(directory => {
      const digits = relative(this.path, directory).split(sep).join('')
      return (this.#files.list(directory) ?? []).flatMap(name => {
        const digit = CANDIDATE_FILE.exec(name)?.[1]
        if (digit === undefined) return []
        return { path: join(directory, name), prefix: digit === '_' ? '' : digits + digit }
      })
    })
  }

  /** Every directory of the map that exists, parents first. */
  directories(): string[] {
    const found: string[] = []
    const walk = (prefix: string) => {
      if (!this.#isOwn(prefix)) return
      found.push(this.#directoryOf(prefix))
      for (const digit of this.#list(prefix).directories) walk(prefix + digit)
    }
    walk('')
    return found
  }

  file(name: BucketName): string {
    return join(this.#directoryOf(name.prefix.slice(0, -1)), fileName(name))
  }

  /** Where a successor is prepared before it is known whether it will be the one. */
  candidate(name: BucketName, unique: string): string {
    return `${this.file(name)}.${unique}.new`
  }

  /** Makes the directory in which the buckets of prefixes one digit longer lie. */
  makeDirectory(prefix: string): void {
    this.#files.makeDirectory(this.#directoryOf(prefix))
  }

  /** What a link leads to is not the cache's. */
  #isOwn(prefix: string): boolean {
    for (let length = prefix.length; length >= 0; length--) {
      if (!this.#isDirectory(this.#directoryOf(prefix.slice(0, length)))) return false
    }
    return this.#isDirectory(dirname(this.path))
  }

  #isDirectory(path: string): boolean {
    return this.#files.linkStat(path)?.kind === 'directory'
  }

  #directoryOf(prefix: string): string {
    return prefix === '' ? this.path : join(this.path, ...prefix)
  }

  #list(prefix: string): Listing {
    let listing = this.#listings.get(prefix)
    if (!listing) {
      const path = this.#directoryOf(prefix)
      // What a link leads to is not the cache's.
      const isOwn = this.#isDirectory(path) && (prefix !== '' || this.#isDirectory(dirname(path)))
      const names = isOwn ? this.#files.list(path) : undefined
      listing = names ? parseListing(names) : NOTHING
      this.#listings.set(prefix, listing)
    }
    return listing
  }
}

export function fileName({ prefix, generation }: BucketName): string {
  return `${prefix === '' ? '_' : prefix.at(-1)}.${generation}`
}

/** The names of the sixteen parts of a bucket, or of the bucket itself one generation on. */
export function successorsOf({ prefix, generation }: BucketName, isSplit: boolean): BucketName[] {
  if (!isSplit) return [{ prefix, generation: generation + 1 }]
  return Array.from({ length: BUCKET_FANOUT }, (_, digit) => ({
    prefix: prefix + digit.toString(16),
    generation: generation + 1,
  }))
}

function parseListing(names: string[]): Listing {
  const generations = new Map<string, number>()
  const directories = new Set<string>()
  for (const name of names) {
    if (name.length === 1) {
      directories.add(name)
      continue
    }
    const [, digit, generation] = BUCKET_FILE.exec(name) ?? []
    if (digit === undefined) continue
    generations.set(digit, Math.max(generations.get(digit) ?? 0, Number(generation)))
  }
  return { generations, directories, size: generations.size + directories.size }
}

/** The bucket's place in the cache, which its frames are valid in; `map` is the map's. */
export function identityOf(map: string, { prefix, generation }: BucketName): string {
  return `${map}/${prefix === '' ? '_' : prefix}.${generation}`
}

export function firstPlace({ prefix }: BucketName): number {
  return Number.parseInt(prefix.padEnd(8, '0'), 16)
}

export function placeAfter(prefix: string): number {
  return Number.parseInt(prefix.padEnd(8, 'f'), 16) + 1
}

export function prefixOf(place: number, depth: number): string {
  return (place >>> 0).toString(16).padStart(8, '0').slice(0, depth)
}

/** The hex digit of a place at a depth, from 0. */
export function digitAt(place: number, depth: number): number {
  return (place >>> (28 - 4 * depth)) & 15
}

export function hasPrefix(place: number, prefix: string): boolean {
  return prefix === '' || place >>> (32 - 4 * prefix.length) === Number.parseInt(prefix, 16)
}

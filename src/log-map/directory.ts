// The file names of a log map.
//
// A bucket holds the keys whose hash begins with its prefix, in digits of base 4. The bucket of prefix `2103`, in its fifth
// generation, is the file `210/3.5`: there is a directory for each three digits that others follow. The bucket of the empty prefix is
// `_.0`, with which every map begins. A bucket's successors, itself compacted or its four parts, carry the next generation. So along
// the way from the empty prefix to a key the file with the highest generation is the one in force, and a listing of one directory for
// three digits finds it.
//
// A name is never used again once it is gone, except `_.0`, so no file is ever renamed over another one.

import { dirname } from 'node:path'
import { childOf } from '../base/child.js'
import { BUCKET_FANOUT } from '../base/layout.js'
import type { Files } from '../files/files.js'

export interface BucketName {
  /** Digits of base 4, one for each split. */
  prefix: string
  generation: number
}

/** The content of a directory, by the digits that follow its own. */
export interface Listing {
  /** Highest generation of each bucket; `_` for the empty prefix. */
  generations: Map<string, number>
  directories: Set<string>
}

/** Digits of a hash (32 bits). */
export const DIGIT_COUNT = 16
/** Digits that the name of a directory has, and that of a file at most. */
export const LEVEL_DIGITS = 3

/** The name of a directory of buckets. */
export const DIRECTORY = /^[0-3]{3}$/
/** The name of a bucket: its last digits and its generation. */
export const BUCKET_FILE = /^([0-3]{1,3}|_)\.(\d{1,15})$/
const NOTHING: Listing = { generations: new Map(), directories: new Set() }

export class BucketDirectory {
  readonly path: string
  readonly files: Files
  readonly #listings = new Map<string, Listing>()

  constructor(files: Files, path: string) {
    this.files = files
    this.path = path
  }

  /** Returns the bucket in force for a hash, as last listed; undefined if there is none now. */
  find(hash: number): BucketName | undefined {
    const isNew = this.#listings.size === 0
    const found = this.#search(hash)
    // A link may have replaced a directory since the listing.
    if (isNew || (found && this.isOwn(directoryPrefix(found.prefix)))) return found
    // Another process may have created it.
    this.forget()
    return this.#search(hash)
  }

  #search(hash: number): BucketName | undefined {
    let best: BucketName | undefined
    const consider = (prefix: string, generation: number | undefined) => {
      if (generation !== undefined && (!best || generation > best.generation)) best = { prefix, generation }
    }
    const digits = digitsOf(hash)
    consider('', this.list('').generations.get('_'))
    for (let length = 1; length < digits.length; length++) {
      const { generations, directories } = this.list(directoryPrefix(digits.slice(0, length)))
      const name = nameIn(digits.slice(0, length))
      consider(digits.slice(0, length), generations.get(name))
      if (name.length === LEVEL_DIGITS && !directories.has(name)) break
    }
    return best
  }

  /** Whether this is the bucket in force for the hash, as listed now. */
  isInForce({ prefix, generation }: BucketName, hash: number): boolean {
    this.forget()
    const newest = this.find(hash)
    return newest?.generation === generation && newest.prefix === prefix
  }

  /** Forgets what was listed, so that the next `find` looks again. */
  forget(): void {
    this.#listings.clear()
  }

  file(name: BucketName): string {
    return childOf(this.#directoryOf(directoryPrefix(name.prefix)), fileName(name))
  }

  /** The path of a candidate for a successor. */
  candidate(name: BucketName, unique: string): string {
    return `${this.file(name)}.${unique}.new`
  }

  /** Creates the directory of this prefix's bucket. */
  makeDirectory(prefix: string): void {
    this.files.makeDirectory(this.#directoryOf(directoryPrefix(prefix)))
  }

  /** Whether no link is on the way to the directory of these digits: what a link leads to is not the cache's. */
  isOwn(prefix: string): boolean {
    for (let length = prefix.length; length >= 0; length -= LEVEL_DIGITS) {
      if (!this.#isDirectory(this.#directoryOf(prefix.slice(0, length)))) return false
    }
    return this.#isDirectory(dirname(this.path))
  }

  /** The path of the directory of these digits. */
  pathOf(prefix: string): string {
    return this.#directoryOf(prefix)
  }

  #isDirectory(path: string): boolean {
    return this.files.linkStat(path)?.kind === 'directory'
  }

  #directoryOf(prefix: string): string {
    let path = this.path
    for (let at = 0; at < prefix.length; at += LEVEL_DIGITS) path = childOf(path, prefix.slice(at, at + LEVEL_DIGITS))
    return path
  }

  /** Returns the content of the directory of these digits, as last listed. */
  list(prefix: string): Listing {
    let listing = this.#listings.get(prefix)
    if (!listing) {
      const path = this.#directoryOf(prefix)
      // The target of a link doesn't belong to the cache.
      const isOwn = this.#isDirectory(path) && (prefix !== '' || this.#isDirectory(dirname(path)))
      const names = isOwn ? this.files.list(path) : undefined
      listing = names ? parseListing(names) : NOTHING
      this.#listings.set(prefix, listing)
    }
    return listing
  }
}

export function fileName({ prefix, generation }: BucketName): string {
  return `${nameIn(prefix)}.${generation}`
}

/** The digits of the directory in which the bucket of this prefix lies. */
function directoryPrefix(prefix: string): string {
  return prefix.slice(0, Math.max(0, Math.ceil(prefix.length / LEVEL_DIGITS) - 1) * LEVEL_DIGITS)
}

/** The digits in the file name of this prefix's bucket. */
function nameIn(prefix: string): string {
  return prefix === '' ? '_' : prefix.slice(directoryPrefix(prefix).length)
}

function parseListing(names: string[]): Listing {
  const generations = new Map<string, number>()
  const directories = new Set<string>()
  for (const name of names) {
    if (DIRECTORY.test(name)) {
      directories.add(name)
      continue
    }
    const [, digits, generation] = BUCKET_FILE.exec(name) ?? []
    if (digits === undefined) continue
    generations.set(digits, Math.max(generations.get(digits) ?? 0, Number(generation)))
  }
  return { generations, directories }
}

/** The bucket's identity, under which its frames are valid; `map` is the map's. */
export function identityOf(map: string, { prefix, generation }: BucketName): string {
  return `${map}/${prefix === '' ? '_' : prefix}.${generation}`
}

export function firstHash({ prefix }: BucketName): number {
  return Number.parseInt(prefix.padEnd(DIGIT_COUNT, '0'), BUCKET_FANOUT)
}

export function digitsOf(hash: number): string {
  return (hash >>> 0).toString(BUCKET_FANOUT).padStart(DIGIT_COUNT, '0')
}

/** The digit of a hash at a depth, from 0. */
export function digitAt(hash: number, depth: number): number {
  return (hash >>> (30 - 2 * depth)) & 3
}

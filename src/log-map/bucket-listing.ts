// Finds which buckets a map has on disk, and which are missing.

import { join, relative, sep } from 'node:path'
import { BUCKET_FILE, type BucketDirectory, type BucketName, digitsOf, LEVEL_DIGITS } from './directory.js'
import { hashAfter } from './prefixes.js'

const CANDIDATE_FILE = /^([0-3]{1,3}|_)\.\d{1,15}\.[0-9a-f]+\.new$/

/**
 * The bucket to create if none is in force: the first one of an empty map, or the one whose file was deleted.
 */
export function missingAt(directory: BucketDirectory, hash: number): BucketName {
  const digits = digitsOf(hash)
  // The longest prefix that was split.
  let split = -1
  for (let length = 0; length < digits.length; length += LEVEL_DIGITS) {
    const { generations, directories } = directory.list(digits.slice(0, length))
    for (const name of [...generations.keys(), ...directories]) {
      if (name !== '_')
        split = Math.max(split, length + Math.min(commonLength(name, digits.slice(length)), name.length - 1))
    }
    if (!directories.has(digits.slice(length, length + LEVEL_DIGITS))) break
    split = length + LEVEL_DIGITS
  }
  return { prefix: digits.slice(0, split + 1), generation: 0 }
}

/** The first hash after the missing bucket of this hash; past the last hash in an empty map. */
export function afterMissing(directory: BucketDirectory, hash: number): number {
  return hashAfter(missingAt(directory, hash).prefix)
}

/** Every bucket on disk, including those with successors. */
export function bucketsIn(map: BucketDirectory): BucketName[] {
  map.forget()
  return directoriesIn(map).flatMap(directory => {
    const digits = relative(map.path, directory).split(sep).join('')
    return (map.files.list(directory) ?? []).flatMap(name => {
      const [, last, generation] = BUCKET_FILE.exec(name) ?? []
      if (last === undefined || (last === '_' && digits !== '')) return []
      return { prefix: last === '_' ? '' : digits + last, generation: Number(generation) }
    })
  })
}

/** The candidates on disk, by their prefix. */
export function candidatesIn(map: BucketDirectory): { path: string; prefix: string }[] {
  map.forget()
  return directoriesIn(map).flatMap(directory => {
    const digits = relative(map.path, directory).split(sep).join('')
    return (map.files.list(directory) ?? []).flatMap(name => {
      const last = CANDIDATE_FILE.exec(name)?.[1]
      if (last === undefined) return []
      return { path: join(directory, name), prefix: last === '_' ? '' : digits + last }
    })
  })
}

/** Every directory of the map that exists, parents first. */
function directoriesIn(map: BucketDirectory): string[] {
  const found: string[] = []
  const walk = (prefix: string) => {
    if (!map.isOwn(prefix)) return
    found.push(map.pathOf(prefix))
    for (const name of map.list(prefix).directories) walk(prefix + name)
  }
  walk('')
  return found
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

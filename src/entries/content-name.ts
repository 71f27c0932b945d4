// Names a file by its content, for analyses with `anywhere`.

import type { Input } from '../inputs/input.js'
import type { Entries } from './entries.js'

/** The content name of the file at the path; undefined if it is not a file, or can't be recorded. */
export function contentOf(entries: Entries, path: string): Input | undefined {
  const found = entries.attempt(undefined, () => entries.store.snapshot().source(path).input())
  // An empty directory has the digest of an empty file.
  return found?.kind === 'file' ? { ...found, path: '', isRelative: false } : undefined
}

export function nameOfContent(digest: Buffer): string {
  return `sha256 ${digest.toString('hex')}`
}

/** The digest of the file at the path; undefined if it can't be recorded. */
export function contentName(entries: Entries, path: string): string | undefined {
  const content = contentOf(entries, path)
  return content && nameOfContent(content.digest)
}

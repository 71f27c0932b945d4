// How an analysis with `anywhere` names its file: by the content.

import type { Input } from '../inputs/input.js'
import type { Entries } from './entries.js'

/** The file at the path, as it is now; undefined for what is no file, or can't be recorded. */
export function contentOf(entries: Entries, path: string): Input | undefined {
  const found = entries.attempt(undefined, () => entries.store.snapshot().source(path).input())
  // An empty directory has the digest of an empty file.
  return found?.kind === 'file' ? { ...found, path: '', isRelative: false } : undefined
}

export function nameOfContent(digest: Buffer): string {
  return `sha256 ${digest.toString('hex')}`
}

/** Of the file at the path; undefined for what can't be recorded. */
export function contentName(entries: Entries, path: string): string | undefined {
  const content = contentOf(entries, path)
  return content && nameOfContent(content.digest)
}

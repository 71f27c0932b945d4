// How an analysis with `anywhere` names its file: by the content.

import type { Input } from '../inputs/input.js'
import type { Entries } from './entries.js'

/** What is at the path now; undefined for what can't be recorded. */
export function contentOf(entries: Entries, path: string): Input | undefined {
  const found = entries.attempt(undefined, () => entries.store.snapshot().source(path).input())
  return found && { ...found, path: '', isRelative: false }
}

export function nameOfContent(digest: Buffer): string {
  return `sha256 ${digest.toString('hex')}`
}

/** Of the file at the path; undefined for what can't be recorded. */
export function contentName(entries: Entries, path: string): string | undefined {
  const content = contentOf(entries, path)
  return content && nameOfContent(content.digest)
}

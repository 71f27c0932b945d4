import { join } from 'node:path'
import type { Files } from './files.js'

/** Bytes that a directory and all below it take on disk; 0 when there is none. Files that vanish meanwhile do not count. */
export function diskUsage(files: Files, path: string): number {
  const stat = files.stat(path)
  if (!stat) return 0
  let bytes = stat.diskBytes
  if (stat.kind !== 'directory') return bytes
  for (const name of files.list(path) ?? []) bytes += diskUsage(files, join(path, name))
  return bytes
}

import { join } from 'node:path'
import type { FileStat, Files } from './files.js'

/** Bytes that a directory and all below it take on disk; 0 when there is none. Files that vanish meanwhile do not count. */
export function diskUsage(files: Files, path: string): number {
  return sumBelow(files, path, stat => stat.diskBytes)
}

/** The length of all files below a directory. */
export function fileBytes(files: Files, path: string): number {
  return sumBelow(files, path, ({ kind, sizeBytes }) => (kind === 'file' ? sizeBytes : 0))
}

function sumBelow(files: Files, path: string, measure: (stat: FileStat) => number): number {
  const stat = files.stat(path)
  if (!stat) return 0
  let bytes = measure(stat)
  if (stat.kind !== 'directory') return bytes
  for (const name of files.list(path) ?? []) bytes += sumBelow(files, join(path, name), measure)
  return bytes
}

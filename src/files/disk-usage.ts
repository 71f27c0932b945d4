import { join } from 'node:path'
import { errnoOf } from '../base/errors.js'
import type { FileStat, Files } from './files.js'

/**
 * Returns the bytes that a directory and everything below it take on disk; 0 if there is none. Links are not followed. Files
 * that can't be read, or vanish meanwhile, don't count.
 */
export function diskUsage(files: Files, path: string): number {
  return sumBelow(files, path, stat => stat.diskBytes)
}

/** The total length of the files below a directory, found like in `diskUsage`. */
export function fileBytes(files: Files, path: string): number {
  return sumBelow(files, path, ({ kind, sizeBytes }) => (kind === 'file' ? sizeBytes : 0))
}

function sumBelow(files: Files, path: string, measure: (stat: FileStat) => number): number {
  try {
    const stat = files.linkStat(path)
    if (!stat) return 0
    let bytes = measure(stat)
    if (stat.kind !== 'directory') return bytes
    for (const name of files.list(path) ?? []) bytes += sumBelow(files, join(path, name), measure)
    return bytes
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return 0
  }
}

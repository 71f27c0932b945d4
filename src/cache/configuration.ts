// Reads the root's `config.json`, which users write.

import { CacheError } from '../base/errors.js'
import type { Files } from '../files/files.js'

/** Larger files are refused. */
const MAX_CONFIG_BYTES = 1024 * 1024

/** Reads only a regular file: a pipe, or a link to a device, might never end. @throws CacheError `ERR_CACHE_CONFIG` */
export function readConfiguration(files: Files, path: string): string | undefined {
  const stat = files.linkStat(path)
  if (!stat) return undefined
  if (stat.kind !== 'file' || stat.sizeBytes > MAX_CONFIG_BYTES) {
    throw new CacheError('ERR_CACHE_CONFIG', 'config.json is a link, no plain file, or larger than 1 MB.', {
      value: path,
    })
  }
  return files.readFile(path)?.toString()
}

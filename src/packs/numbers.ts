// Which packs there are.

import type { Files } from '../files/files.js'

const PACK_FILE = /^(\d{1,10})\.(?:pack|retired)$/

/** See `PackFiles.numbers`. */
export function numbersIn(files: Pick<Files, 'linkStat' | 'list'>, path: string): number[] {
  // The target of a link doesn't belong to the cache.
  const names = (files.linkStat(path)?.kind === 'directory' && files.list(path)) || []
  return names
    .flatMap(name => PACK_FILE.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .filter((pack, at, all) => pack !== all[at - 1])
}

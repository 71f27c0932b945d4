import { CacheError } from './errors.js'

/** The error of a write of which the disk took only a part, because it is full. */
export function shortWrite(path: string, written: number, length: number): CacheError {
  const cause = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  const message = `Only ${written} of ${length} bytes could be written to ${path}.`
  return new CacheError('ERR_CACHE_IO', message, { cause })
}

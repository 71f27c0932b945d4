// What callers pass to a namespace, checked before anything is done.

import { resolve } from 'node:path'
import { CacheError } from '../base/errors.js'
import type {
  AnalyzeOptions,
  Bounds,
  Mode,
  NamespaceOptions,
  SetManyEntry,
  SetOptions,
  Strictness,
} from '../base/types.js'

/** How long an entry lives, without the ways to leave parts out. */
export interface Lifetime {
  ttlMs: number | undefined
  files: readonly string[] | undefined
}

const FOREVER: Lifetime = { ttlMs: undefined, files: undefined }
const MODES: readonly unknown[] = ['manual', 'ttl', 'file'] satisfies Mode[]
const STRICTNESSES: readonly unknown[] = ['stat', 'auto', 'content'] satisfies Strictness[]
const MAX_PATH_BYTES = 0xffff

export function checkNamespaceOptions(
  options: NamespaceOptions,
): Required<Omit<NamespaceOptions, 'base' | keyof Bounds>> & { base: string | undefined } {
  const {
    version = '',
    cyclic = false,
    classInstances = 'refuse',
    base,
    files = 'auto',
  } = expectObject(options, 'Namespace options')
  // A NUL separates it from the version of an analysis.
  if (typeof version === 'string' && version.includes('\0')) throw refuse('version must not hold a NUL', version)
  if (typeof cyclic !== 'boolean') throw refuse('cyclic must be true or false', cyclic)
  if (classInstances !== 'refuse' && classInstances !== 'plain') {
    throw refuse("classInstances must be 'refuse' or 'plain'", classInstances)
  }
  if (base !== undefined && (typeof base !== 'string' || base === '')) throw refuse('base must be a path', base)
  if (!STRICTNESSES.includes(files)) throw refuse("files must be 'stat', 'auto' or 'content'", files)
  return { version, cyclic, classInstances, base: base === undefined ? undefined : resolve(base), files }
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function checkAnalyzeOptions(options: AnalyzeOptions = {}): Required<AnalyzeOptions> {
  const { version = '', path = false } = expectObject(options, 'Analyze options')
  if (typeof version !== 'string') throw refuse('version must be a string', version)
  if (typeof path !== 'boolean') throw refuse('path must be true or false', path)
  return { version, path }
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function expectFunction(compute: unknown): void {
  if (typeof compute !== 'function') throw refuse('what computes a value must be a function', compute)
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function checkSetOptions(options: SetOptions | undefined): Lifetime {
  if (options === undefined) return FOREVER
  const { mode, ttlMs, files } = expectObject(options, 'Set options')
  if (mode !== undefined && !MODES.includes(mode)) throw refuse("mode must be 'manual', 'ttl' or 'file'", mode)
  if (ttlMs !== undefined && !(typeof ttlMs === 'number' && ttlMs > 0 && Number.isFinite(ttlMs))) {
    throw refuse('ttlMs must be a positive, finite number', ttlMs)
  }
  if (files !== undefined) for (const file of expectList(files)) expectPath(file)
  if (mode === 'ttl' && ttlMs === undefined) throw refuse("mode 'ttl' needs ttlMs", options)
  if (mode === 'file' && files === undefined) throw refuse("mode 'file' needs files", options)
  if (mode === 'manual' && (ttlMs ?? files) !== undefined)
    throw refuse("mode 'manual' takes no ttlMs and no files", options)
  if (mode === 'ttl' && files !== undefined) throw refuse("mode 'ttl' takes no files", options)
  return { ttlMs, files }
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function expectEntries(entries: Iterable<SetManyEntry>): SetManyEntry[] {
  if (typeof entries !== 'object' || entries === null || !(Symbol.iterator in entries)) {
    throw refuse('the entries must be a list', entries)
  }
  return Array.from(entries, entry => expectObject(entry, 'an entry'))
}

function expectList(files: unknown): readonly unknown[] {
  if (Array.isArray(files) && files.length > 0) return files
  throw refuse('files must be a list of at least one path', files)
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function expectPath(file: unknown): void {
  const isPath = typeof file === 'string' && file !== '' && !file.includes('\0') && file.isWellFormed()
  if (!isPath || Buffer.byteLength(file) > MAX_PATH_BYTES) throw refuse('a file must be given as a path', file)
}

function expectObject<T>(options: T, what: string): T {
  if (typeof options === 'object' && options !== null) return options
  throw refuse(`${what} must be an object`, options)
}

function refuse(why: string, value: unknown): CacheError {
  return new CacheError('ERR_CACHE_OPTION', `${why[0]?.toUpperCase()}${why.slice(1)}.`, { value })
}

// Operations on a whole cache: listing namespaces, statistics, gc, verify and watch.

import type {
  CacheStats,
  GcOptions,
  GcReport,
  RemoteFailing,
  StatsOptions,
  VerifyOptions,
  VerifyReport,
  Watcher,
  WatchOptions,
} from '../api/index.js'
import { CacheError, isIoError } from '../base/errors.js'
import { escapeNamespace } from '../base/layout.js'
import { unescapeNamespace } from '../base/namespace-name.js'
import { diskUsage } from '../files/disk-usage.js'
import type { Files } from '../files/files.js'
import { collect, createLock } from '../gc/gc.js'
import { createHistory } from '../gc/history.js'
import type { Namespaces } from '../gc/input.js'
import { removeFilesOf } from '../gc/leftovers.js'
import type { UpkeepInput } from '../gc/slices.js'
import { cacheStats } from '../namespace/stats.js'
import { failingStores } from '../remote/breaker-file.js'
import { verify } from '../verify/verify.js'
import { checkWatchOptions } from '../watcher/options.js'
import { watchSources } from '../watcher/watcher.js'
import { limitsOf, limitsOfGc } from './limits.js'
import { checkGcOptions, checkStatsOptions, checkVerifyOptions } from './maintenance-options.js'
import type { OpenCache } from './open-cache.js'
import type { NamespaceStorage, Storage } from './storage.js'

export function namespacesOf({ storage, report }: OpenCache): string[] {
  return attempt(report, [], () => directoriesOf(storage))
    .filter(directory => isInUse(storage, directory))
    .flatMap(directory => unescapeNamespace(directory) ?? [])
    .sort()
}

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_NAMESPACE` */
export function statsOf(cache: OpenCache, options?: StatsOptions): CacheStats {
  const { namespace, reset, ...reading } = checkStatsOptions(options)
  if (reset && cache.isReadOnly) throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be reset.')
  const { storage, report, storeOf } = cache
  const { environment, layout } = storage
  // A namespace without entries may have counts but no directory yet.
  const counted = [...storage.namespaces].filter(([, { counters }]) => counters.pendingCount > 0)
  const all = new Set([...namespacesOf(cache), ...counted.map(([directory]) => unescapeNamespace(directory))])
  const names = namespace === undefined ? [...all] : [...all].filter(name => name === namespace)
  const stores = [...names].flatMap(name =>
    name === undefined ? [] : [[name, storeOf(escapeNamespace(name))] as const],
  )
  const history = createHistory({ environment, layout })
  const stats = cacheStats(
    new Map(stores),
    attempt(report, 0, () => diskUsage(environment.files, layout.version)),
    {
      ...reading,
      history: namespace === undefined ? attempt(report, [], () => [...history.records()]) : [],
      failing: attempt(report, [], () => failingIn(storage)),
      nowMs: environment.files.now(),
    },
  )
  history.close()
  if (reset && !storage.problem())
    for (const [, { counters }] of stores) attempt(report, undefined, () => counters.clear())
  return stats
}

/** Remote stores that failed lately. Where there is nothing to read, what reads it isn't loaded. @throws errno-style errors */
function failingIn({ environment: { files }, layout }: Storage): RemoteFailing[] {
  return files.list(layout.remote)?.length ? failingStores(files, layout.remote, files.now()) : []
}

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_ROOT`, and what `collect` throws */
export async function collectCache(cache: OpenCache, options: GcOptions = {}): Promise<GcReport> {
  const { namespace, dryRun, signal, onProgress, limits } = checkGcOptions(options)
  const { storage, isReadOnly } = cache
  const problem = storage.problem()
  if (problem) throw problem
  if (isReadOnly && !dryRun) throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be collected.')
  const { root, fileHashes, snapshotMeans } = storage
  if (root.access) root.assertOurs()
  if (!dryRun) storage.flush()
  return collect({
    ...collectionOf(cache, true),
    fileHashes,
    snapshotMeans,
    limits: limitsOfGc(cache, namespace, limits),
    only: namespace,
    isDryRun: dryRun,
    signal,
    onProgress,
  })
}

export function removeNamespace({ storage, isReadOnly, report }: OpenCache, name: string): number {
  const directory = escapeNamespace(name)
  if (isReadOnly || storage.problem()) return 0
  const { environment, layout } = storage
  const namespace = storage.namespace(directory)
  return attempt(report, 0, () => {
    const count = namespace.manifest.clear()
    namespace.counters.clear()
    // If a gc is running, a few bytes are left, which the next gc removes.
    const lock = createLock(environment.files, layout, environment.random)
    if (environment.files.linkStat(layout.namespace(directory)) && lock.acquire()) {
      removeFilesOf(environment.files, layout, { directory, ...namespace })
      lock.release()
    }
    return count
  })
}

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_ROOT`, and what `verify` throws */
export async function verifyCache(cache: OpenCache, options: VerifyOptions = {}): Promise<VerifyReport> {
  checkVerifyOptions(options)
  const { root, environment, layout } = cache.storage
  const problem = cache.storage.problem()
  if (problem) throw problem
  if (options.repair && cache.isReadOnly) {
    throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be repaired.', { value: options })
  }
  if (root.access) root.assertOurs()
  const lockOn = (files: Files) => createLock(files, layout, environment.random)
  return verify({ environment, layout, lockOn }, options)
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function watchRoots(cache: OpenCache, roots: string | readonly string[], options: WatchOptions = {}): Watcher {
  const { storage, watchers, isReadOnly, now, report } = cache
  const watcher = watchSources({
    ...checkWatchOptions(roots, options),
    environment: storage.environment,
    snapshotMeans: storage.snapshotMeans,
    lists: storage.lists,
    manifests: () =>
      new Map(
        directoriesOf(storage).map(directory => [
          unescapeNamespace(directory) ?? directory,
          storage.namespace(directory).manifest,
        ]),
      ),
    cacheDirectory: storage.layout.root,
    now,
    canDrop: !isReadOnly,
    report,
    closed: closed => watchers.delete(closed),
  })
  watchers.add(watcher)
  return watcher
}

/** The input of the background gc. */
export function upkeepInputOf(cache: OpenCache): UpkeepInput {
  return { ...collectionOf(cache, false), limits: () => limitsOf(cache) }
}

/** The input of `gc()` and of the background gc. `isWritten`: pending uses are written already. */
function collectionOf({ storage, now }: OpenCache, isWritten: boolean) {
  const { environment, blobs, layout } = storage
  const namespaces: Namespaces = {
    directories: () => directoriesOf(storage).sort(),
    open(directory) {
      if (!isWritten) storage.namespaces.get(directory)?.manifest.flush()
      const found = visit(storage, directory)
      return found && { name: unescapeNamespace(directory) ?? directory, directory, ...found }
    },
  }
  return { environment, blobs, layout, namespaces, now }
}

/**
 * Opens a namespace for a moment without keeping it open, since there may be tens of thousands. Returns undefined if there is
 * no such directory.
 */
function visit(storage: Storage, directory: string): (NamespaceStorage & { close(): void }) | undefined {
  const { environment, layout, namespaces } = storage
  if (environment.files.linkStat(layout.namespace(directory))?.kind !== 'directory') return undefined
  const known = namespaces.get(directory)
  if (known) return { ...known, close: () => undefined }
  const { manifest, counters } = storage.create(directory)
  const close = () => {
    manifest.close()
    counters.close()
  }
  return { manifest, counters, close }
}

/** Every directory with a manifest, even if its name isn't that of a namespace. */
export function directoriesOf(storage: Storage): string[] {
  const { environment, layout } = storage
  return storage.problem() ? [] : (environment.files.list(layout.namespaces) ?? [])
}

/** Whether the namespace has entries or statistics. A removed namespace leaves its files behind. */
function isInUse(storage: Storage, directory: string): boolean {
  try {
    const found = visit(storage, directory)
    if (!found) return false
    const isUsed = !found.counters.isEmpty || !found.manifest.isEmpty
    found.close()
    return isUsed
  } catch (error) {
    if (!isIoError(error)) throw error
    return true
  }
}

function attempt<T>(report: (error: unknown) => void, fallback: T, work: () => T): T {
  try {
    return work()
  } catch (error) {
    report(error)
    return fallback
  }
}

// Watches for changes below one root. The only importer of chokidar, which is loaded only by processes that watch.
//
// Not guaranteed: that every change gives an event. The kernel's queue overflows (5,000 files written in one tick), watches
// run out, or a directory is filled before it is watched. So an event is a hint, and the watcher must also check everything
// from time to time.
//
// Watches the root, or the nearest existing directory above it, which shows when the root is created. If the watched
// directory itself is removed, another watch is started.
//
// Files are watched only through their directories, whose raw events name them. A watch for each of 5,000 files took
// fifteen times as long to set up, 40 MB, and most of the watches that a user has; and it is lost when its file is replaced.

import { basename, dirname, join, resolve } from 'node:path'
import type { FSWatcher, MatchFunction } from 'chokidar'
import type { Files } from '../files/files.js'
import { isWithin } from './source-tree.js'

/** On other systems the events of a directory only tell which names appear and disappear. */
const NAMES_CHANGED_FILES = ['linux', 'darwin', 'win32'].includes(process.platform)

export interface ObserverInput {
  files: Files
  root: string
  isPersistent: boolean
  isIgnored(path: string): boolean
  /** Something at or below the path may have changed, or the names in its directory. */
  changed(path: string): void
  /** A directory is new, and may have been filled before it was watched. */
  grown(path: string): void
  failed(error: unknown): void
}

export class Observer {
  readonly #input: ObserverInput
  #anchor = ''
  #watcher: FSWatcher | undefined
  /** Ends the wait for the watch to be set up. */
  #settle: () => void = () => undefined
  /** Links to files are watched separately: a change to the file gives no event in the link's directory. */
  readonly #links = new Set<string>()
  #isStarting = false
  #isClosed = false

  constructor(input: ObserverInput) {
    this.#input = input
  }

  /** Resolves once the watch is set up, as far as possible. */
  async start(): Promise<void> {
    this.#isStarting = true
    try {
      const { watch } = await loadChokidar()
      const anchor = this.#nearestDirectory()
      if (anchor !== undefined && !this.#isClosed) await this.#watch(watch, anchor)
    } catch (error) {
      this.#input.failed(error)
    }
    this.#isStarting = false
  }

  /** Starts another watch if the watched directory has vanished without an event, or none could be watched. */
  check(): void {
    const isThere = this.#watcher && this.#input.files.stat(this.#anchor)?.kind === 'directory'
    if (!isThere) this.#renew()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#watcher?.close()
    this.#settle()
  }

  #watch(watch: typeof import('chokidar').watch, anchor: string): Promise<void> {
    const { isPersistent, changed, grown, failed } = this.#input
    const watcher = watch(anchor, {
      persistent: isPersistent,
      // A watch that doesn't keep the process alive has no error listener. On Windows, removing a watched directory is an
      // error.
      usePolling: !isPersistent && process.platform === 'win32',
      interval: 1000,
      ignoreInitial: true,
      // A file that can't be read can't be a source either.
      ignorePermissionErrors: true,
      // chokidar's `atomic` would delay removals, and ignore names that end with a tilde.
      atomic: false,
      ignored: (path, stats) => this.#isIgnored(resolve(path), stats),
    })
    this.#anchor = anchor
    this.#watcher = watcher
    watcher.on('all', (event, path) => {
      if (event === 'addDir') grown(resolve(path))
      else changed(resolve(path))
      if (event === 'unlinkDir' && resolve(path) === anchor) this.#renew()
    })
    watcher.on('raw', (event, name, details) => {
      const { watchedPath } = details as { watchedPath?: string }
      if (!watchedPath) return
      changed(join(resolve(watchedPath), name ?? ''))
      if (event === 'rename' && name === basename(anchor) && resolve(watchedPath) === anchor) this.#renew()
    })
    return new Promise(settle => {
      this.#settle = settle
      watcher.on('ready', settle)
      watcher.on('error', error => {
        failed(error)
        // After some errors chokidar never gets ready.
        settle()
      })
    })
  }

  #renew(): void {
    if (this.#isStarting) return
    this.#watcher?.close().catch(this.#input.failed)
    this.#watcher = undefined
    this.start().then(() => this.#input.changed(this.#input.root))
  }

  #nearestDirectory(): string | undefined {
    for (let path = this.#input.root; ; path = dirname(path)) {
      if (this.#input.files.stat(path)?.kind === 'directory') return path
      if (dirname(path) === path) return undefined
    }
  }

  #isIgnored(path: string, stats: Parameters<MatchFunction>[1]): boolean {
    const { root, isIgnored } = this.#input
    if (!isWithin(path, root)) return !isWithin(root, path)
    if (path !== root && isIgnored(path)) return true
    if (stats?.isSymbolicLink()) this.#links.add(path)
    const isNamed = NAMES_CHANGED_FILES && !this.#watcher?.options.usePolling
    return isNamed && stats?.isFile() === true && !this.#links.has(path)
  }
}

/** Test runners that load modules by themselves (Jest with CommonJS, vitest's vm pools) cannot import from here; Node can. */
async function loadChokidar(): Promise<typeof import('chokidar')> {
  try {
    return await import('chokidar')
  } catch (error) {
    // Some test runners have no `import()` in their realms, which is a TypeError; a missing package is another error.
    if ((error as Error | undefined)?.name !== 'TypeError') throw error
    const { createRequire } = process.getBuiltinModule('node:module')
    try {
      return createRequire(import.meta.filename)('chokidar')
    } catch {
      throw error
    }
  }
}

// A watcher under test, and what it has told so far.

import { onTestFinished } from 'vitest'
import type { Cache, CacheError, Invalidation, Watcher, WatchOptions } from '../../src/index.js'

export class Watching {
  readonly watcher: Watcher
  readonly invalidations: Invalidation[] = []
  readonly errors: CacheError[] = []
  #wake: () => void = () => undefined

  constructor(cache: Cache, roots: string | readonly string[], options?: WatchOptions) {
    this.watcher = cache.watch(roots, options)
    this.watcher.on('invalidate', invalidation => {
      this.invalidations.push(invalidation)
      this.#wake()
    })
    this.watcher.on('error', error => {
      this.errors.push(error)
      this.#wake()
    })
    this.watcher.on('update', () => this.#wake())
    onTestFinished(() => this.watcher.close())
  }

  /** Keys in the order in which they were reported. */
  get keys(): string[] {
    return this.invalidations.map(({ key }) => key)
  }

  /** Resolves when the condition holds; it is tried whenever the watcher tells something. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Resolves when these keys, and no others, were reported, each once. */
  async untilKeys(...keys: string[]): Promise<void> {
    await this.until(() => this.invalidations.length >= keys.length)
    const [found, expected] = [[...this.keys].sort(), [...keys].sort()]
    if (found.join('\n') !== expected.join('\n')) throw new Error(`Reported were ${found}, not ${expected}.`)
  }
}

export async function watching(
  cache: Cache,
  roots: string | readonly string[],
  options?: WatchOptions,
): Promise<Watching> {
  const begun = new Watching(cache, roots, options)
  await begun.watcher.ready
  return begun
}

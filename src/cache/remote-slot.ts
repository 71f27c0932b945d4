// Opens the remote tier of a cache on first use. Its code is loaded only if a remote is configured.

import type { CacheOptions, Remote } from '../api/index.js'
import { isIoError } from '../base/errors.js'
import type { NamespaceStore } from '../entries/store.js'
import { openRemote } from '../remote/open.js'
import type { RemoteTier } from '../remote/tier.js'
import { readConfiguration } from './configuration.js'
import { directoriesOf } from './maintenance.js'
import { createRemote } from './remote-tools.js'
import type { Storage } from './storage.js'

class RemoteSlot {
  readonly #options: CacheOptions['remote']
  readonly #storage: Storage
  readonly #isReadOnly: boolean
  readonly #report: (error: unknown) => void
  /** Null if there is no remote; undefined before the first use. */
  #tier: RemoteTier | null | undefined

  constructor(
    options: CacheOptions['remote'],
    storage: Storage,
    isReadOnly: boolean,
    report: (error: unknown) => void,
  ) {
    this.#options = options
    this.#storage = storage
    this.#isReadOnly = isReadOnly
    this.#report = report
  }

  open(): RemoteTier | undefined {
    if (this.#tier === undefined) this.#tier = this.#open() ?? null
    return this.#tier ?? undefined
  }

  /** What tools do with it. */
  tools(storeOf: (directory: string) => NamespaceStore): Remote | undefined {
    const tier = this.open()
    return tier && createRemote({ tier, directories: () => directoriesOf(this.#storage), storeOf })
  }

  flush(): Promise<void> {
    return this.#tier?.flush() ?? Promise.resolve()
  }

  /** Calls `end` once nothing more will be counted; at once if nothing is being sent. */
  close(end: () => void): Promise<void> {
    const tier = this.#tier
    this.#tier = null
    if (tier && !tier.isIdle) return tier.close().then(end)
    end()
    return tier?.close() ?? Promise.resolve()
  }

  #open(): RemoteTier | undefined {
    const options = this.#options
    if (options === false) return undefined
    try {
      const { environment, layout } = this.#storage
      const { files } = environment
      const configuration = readConfiguration(files, layout.config)
      if (!options && !process.env.WICKED_CACHE_REMOTE && !configuration?.includes('"remote"')) return undefined
      // Create the root first: once it has content, a root without a tag would be taken for another program's directory.
      const canWrite = () => !this.#isReadOnly && !this.#storage.problem() && files.linkStat(layout.tag) !== undefined
      const { root, remote: directory } = layout
      return openRemote({ options, configuration, files, root, directory, canWrite, report: this.#report })
    } catch (error) {
      if (!isIoError(error)) throw error
      this.#report(error)
      return undefined
    }
  }
}

export type { RemoteSlot }

export function createRemoteSlot(...given: ConstructorParameters<typeof RemoteSlot>): RemoteSlot {
  return new RemoteSlot(...given)
}

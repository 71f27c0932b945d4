// Computations in progress in this process, by name: whoever asks for the same meanwhile shares one.

import type { Source } from '../manifest/entry.js'

/** What a computation came to. */
export interface Landed {
  value: unknown
  /** Undefined where there is nothing to store. */
  bytes: Buffer | undefined
  /** What it depends on, as it was when it was looked at. */
  sources: readonly Source[]
}

export class Flights {
  readonly #byName = new Map<string, Promise<Landed>>()

  /**
   * The outcome of the computation of this name that is on its way, if `isFresh` says that it will do for somebody who asks
   * now; else of a new one. Rejects as the computation does, for all who share it.
   */
  async share(
    name: string,
    isFresh: (landed: Landed) => boolean,
    compute: () => Promise<Landed>,
  ): Promise<Landed & { isShared: boolean }> {
    for (let flight = this.#byName.get(name); flight; flight = this.#byName.get(name)) {
      const landed = await flight
      if (isFresh(landed)) return { ...landed, isShared: true }
    }
    const flight = compute()
    this.#byName.set(name, flight)
    try {
      return { ...(await flight), isShared: false }
    } finally {
      this.#byName.delete(name)
    }
  }
}

// Values that are computed when they are not there: by key, with whatever the computation names as its sources.

import { decodeValue } from '../encoding/decode.js'
import type { EntryKey } from '../manifest/manifest.js'
import { judgeSources } from '../manifest/verdict.js'
import { Dependencies } from './dependencies.js'
import type { Entries, Outcome } from './entries.js'
import type { Landed } from './flights.js'
import type { Lifetime } from './options.js'
import { runAsync, runSync, type Steps } from './steps.js'

/** Between two looks for a value that another process computes, in ms: the first one at first, twice as long each time. */
const MIN_WAIT_MS = 1
const MAX_WAIT_MS = 50

export class Computing {
  readonly #entries: Entries

  constructor(entries: Entries) {
    this.#entries = entries
  }

  async getOrSet(key: EntryKey, compute: (context: Dependencies) => unknown, lifetime: Lifetime): Promise<unknown> {
    return this.share(key.bytes.toString('latin1'), () => runAsync(this.#getOrSet(key, compute, lifetime)))
  }

  getOrSetSync(key: EntryKey, compute: (context: Dependencies) => unknown, lifetime: Lifetime): unknown {
    return runSync(this.#getOrSet(key, compute, lifetime)).value
  }

  /** One computation of a name at a time in this process; those who share one get copies of its value. */
  async share(name: string, compute: () => Promise<Landed>): Promise<unknown> {
    const { flights } = this.#entries.store
    const { value, bytes, isShared } = await flights.share(name, landed => this.#isShareable(landed), compute)
    if (!isShared) return value
    this.#entries.count('hits')
    return bytes && decodeValue(bytes)
  }

  /** Calls the caller's function, which may give a promise; `context` cannot be used after that. */
  *run(compute: (context: never) => unknown, context: Dependencies): Steps<Landed> {
    try {
      const value = yield { outcome: compute(context as never) }
      const bytes = value === undefined ? undefined : Buffer.from(this.#entries.encode(value))
      return { value, bytes, sources: context.sources }
    } finally {
      context.end()
    }
  }

  *#getOrSet(key: EntryKey, compute: (context: Dependencies) => unknown, { ttlMs, files }: Lifetime): Steps<Landed> {
    const entries = this.#entries
    const found = entries.look(key)
    if (found.reason === undefined) return this.#hit(found)
    try {
      const claimed = yield* this.#claim(key)
      if (claimed) return this.#hit(claimed)
      entries.count(found.reason)
      const context = new Dependencies(entries)
      for (const file of files ?? []) context.addDependency(file)
      const landed = yield* this.run(compute, context)
      const sources = files || landed.sources.length > 0 ? landed.sources : undefined
      if (landed.bytes && context.isConsistent) entries.set([{ key, bytes: landed.bytes, ttlMs, sources }])
      return landed
    } finally {
      entries.write(() => entries.store.claims.release(key))
    }
  }

  /** Lets one process compute, which gets nothing here; the others wait for its value. */
  *#claim(key: EntryKey): Steps<Outcome | undefined> {
    const { store } = this.#entries
    if (!store.canWrite) return undefined
    for (let waitMs = MIN_WAIT_MS; ; waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)) {
      const isTaken = this.#entries.attempt(true, () => store.claims.take(key))
      // A claim that was free may be so because its owner has just finished.
      store.environment.turn.end()
      const outcome = this.#entries.look(key)
      if (outcome.reason === undefined) return outcome
      if (isTaken) return undefined
      yield { waitMs }
      store.environment.turn.end()
    }
  }

  #hit({ value }: Outcome): Landed {
    this.#entries.count('hits')
    return { value, bytes: undefined, sources: [] }
  }

  /** Whether what another caller computed will do for one that asks now; what it found stored has to be looked up anew. */
  #isShareable({ value, bytes, sources }: Landed): boolean {
    if (value !== undefined && !bytes) return false
    const { store, base, strictness } = this.#entries
    return this.#entries.attempt(false, () => !judgeSources(store.environment, sources, base, strictness).reason)
  }
}

// Computes rates from samples of counters.

/** The counts of a namespace, or of all. */
export interface Counts {
  hitCount: number
  missCount: number
  setCount: number
}

export interface Rates {
  hitsPerSecond: number
  missesPerSecond: number
  setsPerSecond: number
  /** Hits as a share of all reads in this time; null if there were none. */
  hitRate: number | null
}

export interface Sample {
  atMs: number
  namespaces: Readonly<Record<string, Counts>>
}

const NONE: Counts = { hitCount: 0, missCount: 0, setCount: 0 }

/** Processes write their counts about once a second, so rates are averaged over a few seconds. */
export class RateWindow {
  readonly #windowMs: number
  /** Oldest first. */
  #samples: Sample[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  add(sample: Sample): void {
    this.#samples.push(sample)
    // Keep one sample at the window's start, to compare with.
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= sample.atMs - this.#windowMs) this.#samples.shift()
  }

  /** 0 before the second sample, and for a namespace that didn't exist. */
  ratesOf(name: string): Rates {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    const before = own(first, name)
    const now = own(last, name)
    const seconds = ((last?.atMs ?? 0) - (first?.atMs ?? 0)) / 1000
    // After a reset, rates start again.
    const since = (field: keyof Counts) => Math.max(0, now[field] - before[field])
    const perSecond = (count: number) => (seconds > 0 ? count / seconds : 0)
    const [hits, misses] = [since('hitCount'), since('missCount')]
    return {
      hitsPerSecond: perSecond(hits),
      missesPerSecond: perSecond(misses),
      setsPerSecond: perSecond(since('setCount')),
      hitRate: hits + misses === 0 ? null : hits / (hits + misses),
    }
  }
}

function own(sample: Sample | undefined, name: string): Counts {
  return sample && Object.hasOwn(sample.namespaces, name) ? (sample.namespaces[name] ?? NONE) : NONE
}

// How often things happen, from counts that are looked at now and then.

/** What is counted of a namespace, or of all. */
export interface Counts {
  hitCount: number
  missCount: number
  setCount: number
}

export interface Rates {
  hitsPerSecond: number
  missesPerSecond: number
  setsPerSecond: number
  /** The part that hits are of all reads in this time; null when there were none. */
  hitRate: number | null
}

export interface Sample {
  atMs: number
  namespaces: Readonly<Record<string, Counts>>
}

const NONE: Counts = { hitCount: 0, missCount: 0, setCount: 0 }

/** Processes write what they have counted about once a second, so rates are over some seconds. */
export class RateWindow {
  readonly #windowMs: number
  /** The earliest first. */
  #samples: Sample[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  add(sample: Sample): void {
    this.#samples.push(sample)
    // One that is as old as the window stays, to be compared with.
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= sample.atMs - this.#windowMs) this.#samples.shift()
  }

  /** 0 before the second sample, and of a namespace that wasn't there. */
  ratesOf(name: string): Rates {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    const before = own(first, name)
    const now = own(last, name)
    const seconds = ((last?.atMs ?? 0) - (first?.atMs ?? 0)) / 1000
    // Statistics that were reset begin anew.
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

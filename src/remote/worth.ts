// Decides whether to ask the store, or to compute at once because that is faster.

interface Average {
  value: number
  count: number
}

/** The weight of a new sample in the moving average: about the last ten count. */
const WEIGHT = 0.1
const MIN_COMPUTED = 8
const MIN_BATCHES = 3
/** Shorter times aren't compared: they share a batch anyway. */
const MIN_ANSWER_MS = 1
/** Ask anyway every so often, to notice a store that has become faster. */
const TRY_EVERY = 64
const MAX_NAMES = 1000
const TIMES_KEPT = 512

export class Worth {
  readonly #computed = new Map<string, Average>()
  readonly #answer: Average = { value: 0, count: 0 }
  readonly #times: number[] = []
  readonly #budgetMs: number
  #waitedMs = 0
  #valueMs = 0
  #skipped = 0

  /** The process may wait this long in all without getting as much in return. */
  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs
  }

  /** `what` names similar computations. */
  computed(what: string, ms: number): void {
    if (!this.#computed.has(what) && this.#computed.size >= MAX_NAMES) this.#computed.clear()
    const average = this.#computed.get(what) ?? { value: 0, count: 0 }
    this.#computed.set(what, average)
    add(average, ms)
    this.#valueMs += ms
  }

  /** An answer was used, which took so long to compute elsewhere. */
  saved(ms: number): void {
    this.#valueMs += ms
  }

  answered(tookMs: number, count: number): void {
    add(this.#answer, tookMs / Math.max(count, 1))
    this.#waitedMs += tookMs
    if (this.#times.push(tookMs) > TIMES_KEPT) this.#times.shift()
  }

  isAsking(what: string): boolean {
    const computed = this.#computed.get(what)
    const isKnown = computed && computed.count >= MIN_COMPUTED && this.#answer.count >= MIN_BATCHES
    const isQuicker = isKnown && this.#answer.value >= MIN_ANSWER_MS && computed.value <= this.#answer.value / 2
    if (!isQuicker && !this.#isOverBudget) return true
    return ++this.#skipped % TRY_EVERY === 0
  }

  /** The store has cost more than the computations that it could replace. */
  get #isOverBudget(): boolean {
    return this.#waitedMs > this.#budgetMs && this.#waitedMs > this.#valueMs
  }

  /** The quantile `part` of the batch times, in ms. */
  quantile(part: number): number | undefined {
    const sorted = [...this.#times].sort((one, other) => one - other)
    return sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)]
  }
}

function add(average: Average, value: number): void {
  average.count++
  average.value += (value - average.value) * Math.max(WEIGHT, 1 / average.count)
}

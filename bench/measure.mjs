// Samples and what is said of them. Contenders take turns, so that whatever else the machine does hits all alike.

/**
 * @typedef {object} Line one cell of one table
 * @property {string} table
 * @property {string} column
 * @property {string} contender
 * @property {string} unit
 * @property {'lower' | 'higher'} better
 * @property {boolean} isPeer false for a floor such as bare node, which ratios leave out
 * @property {number[]} samples
 */

/** @param {readonly number[]} samples */
export const median = samples => quantile(samples, 0.5)

/** Half the distance between the quartiles, as a part of the median. @param {readonly number[]} samples */
export const spread = samples => (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2 / Math.abs(median(samples))

/** @param {readonly number[]} samples @param {number} part */
export function quantile(samples, part) {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/**
 * Calls each contender once a round, in an order that turns with the rounds.
 *
 * @template T
 * @param {readonly T[]} contenders
 * @param {number} rounds
 * @param {(contender: T, round: number) => unknown} call
 */
export async function inTurns(contenders, rounds, call) {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      await call(/** @type {T} */ (contenders[(i + round) % contenders.length]), round)
      // Children are waited for synchronously: without a turn of the event loop no signal would be heard.
      await new Promise(setImmediate)
    }
  }
}

/** All lines of a run, in the order in which they were first measured. */
export class Results {
  /** @type {Map<string, Line>} */
  #lines = new Map()

  /** @param {Iterable<Line>} lines */
  constructor(lines = []) {
    for (const line of lines) this.#lines.set(keyOf(line), line)
  }

  /**
   * @param {Pick<Line, 'table' | 'column' | 'contender' | 'unit'> & Partial<Line>} where
   * @param {number} sample
   */
  add(where, sample) {
    const line = this.#lines.get(keyOf(where)) ?? { better: 'lower', isPeer: true, ...where, samples: [] }
    line.samples.push(sample)
    this.#lines.set(keyOf(where), line)
  }

  get lines() {
    return [...this.#lines.values()]
  }

  /** @param {string} table */
  columns(table) {
    return [...new Set(this.lines.filter(line => line.table === table).map(({ column }) => column))]
  }

  /** The median, undefined where nothing was measured. @param {string} table @param {string} column @param {string} contender */
  median(table, column, contender) {
    const line = this.#lines.get(keyOf({ table, column, contender }))
    return line && median(line.samples)
  }
}

/** @param {{ table: string, column: string, contender: string }} line */
const keyOf = ({ table, column, contender }) => JSON.stringify([table, column, contender])

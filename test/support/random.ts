// A small seeded generator: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c

/** Gives integers from 0 up to, not including, `below`. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / (0x100000000 / below))
  }
}

/** `$TEST_SEED`, else a new one; printed, so that a failure can be had again. */
export function printedSeed(what: string): number {
  const seed = Number(process.env.TEST_SEED) || Math.floor(Math.random() * 0x7fffffff) + 1
  process.stdout.write(`${what}: TEST_SEED=${seed}\n`)
  return seed
}

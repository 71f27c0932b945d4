// Whether an answer is what the oracle gives. Two things may differ: times, which may be as old as the ttl allows, and what a
// get finds of an entry that is computed, which may be nothing.

/** What differs, with where; undefined for nothing. `isHit`: what gets found must be what they find now. */
export function differenceOf(given: unknown, expected: unknown, isHit: boolean, where = 'answer'): string | undefined {
  if (Array.isArray(given) && Array.isArray(expected)) {
    if (given.length !== expected.length) return `${where} has ${given.length} parts, not ${expected.length}`
    for (const [at, each] of given.entries()) {
      const difference = differenceOf(each, expected[at], isHit, `${where}[${at}]`)
      if (difference !== undefined) return difference
    }
    return undefined
  }
  if (!isObject(given) || !isObject(expected)) {
    return given === expected ? undefined : `${where} is ${JSON.stringify(given)}, not ${JSON.stringify(expected)}`
  }
  if ('time' in given && 'time' in expected) return differenceOfTimes(given, expected, where)
  if ('peek' in given && 'peek' in expected) return differenceOfGets(given, expected, isHit, where)
  const names = new Set([...Object.keys(given), ...Object.keys(expected)])
  for (const name of names) {
    const difference = differenceOf(given[name], expected[name], isHit, `${where}.${name}`)
    if (difference !== undefined) return difference
  }
  return undefined
}

type Parts = Record<string, unknown>

function differenceOfTimes(given: Parts, expected: Parts, where: string): string | undefined {
  const ageMs = (expected.time as number) - (given.time as number)
  const lifetimeMs = Math.min(given.ttl as number, expected.ttl as number)
  return ageMs >= 0 && ageMs < lifetimeMs ? undefined : `${where} is ${ageMs} ms old, of ${lifetimeMs}`
}

function differenceOfGets(given: Parts, expected: Parts, isHit: boolean, where: string): string | undefined {
  const [found, now] = [JSON.stringify(given.peek), JSON.stringify(expected.now)]
  if (isHit) return found === now ? undefined : `${where}.peek is ${found}, and would be ${now} now`
  if (given.peek === null || given.peek === false) return undefined
  const differences = (expected.peek as unknown[]).map(each => differenceOf(given.peek, each, false, `${where}.peek`))
  return differences.includes(undefined) ? undefined : differences[0]
}

function isObject(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null
}

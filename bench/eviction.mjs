// Which entries to evict: what rules keep of the time that was saved, on recorded traces (bench/traces, made by
// bench/record-traces.mjs). A gc is simulated as it runs: it begins at 90 % of the limit and leaves 80 %.
//
//   node bench/eviction.mjs [TRACE...]
//
// A trace is a gzipped JSON array of [question, bytes, ms, at]: a number for what is asked, the length of the answer, how long
// computing it takes, and when it was asked, in s.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const TRACES = join(import.meta.dirname, 'traces')
/** Of the bytes of all answers. */
const LIMITS = [0.25, 0.5, 0.75]
/** An entry takes this much besides its value. */
const OVERHEAD_BYTES = 300
const DAY = 86_400

/** A use is written down when it is this much later than the last one that was: no hit writes else. */
const USE_INTERVAL = 4 * 3600

/** µs per byte. */
const density = ({ bytes, ms }) => (ms * 1000) / bytes
/** As in src/gc/rank.ts. */
const doublings = (entry, most) => Math.max(-most, Math.min(Math.log2(density(entry)), most))

/** Each gives a rank: entries with the lowest go first. `floor` is the highest rank that was evicted so far. */
const RULES = {
  lru: entry => entry.usedAt,
  'lru by day, then ms per byte': entry => Math.floor(entry.usedAt / DAY) * 1e6 + Math.min(density(entry), 999_999),
  'lru, 6 h per doubling of ms per byte': entry => entry.usedAt + (DAY / 4) * doublings(entry, 8),
  'lru, 1 d per doubling': entry => entry.usedAt + DAY * doublings(entry, 8),
  'lru, 2 d per doubling (chosen)': entry => entry.usedAt + 2 * DAY * doublings(entry, 8),
  'greedy dual size': (entry, floor) => floor + density(entry),
  'greedy dual size, frequency': (entry, floor) => floor + entry.uses * density(entry),
  'ms per byte alone': entry => density(entry),
}

/** The share of the time that an endless cache saves. */
function simulate(trace, limitBytes, rule) {
  const entries = new Map()
  let bytes = 0
  let floor = 0
  let savedMs = 0
  let hits = 0
  for (const [question, size, ms, at] of trace) {
    let entry = entries.get(question)
    if (entry) {
      savedMs += entry.ms
      hits++
      if (at - entry.usedAt >= USE_INTERVAL) entry.usedAt = at
      entry.uses++
    } else {
      entry = { question, bytes: size + OVERHEAD_BYTES, ms, usedAt: at, uses: 1 }
      entries.set(question, entry)
      bytes += entry.bytes
    }
    entry.rank = rule(entry, floor)
    if (bytes <= 0.9 * limitBytes) continue
    for (const each of [...entries.values()].sort((a, b) => a.rank - b.rank)) {
      if (bytes <= 0.8 * limitBytes) break
      entries.delete(each.question)
      bytes -= each.bytes
      floor = each.rank
    }
  }
  return { savedMs, hits }
}

const files = process.argv.slice(2)
const paths = files.length > 0 ? files : readdirSync(TRACES).map(name => join(TRACES, name))
for (const path of paths) {
  const trace = JSON.parse(gunzipSync(readFileSync(path)))
  const sizes = new Map(trace.map(([question, bytes]) => [question, bytes + OVERHEAD_BYTES]))
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
  const best = simulate(trace, Number.POSITIVE_INFINITY, RULES.lru)
  const all = trace.reduce((sum, [, , ms]) => sum + ms, 0)
  console.log(
    `\n${basename(path)}: ${trace.length} questions, ${sizes.size} answers, ${(total / 2 ** 20).toFixed(1)} MB, ` +
      `${(all / 1000).toFixed(1)} s, of which an endless cache saves ${(best.savedMs / 1000).toFixed(1)} s`,
  )
  console.table(
    Object.fromEntries(
      Object.entries(RULES).map(([name, rule]) => [
        name,
        Object.fromEntries(
          LIMITS.map(limit => {
            const { savedMs, hits } = simulate(trace, limit * total, rule)
            return [
              `${limit * 100} %`,
              `${((100 * savedMs) / best.savedMs).toFixed(1)} % (${((100 * hits) / best.hits).toFixed(1)} % of hits)`,
            ]
          }),
        ),
      ]),
    ),
  )
}

// What shared inputs cost: `npm run build && node bench/inputs.mjs [case...]`, cases: shared, chain, snapshot. Each run is a
// process of its own; figures are medians in CPU time, beside that of one stat of each source.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableText } from '../examples/text.mjs'

const ROUNDS = Number(process.env.ROUNDS ?? 5)

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** What a process of its own can be asked to do; returns how many it computed. */
const runs = {
  /** As many results as there are sources, each of which reads all of them. */
  shared({ bench, cache, paths, isSnapshot }) {
    let computedCount = 0
    const all = () =>
      paths.map((_, i) =>
        bench.getOrSetSync(`result ${i}`, ({ readFile }) => {
          computedCount++
          return paths.reduce((sum, path) => sum + readFile(path).length, i)
        }),
      )
    isSnapshot ? cache.snapshot(all) : all()
    return computedCount
  },

  /** Each result reads a source and asks for the next result. */
  chain({ bench, paths }) {
    let computedCount = 0
    const ask = i =>
      bench.getOrSetSync(`link ${i}`, ({ readFile }) => {
        computedCount++
        return readFile(paths[i]).length + (i + 1 < paths.length ? ask(i + 1) : 0)
      })
    ask(0)
    return computedCount
  },

  /** Entries that all depend on all sources. */
  snapshot({ bench, cache, paths, isSnapshot, isFill }) {
    const keys = Array.from({ length: 10_000 }, (_, i) => `entry ${i}`)
    if (isFill) {
      bench.setMany(keys.map((key, i) => ({ key, value: i, files: paths })))
      return keys.length
    }
    const all = () => bench.getMany(keys)
    const values = isSnapshot ? cache.snapshot(all) : all()
    return values.filter(value => value === undefined).length
  },
}

if (process.env.INPUTS_RUN) {
  // The files were written a moment ago. Later on their stat alone proves that they are unchanged.
  const { now } = Date
  Date.now = () => now() + 3_600_000
  const { dir, work, paths, ...input } = JSON.parse(readFileSync(0, 'utf8'))
  const { openCacheSync } = await import('../dist/index.js')
  for (const path of paths) statSync(path)
  const beforeStat = cpuMs()
  for (const path of paths) statSync(path)
  const stat = cpuMs() - beforeStat
  const start = cpuMs()
  const cache = openCacheSync({ dir })
  const bench = cache.namespace('bench', { project: work })
  const missedCount = runs[process.env.INPUTS_RUN]({ bench, cache, paths, ...input })
  cache.close()
  console.log(JSON.stringify({ ms: cpuMs() - start, stat, missedCount }))
  process.exit()
}

const median = numbers => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const work = mkdtempSync(join(tmpdir(), 'wicked-cache-inputs-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

function bytesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(directory, entry.name)
    return sum + (entry.isDirectory() ? bytesBelow(path) : statSync(path).blocks * 512)
  }, 0)
}

/** The sources of a case; what is measured is said with how many misses there have to be. */
function measure(name, sourceCount, steps) {
  const rows = new Map()
  let bytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    const root = join(work, `${name} ${round}`)
    mkdirSync(join(root, 'src'), { recursive: true })
    const paths = Array.from({ length: sourceCount }, (_, i) => join(root, 'src', `file${i}.js`))
    for (const path of paths) writeFileSync(path, `export const path = ${JSON.stringify(path)}\n`)
    const dir = join(root, 'cache')
    for (const [title, expectedCount, input] of steps) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, import.meta.filename], {
        input: JSON.stringify({ dir, work: root, paths, ...input }),
        env: { ...process.env, INPUTS_RUN: name },
      })
      if (status !== 0) throw new Error(stderr.toString())
      const result = JSON.parse(stdout)
      if (result.missedCount !== expectedCount) throw new Error(`${title}: ${result.missedCount} misses`)
      rows.set(title, [...(rows.get(title) ?? []), result])
    }
    bytes = bytesBelow(dir)
    rmSync(root, { recursive: true })
  }
  const cells = Array.from(rows, ([title, all]) => [
    title,
    median(all.map(({ ms }) => ms)).toFixed(1),
    median(all.map(({ stat }) => stat)).toFixed(1),
    median(all.map(({ ms, stat }) => ms / stat)).toFixed(1),
  ])
  console.log(`${tableText([[name, 'ms', 'stats, ms', 'ratio'], ...cells])}\n${(bytes / 1024).toFixed(0)} KB on disk\n`)
}

const cases = {
  shared: () =>
    measure('shared', 300, [
      ['300 results over 300 sources, first run', 300, {}],
      ['second run', 0, {}],
      ['second run in a snapshot', 0, { isSnapshot: true }],
    ]),
  chain: () =>
    measure('chain', 100, [
      ['100 nested computations, first run', 100, {}],
      ['second run', 0, {}],
    ]),
  snapshot: () =>
    measure('snapshot', 50, [
      ['10,000 entries over 50 files, set', 10_000, { isFill: true }],
      ['get', 0, {}],
      ['get in a snapshot', 0, { isSnapshot: true }],
    ]),
}

for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(cases)) cases[name]()

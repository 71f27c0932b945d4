// What it takes to prove that nothing is stale: `npm run build && node bench/freshness.mjs [case...]`, cases: entries,
// analyses. Each run is a process of its own, in which the bare cost of looking at the same files is taken in turns with
// it, a hundred files at a time. Figures are medians of several runs, in CPU time.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { importsOf } from '../examples/plugins/imports.mjs'
import { parseText } from '../examples/plugins/parse.mjs'
import { sourceFilesIn } from '../examples/source-files.mjs'
import { tableText } from '../examples/text.mjs'

const ROUNDS = Number(process.env.ROUNDS ?? 7)
const COLD_ROUNDS = Math.min(3, ROUNDS)
const project = dirname(import.meta.dirname)

/** CPU time of this process: what else the machine does counts for nothing. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const bare = {
  stat(paths) {
    for (const path of paths) statSync(path)
  },
  read(paths) {
    for (const path of paths) readFileSync(path)
  },
}

/** What a process of its own can be asked to do. */
const runs = {
  async set({ dir, work, paths }) {
    const cache = await open(dir)
    cache
      .namespace('bench', { project: work })
      .setMany(paths.map((path, i) => ({ key: path, value: { path, i }, files: [path] })))
    cache.close()
  },

  async get({ dir, work, paths }) {
    const bench = (await open(dir)).namespace('bench', { project: work })
    const get = some => {
      for (const path of some) if (!bench.get(path)) throw new Error(`${path} misses`)
    }
    const { stat } = bare
    return { first: await inTurns(paths, { get, stat }), second: await inTurns(paths, { get, stat }) }
  },

  async analyze({ dir, paths, tree, isSync, anywhere = false }) {
    let computedCount = 0
    let parse = 0
    const start = cpuMs()
    const imports = (await open(dir)).namespace('imports', { project: tree })
    const opening = cpuMs() - start
    const computed = async (source, path) => {
      computedCount++
      const start = cpuMs()
      const list = importsOf(await parseText(source, path))
      parse += cpuMs() - start
      return list
    }
    const analyze = async some => {
      for (const path of some) {
        const compute = ({ source }) => computed(source, path)
        if (isSync) imports.analyzeSync('imports', path, compute, { anywhere })
        else await imports.analyze('imports', path, compute, { anywhere })
      }
    }
    const spent = await inTurns(paths, { analyze, ...bare })
    return { ...spent, parse, analyze: spent.analyze + opening, hitRate: 1 - computedCount / paths.length }
  },
}

async function open(dir) {
  const { openCache } = await import('../dist/index.js')
  return openCache({ dir })
}

/** How many ms each of the tasks takes over all paths. */
async function inTurns(paths, tasks) {
  const names = Object.keys(tasks)
  const spent = Object.fromEntries(names.map(name => [name, 0]))
  for (let at = 0; at < paths.length; at += 100) {
    const some = paths.slice(at, at + 100)
    // None of them is always the one that finds the files in the processor's caches.
    names.push(names.shift())
    for (const name of names) {
      const start = cpuMs()
      await tasks[name](some)
      spent[name] += cpuMs() - start
    }
  }
  return spent
}

if (process.env.FRESHNESS_RUN) {
  // The files were written a moment ago. Later on their stat alone proves that they are unchanged.
  const { now } = Date
  Date.now = () => now() + 3_600_000
  const input = JSON.parse(readFileSync(0, 'utf8'))
  console.log(JSON.stringify((await runs[process.env.FRESHNESS_RUN](input)) ?? {}))
  process.exit()
}

function inProcess(name, input) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, import.meta.filename], {
    input: JSON.stringify(input),
    env: { ...process.env, FRESHNESS_RUN: name },
  })
  if (status !== 0) throw new Error(stderr.toString())
  return JSON.parse(stdout)
}

const median = numbers => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const work = mkdtempSync(join(tmpdir(), 'wicked-cache-freshness-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

const cases = {
  entries() {
    const paths = Array.from({ length: 10_000 }, (_, i) => join(work, `directory${i % 100}`, `file${i}.js`)).sort()
    for (const path of paths) mkdirSync(dirname(path), { recursive: true })
    for (const path of paths) writeFileSync(path, `export const path = ${JSON.stringify(path)}\n`)
    const dir = join(work, 'entries')
    inProcess('set', { dir, work, paths })
    const all = Array.from({ length: ROUNDS }, () => inProcess('get', { dir, work, paths }))
    for (const pass of ['first', 'second']) {
      const us = name => median(all.map(run => (run[pass][name] * 1000) / paths.length)).toFixed(2)
      const ratio = median(all.map(run => run[pass].get / run[pass].stat)).toFixed(2)
      console.log(
        `10,000 gets of entries with a file, ${pass} pass: ${us('get')} us, stat ${us('stat')} us, ratio ${ratio}`,
      )
    }
  },

  analyses() {
    const names = sourceFilesIn([project]).map(path => relative(project, path))
    const tree = join(work, 'tree')
    for (const name of names) cpSync(join(project, name), join(tree, name))
    const paths = names.map(name => join(tree, name))
    const results = new Map()
    const analyze = (name, input) => {
      results.set(name, [...(results.get(name) ?? []), inProcess('analyze', { dir, tree, paths, ...input })])
    }
    let dir = ''
    for (let round = 0; round < COLD_ROUNDS; round++) {
      dir = join(work, `analyses-${round}`)
      analyze('cold', {})
    }
    analyze('cold, anywhere', { anywhere: true })
    for (let round = 0; round < ROUNDS; round++) {
      analyze('warm', {})
      analyze('warm, analyzeSync', { isSync: true })
      analyze('warm, anywhere', { anywhere: true })
      for (const path of paths) utimesSync(path, round, round)
      analyze('touched, first run', {})
      analyze('touched, second run', {})
      for (const name of ['copied', 'copied, anywhere']) {
        // Where no tree was before: what is remembered by path is of no use.
        const copy = join(work, `${name} ${round}`)
        cpSync(tree, copy, { recursive: true })
        const anywhere = name !== 'copied'
        analyze(name, { paths: names.map(file => join(copy, file)), tree: copy, anywhere })
        rmSync(copy, { recursive: true })
      }
    }
    const rows = Array.from(results, ([name, all]) => {
      const us = what => median(all.map(run => (run[what] * 1000) / paths.length)).toFixed(1)
      const ratio = to => median(all.map(run => (run.analyze - run.parse) / run[to])).toFixed(2)
      const hitRate = `${(median(all.map(run => run.hitRate)) * 100).toFixed(1)} %`
      const ms = median(all.map(run => run.analyze)).toFixed(0)
      return [name, ms, us('analyze'), us('parse'), us('stat'), us('read'), ratio('stat'), ratio('read'), hitRate]
    })
    const columns = ['analyze', 'ms', 'us/file', 'parsing', 'stat', 'read', 'x stat', 'x read', 'hits']
    console.log(`${paths.length} files; ratios are without parsing\n${tableText([columns, ...rows])}`)
  },
}

for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(cases)) cases[name]()

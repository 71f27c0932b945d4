// The benchmark: `npm run bench`, or, once the library is built, `node bench/run.mjs [--quick] [--only case,case]`.
// `--node 20` measures another Node than 24 (22, 26, or the path of a binary). `--dir <path>` has the stores on another
// disk than that of temporary files. A full run on Node 24 writes RESULTS.md and results.svg; any other leaves them alone
// and writes into bench/partial/.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Bench, FULL, QUICK } from './bench.mjs'
import { machine } from './report/machine.mjs'
import { continueOn, DEFAULT_NODE, installPeers } from './setup.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CASES = [
  'starts',
  'fresh',
  'passes',
  'warm',
  'trees',
  'parts',
  'sets',
  'files',
  'processes',
  'disk',
  'memory',
  'gc',
]

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    dir: { type: 'string' },
    node: { type: 'string', default: DEFAULT_NODE },
  },
})
const only = options.only?.split(',') ?? CASES
const unknown = only.filter(name => !CASES.includes(name))
if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(', ')}. Cases: ${CASES.join(', ')}.`)
  process.exit(2)
}

await continueOn(options.node)
installPeers()
const work = mkdtempSync(join(options.dir ?? tmpdir(), 'wicked-cache-bench-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const started = Date.now()
const log = (/** @type {string} */ text) =>
  console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`)
const bench = new Bench(work, options.quick ? QUICK : FULL, log)
log('parsing the corpus')
Object.assign(
  bench.facts,
  bench.child('corpus', {
    file: bench.corpus,
    summaryCount: bench.sizes.summaries,
    treeCount: bench.sizes.trees,
  }),
)
const missing = probePeers()
for (const name of CASES.filter(each => only.includes(each))) {
  log(name)
  const { run } = await import(`./cases/${name}.mjs`)
  await run(bench)
}
await report()

/** Leaves out the peers that do not work here. @returns {{ name: string, why: string }[]} */
function probePeers() {
  return bench.peers.flatMap(({ name }) => {
    const dir = bench.path()
    try {
      bench.child('probe', { peer: name, dir })
      return []
    } catch (/** @type {any} */ error) {
      if (name === 'wicked-cache') throw error
      bench.peers = bench.peers.filter(peer => peer.name !== name)
      const why = /^\w*Error.*$/m.exec(error.message)?.[0] ?? error.message
      log(`without ${name}: ${why}`)
      return [{ name, why }]
    } finally {
      bench.remove(dir)
    }
  })
}

async function report() {
  const [{ resultsText }, { chart }, { panelsOf }] = await Promise.all([
    import('./report/results.mjs'),
    import('./report/chart.mjs'),
    import('./report/panels.mjs'),
  ])
  const isDefault = options.node === DEFAULT_NODE
  const isWhole = !options.quick && only.length === CASES.length
  const partial = join(HERE, 'partial', isDefault ? '' : `node-${process.versions.node.split('.')[0]}`)
  const target = isWhole && isDefault ? HERE : partial
  mkdirSync(target, { recursive: true })
  const { results, facts, sizes } = bench
  const minutes = Math.ceil((Date.now() - started) / 60_000)
  const about = { machine: machine(), versions: versions(), missing, facts, sizes, minutes, isWhole }
  writeFileSync(join(target, 'RESULTS.md'), await resultsText(results, about))
  writeFileSync(join(target, 'results.svg'), chart(panelsOf(results)))
  log(`wrote ${join(target, 'RESULTS.md')}`)
}

/** @returns {Record<string, string>} of the packages that are compared */
function versions() {
  const { packages } = JSON.parse(readFileSync(join(HERE, 'package-lock.json'), 'utf8'))
  const { dependencies } = packages['']
  return { ...dependencies }
}

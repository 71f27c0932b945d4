// The benchmark: `npm run bench`, or, once the library is built, `node bench/run.mjs [--quick] [--only case,case]`, and
// `--dir <path>` to have the stores on another disk than that of temporary files. A full run writes RESULTS.md and
// results.svg; any other leaves them alone and writes into bench/partial/.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Bench, FULL, QUICK } from './bench.mjs'
import { machine } from './report/machine.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CASES = ['fresh', 'warm', 'parts', 'sets', 'files', 'processes', 'disk', 'memory', 'gc']

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, dir: { type: 'string' } },
})
const only = options.only?.split(',') ?? CASES
const unknown = only.filter(name => !CASES.includes(name))
if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(', ')}. Cases: ${CASES.join(', ')}.`)
  process.exit(2)
}

install()
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

/** Installs the peers, unless those of this lock file were installed before. */
function install() {
  const lock = readFileSync(join(HERE, 'package-lock.json'))
  const installed = join(HERE, 'node_modules', '.installed-from.json')
  if (existsSync(installed) && readFileSync(installed).equals(lock)) return
  console.log('Installing the peers; building the native ones without a prebuilt binary takes some minutes.')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: HERE,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('The peers could not be installed.')
  writeFileSync(installed, lock)
}

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
  const isWhole = !options.quick && only.length === CASES.length
  const target = isWhole ? HERE : join(HERE, 'partial')
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

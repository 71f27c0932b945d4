// What a report takes by the number of entries: CPU and memory of the process, and bytes of the page.
//
//   node bench/report.mjs 1000 100000 1000000
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCacheSync } from '../dist/index.js'

const PROGRAM = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url))
const NAMESPACES = ['eslint-plugin-imports', 'outline', 'codemod', 'hooks', 'bundler']
const PROJECTS = ['/nowhere/shop', '/nowhere/site', '/nowhere/docs', '/nowhere/tools']
const BATCH = 10_000

for (const count of process.argv.slice(2).map(Number)) {
  const root = mkdtempSync(join(tmpdir(), 'wicked-cache-report-'))
  try {
    const [dir, page] = [join(root, 'cache'), join(root, 'report.html')]
    fill(dir, count / NAMESPACES.length / PROJECTS.length)
    const measured = `process.on('exit', () => console.log(JSON.stringify(process.resourceUsage())))`
    const { stdout } = spawnSync(
      process.execPath,
      ['--import', `data:text/javascript,${measured}`, PROGRAM, 'report', '--dir', dir, '--out', page],
      { encoding: 'utf8' },
    )
    const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(stdout.trim().split('\n').at(-1))
    const seconds = ((userCPUTime + systemCPUTime) / 1e6).toFixed(1)
    console.log(
      `${count} entries: ${seconds} s of CPU, ${(maxRSS / 1000).toFixed(0)} MB, page of ${statSync(page).size} bytes`,
    )
  } finally {
    rmSync(root, { recursive: true })
  }
}

function fill(dir, count) {
  const cache = openCacheSync({ dir, maxSize: '20GB' })
  for (const [at, name] of NAMESPACES.entries()) {
    for (const project of PROJECTS) {
      const entries = cache.namespace(name, { project })
      for (let first = 0; first < count; first += BATCH) {
        const size = Math.min(BATCH, count - first)
        entries.setMany(Array.from({ length: size }, (_, n) => entryOf(first + n, at % 2 ? '' : `${name} ${project}`)))
      }
    }
  }
  cache.close()
}

/** Of two namespaces the values are the same. */
function entryOf(n, whose) {
  return { key: `src/dir ${n % 97}/sub ${n % 1009}/file ${n}.ts`, value: { n, whose, text: 'x'.repeat(n % 200) } }
}

// Figures of the store by itself: `npm run build && node bench/figures.mjs [case...]`, cases: throughput, fresh, memory,
// disk. Times are medians of several rounds; "fresh" runs whole processes in turn with a bare `node`.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCacheSync } from '../dist/index.js'

const library = new URL('../dist/index.js', import.meta.url).href
const work = mkdtempSync(join(tmpdir(), 'wicked-cache-bench-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

const median = numbers => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const microseconds = () => Number(process.hrtime.bigint()) / 1000

/** Of the shape and size of a real file's outline: about 200 bytes stored. */
function summary(i) {
  return {
    path: `src/components/file${i}.ts`,
    exports: [`a${i}`, 'b', 'c'],
    imports: [
      { from: `./x${i % 50}`, names: ['foo', 'bar'] },
      { from: 'react', names: ['useState'] },
    ],
    functions: [
      { name: `main${i}`, line: i % 400, async: false },
      { name: 'helper', line: 33, async: true },
    ],
  }
}
const keyOf = i => `/home/user/project/src/components/file${i}.ts`

function bytesBelow(directory) {
  let bytes = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    bytes += entry.isDirectory() ? bytesBelow(path) : statSync(path).blocks * 512
  }
  return bytes
}

function fill(dir, namespaces, count) {
  const cache = openCacheSync({ dir })
  for (const name of namespaces) {
    const ns = cache.namespace(name)
    for (let start = 0; start < count; start += 1000) {
      const length = Math.min(1000, count - start)
      ns.setMany(Array.from({ length }, (_, i) => ({ key: keyOf(start + i), value: summary(start + i) })))
    }
  }
  cache.close()
}

const cases = {
  throughput() {
    for (const count of [4000, 200_000]) {
      const values = Array.from({ length: count }, (_, i) => summary(i))
      const keys = Array.from({ length: count }, (_, i) => keyOf(i))
      const times = { set: [], 'set again, value known': [], 'get, first': [], 'get, warm': [], setMany: [] }
      const time = (name, run) => {
        const start = microseconds()
        run()
        times[name].push((microseconds() - start) / count)
      }
      for (let round = 0; round < (count > 10_000 ? 3 : 7); round++) {
        const dir = join(work, `throughput-${count}-${round}`)
        const cache = openCacheSync({ dir })
        const ns = cache.namespace('bench')
        time('set', () => {
          for (let i = 0; i < count; i++) ns.set(keys[i], values[i])
        })
        time('set again, value known', () => {
          for (let i = 0; i < count; i++) ns.set(keys[i], values[i])
        })
        cache.close()
        const again = openCacheSync({ dir })
        const reader = again.namespace('bench')
        time('get, first', () => {
          for (let i = 0; i < count; i++) reader.get(keys[i])
        })
        time('get, warm', () => {
          for (let i = 0; i < count; i++) reader.get(keys[i])
        })
        again.close()
        const batch = openCacheSync({ dir: `${dir}-batch` })
        const batched = batch.namespace('bench')
        time('setMany', () => {
          batched.setMany(values.map((value, i) => ({ key: keys[i], value })))
        })
        batch.close()
        rmSync(dir, { recursive: true })
        rmSync(`${dir}-batch`, { recursive: true })
      }
      for (const [name, all] of Object.entries(times)) {
        console.log(`${count} entries: ${name}: ${median(all).toFixed(2)} us (${all.map(t => t.toFixed(2)).join(' ')})`)
      }
    }
  },

  fresh() {
    const empty = join(work, 'empty.mjs')
    writeFileSync(empty, '')
    const wall = args => {
      const start = microseconds()
      const { status, stderr } = spawnSync(process.execPath, args)
      if (status !== 0) throw new Error(stderr.toString())
      return (microseconds() - start) / 1000
    }
    for (const count of [1000, 100_000, 1_000_000]) {
      const dir = join(work, `fresh-${count}`)
      fill(dir, ['bench'], count)
      const script = join(work, `get-${count}.mjs`)
      writeFileSync(
        script,
        `const start = performance.now()
import { openCacheSync } from ${JSON.stringify(library)}
const cache = openCacheSync({ dir: ${JSON.stringify(dir)} })
if (!cache.namespace('bench').get(${JSON.stringify(keyOf(count >> 1))})) process.exit(1)
`,
      )
      const pairs = Array.from({ length: 31 }, () => [wall([empty]), wall([script])])
      const bare = median(pairs.map(([a]) => a))
      const ratio = median(pairs.map(([a, b]) => b / a))
      const added = median(pairs.map(([a, b]) => b - a))
      console.log(
        `${count} entries: fresh process with one get: ${ratio.toFixed(3)} of bare node (${bare.toFixed(1)} ms), adds ${added.toFixed(1)} ms; disk ${(bytesBelow(dir) / count).toFixed(0)} bytes an entry`,
      )
    }
  },

  memory() {
    const dir = join(work, 'memory')
    fill(dir, ['bench'], 1_000_000)
    const run = (root, gets) => {
      const script = join(work, 'memory.mjs')
      writeFileSync(
        script,
        `import { openCacheSync } from ${JSON.stringify(library)}
const ns = openCacheSync({ dir: ${JSON.stringify(root)} }).namespace('bench')
ns.get('none')
const start = performance.now()
let hits = 0
for (let i = 0; i < ${gets}; i++) if (ns.get('/home/user/project/src/components/file' + ((i * 7919 + 13) * 31 % 1000000) + '.ts')) hits++
console.log(hits, process.memoryUsage().rss / 1048576, performance.now() - start)
`,
      )
      return spawnSync(process.execPath, [script]).stdout.toString().trim().split(' ').map(Number)
    }
    const empties = Array.from({ length: 5 }, () => run(join(work, 'nothing'), 0)[1])
    const fulls = Array.from({ length: 5 }, () => run(dir, 1000))
    console.log(
      `1,000 random gets of 1,000,000: ${fulls[0][0]} hits, ${(median(fulls.map(f => f[1])) - median(empties)).toFixed(1)} MB above an empty cache, ${median(fulls.map(f => f[2])).toFixed(0)} ms`,
    )
  },

  disk() {
    const names = ['one', 'two', 'three', 'four', 'five']
    fill(join(work, 'disk-1'), names.slice(0, 1), 4000)
    fill(join(work, 'disk-5'), names, 4000)
    const [one, five] = [bytesBelow(join(work, 'disk-1')), bytesBelow(join(work, 'disk-5'))]
    const bar = 1.25 * one + 120 * 16_000
    console.log(
      `4,000 entries: one namespace ${one} bytes (${(one / 4000).toFixed(0)} an entry), five with the same values`,
    )
    console.log(
      `${five} bytes; ${(five / bar).toFixed(2)} of 1.25 times one and 120 bytes for each of the 16,000 others`,
    )
  },
}

mkdirSync(work, { recursive: true })
for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(cases)) cases[name]()

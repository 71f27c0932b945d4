// Figures of a gc: `npm run build && node bench/gc.mjs [case...]`, cases: gc, bounds, crowd. Each gc runs in a process of its
// own, beside one that keeps getting live entries.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCacheSync } from '../dist/index.js'

const self = fileURLToPath(import.meta.url)
const keyOf = i => `/home/user/project/src/components/file${i}.ts`
const outlineOf = i => ({ path: keyOf(i), exports: [`a${i}`, 'b', 'c'], text: 'x'.repeat(150) })
const median = numbers => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

function fileBytesBelow(directory) {
  let bytes = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    bytes += entry.isDirectory() ? fileBytesBelow(path) : statSync(path).size
  }
  return bytes
}

/** Every second entry expires at once; `isLive` alone fills the same without those: the ideal. */
function fill(dir, count, hasDead = true) {
  const cache = openCacheSync({ dir, maxSize: Number.POSITIVE_INFINITY })
  const ns = cache.namespace('bench')
  for (let start = 0; start < count; start += 1000) {
    const batch = []
    for (let i = start; i < start + 1000; i++) {
      if (i % 2 === 0) batch.push({ key: keyOf(i), value: outlineOf(i) })
      else if (hasDead) batch.push({ key: keyOf(i), value: outlineOf(i), ttl: 1 })
    }
    ns.setMany(batch)
  }
  cache.close()
}

const roles = {
  async gc(dir) {
    const cache = openCacheSync({ dir })
    const start = performance.now()
    let last = start
    let pause = 0
    const onProgress = () => {
      const now = performance.now()
      pause = Math.max(pause, now - last)
      last = now
    }
    const before = process.memoryUsage.rss()
    const report = await cache.gc({ onProgress })
    const ms = performance.now() - start
    const peak = process.resourceUsage().maxRSS / 1024
    console.log(JSON.stringify({ ms, pause, peakMb: peak, startMb: before / 2 ** 20, ...report }))
  },

  /** Gets live entries until it is told to stop; tells the longest get, and how many missed. */
  async get(dir, count) {
    const ns = openCacheSync({ dir }).namespace('bench')
    let isOver = false
    process.stdin.on('data', () => {
      isOver = true
    })
    const times = []
    let misses = 0
    console.log('ready')
    for (let i = 0; !isOver; i = (i + 7919 * 2) % count) {
      const start = performance.now()
      if (ns.get(keyOf(i - (i % 2))) === undefined) misses++
      times.push(performance.now() - start)
      if (times.length % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    times.sort((a, b) => a - b)
    console.log(
      JSON.stringify({
        gets: times.length,
        misses,
        longestMs: times.at(-1),
        p99Ms: times[Math.floor(times.length * 0.99)],
      }),
    )
    process.exit(0)
  },

  /** Sets as fast as it can for so many seconds: how much, and how long a set took. */
  crowd(dir, seconds, maxSize) {
    const ns = openCacheSync({ dir, maxSize: Number(maxSize) }).namespace('bench')
    const times = []
    const text = 'x'.repeat(8000)
    const end = performance.now() + seconds * 1000
    for (let i = 0; performance.now() < end; i++) {
      const key = `${process.pid} ${i}`
      const start = performance.now()
      ns.set(key, key + text)
      times.push(performance.now() - start)
    }
    times.sort((a, b) => a - b)
    const megabytes = (times.length * text.length) / 2 ** 20
    const p999Ms = times[Math.floor(times.length * 0.999)]
    console.log(JSON.stringify({ megabytes, longestMs: times.at(-1), p999Ms }))
  },

  /** Microseconds a set, over so many sets. */
  set(dir, count, maxSize) {
    const ns = openCacheSync({ dir, maxSize: Number(maxSize) }).namespace('bench')
    const times = []
    for (let i = 0; i < count; i++) {
      const value = outlineOf(i)
      const start = performance.now()
      ns.set(keyOf(i), value)
      times.push(performance.now() - start)
    }
    const total = times.reduce((sum, time) => sum + time, 0)
    console.log(
      JSON.stringify({ meanUs: (total / count) * 1000, medianUs: median(times) * 1000, longestMs: Math.max(...times) }),
    )
  },
}

async function beside(dir, count, run) {
  const getter = spawn(process.execPath, [self, 'as', 'get', dir, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  getter.stdout.on('data', chunk => {
    text += chunk
  })
  await new Promise(resolve => getter.stdout.once('data', resolve))
  const result = await run()
  getter.stdin.end('stop\n')
  await new Promise(resolve => getter.on('close', resolve))
  return [result, JSON.parse(text.trim().split('\n').at(-1))]
}

function as(role, ...args) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [self, 'as', role, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    child.on('close', () => resolve(JSON.parse(text)))
  })
}

const cases = {
  async gc(work) {
    for (const count of [100_000, 1_000_000]) {
      const ideal = join(work, `ideal-${count}`)
      fill(ideal, count, false)
      const idealBytes = fileBytesBelow(ideal)
      rmSync(ideal, { recursive: true })
      const alone = join(work, `alone-${count}`)
      fill(alone, count)
      const before = fileBytesBelow(alone)
      const quiet = await as('gc', alone)
      const after = fileBytesBelow(alone)
      rmSync(alone, { recursive: true })
      const dir = join(work, `gc-${count}`)
      fill(dir, count)
      const [busy, gets] = await beside(dir, count, () => as('gc', dir))
      rmSync(dir, { recursive: true })
      console.log(
        `${count} entries, half dead: ${quiet.ms.toFixed(0)} ms, at most ${quiet.pause.toFixed(0)} ms at a time, peak ${quiet.peakMb.toFixed(0)} MB (${quiet.startMb.toFixed(0)} at the start)`,
      )
      console.log(
        `  files ${(before / idealBytes).toFixed(2)} of the ideal before, ${(after / idealBytes).toFixed(2)} after (ideal: ${(idealBytes / 2 ** 20).toFixed(1)} MB, only live entries ever set)`,
      )
      console.log(
        `  beside a process that gets: ${busy.ms.toFixed(0)} ms; its ${gets.gets} gets: ${gets.misses} misses, longest ${gets.longestMs.toFixed(1)} ms, p99 ${gets.p99Ms.toFixed(3)} ms`,
      )
    }
  },

  /** How well a bound is kept by four processes that set as fast as they can. */
  async crowd(work) {
    const bound = 50 * 2 ** 20
    const seconds = 15
    const dir = join(work, 'crowd')
    const sizes = []
    const sampling = setInterval(() => {
      try {
        sizes.push(fileBytesBelow(dir) / bound)
      } catch (error) {
        // Files come and go.
        if (error.code !== 'ENOENT') throw error
      }
    }, 25)
    const all = await Promise.all([0, 1, 2, 3].map(() => as('crowd', dir, seconds, bound)))
    clearInterval(sampling)
    sizes.sort((a, b) => a - b)
    const rate = all.reduce((sum, { megabytes }) => sum + megabytes, 0) / seconds
    const over = (sizes.filter(size => size > 1).length / sizes.length) * 100
    console.log(
      `four processes, ${rate.toFixed(0)} MB/s into a bound of 50 MB: median ${median(sizes).toFixed(2)} of it, at most ${sizes.at(-1).toFixed(2)}, above it ${over.toFixed(1)} % of the time; longest set ${all.map(({ longestMs }) => longestMs.toFixed(0)).join(', ')} ms, 99.9 % below ${Math.max(...all.map(({ p999Ms }) => p999Ms)).toFixed(1)} ms`,
    )
  },

  /** What a bound costs a set: none, one that is not reached, one that four times as much is set into. */
  async bounds(work) {
    const count = 40_000
    const rounds = []
    for (let round = 0; round < 3; round++) {
      const row = []
      for (const bound of ['Infinity', 2 ** 31, 4_000_000]) {
        const dir = join(work, `set-${round}-${bound}`)
        row.push(await as('set', dir, count, bound))
        rmSync(dir, { recursive: true })
      }
      rounds.push(row)
    }
    for (const [at, name] of [
      'no bound',
      'a bound that is not reached',
      'a bound of a quarter of what is set',
    ].entries()) {
      const ratio = median(rounds.map(row => row[at].meanUs / row[0].meanUs))
      const longest = median(rounds.map(row => row[at].longestMs))
      const typical = median(rounds.map(row => row[at].medianUs / row[0].medianUs))
      console.log(
        `${name}: a set takes ${ratio.toFixed(2)} (mean), ${typical.toFixed(2)} (median) of one without, longest ${longest.toFixed(1)} ms`,
      )
    }
  },
}

if (process.argv[2] === 'as') {
  const [role, dir, ...rest] = process.argv.slice(3)
  await roles[role](dir, ...rest.map(Number))
} else {
  const work = mkdtempSync(join(tmpdir(), 'wicked-cache-bench-'))
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(cases)) await cases[name](work)
  rmSync(work, { recursive: true, force: true })
}

// Shows that an example works, and what it gains. Its tool runs on a copy of the project: without a cache, with an empty one and with a
// full one. Then files are edited. Each time the tool must print and build what it does without a cache. Where the tool has a cache of its
// own on disk, that one is measured as well.

import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCacheSync } from 'wicked-cache'

const shared = import.meta.dirname
export const modules = join(shared, '..', 'node_modules')

/**
 * @typedef {object} Example
 * @property {string} page of docs/hosts that shows it
 * @property {string} host as the table names it
 * @property {string} directory of the example
 * @property {(project: Project) => void} [install] in place of the modules of all examples
 * @property {Record<string, string>} [sources] what is copied from installed packages, by the path in the project
 * @property {string[]} run the arguments of Node, or a command and its arguments
 * @property {string} [output] a file or directory that is built
 * @property {Edit[]} edits each must change what the tool prints or builds
 * @property {string} [input] what the tool reads from standard input
 * @property {number} [runs] without a cache and with a full one, of which the median is shown
 * @property {Peer[]} [peers] caches that the tool has itself
 * @property {(project: Project) => void | Promise<void>} [more] what else is tried; throws if it goes wrong
 */

/** @typedef {{ file: string, change: (text: string) => string }} Edit */
/** @typedef {{ name: string, run: string[] }} Peer which runs with our cache off */
/** @typedef {{ printed: string, seconds: number, hits: number, misses: number }} Run */

/** @param {Example} example */
export async function demo(example) {
  const { host, directory, sources = {}, run, output, input, edits, runs = 1, install, more } = example
  const peers = process.env.EXAMPLES_PEERS === 'off' ? [] : (example.peers ?? [])
  const project = new Project(directory, sources, install)
  try {
    const ask = (env, command = run) => project.run(command, { output, input, env })
    const many = env => Array.from({ length: runs }, () => ask(env))
    const off = { WICKED_CACHE: 'off' }
    const without = median(many(off))
    const cold = ask()
    const warm = many()
    const measured = peers.map(peer => ({ ...peer, cold: ask(off, peer.run), warm: ask(off, peer.run), isRight: true }))
    for (const { printed } of [cold, ...warm, ...measured.flatMap(peer => [peer.cold, peer.warm])])
      assertSame(host, printed, without.printed)

    let before = without.printed
    for (const { file, change } of edits) {
      project.edit(file, change)
      const after = ask()
      const { printed: expected } = ask(off)
      assertSame(`${host}, ${file} edited`, after.printed, expected)
      if (after.printed === before) throw new Error(`${host}: the edit of ${file} changes nothing.`)
      for (const peer of measured) peer.isRight &&= ask(off, peer.run).printed === expected
      before = after.printed
    }
    await more?.(project)
    report(example, { without, cold, warm: median(warm), peers: measured })
  } finally {
    project.remove()
  }
}

/** A copy of an example's project, with a cache of its own. */
export class Project {
  root = mkdtempSync(join(tmpdir(), 'wicked-cache-example-'))
  dir = join(this.root, 'project')
  cacheDir = join(this.root, 'cache')
  #preload = join(this.root, 'cpu.cjs')
  #cpuFile = join(this.root, 'cpu')

  constructor(directory, sources = {}, install = linkModules) {
    cpSync(directory, this.dir, { recursive: true, filter: path => !path.includes('node_modules') })
    for (const [to, from] of Object.entries(sources)) {
      cpSync(join(modules, from), this.at(to), { recursive: true, filter: path => !path.endsWith('.map') })
    }
    install(this)
    cpSync(join(shared, 'cpu.cjs'), this.#preload)
    writeFileSync(this.#cpuFile, '')
  }

  at(path) {
    return join(this.dir, path)
  }

  edit(file, change) {
    const text = readFileSync(this.at(file), 'utf8')
    writeFileSync(this.at(file), change(text))
  }

  /**
   * @returns {Run}
   */
  run([command, ...args], { output, input, env, uid } = {}) {
    const before = this.counts()
    writeFileSync(this.#cpuFile, '')
    const own = {
      WICKED_CACHE_DIR: this.cacheDir,
      EXAMPLE_CPU_FILE: this.#cpuFile,
      NODE_OPTIONS: `--require ${this.#preload}`,
      PYTHONPATH: shared,
      PYTHONDONTWRITEBYTECODE: '1',
    }
    const options = { cwd: this.dir, input, uid, gid: uid, encoding: 'utf8', stdio: 'pipe', maxBuffer: 1 << 28 }
    const result = spawnSync(command, args, { ...options, env: { ...process.env, ...own, ...env } })
    const { status, stdout, stderr } = result
    if (status !== 0)
      throw result.error ?? new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
    // Something isn't cached.
    if (stderr.includes('WickedCacheWarning')) throw new Error(stderr)
    const after = this.counts()
    return {
      printed: stdout + (output ? contentOf(this.at(output)) : ''),
      seconds:
        readFileSync(this.#cpuFile, 'utf8')
          .split('\n')
          .reduce((sum, each) => sum + Number(each), 0) / 1e6,
      hits: after.hitCount - before.hitCount,
      misses: after.missCount - before.missCount,
    }
  }

  counts() {
    const cache = openCacheSync({ dir: this.cacheDir, mode: 'readonly', trustRoot: true })
    const counts = cache.stats()
    cache.close()
    return counts
  }

  remove() {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }
}

export function linkModules(project) {
  symlinkSync(modules, project.at('node_modules'), 'junction')
}

/** The names and texts of all files there. */
function contentOf(path) {
  if (statSync(path).isFile()) return readFileSync(path, 'latin1')
  return readdirSync(path, { recursive: true })
    .sort()
    .filter(name => statSync(join(path, name)).isFile())
    .map(name => `${name}\n${readFileSync(join(path, name), 'latin1')}`)
    .join('\n')
}

export function assertSame(what, found, expected) {
  if (found === expected) return
  const [some, other] = [found.split('\n'), expected.split('\n')]
  const at = some.findIndex((line, i) => line !== other[i])
  throw new Error(`${what}: with the cache\n${some[at]}\nand without\n${other[at]}\n(line ${at + 1})`)
}

const median = runs => runs.toSorted((one, other) => one.seconds - other.seconds)[runs.length >> 1]

/** Lines for people, and one of JSON for the program that makes the tables. */
export function report({ page, host }, { without, cold, warm, peers = [] }) {
  const timeOf = ({ seconds }) => (seconds < 0.5 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`)
  const figuresOf = ({ cold, warm }) => ({
    cold: timeOf(cold),
    warm: timeOf(warm),
    ratio: (warm.seconds / without.seconds).toFixed(2),
  })
  const row = {
    page,
    host,
    without: timeOf(without),
    ...figuresOf({ cold, warm }),
    hits: `${warm.hits} of ${warm.hits + warm.misses}`,
    peers: peers.map(peer => ({ name: peer.name, ...figuresOf(peer), isRight: peer.isRight })),
  }
  console.log(
    `${host}: without a cache ${row.without}, cold ${row.cold}, warm ${row.warm} (${row.ratio}), hits ${row.hits}`,
  )
  for (const { name, cold, warm, ratio, isRight } of row.peers)
    console.log(`  ${name}: cold ${cold}, warm ${warm} (${ratio})${isRight ? '' : ', wrong after an edit'}`)
  if (process.env.EXAMPLES_FILE) appendFileSync(process.env.EXAMPLES_FILE, `${JSON.stringify(row)}\n`)
}

export const versionOf = name => JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version

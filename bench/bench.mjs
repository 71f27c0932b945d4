// What every case works with: sizes, stores that are made once and shared, children, and the results.

import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Results } from './measure.mjs'
import { PEERS } from './peers/list.mjs'

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url))

export const FULL = {
  entries: [1000, 100_000, 1_000_000],
  freshRounds: 15,
  pairs: 30,
  rounds: 5,
  passes: 10_000,
  summaries: 10_000,
  trees: 300,
  treeRounds: 3,
  treeFirsts: 3,
  treeMs: 1500,
  sets: 10_000,
  setsMs: 3000,
  batch: 10_000,
  contended: 2000,
  disk: 4000,
  files: 10_000,
  collected: 100_000,
  budgetMs: 300,
}

/** The same work on less of everything. @type {typeof FULL} */
export const QUICK = {
  entries: [1000, 10_000, 50_000],
  freshRounds: 3,
  pairs: 4,
  rounds: 3,
  passes: 2000,
  summaries: 2000,
  trees: 50,
  treeRounds: 1,
  treeFirsts: 1,
  treeMs: 300,
  sets: 2000,
  setsMs: 500,
  batch: 2000,
  contended: 500,
  disk: 1000,
  files: 2000,
  collected: 10_000,
  budgetMs: 150,
}

export class Bench {
  results = new Results()
  /** Sizes in bytes of the JSON of what is stored, and how long parsing took, for the report. */
  facts = /** @type {Record<string, number>} */ ({})
  /** Those that work on this machine. */
  peers = [...PEERS]
  #stores = new Map()
  #made = 0

  /**
   * @param {string} work an empty directory
   * @param {typeof FULL} sizes
   * @param {(text: string) => void} log
   */
  constructor(work, sizes, log) {
    this.work = work
    this.sizes = sizes
    this.log = log
    this.corpus = join(work, 'corpus.json')
  }

  /** Runs a task in a process of its own. @param {string} task @param {object} args */
  child(task, args) {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [CHILD, task, JSON.stringify(args)], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    if (status !== 0) throw new Error(`${task} ${JSON.stringify(args)} ended with ${signal ?? status}:\n${stderr}`)
    return JSON.parse(stdout)
  }

  /**
   * Starts a task that says when it is ready and listens for messages.
   *
   * @param {string} task
   * @param {object} args
   */
  start(task, args) {
    const child = fork(CHILD, [task, JSON.stringify(args)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    const output = text(/** @type {import('node:stream').Readable} */ (child.stdout))
    const result = Promise.all([output, once(child, 'exit')]).then(([json, [status]]) => {
      if (status !== 0) throw new Error(`${task} ${JSON.stringify(args)} ended with ${status}.`)
      return JSON.parse(json)
    })
    return { child, ready: Promise.race([once(child, 'message'), result]), result }
  }

  /**
   * Runs a task in several processes that begin together.
   *
   * @param {string} task
   * @param {readonly object[]} args of each process
   * @returns {Promise<any[]>}
   */
  async together(task, args) {
    const started = args.map(each => this.start(task, each))
    await Promise.all(started.map(({ ready }) => ready))
    for (const { child } of started) child.send('go')
    return Promise.all(started.map(({ result }) => result))
  }

  /** A path in the work directory that nothing is at. */
  path() {
    return join(this.work, `store-${this.#made++}`)
  }

  /** The peers that can be asked to hold so many entries. @param {number} count */
  peersFor(count) {
    return this.peers.filter(({ maxEntries }) => count <= maxEntries)
  }

  /**
   * The directory of a store with this many entries: made once, and only added to by later cases.
   *
   * @param {string} peer
   * @param {number} count
   * @param {'summaries' | 'acorn' | 'babel'} [kind]
   */
  store(peer, count, kind = 'summaries') {
    const name = `${peer} ${count} ${kind}`
    let dir = this.#stores.get(name)
    if (dir) return dir
    dir = this.path()
    const { ms } = this.child('fill', { peer, dir, corpus: this.corpus, count, kind })
    this.log(`  made ${count} entries of ${peer} in ${(ms / 1000).toFixed(1)} s`)
    this.#stores.set(name, dir)
    return dir
  }

  /** @param {string} path */
  remove(path) {
    rmSync(path, { recursive: true, force: true })
  }
}

/** Bytes of all blocks below a directory. @param {string} directory @returns {number} */
export function diskBytes(directory) {
  mkdirSync(directory, { recursive: true })
  let bytes = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    bytes += entry.isDirectory() ? diskBytes(path) : lstatSync(path).blocks * 512
  }
  return bytes
}

/** @param {number} count */
export const entriesText = count => `${count.toLocaleString('en')} entries`

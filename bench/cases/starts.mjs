// What a hook costs: CPU time of whole processes, each beside a bare `node` on an empty module. As few lines as a plugin's
// author would write, without and with Node's own compile cache, and the command line.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { entriesText } from '../bench.mjs'
import { keyAt } from '../corpus/entries.mjs'
import { inTurns } from '../measure.mjs'
import { fileNameOf, OURS, SQLITE } from '../peers/list.mjs'

export const TABLE = 'CPU of a whole process, times bare node'
export const COLUMNS = {
  get: 'one get',
  keptGet: 'one get, compile cache',
  set: 'one set',
  keptSet: 'one set, compile cache',
}
export const COMMAND = '`wicked-cache get`'
export const ADDED = 'CPU that one get adds to bare node, by the number of entries'

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
/** Bash says milliseconds: a process of twenty is run several times for each sample. */
const RUNS = 4
const METER = `TIMEFORMAT='%3U %3S'
time for ((i = 0; i < ${RUNS}; i++)); do "$@" >/dev/null || exit 1; done`

/** How each is loaded, and what it does with `dir` and `key`. */
const PROGRAMS = {
  [OURS]: {
    module: { import: join(DIST, 'index.js'), require: join(DIST, 'index.cjs') },
    name: 'openCacheSync',
    open: `const entries = openCacheSync({ dir }).namespace('bench')`,
    get: 'entries.get(key)',
    set: 'entries.set(key, value)',
  },
  [SQLITE]: {
    module: { import: SQLITE, require: SQLITE },
    name: 'DatabaseSync',
    open: `const db = new DatabaseSync(dir + '/cache.sqlite', { timeout: 60_000 })
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
db.exec('CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB)')`,
    get: `JSON.parse(db.prepare('SELECT value FROM entries WHERE key = ?').get(key).value)`,
    set: `db.prepare('INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)').run(key, JSON.stringify(value))`,
  },
}

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, work } = bench
  if (spawnSync('bash', ['-c', 'true']).status !== 0) {
    bench.log('  without CPU times of whole processes, which take bash')
    return
  }
  const empty = { import: join(work, 'empty.mjs'), require: join(work, 'empty.cjs') }
  for (const path of Object.values(empty)) writeFileSync(path, '')
  /** @type {{ name: string, count: number, column: string, args: string[], bare: string[], env?: NodeJS.ProcessEnv }[]} */
  const contenders = []
  for (const count of sizes.entries) {
    for (const name of [OURS, SQLITE]) {
      if (!bench.peers.some(peer => peer.name === name)) continue
      const dir = bench.store(name, count)
      const add = (/** @type {keyof typeof COLUMNS} */ column) => {
        const args = [writeScript(bench, name, count, dir, column)]
        const kind = column.startsWith('kept') ? 'require' : 'import'
        contenders.push({ name, count, column: COLUMNS[column], args, bare: [empty[kind]] })
      }
      if (count === sizes.entries[0]) for (const column of Object.keys(COLUMNS)) add(/** @type {any} */ (column))
      else add('get')
    }
  }
  const [count = 0] = sizes.entries
  const command = [join(DIST, 'cli.cjs'), 'get', 'bench', keyAt(count >> 1), '--dir', bench.store(OURS, count)]
  const commands = { name: COMMAND, count, args: command, bare: [empty.require] }
  contenders.push({ ...commands, column: COLUMNS.get })
  const env = { NODE_COMPILE_CACHE: join(work, 'compile-cache-command') }
  contenders.push({ ...commands, column: COLUMNS.keptGet, env })
  // The first run with a compile cache fills it.
  for (const { args, env } of contenders) cpuMs(args, env)
  await inTurns(contenders, sizes.pairs, ({ name, count, column, args, bare, env }) => {
    const bareMs = cpuMs(bare)
    const ms = cpuMs(args, env)
    const isPeer = name !== COMMAND
    if (count === sizes.entries[0]) {
      results.add({ table: TABLE, column, contender: name, unit: '×', isPeer }, ms / bareMs)
    }
    if (isPeer && column === COLUMNS.get) {
      const where = { table: ADDED, column: entriesText(count), unit: 'ms' }
      results.add({ ...where, contender: 'bare node', isPeer: false }, bareMs)
      results.add({ ...where, contender: name }, ms - bareMs)
    }
  })
}

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
function cpuMs(args, env) {
  const { status, stderr } = spawnSync('bash', ['-c', METER, 'bash', process.execPath, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env, LC_ALL: 'C' },
  })
  const times = /^([\d.]+) ([\d.]+)$/m.exec(stderr)
  if (status !== 0 || !times) throw new Error(`${args.join(' ')} ended with ${status}:\n${stderr}`)
  return ((Number(times[1]) + Number(times[2])) * 1000) / RUNS
}

/**
 * @param {import('../bench.mjs').Bench} bench
 * @param {string} name
 * @param {number} count
 * @param {string} dir
 * @param {keyof typeof COLUMNS} column
 */
function writeScript(bench, name, count, dir, column) {
  const { module, name: exported, open, get, set } = PROGRAMS[name]
  const isKept = column.startsWith('kept')
  const lines = isKept
    ? [
        `require('node:module').enableCompileCache?.(${JSON.stringify(join(bench.work, 'compile-cache'))})`,
        `const { ${exported} } = require(${JSON.stringify(module.require)})`,
      ]
    : [`import { ${exported} } from ${JSON.stringify(module.import)}`]
  lines.push(`const dir = ${JSON.stringify(dir)}`, open)
  if (column === 'get' || column === 'keptGet') {
    lines.push(`const key = ${JSON.stringify(keyAt(count >> 1))}`, `if (${get} === undefined) process.exit(1)`)
  } else {
    lines.push(
      "const key = 'new ' + process.pid + ' ' + Date.now()",
      `const value = { imports: ['node:fs', './a.js'], exports: ['run'], lineCount: 120, key }`,
      set,
    )
  }
  const path = join(bench.work, `start-${column}-${fileNameOf(name)}-${count}.${isKept ? 'cjs' : 'mjs'}`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

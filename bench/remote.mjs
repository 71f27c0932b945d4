// What the remote tier takes: `node bench/remote.mjs [--count 4000]`, once the library is built. CPU time is that of the process that
// asks; wall-clock time says something only where nothing else runs.

import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { createRemoteKeys } from '../dist/index.js'
import { freePort, isInstalled, startNginx, startProxy, startRedis } from './remote/engines.mjs'

const { values: options } = parseArgs({ options: { count: { type: 'string', default: '4000' } } })
const count = Number(options.count)
const work = mkdtempSync(join(tmpdir(), 'wicked-cache-remote-'))
// The workers of nginx are of another user where it is started by root.
chmodSync(work, 0o755)
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const DELAYS_MS = [0, 20, 100]
const patient = { connect: 10_000, read: 30_000, upload: 30_000 }
const { publicKey, signingKey } = createRemoteKeys()
const writer = { mode: 'readwrite', signingKey, timeouts: patient }
const reader = { keys: [publicKey], timeouts: patient }
const files = Array.from({ length: count }, (_, at) => `src/${at}.js`)
let directories = 0

/** @param {string} name */
function directory(name) {
  const path = join(work, `${name}-${directories++}`)
  mkdirSync(path, { recursive: true })
  return path
}

function checkout() {
  const project = directory('checkout')
  mkdirSync(join(project, 'src'))
  writeFileSync(join(project, 'package.json'), '{}')
  for (const [at, file] of files.entries()) {
    const lines = Array.from({ length: 5 + (at % 60) }, (_, line) => `export const v${at}_${line} = ${line}`)
    writeFileSync(join(project, file), lines.join('\n'))
  }
  return project
}

const projects = { a: checkout(), b: checkout() }

/** @param {object} given @param {Record<string, string>} variables */
function run(given, variables = {}) {
  const args = { dir: join(directory('cache'), 'root'), project: projects.b, files, ...given }
  return JSON.parse(
    execFileSync(process.execPath, [join(import.meta.dirname, 'remote/run.mjs'), JSON.stringify(args)], {
      encoding: 'utf8',
      env: { ...process.env, ...variables },
    }),
  )
}

/** @param {(string | number)[]} cells */
const row = (...cells) =>
  console.log(`| ${cells.map(cell => (typeof cell === 'number' ? cell.toFixed(1) : cell)).join(' | ')} |`)

/** @param {number[]} values */
const median = values => values.sort((one, other) => one - other)[values.length >> 1] ?? 0

/** How long ccache takes for a result that the store has, in ms. @param {string} store @param {string[]} sources */
function ccacheMs(store, sources) {
  const env = { ...process.env, CCACHE_DIR: directory('ccache'), CCACHE_REMOTE_STORAGE: store, CCACHE_NODIRECT: '1' }
  const begin = performance.now()
  for (const source of sources)
    execFileSync('ccache', ['gcc', '-c', source, '-o', join(work, 'object.o')], { env, cwd: work })
  return (performance.now() - begin) / sources.length
}

console.log(`Node ${process.version}, ${count} analyses of 5 to 64 lines; CPU and wall-clock time in ms\n`)
row(
  'store',
  'round trip',
  'hits',
  'CPU',
  'wall',
  'p50',
  'bytes of an answer',
  'ccache, one after the other: ms of a hit',
)
row('---', '---', '---', '---', '---', '---', '---', '---')
const alone = { dir: join(directory('cache'), 'root') }
const computed = run(alone)
row('none, computed', '', '', computed.cpuMs, computed.answeredMs, '', '', '')
const again = run(alone)
row('none, local hits', '', '', again.cpuMs, again.answeredMs, '', '', '')

const sources = Array.from({ length: 20 }, (_, at) => {
  const path = join(directory('c'), `${at}.c`)
  writeFileSync(path, `int f${at}(int x) { return x + ${at}; }\n`)
  return path
})
const engines = [
  { name: 'a directory', url: () => pathToFileURL(share).href, port: 0 },
  ...(isInstalled('redis-server')
    ? [
        {
          name: 'Redis',
          url: (/** @type {number} */ port) => `redis://127.0.0.1:${port}`,
          port: await startRedis(directory('redis')),
        },
      ]
    : []),
  ...(isInstalled('nginx')
    ? [
        {
          name: 'nginx',
          url: (/** @type {number} */ port) => `http://127.0.0.1:${port}/cache`,
          port: await startNginx(directory('nginx')),
        },
      ]
    : []),
]
const share = directory('share')
const hasCcache = isInstalled('ccache') && isInstalled('gcc')
for (const { name, url, port } of engines) {
  const { pushed } = run({ project: projects.a, isPushed: true, remote: { ...writer, url: url(port) } })
  const bytes = pushed.bytes / pushed.transferred
  if (hasCcache && port > 0) ccacheMs(url(port), sources)
  for (const delayMs of port > 0 ? DELAYS_MS : [0]) {
    const at = delayMs > 0 ? await startProxy(port, delayMs / 2) : port
    const { stats, cpuMs, answeredMs } = run({ remote: { ...reader, url: url(at) } })
    const theirs = hasCcache && port > 0 ? ccacheMs(url(at), sources) : ''
    row(name, `${delayMs} ms`, String(stats.hits), cpuMs, answeredMs, stats.p50 ?? '', bytes.toFixed(0), theirs)
  }
}

console.log('\nA run of 30 analyses, each awaited, with the default timeouts; medians of 5\n')
row('remote', 'CPU', 'wall')
row('---', '---', '---')
for (const [name, url] of [
  ['none', undefined],
  ['dead', `http://127.0.0.1:${await freePort()}`],
  ['silent', `http://127.0.0.1:${await startProxy(0, 0)}`],
  ['answers after 2 s', `http://127.0.0.1:${await startProxy(0, 2000)}`],
]) {
  const given = { files: files.slice(0, 30), isInTurns: true, ...(url && { remote: { keys: [publicKey], url } }) }
  const runs = Array.from({ length: 5 }, () => run(given))
  row(name ?? '', median(runs.map(({ cpuMs }) => cpuMs)), median(runs.map(({ answeredMs }) => answeredMs)))
}

console.log('\nA hook: one analysis that is there already; medians of 40 in turns\n')
const hook = { dir: join(directory('cache'), 'root'), files: files.slice(0, 1), isHook: true }
run(hook)
const url = 'redis://127.0.0.1:1'
const surrounding = { WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_KEYS: publicKey }
const runs = Array.from({ length: 40 }, () => [
  run(hook).cpuMs,
  run({ ...hook, isSurrounding: true }, surrounding).cpuMs,
  run({ ...hook, remote: { keys: [publicKey], url } }).cpuMs,
])
row('remote', 'CPU')
row('---', '---')
for (const [at, name] of ['none', 'in the environment', 'in options'].entries())
  row(name, median(runs.map(each => each[at] ?? 0)))

console.log('\nSigning and checking, µs of CPU\n')
row('bytes', 'sign', 'verify')
row('---', '---', '---')
const pair = generateKeyPairSync('ed25519')
for (const length of [200, 20_000]) {
  const body = Buffer.alloc(length, 'a')
  const signature = sign(null, body, pair.privateKey)
  /** @param {() => unknown} call */
  const each = call => {
    for (let at = 0; at < 200; at++) call()
    const before = process.cpuUsage()
    for (let at = 0; at < 2000; at++) call()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 2000
  }
  row(
    String(length),
    each(() => sign(null, body, pair.privateKey)),
    each(() => verify(null, body, pair.publicKey, signature)),
  )
}
process.exit(0)

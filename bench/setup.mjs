// What a run needs first: the Node that is measured, and the peers, both as their lock files say.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Lines of Node that `bench/node/` has a lock file for. */
export const NODES = ['20', '22', '24', '26']
export const DEFAULT_NODE = '24'
/** Peers whose binary is for the Node that compiled it: another one crashes in it, or refuses it. */
const COMPILED = ['better-sqlite3', 'sqlite3']

/**
 * Goes on in the Node that is to be measured, so that all children run on it as well.
 *
 * @param {string} wanted a line of Node, or the path of a binary
 */
export async function continueOn(wanted) {
  const path = NODES.includes(wanted) ? installedNode(wanted) : wanted
  if (!existsSync(path)) {
    console.error(`There is no Node at ${path}. --node takes ${NODES.join(', ')} or the path of a binary.`)
    process.exit(2)
  }
  if (realpathSync(path) === realpathSync(process.execPath)) return
  const run = spawn(path, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => run.kill(signal))
  const [status] = await once(run, 'exit')
  process.exit(status ?? 1)
}

/** @param {string} line */
function installedNode(line) {
  const directory = join(HERE, 'node', line)
  const packageName = `node-${process.platform}-${process.arch}`
  const { optionalDependencies } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  if (!(packageName in optionalDependencies)) {
    console.error(
      `bench/node/ has no Node for ${process.platform} ${process.arch}. Give one: --node <path of a binary>.`,
    )
    process.exit(2)
  }
  const stamp = join(directory, 'node_modules', '.installed-from.json')
  const lock = readFileSync(join(directory, 'package-lock.json'), 'utf8')
  if (!isFile(stamp, lock)) {
    console.log(`Installing Node ${line}.`)
    npm(['ci'], directory)
    writeFileSync(stamp, lock)
  }
  return join(directory, 'node_modules', packageName, 'bin', 'node')
}

/** Installs the peers, unless those of this lock file were installed before, and builds the native one for this Node. */
export function installPeers() {
  const lock = readFileSync(join(HERE, 'package-lock.json'), 'utf8')
  const installed = join(HERE, 'node_modules', '.installed-from.json')
  const abi = join(HERE, 'node_modules', '.abi')
  const { modules } = process.versions
  const isInstalled = isFile(installed, lock)
  if (isInstalled && isFile(abi, modules)) return
  if (!isInstalled) {
    console.log('Installing the peers.')
    npm(['ci', '--ignore-scripts'], HERE)
    writeFileSync(installed, lock)
  }
  console.log(`Building the peers without a binary for Node ${process.version}, which takes some minutes.`)
  // A peer that cannot be built is left out of the run, see `probePeers`.
  const packages = isInstalled ? COMPILED : []
  npm(['rebuild', ...packages], HERE, true)
  writeFileSync(abi, modules)
}

/** @param {string} path @param {string} text */
const isFile = (path, text) => existsSync(path) && readFileSync(path, 'utf8') === text

/**
 * Runs npm on this Node, with its headers where the package has them.
 *
 * @param {string[]} args
 * @param {string} cwd
 */
function npm(args, cwd, mayFail = false) {
  const bin = dirname(process.execPath)
  const prefix = dirname(bin)
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node.h'))
  const { status } = spawnSync('npm', [...args, '--no-audit', '--no-fund'], {
    cwd,
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      ...(hasHeaders && { npm_config_nodedir: prefix }),
      JOBS: 'max',
    },
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0 && !mayFail) throw new Error(`npm ${args.join(' ')} failed in ${cwd}.`)
}

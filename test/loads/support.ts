// A project with the packed package in its node_modules, and the tools that are installed beside this file.

import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { install } from '../package/smoke-on-node.mjs'

const here = import.meta.dirname
const root = join(here, '..', '..')
const created: string[] = []

/** The path of something that a tool brings. */
export const tool = (...path: string[]) => join(here, 'node_modules', ...path)

/** Which versions of Node, by the names of their packages here. */
export const NODES = ['20.19', '22.12', '24', '26']
export const nodeOf = (version: string) => tool(`node-${version}`, 'bin', 'node')
/** The one that the tools are run with. */
export const NODE = nodeOf('24')

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-loads-'))
  created.push(directory)
  return directory
}

export function removeDirectories(): void {
  for (const directory of created.splice(0)) rmSync(directory, { recursive: true, force: true })
}

/** The package and chokidar, as npm would install them, with the files of `fixtures/` beside them. */
export function newProject(): string {
  const directory = newDirectory()
  install(directory)
  for (const name of ['chokidar', 'readdirp']) {
    cpSync(join(root, 'node_modules', name), join(directory, 'node_modules', name), { recursive: true })
  }
  addFixtures(directory)
  return directory
}

export function addFixtures(directory: string): void {
  for (const name of readdirSync(join(here, 'fixtures'))) cpSync(join(here, 'fixtures', name), join(directory, name))
}

/** What the program prints, on both streams. */
export async function run(file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  // Those of the runner of these tests.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|TEST$|NODE_(ENV|OPTIONS|PATH|V8)|JEST|npm_)/.test(name),
  )
  const cache = { CACHE_DIR: join(mkdtempSync(join(cwd, 'cache-')), 'root') }
  const options = { cwd, env: { ...Object.fromEntries(inherited), ...cache, ...env }, maxBuffer: 1 << 26 }
  try {
    const { stdout, stderr } = await promisify(execFile)(file, args, options)
    return stdout + stderr
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string }
    throw new Error(`${message}\n${stdout}\n${stderr}`)
  }
}

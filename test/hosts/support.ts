// Projects that use the hosts, each with a cache directory of its own.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'
import { type Cache, type CacheOptions, type Namespace, openCacheSync } from 'wicked-cache'

const modules = join(import.meta.dirname, 'node_modules')

const created: string[] = []
const opened: Cache[] = []
afterAll(() => {
  for (const cache of opened.splice(0)) cache.close()
  for (const directory of created.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-hosts-'))
  created.push(directory)
  return directory
}

/** A namespace of user-wide keys in a cache of its own. */
export function newNamespace(name: string, options: CacheOptions = {}): Namespace {
  const cache = openCacheSync({ dir: join(newDirectory(), 'cache'), ...options })
  opened.push(cache)
  return cache.namespace(name, { project: false })
}

/** File systems and clocks count time in steps: what is younger may still change without a trace, and isn't stored. */
const CLOCK_STEP_MS = 30

/** Returns once the file has been as it is for longer than clocks take for a step. */
export function settle(path: string): void {
  const { ctimeMs } = statSync(path)
  while (Date.now() <= ctimeMs + CLOCK_STEP_MS);
}

/** A project with these files and all hosts in its node_modules. */
export class Project {
  readonly dir = newDirectory()
  readonly cacheDir = join(newDirectory(), 'cache')

  constructor(files: Record<string, string>) {
    symlinkSync(modules, join(this.dir, 'node_modules'), 'junction')
    this.write({ 'package.json': '{"name": "project", "private": true}', ...files })
  }

  at(path: string): string {
    return join(this.dir, path)
  }

  write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(this.at(path)), { recursive: true })
      writeFileSync(this.at(path), text)
    }
    for (const path of Object.keys(files)) settle(this.at(path))
  }

  /** Runs a program of the project; what it prints on both streams. */
  async node(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|TEST$|NODE_(ENV|OPTIONS|PATH|V8)|JEST|npm_|BABEL_ENV)/.test(name),
    )
    const options = {
      cwd: this.dir,
      env: { ...Object.fromEntries(inherited), WICKED_CACHE_DIR: this.cacheDir, ...env },
      maxBuffer: 1 << 26,
    }
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options)
      return stdout + stderr
    } catch (error) {
      const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string }
      throw new Error(`${message}\n${stdout}\n${stderr}`)
    }
  }

  /** Hits and misses of all runs so far. */
  counts(): { hits: number; misses: number } {
    const cache = openCacheSync({ dir: this.cacheDir, mode: 'readonly' })
    const { hitCount, missCount } = cache.stats()
    cache.close()
    return { hits: hitCount, misses: missCount }
  }
}

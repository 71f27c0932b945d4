// Trees of files that stand for projects, and what it is to work in one.

import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { CacheOptions, CallResult, Namespace, NamespaceOptions } from '../../src/index.js'
import { openAsAnotherProcess, openIn, temporaryDirectory } from './caches.js'

export class Tree {
  /** Without symbolic links. */
  readonly root = realpathSync(temporaryDirectory())

  constructor(files: Record<string, string> = {}) {
    this.write(files)
  }

  at(name: string): string {
    return join(this.root, name)
  }

  /** Those whose names end in `/` are directories. */
  write(files: Record<string, string>): this {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(name.endsWith('/') ? this.at(name) : dirname(this.at(name)), { recursive: true })
      if (!name.endsWith('/')) writeFileSync(this.at(name), content)
    }
    return this
  }

  /** As a checkout, a CI machine or a package manager does it: with other times and inodes. */
  copy(from: string, to: string): void {
    cpSync(this.at(from), this.at(to), { recursive: true })
  }

  remove(name: string): void {
    rmSync(this.at(name), { recursive: true })
  }

  /** A namespace of the tree's cache, as another process opens it. */
  open(options: NamespaceOptions = {}, cacheOptions: CacheOptions = {}, name = 'tool'): Namespace {
    return this.opened(options, cacheOptions, name).entries
  }

  opened(options: NamespaceOptions = {}, cacheOptions: CacheOptions = {}, name = 'tool') {
    const { cache, warnings } = openAsAnotherProcess(this.at('cache'), cacheOptions)
    return { cache, warnings, entries: cache.namespace(name, options) }
  }
}

/** Calls `fn` with this working directory. */
export function within<T>(directory: string, fn: () => T): T {
  const before = process.cwd()
  process.chdir(directory)
  try {
    return fn()
  } finally {
    process.chdir(before)
  }
}

/** How calls were answered, in turn. */
export function answers() {
  const results: CallResult[] = []
  const onResult = (result: CallResult) => void results.push(result)
  return {
    onResult,
    results,
    /** `hit` or the reason of the miss, of the latest call. */
    get last(): string {
      const result = results.at(-1)
      return result?.isHit ? 'hit' : (result?.reason ?? 'none')
    },
  }
}

/** Two projects, `a` and `b`, with the same files of other content. */
export function twoProjects() {
  const base = temporaryDirectory()
  const put = (path: string, content: string) => {
    mkdirSync(dirname(join(base, path)), { recursive: true })
    writeFileSync(join(base, path), content)
  }
  for (const name of ['a', 'b']) {
    put(`${name}/package.json`, '{}')
    put(`${name}/file`, `of ${name}`)
  }
  put('a/src/file', 'of a/src')
  const { cache } = openIn(join(base, 'cache'))
  const home = process.cwd()
  onTestFinished(() => process.chdir(home))
  return { base, put, cache, in: (path: string) => process.chdir(join(base, path)) }
}

/** Two checkouts of one project, at `one` and `two`. */
export function checkouts(files: Record<string, string> = { 'package.json': '{}', 'src/a.js': 'a', config: '1' }) {
  const tree = new Tree()
  for (const name of ['one', 'two']) {
    tree.write(Object.fromEntries(Object.entries(files).map(([path, content]) => [`${name}/${path}`, content])))
  }
  const { cache, warnings } = tree.opened()
  const of = (name: string, portable = true) => cache.namespace('tool', { project: tree.at(name), portable })
  return { tree, cache, warnings, of, one: of('one'), two: of('two') }
}

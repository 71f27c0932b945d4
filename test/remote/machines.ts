// Machines of a team: each with a cache and a checkout of its own, at other paths, and a store that they share.

import { mkdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import type { CallResult, NamespaceOptions, RemoteOptions } from '../../src/index.js'
import { createRemoteKeys } from '../../src/remote/keys.js'
import { openAsAnotherProcess } from '../support/caches.js'
import { Tree } from '../support/projects.js'

export const keys = createRemoteKeys()
export const otherKeys = createRemoteKeys()

export const writer = { mode: 'readwrite', signingKey: keys.signingKey, keys: [] } as const satisfies RemoteOptions
export const reader = { mode: 'read', keys: [keys.publicKey] } as const satisfies RemoteOptions

/** Times that a busy machine keeps. */
export const PATIENT = { connect: 30_000, read: 120_000, upload: 120_000 }

/** So many small sources, by their paths. */
export const smallSources = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`src/${at}.js`, `export const v${at} = ${at}`]))

export class Team {
  readonly tree = new Tree()
  readonly files: Record<string, string>
  #count = 0

  constructor(files: Record<string, string>) {
    this.files = { 'package.json': '{}', ...files }
  }

  /** A directory that all machines see. */
  share(): string {
    const path = this.tree.at('share')
    mkdirSync(path, { recursive: true })
    return pathToFileURL(path).href
  }

  machine(remote: RemoteOptions | undefined, options: NamespaceOptions = {}, files = this.files): Machine {
    return new Machine(
      this.tree,
      `machine-${++this.#count}`,
      files,
      remote && { timeouts: PATIENT, ...remote },
      options,
    )
  }
}

export class Machine {
  readonly tree: Tree
  readonly name: string
  readonly project: string
  readonly opened: ReturnType<typeof openAsAnotherProcess>
  readonly entries
  readonly results: CallResult[] = []
  readonly onResult = (result: CallResult) => void this.results.push(result)

  constructor(
    tree: Tree,
    name: string,
    files: Record<string, string>,
    remote: RemoteOptions | undefined,
    options: NamespaceOptions,
  ) {
    this.tree = tree
    this.name = name
    this.project = tree.at(`${name}/deep/checkout`)
    this.write(files)
    this.opened = openAsAnotherProcess(tree.at(`${name}/cache`), remote ? { remote } : {})
    this.entries = this.opened.cache.namespace('tool', { project: this.project, portable: true, ...options })
    onTestFinished(() => this.opened.cache.close())
  }

  write(files: Record<string, string>): void {
    const inside = Object.entries(files).map(([path, content]) => [`${this.name}/deep/checkout/${path}`, content])
    this.tree.write(Object.fromEntries(inside))
  }

  at(path: string): string {
    return `${this.project}/${path}`
  }

  /** Analyzes the files at the same time; each result is the content of its file. */
  sourcesOf(files: Record<string, string>): Promise<string[]> {
    const sourceOf = (file: string) =>
      this.entries.analyze('text', this.at(file), ctx => ctx.source, { onResult: this.onResult })
    return Promise.all(Object.keys(files).map(sourceOf))
  }

  get computedCount(): number {
    return this.results.filter(({ isHit }) => !isHit).length
  }

  get remote() {
    const { remote } = this.opened.cache
    if (!remote) throw new Error('There is no remote.')
    return remote
  }

  /** Another process on the same machine. */
  again(remote: RemoteOptions | undefined, options: NamespaceOptions = {}): Machine {
    return new Machine(this.tree, this.name, {}, remote && { timeouts: PATIENT, ...remote }, options)
  }
}

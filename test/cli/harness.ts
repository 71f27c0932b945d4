// Runs command lines in this process, against the sources and real temporary directories.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Library } from '../../cli/command.js'
import type { Env } from '../../cli/output.js'
import { run } from '../../cli/run.js'
import {
  type Cache,
  type CacheOptions,
  createRemoteKeys,
  defaultDir,
  openCache,
  parseDuration,
  parseSize,
} from '../../src/index.js'

export function temporaryDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'wicked-cache-cli-')))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A stream that keeps what it is given; `isTTY` makes it look like a terminal. */
export class Sink extends Writable {
  text = ''
  isTTY = false
  columns = 80

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.text += chunk
    done()
  }
}

export interface Surroundings {
  stdin?: string | Buffer
  isTerminal?: boolean
  env?: Env
  stdout?: Sink
  library?: Library
  /** When the process is asked to end. Default: never. */
  stopped?: Promise<void>
}

export const library: Library = { openCache, createRemoteKeys, defaultDir, parseDuration, parseSize }

/** The library, with the options of every cache that the CLI opens passed through `change`. */
export function libraryWith(change: (options: CacheOptions) => CacheOptions): Library {
  return { ...library, openCache: options => openCache(change(options ?? {})) }
}

export async function cli(args: readonly string[], surroundings: Surroundings = {}) {
  const stdout = surroundings.stdout ?? new Sink()
  const stderr = new Sink()
  stdout.isTTY = stderr.isTTY = surroundings.isTerminal ?? false
  const stdin = Readable.from(surroundings.stdin === undefined ? [] : [Buffer.from(surroundings.stdin)])
  const code = await run(args, {
    stdin,
    stdout,
    stderr,
    env: surroundings.env ?? {},
    version: '1.2.3',
    program: import.meta.filename,
    library: async () => surroundings.library ?? library,
    stopped: () => surroundings.stopped ?? new Promise(() => undefined),
  })
  return { code, out: stdout.text, err: stderr.text }
}

/** Fills a cache the way a plugin would, and closes it, so that the CLI sees what another process left. */
export async function filled(dir: string, fill: (cache: Cache) => void, options: CacheOptions = {}): Promise<void> {
  const cache = await openCache({ ...options, dir })
  try {
    fill(cache)
  } finally {
    cache.close()
  }
}

export const jsonLines = (text: string) =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

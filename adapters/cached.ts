// How the call of a host's plugin is cached: it is run with a context that records what it depends on, and its result is stored
// unless it used something that a hit wouldn't repeat.

import { statSync } from 'node:fs'
import { type AnalyzeContext, CacheError, type ComputeContext, type Namespace } from '../src/index.js'

export interface Call {
  /** The name of the plugin. */
  name: string
  /** Absolute. */
  path: string
  /** The text that the host gave; else the file's content. */
  source?: string
  /** All else that the result depends on. */
  inputs: unknown
  /** Whether the absolute path, which the plugin is told, makes no difference. */
  isPortable: boolean
}

export interface Answer<T> {
  value: T
  /** For a hit: the files that the host must watch, without the file itself. */
  files: string[]
}

/** The calls of a plugin that are part of its result. */
export class Recording {
  readonly #name: string
  readonly #context: ComputeContext | undefined
  isRepeatable = true
  #hasEnded = false

  constructor(name: string, context: ComputeContext | undefined) {
    this.#name = name
    this.#context = context
  }

  /** For a call whose result isn't stored. */
  static get none(): Recording {
    const recording = new Recording('', undefined)
    recording.end()
    return recording
  }

  /** The result depends on the file, which may be absent, or on the names in the directory. */
  depend(path: unknown): void {
    if (!this.#hasEnded && typeof path === 'string') this.#context?.addDependency(path)
  }

  /** A hit would leave that out. */
  spoil(what: string): void {
    if (this.#hasEnded) return
    this.isRepeatable = false
    warnOnce(`What ${this.#name} makes of some files isn't cached, because it uses ${what}.`)
  }

  end(): void {
    this.#hasEnded = true
  }
}

/** @throws what `run` throws */
export async function cached<T>(
  entries: Namespace,
  { name, path, source, inputs, isPortable }: Call,
  run: (recording: Recording) => Promise<T>,
): Promise<Answer<T>> {
  let live: { value: T } | undefined
  let hasRun = false
  const compute = async (context?: AnalyzeContext) => {
    hasRun = true
    // Looking at the path makes it an input.
    if (!isPortable) void context?.path
    const recording = new Recording(name, context)
    live = { value: await run(recording) }
    recording.end()
    return recording.isRepeatable ? live : undefined
  }
  let files: string[] = []
  try {
    const stored = await entries.analyze(name, source === undefined ? path : { path, source }, compute, {
      inputs,
      onResult: result => {
        files = result.files
      },
    })
    if (live) return { value: live.value, files: [] }
    return { value: (stored as { value: T }).value, files: files.filter(file => file !== path) }
  } catch (error) {
    if (hasRun) throw error
    // Inputs that can't be stored, a file that can't be read, a cache that is closed.
    if (error instanceof CacheError) warnOnce(`${name} isn't cached: ${error.message}`)
    await compute()
    return { value: (live as unknown as { value: T }).value, files: [] }
  }
}

export interface Rules {
  /** Properties that change nothing outside, and whose values are among the inputs or the same for all files. */
  pure: ReadonlySet<string>
  /** Methods that take the path of a dependency. */
  depends: ReadonlySet<string>
  /** Properties that replace those of the host. */
  own?: Record<string, unknown>
}

/** The host's context as a plugin sees it. */
export function recorded<C extends object>(context: C, recording: Recording, { pure, depends, own = {} }: Rules): C {
  return new Proxy(context, {
    get(target, key) {
      if (typeof key === 'string' && Object.hasOwn(own, key)) return own[key]
      const value: unknown = Reflect.get(target, key, target)
      if (typeof key !== 'string' || value === undefined) return value
      if (depends.has(key) && typeof value === 'function') {
        return (path: unknown, ...rest: unknown[]) => {
          recording.depend(path)
          return value.call(target, path, ...rest)
        }
      }
      if (!pure.has(key)) recording.spoil(`this.${key}`)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set(target, key, value) {
      recording.spoil(`this.${String(key)}`)
      return Reflect.set(target, key, value, target)
    },
  })
}

export function kindOf(path: string): 'file' | 'directory' | 'missing' {
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat === undefined ? 'missing' : stat.isDirectory() ? 'directory' : 'file'
  } catch {
    // A path that leads through a file, or that may not be read, counts as missing, too.
    return 'missing'
  }
}

/** Source maps may be instances of classes. */
export function plainMap(map: unknown): unknown {
  return typeof map === 'object' && map !== null ? JSON.parse(JSON.stringify(map)) : map
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function assertVersion(version: unknown): string {
  if (typeof version === 'string' && version !== '') return version
  const message = 'version must be the version of what is cached: without it, results of older versions would be found.'
  throw new CacheError('ERR_CACHE_OPTION', message, { value: version })
}

const warned = new Set<string>()

export function warnOnce(message: string): void {
  if (warned.has(message)) return
  warned.add(message)
  process.emitWarning(message, { type: 'WickedCacheWarning' })
}

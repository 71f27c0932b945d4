// Caches what the `onLoad` callbacks of an esbuild plugin return.

import { assertVersion, cached, kindOf, type Recording } from './cached.js'
import { open } from './place.js'
import type { CachePluginOptions } from './plugin-options.js'

export type { Place, PlaceOptions } from './place.js'
export type { CachePluginOptions } from './plugin-options.js'

interface LoadArgs {
  path: string
  namespace: string
  suffix: string
  pluginData: unknown
  with: Record<string, string>
}

interface LoadResult {
  watchFiles?: string[]
  watchDirs?: string[]
  errors?: unknown[]
  warnings?: unknown[]
  pluginData?: unknown
}

type Load = (args: LoadArgs) => LoadResult | null | undefined | Promise<LoadResult | null | undefined>

interface Build {
  initialOptions: object
  onLoad(filter: object, load: Load): void
}

/** The part of an esbuild plugin that is used here. */
export interface EsbuildPlugin {
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: esbuild's own type, which is not imported
  setup(build: any): void | Promise<void>
}

/** Options that say where the output goes, and don't change how a file is built. */
const ELSEWHERE = ['plugins', 'entryPoints', 'stdin', 'outdir', 'outfile', 'outbase', 'absWorkingDir', 'write']

/**
 * The plugin that the factory makes of its options, with what its `onLoad` callbacks return for files cached. They must depend on
 * the file, the options and their `watchFiles` and `watchDirs` alone. A result with `warnings`, `errors` or `pluginData` is not stored, nor one for
 * which `build.resolve` was called.
 *
 * @throws CacheError `ERR_CACHE_OPTION` without a version
 * @example
 * const plugins = [cachePlugin(sassPlugin, { type: 'css' }, { version: '3.3.0' })]
 */
export function cachePlugin<O, P extends EsbuildPlugin>(
  factory: (options: O) => P,
  options: O,
  { version, inputs, portable = false, place }: CachePluginOptions,
): P {
  const entries = open(place, { name: 'bundlers' })
  const common = { version: assertVersion(version), options: inputs ?? options }
  const plugin = factory(options)
  const running = new Set<Recording>()
  return { ...plugin, setup: (build: Build) => plugin.setup(watched(build)) }

  function watched(build: Build): Build {
    return new Proxy(build, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (key === 'onLoad') return (filter: object, load: Load) => build.onLoad(filter, cachedLoad(build, load))
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          // Which of them has called it, there is no knowing.
          if (key === 'resolve') for (const each of running) each.spoil('build.resolve')
          return value.apply(target, args)
        }
      },
    })
  }

  function cachedLoad(build: Build, load: Load): Load {
    return async args => {
      const { path, namespace, suffix, pluginData } = args
      if (namespace !== 'file' || pluginData !== undefined) return load(args)
      const settings = Object.entries(build.initialOptions).filter(([name]) => !ELSEWHERE.includes(name))
      const call = {
        name: plugin.name,
        path,
        isPortable: portable,
        inputs: { ...common, suffix, with: { ...args.with }, build: Object.fromEntries(settings) },
      }
      const { value, files } = await cached(entries, call, async recording => {
        running.add(recording)
        try {
          return resultOf(await load(args), recording)
        } finally {
          running.delete(recording)
        }
      })
      if (value === null || files.length === 0) return value
      const directories = files.filter(file => kindOf(file) === 'directory')
      return { ...value, watchFiles: files.filter(file => !directories.includes(file)), watchDirs: directories }
    }
  }
}

export default cachePlugin

function resultOf(result: LoadResult | null | undefined, recording: Recording): LoadResult | null {
  if (!result) return null
  const { watchFiles = [], watchDirs = [], errors, warnings, pluginData } = result
  for (const path of [...watchFiles, ...watchDirs]) recording.depend(path)
  if (errors?.length) recording.spoil('errors')
  if (warnings?.length) recording.spoil('warnings')
  if (pluginData !== undefined) recording.spoil('pluginData')
  return result
}

// A webpack loader that replaces babel-loader and takes its options. It calls babel-loader for results that are not cached.
//
// The key is the configuration as Babel has resolved it for the file: the options of all plugins and presets, the targets, the
// environment. Which plugin one is, is known by its file and the version of its package.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { CacheError } from '../src/index.js'
import { warnOnce } from './cached.js'
import { type Loader, type LoaderContext, runCached } from './loader.js'
import { open, type PlaceOptions } from './place.js'

export type { Loader, LoaderContext } from './loader.js'

/** The part of a plugin or preset in a resolved configuration that is used here. */
interface ConfigItem {
  value: unknown
  options: unknown
  file?: { resolved: string }
}

interface PartialConfig {
  options: Record<string, unknown> & { plugins?: ConfigItem[]; presets?: ConfigItem[] }
  files: Set<string>
}

interface Babel {
  version: string
  loadPartialConfigAsync(options: object): Promise<PartialConfig | null>
}

interface Options {
  /** Options of the namespace in the default cache; its name is `babel`. With `portable`, results count in every checkout. */
  cache?: PlaceOptions
  cacheDirectory?: unknown
  cacheIdentifier?: unknown
  cacheCompression?: unknown
  customize?: unknown
  metadataSubscribers?: unknown
  sourceMaps?: unknown
  sourceMap?: unknown
}

/** What a configuration says of places, or what is asked for on its own. */
const LEFT_OUT = ['plugins', 'presets', 'filename', 'cwd', 'root', 'sourceFileName', 'caller', 'configFile', 'babelrc']

/**
 * The loader: name it as `wicked-cache/babel` where your webpack configuration has `babel-loader`. It takes the options of babel-loader, and
 * as `cache` those of the namespace in the default cache.
 */
const babelLoader: Loader = function (this: LoaderContext, ...given: unknown[]) {
  const callback = this.async()
  load(this, given).then(
    results => callback(null, ...results),
    error => callback(error),
  )
}

export default babelLoader

async function load(context: LoaderContext, given: unknown[]): Promise<unknown[]> {
  const { cache, ...rest } = context.getOptions() as Options
  const { cacheDirectory, cacheCompression, ...options } = rest
  const { babel, loader, loaderVersion } = tools(context.rootContext)
  const config = await babel.loadPartialConfigAsync(configOptions(context, options))
  const identity = config && identityOf(config, context.rootContext)
  // Customized ones and those with subscribers do what isn't seen here.
  if (!config || !identity || options.customize || options.metadataSubscribers) {
    return runUncached(context, given, loader, options)
  }
  for (const file of config.files) context.addDependency(file)
  const common = { babel: babel.version, loader: loaderVersion, identity, identifier: options.cacheIdentifier }
  const inputs = { ...common, map: namedMap(String(given[0]), context.resourcePath) }
  const entries = open(cache, { name: 'babel' })
  return runCached(context, given, {
    entries,
    loader,
    name: 'babel',
    inputs,
    options,
    isPortable: cache?.portable === true,
  })
}

/** As babel-loader asks Babel for a file's configuration. */
function configOptions(context: LoaderContext, options: Options): object {
  const { cacheIdentifier, customize, metadataSubscribers, sourceMap, sourceMaps = sourceMap, ...own } = options
  return {
    ...own,
    filename: context.resourcePath,
    sourceFileName: context.resourcePath,
    sourceMaps: sourceMaps ?? context.sourceMap,
    caller: {
      name: 'babel-loader',
      target: context.target,
      supportsStaticESM: true,
      supportsDynamicImport: true,
      supportsTopLevelAwait: true,
    },
  }
}

/** A text that differs between configurations; undefined if a plugin has no file, since closures can't be told apart. */
function identityOf({ options }: PartialConfig, root: string): unknown {
  const items = [...(options.plugins ?? []), ...(options.presets ?? [])]
  const inline = items.find(({ file }) => file === undefined)
  if (inline) {
    warnOnce("Babel's results aren't cached: name all plugins and presets by their files, as texts.")
    return undefined
  }
  const known = items.map(({ file, options: given }) => [
    relative(root, file?.resolved ?? ''),
    packageVersion(file?.resolved ?? ''),
    given,
  ])
  const others = Object.entries(options).filter(([name]) => !LEFT_OUT.includes(name))
  return [known, options.presets?.length ?? 0, Object.fromEntries(others)]
}

const versions = new Map<string, string>()

/** The version of the package that the file is in; for a file of the project, its content. */
function packageVersion(file: string): string {
  const known = versions.get(file)
  if (known !== undefined) return known
  const found = /[\\/]node_modules[\\/]/.test(file) ? versionAbove(file) : readFileSync(file, 'utf8')
  versions.set(file, found)
  return found
}

function versionAbove(file: string): string {
  for (let directory = dirname(file); directory !== dirname(directory); directory = dirname(directory)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
      if (name && version) return `${name} ${version}`
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error
    }
  }
  return ''
}

/** The source map that a text names, which Babel reads without reporting it. An inline source map is part of the text. */
function namedMap(text: string, path: string): string | undefined {
  const url = Array.from(text.matchAll(/sourceMappingURL=([^\s'"]+)/g), ([, name = '']) => name).at(-1)
  if (url === undefined || url.startsWith('data:')) return undefined
  try {
    return readFileSync(join(dirname(path), url), 'utf8')
  } catch {
    // Babel goes on without it, too.
    return undefined
  }
}

function runUncached(context: LoaderContext, given: unknown[], loader: Loader, options: object): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const async =
      () =>
      (error: unknown, ...results: unknown[]) =>
        error ? reject(error) : resolve(results)
    const own: Record<string, unknown> = { async, getOptions: () => options }
    const target = new Proxy(context, {
      get: (host, key) => own[key as string] ?? Reflect.get(host, key, host),
    })
    loader.apply(target, given as [unknown])
  })
}

const loaded = new Map<string, { babel: Babel; loader: Loader; loaderVersion: string }>()

/** Those that are installed in the project. @throws CacheError `ERR_CACHE_OPTION` */
function tools(root: string) {
  const known = loaded.get(root)
  if (known) return known
  const inProject = createRequire(join(root, 'package.json'))
  try {
    const inLoader = createRequire(inProject.resolve('babel-loader'))
    const found = {
      loader: inProject('babel-loader') as Loader,
      loaderVersion: (inProject('babel-loader/package.json') as { version: string }).version,
      babel: inLoader('@babel/core') as Babel,
    }
    loaded.set(root, found)
    return found
  } catch (cause) {
    const message = `babel-loader and @babel/core must be installed in ${root}.`
    throw new CacheError('ERR_CACHE_OPTION', message, { cause })
  }
}

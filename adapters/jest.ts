// Caches what a Jest transformer gives. Jest has a cache of its own; this one also serves `--no-cache`, other directories for
// Jest's, and a CI machine with a restored cache.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type AnalyzeContext, CacheError } from '../src/index.js'
import { open, type Place } from './place.js'

export type { Place, PlaceOptions } from './place.js'

/** The part of Jest's options for a file that is used here. */
export interface TransformOptions {
  configString: string
  instrument: boolean
  transformerConfig: unknown
  config: { rootDir: string }
  supportsDynamicImport: boolean
  supportsExportNamespaceFrom: boolean
  supportsStaticESM: boolean
  supportsTopLevelAwait: boolean
}

/** The result of a transformer for a file. */
export interface Transformed {
  code: string
  map?: unknown
}

/** How a transformer is called: with the text of a file, its path and Jest's options. */
// biome-ignore lint/suspicious/noExplicitAny: transformers declare their options in their own ways
export type TransformMethod<R> = (source: string, path: string, options: any) => R

/** The part of a transformer that is used here. */
export interface Transformer {
  canInstrument?: boolean
  process?: TransformMethod<Transformed>
  processAsync?: TransformMethod<Promise<Transformed>>
  getCacheKey?: TransformMethod<string>
  getCacheKeyAsync?: TransformMethod<Promise<string>>
}

/** As Jest's configuration has it. */
export interface TransformerConfig {
  /** A module, from the project's directory or by its absolute path. */
  transformer: string
  /** The configuration of the transformer. */
  transformerConfig?: unknown
  /** Options of the namespace in the default cache; its name is `jest`. */
  cache?: Place
}

/**
 * The transformer with its results cached, for `process` and `processAsync`. Results must depend on what the transformer's
 * `getCacheKey` covers; without one, on the text, the path and the configuration.
 *
 * @throws CacheError `ERR_CACHE_OPTION` for a transformer that can't be loaded
 * @example
 * const transformer = createTransformer({ process: source => ({ code: compile(source) }) })
 */
export function createTransformer(given: Transformer | TransformerConfig, place?: Place): Transformer {
  const inner = 'transformer' in given ? loadTransformer(given) : given
  const entries = open('transformer' in given ? given.cache : place, { name: 'jest' })
  const { process: transform, processAsync, getCacheKey, getCacheKeyAsync, canInstrument } = inner
  return {
    ...(canInstrument !== undefined && { canInstrument }),
    ...(getCacheKey && { getCacheKey: getCacheKey.bind(inner) }),
    ...(getCacheKeyAsync && { getCacheKeyAsync: getCacheKeyAsync.bind(inner) }),
    ...(transform && {
      process(source, path, options) {
        const inputs = inputsOf(options, getCacheKey?.call(inner, source, path, options))
        const compute = (context: AnalyzeContext) => {
          // Jest's own cache is one for each directory, so that keys needn't cover it.
          void context.path
          return whatJestTakes(transform.call(inner, source, path, options))
        }
        return entries.analyzeSync('process', { path, source }, compute, { inputs })
      },
    }),
    ...(processAsync && {
      async processAsync(source, path, options) {
        const keyOf: TransformMethod<string | Promise<string>> | undefined = getCacheKeyAsync ?? getCacheKey
        const inputs = inputsOf(options, await keyOf?.call(inner, source, path, options))
        const compute = async (context: AnalyzeContext) => {
          void context.path
          return whatJestTakes(await processAsync.call(inner, source, path, options))
        }
        return entries.analyze('processAsync', { path, source }, compute, { inputs })
      },
    }),
  }
}

/** For Jest, whose interop asks for it. */
export default { createTransformer }

/** Babel's own result has fields that can't be stored. */
const whatJestTakes = ({ code, map }: Transformed): Transformed => (map === undefined ? { code } : { code, map })

/** What the result depends on besides the file: what the transformer says, or else all that it is told. */
function inputsOf(options: TransformOptions, key: string | undefined): unknown {
  if (key !== undefined) return key
  const { configString, instrument, transformerConfig } = options
  const { supportsDynamicImport, supportsExportNamespaceFrom, supportsStaticESM, supportsTopLevelAwait } = options
  const supported = [supportsDynamicImport, supportsExportNamespaceFrom, supportsStaticESM, supportsTopLevelAwait]
  return [configString, instrument, JSON.stringify(transformerConfig) ?? '', supported, process.env.NODE_ENV]
}

function loadTransformer({ transformer, transformerConfig }: TransformerConfig): Transformer {
  let loaded: { default?: object; createTransformer?: (config: unknown) => Transformer }
  try {
    loaded = createRequire(join(process.cwd(), 'package.json'))(transformer)
  } catch (cause) {
    throw new CacheError('ERR_CACHE_OPTION', `The transformer ${JSON.stringify(transformer)} can't be loaded.`, {
      cause,
    })
  }
  const module = ('createTransformer' in loaded ? loaded : (loaded.default ?? loaded)) as typeof loaded & Transformer
  return module.createTransformer?.(transformerConfig) ?? module
}

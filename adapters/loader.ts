// How the call of a webpack loader is cached.

import type { Namespace } from '../src/index.js'
import { cached, kindOf, plainMap, Recording, recorded } from './cached.js'

/** What is used of a loader's `this`. */
export interface LoaderContext {
  async(): (error: unknown, ...results: unknown[]) => void
  addDependency(file: string): void
  addContextDependency(directory: string): void
  addMissingDependency(path: string): void
  getOptions(schema?: unknown): object
  resourcePath: string
  resourceQuery?: string
  resourceFragment?: string
  rootContext: string
  mode?: string
  target?: string
  sourceMap?: boolean
  hot?: boolean
  minimize?: boolean
  environment?: object
}

// biome-ignore lint/suspicious/noExplicitAny: loaders declare their contexts in their own ways
export type Loader = ((this: any, source: any, map?: any, meta?: any) => unknown) & { raw?: boolean }

/** What is the same for all files, or among the inputs. */
const PURE = [
  ...['resource', 'resourcePath', 'resourceQuery', 'resourceFragment', 'context', 'rootContext'],
  ...['mode', 'target', 'sourceMap', 'hot', 'minimize', 'environment', 'version', 'webpack'],
  ...['query', 'getOptions', 'getLogger', 'utils'],
]
const DEPENDS = new Set(['addDependency', 'dependency', 'addMissingDependency', 'addBuildDependency'])

export interface LoaderCall {
  entries: Namespace
  loader: Loader
  name: string
  inputs: unknown
  /** Whether results count in every checkout. */
  isPortable: boolean
  /** What `getOptions` gives to the loader. */
  options?: object
}

/** What a loader gives to webpack: the text, and a source map if it has one. */
export async function runCached(
  context: LoaderContext,
  [source, map, meta]: unknown[],
  { entries, loader, name, inputs, isPortable, options }: LoaderCall,
): Promise<unknown[]> {
  const text = source instanceof Uint8Array ? Buffer.from(source).toString('latin1') : String(source)
  const call = {
    name,
    path: context.resourcePath,
    source: text,
    isPortable,
    inputs: { inputs, map: plainMap(map), host: settingsOf(context) },
  }
  const run = (recording: Recording) => results(context, [source, map, meta], loader, options, recording)
  // What a loader before this one passes on besides the text is no text.
  const isPlain = meta === undefined || meta === null
  if (!isPlain) return run(Recording.none)
  const { value, files } = await cached(entries, call, run)
  for (const file of files) addTo(context, file)
  return value
}

function settingsOf(context: LoaderContext): unknown {
  const { resourceQuery, resourceFragment, mode, target, sourceMap, hot, minimize, environment } = context
  return [resourceQuery, resourceFragment, mode, target, sourceMap, hot, minimize, { ...environment }]
}

function addTo(context: LoaderContext, file: string): void {
  const kind = kindOf(file)
  if (kind === 'directory') context.addContextDependency(file)
  else if (kind === 'missing') context.addMissingDependency(file)
  else context.addDependency(file)
}

/** Calls the loader, which may return its result, promise it, or hand it to a callback. */
function results(
  context: LoaderContext,
  given: unknown[],
  loader: Loader,
  options: object | undefined,
  recording: Recording,
): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    let isAsync = false
    const callback = (error: unknown, ...values: unknown[]) => {
      if (error) return reject(error)
      const [text, map, meta] = values
      if (meta !== undefined && meta !== null) recording.spoil('the third result of a loader')
      resolve([text, plainMap(map), meta].slice(0, values.length))
    }
    const startAsync = () => {
      isAsync = true
      return callback
    }
    const own: Record<string, unknown> = {
      async: startAsync,
      get callback() {
        return startAsync()
      },
      cacheable(isCacheable = true) {
        if (!isCacheable) recording.spoil('this.cacheable(false)')
      },
      ...(options && { getOptions: () => options, query: options }),
    }
    const watched = recorded(context, recording, { pure: new Set(PURE), depends: DEPENDS, own })
    Promise.resolve(loader.apply(watched, given as [unknown])).then(
      value => {
        if (!isAsync || value !== undefined) callback(undefined, value)
      },
      error => reject(error),
    )
  })
}

// Caches the `transform` of a plugin for Vite, Rollup or Rolldown.

import { isAbsolute } from 'node:path'
import { assertVersion, cached, plainMap, type Recording, recorded } from './cached.js'
import { open } from './place.js'
import type { CachePluginOptions } from './plugin-options.js'

export type { Place, PlaceOptions } from './place.js'
export type { CachePluginOptions } from './plugin-options.js'

interface Plugin {
  name: string
}

// biome-ignore lint/suspicious/noExplicitAny: hooks of three hosts, each with its own types
type Hook = (this: any, ...args: any[]) => any

/** What is the same for all files, or among the inputs; what messages say is the host's. */
const RULES = {
  pure: new Set(['parse', 'debug', 'info', 'error']),
  depends: new Set(['addWatchFile']),
}

/**
 * The plugin that the factory makes of its options, with what its `transform` returns cached. It must depend on the text, the id,
 * the options and the files given to `this.addWatchFile` alone. A result is not stored if `this.emitFile`, `this.resolve`, `this.warn` or
 * the like was used for it.
 *
 * @throws CacheError `ERR_CACHE_OPTION` without a version
 * @example
 * const plugins = [cachePlugin(svgr, { icon: true }, { version: '4.2.0' })]
 */
export function cachePlugin<O, P extends object>(
  factory: (options: O) => P,
  options: O,
  { version, inputs, portable = false, place }: CachePluginOptions,
): P {
  const entries = open(place, { name: 'bundlers' })
  const common = { version: assertVersion(version), options: inputs ?? options }
  const wrapped = (plugin: unknown) => (hasTransform(plugin) ? wrap(plugin) : plugin)
  const made = factory(options)
  return (Array.isArray(made) ? made.map(wrapped) : wrapped(made)) as P

  function wrap(plugin: Plugin & { transform: Hook | { handler: Hook }; configResolved?: unknown }) {
    const { transform, configResolved } = plugin
    const handler = typeof transform === 'function' ? transform : transform.handler
    let config: unknown
    const cachedHandler: Hook = async function (code: string, id: string, ...rest: unknown[]) {
      const [path = '', query] = id.split(/\?(.*)/s)
      if (!isAbsolute(path)) return handler.call(this, code, id, ...rest)
      const call = {
        name: plugin.name,
        path,
        source: code,
        isPortable: portable,
        inputs: { ...common, query, config, host: hostOf(this), with: rest.map(primitivesOf) },
      }
      const { value, files } = await cached(entries, call, async recording => {
        const context = recorded(this, recording, { ...RULES, own: { meta: metaFor(this, recording) } })
        const result = await handler.call(context, code, id, ...rest)
        return typeof result === 'object' && result !== null && 'map' in result ? plainResult(result) : (result ?? null)
      })
      for (const file of files) this.addWatchFile(file)
      return value
    }
    return {
      ...plugin,
      transform: typeof transform === 'function' ? cachedHandler : { ...transform, handler: cachedHandler },
      // Vite alone has it. Of the configuration, this is what transforms depend on most.
      configResolved: resolvedHook(configResolved, ({ command, mode, base, isProduction }) => {
        config = { command, mode, base, isProduction }
      }),
    }
  }
}

export default cachePlugin

function hasTransform(plugin: unknown): plugin is Plugin & { transform: Hook | { handler: Hook } } {
  return typeof plugin === 'object' && plugin !== null && 'transform' in plugin && Boolean(plugin.transform)
}

/** A result of Babel has fields that no host looks at, and that can't be stored. */
function plainResult({ map, options: _, metadata: __, externalDependencies: ___, ...rest }: Record<string, unknown>) {
  return { ...rest, map: plainMap(map) }
}

type Resolved = Record<'command' | 'mode' | 'base' | 'isProduction', unknown>

function resolvedHook(given: unknown, note: (config: Resolved) => void) {
  const hook = given as Hook | { handler: Hook } | undefined
  const handler = typeof hook === 'object' ? hook.handler : hook
  const noted: Hook = function (config: Resolved) {
    note(config)
    return handler?.call(this, config)
  }
  return typeof hook === 'object' ? { ...hook, handler: noted } : noted
}

interface HostContext {
  meta?: object
  environment?: { name?: unknown }
}

/** Which host it is. Whether that watches concerns few plugins. */
function hostOf({ meta, environment }: HostContext) {
  return { ...primitivesOf(meta), watchMode: undefined, environment: environment?.name }
}

function metaFor({ meta }: { meta?: { watchMode?: boolean } }, recording: Recording) {
  return {
    ...meta,
    get watchMode() {
      recording.spoil('this.meta.watchMode')
      return meta?.watchMode
    },
  }
}

/** Whether it is for a server, the type of the module; not what hosts compute on demand. */
function primitivesOf(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = Object.entries(Object.getOwnPropertyDescriptors(value)).filter(([, { value: field }]) =>
    ['string', 'number', 'boolean'].includes(typeof field),
  )
  return Object.fromEntries(fields.map(([name, { value: field }]) => [name, field]))
}

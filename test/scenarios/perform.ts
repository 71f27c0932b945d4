// One step on an open cache, and what came of it as plain data: the same code in the test's process, on the sources, and
// in a child process, on the build.

import type { Cache, EntryInfo, Namespace } from '../../src/index.js'
import type { CacheStep, CacheStepOf } from './format.js'

export type Found = { value: unknown } | { miss: true }
export type Listed = Omit<EntryInfo, 'expiresAt'> & { expiresInMs?: number }

/** What a step gave, or the error of the library that it threw. */
export type Outcome = { result: unknown } | { error: { code: string; message: string } }

/** Only a gc gives a promise: all other steps stay in the turn of the event loop in which they are called. */
export function perform(cache: Cache, step: CacheStep): Outcome | Promise<Outcome> {
  if (step.step === 'gc') return cache.gc().then(result => ({ result }), outcomeOf)
  try {
    return { result: resultOf(cache, step) }
  } catch (error) {
    return outcomeOf(error)
  }
}

function outcomeOf(error: unknown): Outcome {
  // The build and the sources have a class each, so the code tells.
  const { code, message } = error as NodeJS.ErrnoException
  if (typeof code === 'string' && code.startsWith('ERR_CACHE_')) return { error: { code, message } }
  throw error
}

function resultOf(cache: Cache, step: Exclude<CacheStep, CacheStepOf<'gc'>>): unknown {
  switch (step.step) {
    case 'namespaces':
      return cache.namespaces()
    case 'stats of all':
      return cache.stats()
    case 'close':
      return cache.close()
    default:
      return onNamespace(namespaceOf(cache, step), step)
  }
}

type NamespaceStep = Exclude<CacheStep, CacheStepOf<'namespaces' | 'stats of all' | 'gc' | 'close'>>

function namespaceOf(cache: Cache, { namespace, version, base }: NamespaceStep): Namespace {
  return cache.namespace(namespace, {
    ...(version === undefined ? {} : { version }),
    ...(base === undefined ? {} : { base }),
  })
}

function onNamespace(namespace: Namespace, step: NamespaceStep): unknown {
  switch (step.step) {
    case 'set':
      return namespace.set(step.key, step.value, optionsOf(step))
    case 'set many':
      return namespace.setMany(step.entries.map(entry => ({ key: entry.key, value: entry.value, ...optionsOf(entry) })))
    case 'get':
      return found(namespace.get(step.key))
    case 'get many':
      return namespace.getMany(step.keys).map(found)
    case 'has':
      return namespace.has(step.key)
    case 'delete':
      return namespace.delete(step.key)
    case 'invalidate':
      return namespace.invalidate(step.key)
    case 'clear':
      return namespace.clear()
    case 'list':
      return Array.from(namespace.entries(step.allVersions ? { allVersions: true } : {}), listed)
    case 'find':
      return namespace.find(step.key).map(listed)
    case 'keys':
      return [...namespace.keys()]
    case 'stats':
      return namespace.stats()
  }
}

type Lifetime = Pick<CacheStepOf<'set'>, 'mode' | 'ttlMs' | 'files'>

function optionsOf({ mode, ttlMs, files }: Lifetime): Lifetime {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(files === undefined ? {} : { files }),
  }
}

// A value is never undefined: that cannot be stored.
function found(value: unknown): Found {
  return value === undefined ? { miss: true } : { value }
}

function listed({ expiresAt, ...entry }: EntryInfo): Listed {
  return expiresAt === undefined ? entry : { ...entry, expiresInMs: expiresAt - entry.createdAt - entry.ageMs }
}

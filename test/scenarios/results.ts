// What steps other than asking for computations give.

import type { Cache, EntryInfo, Namespace } from '../../src/index.js'
import type { CacheStep, CacheStepOf } from './format.js'
import { locatedIn } from './namespaces.js'
import type { Found, Listed } from './outcome.js'

type PlainStep = Exclude<CacheStep, CacheStepOf<'ask' | 'ask at once' | 'close'>>
type NamespaceStep = Exclude<PlainStep, CacheStepOf<'namespaces' | 'stats of all' | 'gc'>>

/** Only a gc gives a promise. */
export function resultOf(cache: Cache, step: PlainStep, namespaceNow: () => Namespace, tree: string): unknown {
  switch (step.step) {
    case 'namespaces':
      return cache.namespaces()
    case 'stats of all':
      return cache.stats()
    case 'gc':
      return cache.gc()
    default:
      return onNamespace(namespaceNow(), step, tree)
  }
}

function onNamespace(namespace: Namespace, step: NamespaceStep, tree: string): unknown {
  switch (step.step) {
    case 'set':
      return namespace.set(step.key, step.value, optionsOf(step, tree))
    case 'set many':
      return namespace.setMany(
        step.entries.map(entry => ({ key: entry.key, value: entry.value, ...optionsOf(entry, tree) })),
      )
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
      return namespace.clear(step.allProjects ? { allProjects: true } : {})
    case 'list':
      return Array.from(namespace.entries(listingOf(step)), listed)
    case 'find':
      return namespace.find(step.key).map(listed)
    case 'keys':
      return [...namespace.keys(listingOf(step))]
    case 'explain': {
      const { key = '', analysis } = step
      return namespace.explain(analysis ? { name: analysis.name, file: locatedIn(tree, analysis.file) } : key)
    }
    case 'stats':
      return namespace.stats()
  }
}

function listingOf({ allVersions, allProjects }: { allVersions?: true; allProjects?: true }) {
  return { ...(allVersions ? { allVersions } : {}), ...(allProjects ? { allProjects } : {}) }
}

type Lifetime = Pick<CacheStepOf<'set'>, 'ttl' | 'files'>

function optionsOf({ ttl, files }: Lifetime, tree: string): Lifetime {
  return {
    ...(ttl === undefined ? {} : { ttl }),
    ...(files === undefined ? {} : { files: files.map(file => locatedIn(tree, file)) }),
  }
}

// A value is never undefined: that can't be stored.
function found(value: unknown): Found {
  return value === undefined ? { miss: true } : { value }
}

function listed({ expiresAt, ...entry }: EntryInfo): Listed {
  return expiresAt === undefined ? entry : { ...entry, expiresInMs: expiresAt - entry.createdAt - entry.ageMs }
}

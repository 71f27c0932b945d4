// The namespace that a step or a computation uses.

import type { Cache, Namespace, NamespaceOptions } from '../../src/index.js'
import { pathIn } from './tree.js'

export interface Named {
  namespace: string
  version?: string
  project?: string
  userWide?: true
  portable?: true
  strategy?: NonNullable<NamespaceOptions['strategy']>
}

export function namespaceOf(cache: Cache, named: Named, tree: string): Namespace {
  const { namespace, version, project, userWide, portable, strategy } = named
  return cache.namespace(namespace, {
    ...(version === undefined ? {} : { version }),
    ...(project === undefined ? {} : { project: pathIn(tree, project) }),
    ...(userWide ? { project: false } : {}),
    ...(portable ? { portable } : {}),
    ...(strategy === undefined ? {} : { strategy }),
  })
}

/** A path as the library is given it. */
export function locatedIn(tree: string, place: string): string {
  return place.startsWith('./') || place.startsWith('/') ? place : pathIn(tree, place)
}

// What must hold of the store when a scenario is over.

import { openCacheSync } from '../../src/index.js'
import { clockOf } from './clock.js'
import type { Setting } from './performer.js'

/** Every entry that is said to be valid has a value, nothing is damaged, and nothing is warned of. */
export async function problemsAtEnd({ tree, cacheDir, clock }: Setting): Promise<string[]> {
  const problems: string[] = []
  const cache = openCacheSync({
    dir: cacheDir,
    mode: 'readonly',
    clock: clockOf(clock),
    onWarning: ({ code, message }) => problems.push(`the cache warned: ${message} (${code})`),
  })
  try {
    for (const name of cache.namespaces()) {
      const namespace = cache.namespace(name, { project: tree })
      for (const entry of namespace.entries({ allVersions: true, allProjects: true })) {
        const { key, version, valid, origin, isPortable } = entry
        if (!valid || isPortable || (origin !== 'set' && origin !== 'getOrSet')) continue
        const owner = cache.namespace(name, { version, project: entry.project ?? false })
        if (owner.get(key) === undefined) problems.push(`the entry "${key}" in "${name}" is valid but has no value`)
      }
    }
    for (const { kind, file, message } of (await cache.verify()).problems) problems.push(`${kind}: ${file}: ${message}`)
  } finally {
    cache.close()
  }
  return problems
}

import { openCacheSync } from '../../dist/index.js'

export const isAsync = false

/** @param {string} dir */
export function open(dir, name = 'bench') {
  const cache = openCacheSync({ dir })
  const entries = cache.namespace(name)
  return {
    /** @param {string} key */
    get: key => entries.get(key),
    /** @param {string} key @param {unknown} value */
    set: (key, value) => entries.set(key, value),
    /** @param {{ key: string, value: unknown }[]} list */
    setMany: list => entries.setMany(list),
    close: () => cache.close(),
  }
}

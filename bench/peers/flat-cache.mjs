import { create } from 'flat-cache'

export const isAsync = false

/** @param {string} dir */
export function open(dir, name = 'entries') {
  const cache = create({ cacheId: name, cacheDir: dir })
  return {
    /** @param {string} key */
    get: key => cache.getKey(key),
    /** @param {string} key @param {unknown} value */
    set(key, value) {
      cache.setKey(key, value)
      cache.save()
    },
    /** @param {{ key: string, value: unknown }[]} list */
    setMany(list) {
      for (const { key, value } of list) cache.setKey(key, value)
      cache.save()
    },
    close: () => undefined,
  }
}

import cacache from 'cacache'
import { decode, encode } from 'cbor-x'

export const isAsync = true

/** @param {string} dir */
export function open(dir, name = '') {
  /** @param {string} key @param {unknown} value */
  const set = (key, value) => cacache.put(dir, name + key, Buffer.from(encode(value)))
  return {
    /** @param {string} key */
    async get(key) {
      try {
        return decode((await cacache.get(dir, name + key)).data)
      } catch (/** @type {any} */ error) {
        if (error.code !== 'ENOENT') throw error
        return undefined
      }
    },
    set,
    /** @param {{ key: string, value: unknown }[]} list */
    async setMany(list) {
      for (const { key, value } of list) await set(key, value)
    },
    close: () => undefined,
  }
}

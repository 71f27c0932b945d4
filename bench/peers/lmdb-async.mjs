import { open as openEnvironment } from 'lmdb'

export const isAsync = true

/** @param {string} dir */
export function open(dir) {
  const db = openEnvironment({ path: dir, encoding: 'cbor', noSync: true })
  return {
    /** @param {string} key */
    get: key => db.get(key),
    /** @param {string} key @param {unknown} value */
    set: (key, value) => db.put(key, value),
    /** @param {{ key: string, value: unknown }[]} list */
    setMany: list => Promise.all(list.map(({ key, value }) => db.put(key, value))),
    close: () => db.close(),
  }
}

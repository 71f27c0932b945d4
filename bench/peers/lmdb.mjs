import { open as openEnvironment } from 'lmdb'

export const isAsync = false

/** @param {string} dir @param {string} [name] */
export function open(dir, name) {
  const root = openEnvironment({ path: dir, encoding: 'cbor', noSync: true })
  const db = name ? root.openDB({ name, encoding: 'cbor' }) : root
  return {
    /** @param {string} key */
    get: key => db.get(key),
    /** @param {string} key @param {unknown} value */
    set: (key, value) => db.putSync(key, value),
    /** @param {{ key: string, value: unknown }[]} list */
    setMany: list => db.transactionSync(() => list.forEach(({ key, value }) => void db.putSync(key, value))),
    close: () => root.close(),
  }
}

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import KeyvSqlite from '@keyv/sqlite'
import Keyv from 'keyv'

export const isAsync = true

/** @param {string} dir */
export async function open(dir, name = 'entries') {
  mkdirSync(dir, { recursive: true })
  const store = new KeyvSqlite({ uri: `sqlite://${join(dir, 'cache.sqlite')}`, busyTimeout: 60_000 })
  await store.query('PRAGMA journal_mode = WAL')
  await store.query('PRAGMA synchronous = OFF')
  const keyv = new Keyv({ store, namespace: name })
  return {
    /** @param {string} key */
    get: key => keyv.get(key),
    /** @param {string} key @param {unknown} value */
    set: (key, value) => keyv.set(key, value),
    /** @param {{ key: string, value: unknown }[]} list */
    setMany: list => keyv.setMany(list),
    close: () => keyv.disconnect(),
  }
}

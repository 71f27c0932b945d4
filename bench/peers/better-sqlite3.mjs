import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { decode, encode } from 'cbor-x'

export const isAsync = false

/** @param {string} dir */
export function open(dir, name = 'entries') {
  mkdirSync(dir, { recursive: true })
  const db = new Database(join(dir, 'cache.sqlite'), { timeout: 60_000 })
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.exec(`CREATE TABLE IF NOT EXISTS "${name}" (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID`)
  const select = db.prepare(`SELECT value FROM "${name}" WHERE key = ?`).pluck()
  const upsert = db.prepare(`INSERT OR REPLACE INTO "${name}" (key, value) VALUES (?, ?)`)
  return {
    /** @param {string} key */
    get(key) {
      const bytes = select.get(key)
      return bytes && decode(/** @type {Buffer} */ (bytes))
    },
    /** @param {string} key @param {unknown} value */
    set: (key, value) => upsert.run(key, encode(value)),
    setMany: db.transaction((/** @type {{ key: string, value: unknown }[]} */ list) => {
      for (const { key, value } of list) upsert.run(key, encode(value))
    }),
    close: () => db.close(),
  }
}

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export const isAsync = false

/** @param {string} dir */
export function open(dir, name = 'entries') {
  mkdirSync(dir, { recursive: true })
  const db = new DatabaseSync(join(dir, 'cache.sqlite'), { timeout: 60_000 })
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec(`CREATE TABLE IF NOT EXISTS "${name}" (key TEXT PRIMARY KEY, value BLOB)`)
  const select = db.prepare(`SELECT value FROM "${name}" WHERE key = ?`)
  const upsert = db.prepare(`INSERT OR REPLACE INTO "${name}" (key, value) VALUES (?, ?)`)
  /** @param {string} key @param {unknown} value */
  const set = (key, value) => upsert.run(key, JSON.stringify(value))
  return {
    /** @param {string} key */
    get(key) {
      const row = select.get(key)
      return row && JSON.parse(/** @type {string} */ (row.value))
    },
    set,
    /** @param {{ key: string, value: unknown }[]} list */
    setMany(list) {
      db.exec('BEGIN IMMEDIATE')
      for (const { key, value } of list) set(key, value)
      db.exec('COMMIT')
    },
    close: () => db.close(),
  }
}

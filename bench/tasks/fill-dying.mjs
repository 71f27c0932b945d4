// Makes a store of which every second entry has expired, in the way that a plugin which lets entries expire makes it.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyAt, valueAt } from '../corpus/entries.mjs'
import { openDatabase } from './collect.mjs'

/** @param {{ peer: string, dir: string, corpus: string, count: number }} args */
export async function run({ peer, dir, corpus, count }) {
  const { summaries } = JSON.parse(readFileSync(corpus, 'utf8'))
  const isDying = (/** @type {number} */ i) => i % 2 === 0
  if (peer === 'wicked-cache') {
    const { openCacheSync } = await import('../../dist/index.js')
    const cache = openCacheSync({ dir, maxSize: Number.POSITIVE_INFINITY })
    const entries = cache.namespace('bench')
    for (let from = 0; from < count; from += 1000) {
      const length = Math.min(1000, count - from)
      const batch = Array.from({ length }, (_, i) => from + i).map(i => {
        const entry = { key: keyAt(i), value: valueAt(summaries, i) }
        return isDying(i) ? { ...entry, ttl: 1 } : entry
      })
      entries.setMany(batch)
    }
    cache.close()
    return {}
  }
  mkdirSync(dir, { recursive: true })
  const { encode } = peer === 'better-sqlite3' ? await import('cbor-x') : { encode: JSON.stringify }
  const db = await openDatabase(peer, join(dir, 'cache.sqlite'))
  db.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB, expires INTEGER)')
  const insert = db.prepare('INSERT INTO entries (key, value, expires) VALUES (?, ?, ?)')
  db.exec('BEGIN')
  for (let i = 0; i < count; i++) insert.run(keyAt(i), encode(valueAt(summaries, i)), isDying(i) ? Date.now() : null)
  db.exec('COMMIT')
  db.close()
  return {}
}

// Gives back the space of entries that have expired.
import { join } from 'node:path'

/** @param {{ peer: string, dir: string }} args @returns {Promise<{ ms: number }>} */
export async function run({ peer, dir }) {
  if (peer === 'wicked-cache') {
    const { openCacheSync } = await import('../../dist/index.js')
    const cache = openCacheSync({ dir })
    const ms = await timed(() => cache.gc())
    cache.close()
    return { ms }
  }
  const db = await openDatabase(peer, join(dir, 'cache.sqlite'))
  const remove = db.prepare('DELETE FROM entries WHERE expires < ?')
  const ms = await timed(() => {
    remove.run(Date.now())
    db.exec('VACUUM')
  })
  db.close()
  return { ms }
}

/** @param {() => unknown} collect */
async function timed(collect) {
  const start = performance.now()
  await collect()
  return performance.now() - start
}

/**
 * The two libraries agree on `exec`, `prepare`, `run` and `close`.
 *
 * @param {string} peer
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function openDatabase(peer, path) {
  const isBuiltIn = peer === 'node:sqlite'
  const Database = isBuiltIn ? (await import('node:sqlite')).DatabaseSync : (await import('better-sqlite3')).default
  const db = new Database(path, { timeout: 60_000 })
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${isBuiltIn ? 'NORMAL' : 'OFF'}`)
  return db
}

// Deletes every other entry, then gives their space back.
import { join } from 'node:path'
import { keyAt } from '../corpus/entries.mjs'

/** @type {Record<string, (dir: string, count: number) => Promise<number>>} ms that giving back took */
const COLLECTORS = {
  async 'wicked-cache'(dir, count) {
    const { openCacheSync } = await import('../../dist/index.js')
    const cache = openCacheSync({ dir })
    const entries = cache.namespace('bench')
    for (let i = 0; i < count; i += 2) entries.delete(keyAt(i))
    const start = performance.now()
    process.send?.('collecting')
    await cache.gc()
    const ms = performance.now() - start
    cache.close()
    return ms
  },
  async 'better-sqlite3'(dir, count) {
    const { default: Database } = await import('better-sqlite3')
    const db = new Database(join(dir, 'cache.sqlite'), { timeout: 60_000 })
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = OFF')
    const remove = db.prepare('DELETE FROM entries WHERE key = ?')
    db.transaction(() => {
      for (let i = 0; i < count; i += 2) remove.run(keyAt(i))
    })()
    const start = performance.now()
    process.send?.('collecting')
    db.exec('VACUUM')
    const ms = performance.now() - start
    db.close()
    return ms
  },
}

/** @param {{ peer: string, dir: string, count: number }} args */
export async function run({ peer, dir, count }) {
  return { ms: await COLLECTORS[peer]?.(dir, count) }
}

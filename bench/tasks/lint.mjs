// A lint run over many files: for each, what is known of it, or else read it and remember what was found. The findings were
// made beforehand, so that the time is that of reading and remembering alone.
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {object} Run
 * @property {(path: string) => unknown} get undefined when nothing valid is known
 * @property {(path: string, findings: unknown) => void} set
 * @property {() => void} end
 */

/** @type {Record<string, (dir: string) => Promise<Run>>} */
const CONTENDERS = {
  async 'bare stat'() {
    return { get: path => statSync(path), set: () => undefined, end: () => undefined }
  },
  async 'wicked-cache'(dir) {
    const { openCacheSync } = await import('../../dist/index.js')
    const cache = openCacheSync({ dir })
    const entries = cache.namespace('lint')
    return {
      get: path => entries.get(path),
      set: (path, findings) => entries.set(path, findings, { files: [path] }),
      end: () => cache.close(),
    }
  },
  'node:sqlite by hand': sqliteByHand,
  'file-entry-cache': dir => fileEntryCache(dir, false),
  'file-entry-cache, by content': dir => fileEntryCache(dir, true),
}

/**
 * What a plugin's author would write without a library: a row for each file, found by its path, valid while size and
 * modification time are the same.
 *
 * @param {string} dir @returns {Promise<Run>}
 */
async function sqliteByHand(dir) {
  const { DatabaseSync } = await import('node:sqlite')
  mkdirSync(dir, { recursive: true })
  const db = new DatabaseSync(join(dir, 'cache.sqlite'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec('CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, mtimeNs INTEGER, value BLOB)')
  const select = db.prepare('SELECT value FROM files WHERE path = ? AND size = ? AND mtimeNs = ?')
  const upsert = db.prepare('INSERT OR REPLACE INTO files (path, size, mtimeNs, value) VALUES (?, ?, ?, ?)')
  db.exec('BEGIN')
  /** @type {import('node:fs').BigIntStats} of the file that was asked for last */
  let stats
  return {
    get(path) {
      stats = statSync(path, { bigint: true })
      const row = select.get(path, stats.size, stats.mtimeNs)
      return row && JSON.parse(/** @type {string} */ (row.value))
    },
    set: (path, findings) => void upsert.run(path, stats.size, stats.mtimeNs, JSON.stringify(findings)),
    end() {
      db.exec('COMMIT')
      db.close()
    },
  }
}

/** @param {string} dir @param {boolean} useCheckSum @returns {Promise<Run>} */
async function fileEntryCache(dir, useCheckSum) {
  const {
    default: { createFromFile },
  } = await import('file-entry-cache')
  const cache = createFromFile(join(dir, 'cache.json'), { useCheckSum })
  /** @type {import('file-entry-cache').FileDescriptor} */
  let latest
  return {
    get(path) {
      latest = cache.getFileDescriptor(path)
      return latest.changed ? undefined : latest.meta.data
    },
    set(_, findings) {
      latest.meta.data = findings
    },
    end: () => cache.reconcile(),
  }
}

/** @param {{ contender: string, dir: string, corpus: string, paths: string[] | string }} args */
export async function run({ contender, dir, corpus, paths: file }) {
  /** @type {string[]} */
  const paths = JSON.parse(readFileSync(String(file), 'utf8'))
  const { summaries } = JSON.parse(readFileSync(corpus, 'utf8'))
  const start = performance.now()
  const { get, set, end } = await /** @type {(dir: string) => Promise<Run>} */ (CONTENDERS[contender])(dir)
  let hits = 0
  for (const [i, path] of paths.entries()) {
    if (get(path) !== undefined) {
      hits++
      continue
    }
    readFileSync(path, 'utf8')
    set(path, summaries[i % summaries.length])
  }
  end()
  return { ms: performance.now() - start, hits }
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'

/** A directory with these files, a cache, and an entry for each file under the file's name. */
export function project(...names: string[]) {
  const root = temporaryDirectory()
  const dir = temporaryRoot()
  const { cache, warnings } = openIn(dir)
  const entries = cache.namespace('tool')
  const path = (name: string) => join(root, name)
  for (const name of names) {
    mkdirSync(join(path(name), '..'), { recursive: true })
    writeFileSync(path(name), `content of ${name}`)
    entries.set(name, name, { files: [path(name)] })
  }
  return { root, dir, cache, warnings, entries, path }
}

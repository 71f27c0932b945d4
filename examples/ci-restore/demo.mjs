// One machine fills the cache. Another one restores it: a fresh checkout in another directory, new times of all files, another user.

import { chownSync, cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { assertSame, modules, Project, report } from '../shared/demo.mjs'

const sources = { src: 'rxjs/src' }
const run = ['node', 'todo.mjs', 'src']

/** Copies: the other user may not be allowed to read the modules of all examples. */
function install(project) {
  for (const name of ['@babel/parser', 'wicked-cache']) {
    cpSync(join(modules, name), project.at(join('node_modules', name)), { recursive: true })
  }
}

/** Only root can do it; else the user stays the same. */
const uid = process.getuid?.() === 0 ? 65534 : undefined

function giveAway(directory) {
  if (uid === undefined) return
  chownSync(directory, uid, uid)
  for (const name of readdirSync(directory, { recursive: true })) chownSync(join(directory, name), uid, uid)
}

const [first, second] = [1, 2].map(() => new Project(import.meta.dirname, sources, install))
try {
  const without = first.run(run, { env: { WICKED_CACHE: 'off' } })
  const cold = first.run(run)
  // As archives are unpacked: times are new, and all belongs to whoever unpacks.
  cpSync(first.cacheDir, second.cacheDir, { recursive: true })
  giveAway(second.root)
  const warm = second.run(run, { uid })
  assertSame('Restored', warm.printed, without.printed)
  if (warm.misses > 0) throw new Error(`${warm.misses} results of the other machine weren't found.`)

  second.edit('src/internal/Observable.ts', text => text.replace('// ', '// TODO: '))
  const after = second.run(run, { uid })
  assertSame('Restored, edited', after.printed, second.run(run, { uid, env: { WICKED_CACHE: 'off' } }).printed)
  if (after.printed === warm.printed) throw new Error('An edit changes nothing.')
  const host = 'CI restore, other path'
  report({ page: 'ci-restore', host }, { without, cold, warm })
} finally {
  first.remove()
  second.remove()
}

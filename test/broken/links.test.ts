// What is no file in the place of one: links to what lies outside of the root, pipes, devices. No call throws or waits, nothing
// outside is read or written, and when the thing is gone the store works.

import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { nodeFiles } from '../../src/files/files.js'
import { filesBelow, openAsAnotherProcess, repeatedCodes, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'

function filled(): { root: string; outside: string; files: string[] } {
  const directory = temporaryDirectory()
  const root = join(directory, 'cache')
  const { cache } = openAsAnotherProcess(root)
  const entries = cache.namespace('tool')
  entries.set('key', 'value')
  entries.getOrSetSync('computed', () => 'once')
  cache.close()
  // Of a dead process, so that a gc goes on.
  writeFileSync(layoutOf(root).gcLock, JSON.stringify({ pid: 2 ** 30, host: hostname(), isSlice: false }))
  const files = filesBelow(root)
  // One in sixteen first sets begins a journal of upkeep as well.
  expect(files.length).toBeGreaterThanOrEqual(6)
  return { root, outside: join(directory, 'outside'), files }
}

/** The inodes of what was opened or read. */
function recordingFiles() {
  const opened = new Set<number>()
  const files = interceptedFiles(call => {
    const result = call.proceed()
    if (call.name === 'open') opened.add(nodeFiles.fstat(result as number).inode)
    if (call.name === 'readFile' && result) opened.add(nodeFiles.stat(call.path)?.inode ?? 0)
    return result
  })
  return { files, opened }
}

type Replace = (path: string, outside: string) => void

const REPLACEMENTS: [string, Replace][] = [
  ['a link to a copy of it outside', (path, outside) => copyFileSync(path, outside) ?? relink(path, outside)],
  [
    "a link to a user's file",
    (path, outside) => writeFileSync(outside, 'mine\n'.repeat(1000)) ?? relink(path, outside),
  ],
  ['a link to nothing', (path, outside) => relink(path, outside)],
  ['a link to itself', path => relink(path, path)],
  ['a pipe', path => makePipe(path)],
  ['a link to a pipe', (path, outside) => makePipe(outside) ?? relink(path, outside)],
  ['a link to a device', path => relink(path, '/dev/zero')],
]

function relink(path: string, to: string): void {
  rmSync(path)
  symlinkSync(to, path)
}

function makePipe(path: string): void {
  rmSync(path, { force: true })
  expect(spawnSync('mkfifo', [path]).status).toBe(0)
}

const bytesOf = (path: string) => (nodeFiles.stat(path)?.kind === 'file' ? readFileSync(path) : undefined)

describe.each(REPLACEMENTS)('%s in the place of a file of the store', (_what, replace) => {
  test('is not followed, does not stop anybody, and can be removed', async () => {
    const { root, outside, files } = filled()
    const backup = `${root} as it was`
    cpSync(root, backup, { recursive: true })
    for (const file of files) {
      const path = join(root, file)
      rmSync(outside, { force: true })
      replace(path, outside)
      const before = bytesOf(outside)
      const foreign = nodeFiles.stat(outside)?.inode
      const disk = recordingFiles()
      const { cache, warnings } = openAsAnotherProcess(root, {}, { files: disk.files })
      const entries = cache.namespace('tool')
      // More than the buffer of a pipe takes.
      for (let index = 0; index < 40; index++) {
        expect(typeof entries.set('key', 'x'.repeat(3000) + index), file).toBe('boolean')
        expect(typeof cache.namespace(`other ${index}`).set('key', index)).toBe('boolean')
      }
      entries.set('key', 'value')
      expect(['value', undefined], file).toContain(entries.get('key'))
      expect(
        entries.getOrSetSync('computed', () => 'once'),
        file,
      ).toBe('once')
      expect(['boolean', 'number'], file).toEqual([typeof entries.delete('nothing'), typeof entries.clear()])
      cache.stats()
      await cache
        .gc()
        .catch(error => expect(error).toMatchObject({ code: expect.stringMatching(/^(E|ERR_CACHE_)[A-Z]+$/) }))
      cache.close()
      expect(repeatedCodes(warnings), file).toEqual([])
      expect(bytesOf(outside), `${file} was written to outside`).toEqual(before)
      expect([...disk.opened], `${file} was read outside`).not.toContain(foreign)
      rmSync(root, { recursive: true })
      cpSync(backup, root, { recursive: true })
      const after = openAsAnotherProcess(root).cache.namespace('tool')
      expect(after.get('key'), file).toBe('value')
    }
  })
})

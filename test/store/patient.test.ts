import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import { patient } from '../../src/files/patient.js'
import { filesBelow, openAsAnotherProcess, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { interceptedFiles, systemError } from '../support/files.js'

/** A disk on which a scanner holds each file for the first so many tries to rename or remove it. */
function scannedDisk(tries: number, code: string) {
  const seen = new Map<string, number>()
  const pauses: number[] = []
  const disk = interceptedFiles(call => {
    if (!['rename', 'remove', 'removeDirectory'].includes(call.name)) return call.proceed()
    const count = (seen.get(call.path) ?? 0) + 1
    seen.set(call.path, count)
    if (count <= tries) throw systemError(code, call)
    return call.proceed()
  })
  return { files: patient(disk, ms => pauses.push(ms)), pauses, seen }
}

describe.each(['EPERM', 'EBUSY', 'EACCES'])('a file held by a virus scanner, with %s', code => {
  test('for a moment is renamed or removed once it is free', () => {
    const directory = temporaryDirectory()
    const { files, pauses } = scannedDisk(3, code)
    const [from, to, sub] = ['a', 'b', 'c'].map(name => join(directory, name)) as [string, string, string]
    writeFileSync(from, '')
    mkdirSync(sub)
    files.rename(from, to)
    expect(files.remove(to)).toBe(true)
    expect(files.removeDirectory(sub)).toBe(true)
    expect(pauses).toHaveLength(9)
  })

  test('for long is given up after a tenth of a second', () => {
    const directory = temporaryDirectory()
    const { files, pauses } = scannedDisk(1000, code)
    const path = join(directory, 'a')
    writeFileSync(path, '')
    expect(files.remove(path)).toBe(false)
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(100)
    expect(() => files.rename(path, `${path}b`)).toThrow(code)
  })

  test('does not stop a gc, and is removed by the next one', async () => {
    const root = temporaryRoot()
    const { cache } = openAsAnotherProcess(root)
    const ns = cache.namespace('tool')
    for (let n = 0; n < 20; n++) ns.set('large', `${n}${'x'.repeat(100_000)}`)
    cache.close()
    const disk = interceptedFiles(call => {
      if (call.name === 'remove' && call.path.endsWith('.retired')) throw systemError(code, call)
      return call.proceed()
    })
    const files = patient(disk, () => undefined)
    await openAsAnotherProcess(root, {}, { files }).cache.gc()
    expect(filesBelow(root).filter(name => name.endsWith('.retired'))).toHaveLength(1)
    const after = openAsAnotherProcess(root).cache
    await after.gc()
    expect(filesBelow(root).filter(name => name.endsWith('.retired'))).toHaveLength(0)
    expect(after.namespace('tool').get('large')).toContain('19x')
    expect((await after.verify()).problems).toEqual([])
  })
})

test('other errors are not retried', () => {
  const { files, pauses } = scannedDisk(1, 'EIO')
  expect(() => files.remove(join(temporaryDirectory(), 'a'))).toThrow('EIO')
  expect(pauses).toEqual([])
  expect(nodeFiles.remove(join(temporaryDirectory(), 'a'))).toBe(false)
})

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { temporaryDirectory } from './caches.js'
import { MemoryDisk } from './memory-disk.js'
import { printedSeed, randomFrom } from './random.js'

/** What a call gave, or the code of its error; of a stat what does not depend on the machine. */
function outcomeOf(call: () => unknown): unknown {
  try {
    const result = call()
    if (typeof result !== 'object' || result === null || !('sizeBytes' in result)) return result
    const { kind, sizeBytes, links } = result as ReturnType<Files['fstat']>
    return kind === 'file' ? { kind, sizeBytes, links } : kind
  } catch (error) {
    return (error as { code?: string }).code
  }
}

test('a disk in memory answers every call like the real one', () => {
  const random = randomFrom(printedSeed('disk in memory'))
  const root = temporaryDirectory()
  const memory = new MemoryDisk()
  memory.files.makeDirectory(root)
  const disks = [nodeFiles, memory.files] as const
  const fds: [number, number][] = []
  const names = ['a', 'b', 'c', join('d', 'a'), join('d', 'b'), 'd', join('no', 'a'), join('a', 'a')].map(name =>
    join(root, name),
  )
  const pick = <T>(list: readonly T[]) => list[random(list.length)] as T
  const both = (call: (files: Files, which: 0 | 1) => unknown) =>
    disks.map((files, at) => outcomeOf(() => call(files, at as 0 | 1)))
  const seen = new Set<string>()

  for (let step = 0; step < 3000; step++) {
    const [path, other] = [pick(names), pick(names)]
    const kind = pick([
      'open',
      'open',
      'close',
      'read',
      'append',
      'append',
      'fstat',
      'stat',
      'list',
      'readFile',
      'createFile',
      'makeDirectory',
      'rename',
      'remove',
    ])
    const [fd, length] = [pick(fds), random(50)]
    let pair: unknown[] = []
    if (kind === 'open') {
      const mode = pick(['read', 'append', 'create'] as const)
      // Only a directory can be opened for reading on the real disk, which then fails at the first read.
      if (nodeFiles.stat(path)?.kind === 'directory') continue
      const opened = both(files => files.open(path, mode))
      if (typeof opened[0] === 'number' && typeof opened[1] === 'number') fds.push(opened as [number, number])
      pair = opened.map(each => typeof each === 'number' || each)
    } else if (['close', 'read', 'append', 'fstat'].includes(kind)) {
      if (!fd) continue
      if (kind === 'close') {
        pair = both((files, at) => files.close(fd[at]))
        fds.splice(fds.indexOf(fd), 1)
      } else if (kind === 'append') pair = both((files, at) => files.append(fd[at], Buffer.alloc(60, step), length))
      else if (kind === 'fstat') pair = both((files, at) => files.fstat(fd[at]))
      else {
        pair = both((files, at) => {
          const into = Buffer.alloc(60)
          return [files.read(fd[at], into, 3, length, random(1) + 2), into.toString('hex')]
        })
      }
    } else if (kind === 'stat') pair = both(files => files.stat(path))
    else if (kind === 'list') pair = both(files => files.list(path)?.sort())
    else if (kind === 'readFile') pair = both(files => files.readFile(path)?.toString('hex'))
    else if (kind === 'createFile') pair = both(files => files.createFile(path, `content ${step}`))
    else if (kind === 'makeDirectory') {
      if (path !== names[5]) continue
      pair = both(files => files.makeDirectory(path))
    } else if (kind === 'rename') {
      if ([path, other].some(each => nodeFiles.stat(each)?.kind === 'directory')) continue
      pair = both(files => files.rename(path, other))
    } else pair = both(files => files.remove(path))
    expect(pair[1], `${kind} ${path} at step ${step}`).toEqual(pair[0])
    seen.add(kind)
  }
  expect(seen.size).toBe(12)
  for (const [fd] of fds) nodeFiles.close(fd)
})

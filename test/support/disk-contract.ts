// The contract of all Files objects: random calls, compared with the real disk.

import { join } from 'node:path'
import { expect } from 'vitest'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { randomFrom } from './random.js'

interface Disk {
  files: Files
  /** Holds the same as the other disk's. */
  root: string
}

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

const KINDS = [
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
] as const
/** What only sources are looked at with. */
const SOURCE_KINDS = ['listKinds', 'listAnyway', 'readAnyway', 'existsAnyway'] as const

/**
 * Makes the same random calls on the real disk below one root and on another one, and expects the same of both. Sources are
 * looked at only if there are some on the other one.
 */
export function expectSameAsReal(realRoot: string, other: Disk, seed: number, hasSources = false): void {
  const random = randomFrom(seed)
  const disks = [{ files: nodeFiles, root: realRoot }, other] as const
  const fds: [number, number][] = []
  const names = ['a', 'b', 'c', join('d', 'a'), join('d', 'b'), 'd', 'e', join('no', 'a'), join('a', 'a')]
  const isDirectory = (name: string) => nodeFiles.stat(join(realRoot, name))?.kind === 'directory'
  const pick = <T>(list: readonly T[]) => list[random(list.length)] as T
  const both = (call: (files: Files, pathOf: (name: string) => string, which: 0 | 1) => unknown) =>
    disks.map(({ files, root }, at) => outcomeOf(() => call(files, name => join(root, name), at as 0 | 1)))
  const kinds = [...KINDS, ...(hasSources ? SOURCE_KINDS : [])]
  const seen = new Set<string>()

  for (let step = 0; step < 3000; step++) {
    const [name, target] = [pick(names), pick(names)]
    const kind = pick(kinds)
    const [fd, length, position] = [pick(fds), random(50), random(100)]
    let pair: unknown[] = []
    if (kind === 'open') {
      const mode = pick(['read', 'append', 'create'] as const)
      // Only a directory can be opened for reading on the real disk, which then fails at the first read.
      if (isDirectory(name)) continue
      const opened = both((files, pathOf) => files.open(pathOf(name), mode))
      if (typeof opened[0] === 'number' && typeof opened[1] === 'number') fds.push(opened as [number, number])
      pair = opened.map(each => typeof each === 'number' || each)
    } else if (['close', 'read', 'append', 'fstat'].includes(kind)) {
      if (!fd) continue
      if (kind === 'close') {
        pair = both((files, _, at) => files.close(fd[at]))
        fds.splice(fds.indexOf(fd), 1)
      } else if (kind === 'append') pair = both((files, _, at) => files.append(fd[at], Buffer.alloc(60, step), length))
      else if (kind === 'fstat') pair = both((files, _, at) => files.fstat(fd[at]))
      else {
        pair = both((files, _, at) => {
          const into = Buffer.alloc(60)
          return [files.read(fd[at], into, 3, length, position), into.toString('hex')]
        })
      }
    } else if (kind === 'stat') pair = both((files, pathOf) => files.stat(pathOf(name)))
    else if (kind === 'list') pair = both((files, pathOf) => files.list(pathOf(name))?.sort())
    else if (kind === 'existsAnyway') pair = both((files, pathOf) => files.existsAnyway(pathOf(name)))
    else if (kind === 'listAnyway') pair = both((files, pathOf) => files.listAnyway(pathOf(name)).sort())
    else if (kind === 'listKinds') {
      pair = both((files, pathOf) => {
        return files
          .listKinds(pathOf(name))
          ?.map(item => `${item.kind} ${item.name}`)
          .sort()
      })
    } else if (kind === 'readAnyway') pair = both((files, pathOf) => files.readAnyway(pathOf(name)).toString('hex'))
    else if (kind === 'readFile') pair = both((files, pathOf) => files.readFile(pathOf(name))?.toString('hex'))
    else if (kind === 'createFile') pair = both((files, pathOf) => files.createFile(pathOf(name), `content ${step}`))
    else if (kind === 'makeDirectory') {
      if (name !== 'd' && name !== 'e') continue
      pair = both((files, pathOf) => files.makeDirectory(pathOf(name)))
    } else if (kind === 'rename') {
      if (isDirectory(name) || isDirectory(target)) continue
      pair = both((files, pathOf) => files.rename(pathOf(name), pathOf(target)))
    } else pair = both((files, pathOf) => files.remove(pathOf(name)))
    expect(pair[1], `${kind} ${name} at step ${step}`).toEqual(pair[0])
    seen.add(kind)
  }
  expect(seen.size).toBe(new Set(kinds).size)
  for (const [fd] of fds) nodeFiles.close(fd)
}

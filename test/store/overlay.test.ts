import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import { createOverlay } from '../../src/files/overlay.js'
import { filesBelow, temporaryDirectory } from '../support/caches.js'
import { expectSameAsReal } from '../support/disk-contract.js'
import { printedSeed } from '../support/random.js'

/** A directory with some files, the same each time. */
function filledDirectory(): string {
  const root = temporaryDirectory()
  mkdirSync(join(root, 'd'))
  for (const name of ['a', 'c', join('d', 'a')]) writeFileSync(join(root, name), `${name} has this content`)
  return root
}

const contentsOf = (root: string) => filesBelow(root).map(name => [name, readFileSync(join(root, name), 'latin1')])

test('an overlaid disk answers every call like the real one, which stays as it was', () => {
  for (let round = 0; round < 10; round++) {
    const root = filledDirectory()
    const before = contentsOf(root)
    const scratch = join(temporaryDirectory(), 'scratch')
    const overlay = createOverlay(nodeFiles, scratch)
    expectSameAsReal(filledDirectory(), { files: overlay.files, root }, printedSeed('overlay') + round)
    overlay.close()
    expect(contentsOf(root)).toEqual(before)
    expect(existsSync(scratch)).toBe(false)
  }
})

test('a file that was renamed away and back is there', () => {
  const root = filledDirectory()
  const [a, b] = [join(root, 'a'), join(root, 'b')]
  const { files } = createOverlay(nodeFiles, join(temporaryDirectory(), 'scratch'))
  files.rename(a, b)
  files.rename(b, a)
  expect(files.createFile(a, '')).toBe(false)
  expect(files.readFile(a)?.toString()).toBe('a has this content')
})

test('a file that others change shows it until it is first changed here', () => {
  const root = filledDirectory()
  const [a, c] = [join(root, 'a'), join(root, 'c')]
  const { files } = createOverlay(nodeFiles, join(temporaryDirectory(), 'scratch'))
  const fd = files.open(a, 'append')
  writeFileSync(a, 'longer than what was there before')
  expect(files.fstat(fd).sizeBytes).toBe(33)
  files.append(fd, Buffer.from('!'), 1)
  writeFileSync(a, `${readFileSync(a)} and more`)
  expect(files.readFile(a)?.toString()).toBe('longer than what was there before!')
  files.rename(c, join(root, 'd', 'c'))
  writeFileSync(c, 'another one')
  expect(files.list(root)?.sort()).toEqual(['a', 'd'])
  expect(files.stat(c)).toBeUndefined()
})

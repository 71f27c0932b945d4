import { test } from 'vitest'
import { temporaryDirectory } from './caches.js'
import { expectSameAsReal } from './disk-contract.js'
import { MemoryDisk } from './memory-disk.js'
import { printedSeed } from './random.js'

test('a disk in memory answers every call like the real one', () => {
  const root = temporaryDirectory()
  const { files } = new MemoryDisk()
  files.makeDirectory(root)
  expectSameAsReal(root, { files, root }, printedSeed('disk in memory'), true)
})

// Writing what `HashSeed` reads.

import type { PooledFile } from '../files/descriptors.js'
import { xxh32 } from '../hashing/xxh32.js'

/** Appends the seed, has the caller read what is in force, and closes the file. @throws errno-style errors */
export function writeSeed(file: PooledFile, seed: number, read: (file: PooledFile) => void): void {
  const record = Buffer.allocUnsafe(8)
  record.writeUInt32LE(seed, 0)
  record.writeUInt32LE(xxh32(record, 0, 4, 0), 4)
  try {
    file.append(record, record.length)
    read(file)
  } finally {
    file.close()
  }
}

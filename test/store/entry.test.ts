import { describe, expect, test } from 'vitest'
import { decodeEntry, type Entry, encodeEntry, type Source } from '../../src/manifest/entry.js'

const blob = {
  id: Buffer.from('0123456789abcdef\x05\0\0\0\x01', 'latin1'),
  location: { pack: 7, offset: 4_000_000_000 },
}
const manual: Entry = { blob, createdAt: 1_790_000_000_123, usedAt: 1_790_000_000_000 }
const stat = {
  sizeBytes: 2 ** 41,
  mtimeMs: 1.5,
  ctimeMs: 1_790_000_000_123.456,
  inode: 2 ** 53,
  digest: Buffer.alloc(16, 9),
}
const absent = { sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0, digest: Buffer.alloc(16) }
const sources: Source[] = [
  { path: '/a/é.ts', isRelative: false, kind: 'file', isRacy: true, ...stat },
  { path: 'b', isRelative: true, kind: 'absent', isRacy: false, ...absent },
  { path: 'x'.repeat(5000), isRelative: false, kind: 'directory', isRacy: false, ...stat },
]

describe('an entry comes back as it was', () => {
  test.each<[string, Entry]>([
    ['manual', manual],
    ['with a ttl', { ...manual, ttlMs: 0.5 }],
    ['with sources', { ...manual, sources }],
    ['with a ttl and sources', { ...manual, ttlMs: 1e12, sources }],
    ['with no sources at all', { ...manual, sources: [] }],
  ])('%s', (_name, entry) => {
    const decoded = decodeEntry(encodeEntry(entry))
    if (decoded.sources)
      for (const source of decoded.sources) if (source.kind === 'absent') source.digest = absent.digest
    expect(decoded).toEqual(entry)
  })
})

test('a manual entry takes 40 bytes', () => {
  expect(encodeEntry(manual)).toHaveLength(40)
})

test('an entry that is cut anywhere is refused', () => {
  const bytes = encodeEntry({ ...manual, ttlMs: 5, sources: sources.slice(0, 2) })
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeEntry(bytes.subarray(0, length)), `cut at ${length}`).toThrow(RangeError)
  }
})

import { describe, expect, test } from 'vitest'
import { type Input, inputOf } from '../../src/inputs/input.js'
import type { Entry, Head } from '../../src/manifest/entry.js'
import { encodeHead, encodeNode } from '../../src/manifest/entry-encoding.js'
import { decodeHead } from '../../src/manifest/head.js'
import { decodeNode } from '../../src/manifest/node.js'

const EPOCH = 2 ** 47 + 5
const blob = {
  id: Buffer.from('0123456789abcdef\x05\0\0\0\x01', 'latin1'),
  location: { pack: 7, offset: 4_000_000_000 },
}
const manual: Entry = { blob, createdAt: 1_790_000_000_123, usedAt: 1_790_000_000_000, epoch: EPOCH }
const digest = Buffer.alloc(16, 9)
const stat = { sizeBytes: 2 ** 41, mtimeMs: 1.5, ctimeMs: 1_790_000_000_123.456, inode: 2 ** 53 }
const inputs: Input[] = [
  { ...inputOf('file', '/a/é.ts', false, digest), ...stat, isRacy: true },
  inputOf('absent', 'b', true),
  { ...inputOf('directory', 'x'.repeat(5000), false, digest), ...stat },
  inputOf('error', 'c', true, undefined, 'EACCES'),
  inputOf('present', '..', true),
  inputOf('missing', '/d'),
  { ...inputOf('glob', 'src', true, digest, '{"at":"src","patterns":["*"]}'), ...stat },
  inputOf('environment', 'NAME', false, digest),
  inputOf('entry', '["tool","1","project","","key"]', false, digest),
  inputOf('cwd', 'packages/a'),
  inputOf('checkout', '/project'),
  inputOf('location', 'a.ts'),
  inputOf('list', digest.toString('hex')),
]
const lease = { owner: Buffer.alloc(8, 3), pid: 2 ** 31, host: 'hôst', beatAt: 1_790_000_000_123, isSync: true }
const removal = { cause: 'source-missing' as const, path: '/a/é.ts' }
const full: Entry = { ...manual, ttlMs: 1e12, computeMs: 12.5, question: digest, seenIn: '/a/é', inputs }

const HEADS: [string, Head][] = [
  ['of a set entry', { epoch: EPOCH, entry: manual }],
  ['with a ttl', { epoch: EPOCH, entry: { ...manual, ttlMs: 0.5 } }],
  ['with inputs', { epoch: EPOCH, entry: { ...manual, inputs } }],
  ['with a ttl and inputs', { epoch: EPOCH, entry: { ...manual, ttlMs: 1e12, inputs } }],
  ['with no inputs at all', { epoch: EPOCH, entry: { ...manual, inputs: [] } }],
  ['of a computed entry', { epoch: EPOCH, entry: full }],
  ['of a computed entry that is being computed again', { epoch: EPOCH, entry: full, lease }],
  ['of a set entry that is being computed again', { epoch: EPOCH, entry: manual, lease }],
  ['with a removal', { epoch: EPOCH, removal }],
  ['with a removal without a path', { epoch: 0, removal: { cause: 'deleted' } }],
  ['with a removal and a lease', { epoch: EPOCH, removal, lease }],
  ['with a lease', { epoch: EPOCH, lease: { ...lease, isSync: false } }],
  ['of nothing', { epoch: EPOCH }],
]

/** What is not there is left out, on both sides. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('a head is decoded unchanged', () => {
  test.each(HEADS)('%s', (_name, head) => {
    const bytes = encodeHead(head)
    expect(plain(decodeHead(bytes))).toEqual(plain(head))
    const within = Buffer.concat([Buffer.alloc(7, 1), bytes, Buffer.alloc(9, 2)])
    expect(plain(decodeHead(within, 7, 7 + bytes.length))).toEqual(plain(head))
  })
})

test.each([
  [0, 0],
  [2 ** 30, 2 ** 30],
  [2 ** 31, 0],
  [-1, 0],
  [Number.NaN, 0],
  [Number.POSITIVE_INFINITY, 0],
])('a computation of %d ms is read as one of %d ms', (computeMs, expected) => {
  const entry = { ...full, computeMs }
  expect(decodeHead(encodeHead({ epoch: EPOCH, entry }))?.entry).toMatchObject({ computeMs: expected, seenIn: '/a/é' })
})

test('the head of a plain set takes 47 bytes', () => {
  expect(encodeHead({ epoch: EPOCH, entry: manual })).toHaveLength(47)
})

test.each(HEADS)('a head that is cut at any byte is rejected: %s', (_name, head) => {
  const bytes = encodeHead(head)
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeHead(bytes.subarray(0, length)), `cut at ${length}`).toThrow(RangeError)
  }
})

describe('a node', () => {
  const lists = [inputs, inputs.slice(3, 5), []]
  const bytes = encodeNode({ lists }, EPOCH)

  test('is decoded as the references of its inputs, without their state', () => {
    const decoded = decodeNode(bytes)
    const other = inputs.map(input => {
      const isWhere = ['cwd', 'checkout', 'location'].includes(input.kind)
      return {
        ...input,
        isRacy: !input.isRacy,
        sizeBytes: 1,
        digest: Buffer.alloc(16, 1),
        ...(isWhere && { path: 'elsewhere' }),
      }
    })
    expect(encodeNode({ lists: [other, other.slice(3, 5), []] }, EPOCH)).toEqual(bytes)
    expect(decoded?.lists.map(list => list.length)).toEqual([inputs.length, 2, 0])
    expect(decoded?.lists[0]?.map(({ kind, path, isRelative, detail }) => [kind, path, isRelative, detail])).toEqual([
      ['file', '/a/é.ts', false, ''],
      ['file', 'b', true, ''],
      ['file', 'x'.repeat(5000), false, ''],
      ['file', 'c', true, ''],
      ['present', '..', true, ''],
      ['present', '/d', false, ''],
      ['glob', 'src', true, '{"at":"src","patterns":["*"]}'],
      ['environment', 'NAME', false, ''],
      ['entry', '["tool","1","project","","key"]', false, ''],
      ['cwd', '', false, ''],
      ['checkout', '', false, ''],
      ['location', '', false, ''],
      ['list', digest.toString('hex'), false, ''],
    ])
  })

  test('has the epoch of its head and is not an entry', () => {
    expect(decodeHead(bytes)).toMatchObject({ epoch: EPOCH, entry: undefined })
    expect(decodeNode(encodeHead({ epoch: EPOCH, entry: manual }))).toBe(undefined)
  })

  test('that is cut at any byte is rejected', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeNode(bytes.subarray(0, length)), `cut at ${length}`).toThrow(RangeError)
    }
  })
})

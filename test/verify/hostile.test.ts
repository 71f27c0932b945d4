// Forged stores: frames with valid checksums and nonsense in them, links to other directories, endless files. Verify neither
// throws nor hangs nor leaves the root, and a repair removes the forgeries.

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { FRAME, FRAME_HEADER_BYTES, FRAME_MAGIC } from '../../src/base/layout.js'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { inputOf } from '../../src/inputs/input.js'
import { answerBytes } from '../../src/manifest/answer-key.js'
import { encodeHead, encodeNode } from '../../src/manifest/entry-encoding.js'
import { encodePrefix, keyBytes } from '../../src/manifest/key.js'
import { filesBelow, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import {
  type Forged,
  fill,
  forged,
  hitsOf,
  NOW,
  open,
  pathIn,
  positionIn,
  recordOf,
  SMALL,
  sizeOf,
  verifyAt,
} from './stores.js'

const INDEX = 'v2/blobs/index/_.0'
const PACK = 'v2/blobs/packs/0.pack'
const MANIFEST = 'v2/namespaces/one/manifest/_.0'

/** Behind the opening of the pack. */
const FIRST_BLOB = 55

let dir: string

beforeEach(() => {
  dir = temporaryRoot()
  const cache = open(dir)
  fill(cache, SMALL)
  cache.namespace('one').get('nothing')
  cache.close()
})

const identityOf = (file: string) => file.replace(/^v2\//, '').replace(/\.pack$/, '')

/** Appends a frame that is valid in this file; returns its offset. */
function forge(file: string, type: number, what: Forged): number {
  const offset = sizeOf(pathIn(dir, file))
  appendFileSync(pathIn(dir, file), forged(identityOf(file), type, what))
  return offset
}

const PREFIX = encodePrefix({ version: '1', scope: 'project', kind: 'plain', project: '/project' })

/** A record that stands where a lookup of its key goes; with a digest, that of an answer or a node. */
function entryRecord(key: string, value: Uint8Array, digest?: Buffer): Forged {
  const head = keyBytes(PREFIX, key)
  const bytes = digest ? answerBytes(head, digest) : head
  return recordOf(positionIn(dir, bytes), bytes, value)
}

const DIGEST = Buffer.alloc(16, 5)
const NODE = encodeNode({ lists: [[inputOf('file', 'a'), inputOf('environment', 'NAME')]] }, 7)

async function expectMended(): Promise<void> {
  const report = await verifyAt(dir, { repair: true })
  expect(report.isWhole, JSON.stringify(report.problems)).toBe(true)
  expect(hitsOf(dir, SMALL).size).toBe(6)
  expect(await verifyAt(dir)).toMatchObject({ isWhole: true, problems: [] })
}

describe('a frame with a valid checksum is corrupt if it is', () => {
  const id = Buffer.alloc(21, 7)
  const elsewhere = { hash: 1, tag: 2 }
  const cases: [string, string, number, () => Forged][] = [
    ['of a type that maps do not have', MANIFEST, FRAME.blob, () => ({ payload: Buffer.alloc(30) })],
    ['of an unknown type', MANIFEST, 200, () => ({ payload: Buffer.alloc(0) })],
    ['of a type that packs do not have', PACK, FRAME.put, () => ({ payload: Buffer.alloc(30) })],
    ['a record that is too short', MANIFEST, FRAME.putIf, () => ({ payload: Buffer.alloc(5) })],
    ['a record whose key is longer than it', MANIFEST, FRAME.put, () => ({ payload: Buffer.alloc(9), keyBytes: 10 })],
    [
      'a record under the hash of another key',
      MANIFEST,
      FRAME.put,
      () => recordOf(elsewhere, Buffer.from('\0x'), Buffer.alloc(9)),
    ],
    ['an entry of no bytes', MANIFEST, FRAME.put, () => entryRecord('x', Buffer.alloc(0))],
    ['a truncated entry', MANIFEST, FRAME.put, () => entryRecord('x', Buffer.alloc(20, 3))],
    [
      'an entry with four billion inputs',
      MANIFEST,
      FRAME.put,
      () => entryRecord('x', Buffer.alloc(60, 255).fill(1, 0, 1).fill(2, 7, 8)),
    ],
    ['an answer of no bytes', MANIFEST, FRAME.put, () => entryRecord('x', Buffer.alloc(0), DIGEST)],
    ['a truncated node', MANIFEST, FRAME.put, () => entryRecord('x', NODE.subarray(0, -1), DIGEST)],
    [
      'a record whose version does not fit its key',
      MANIFEST,
      FRAME.put,
      () => {
        const bytes = Buffer.from([255, 1])
        return recordOf(positionIn(dir, bytes), bytes, Buffer.alloc(60))
      },
    ],
    [
      'an index record without a location',
      INDEX,
      FRAME.put,
      () => recordOf(positionIn(dir, id, 0), id, Buffer.alloc(3)),
    ],
    [
      'an index record under a short key',
      INDEX,
      FRAME.put,
      () => recordOf(elsewhere, Buffer.from('abc'), Buffer.alloc(8)),
    ],
    ['a blob too short for an id', PACK, FRAME.blob, () => ({ payload: Buffer.alloc(5) })],
    [
      'a blob whose length differs from its id',
      PACK,
      FRAME.blob,
      () => ({ payload: Buffer.concat([id, Buffer.alloc(10)]) }),
    ],
    [
      'the opening of another file',
      MANIFEST,
      FRAME.open,
      () => ({ payload: Buffer.from('\u0002\0\0\0\0\0\0\0\0\0\0\0\0\0namespaces/two/manifest/_.0') }),
    ],
  ]
  test.each(cases)('%s', async (_what, file, type, forgedOf) => {
    const offset = forge(file, type, forgedOf())
    const { problems } = await verifyAt(dir)
    expect(problems.filter(each => each.file === file && each.offset === offset)).toMatchObject([{ kind: 'corrupt' }])
    await expectMended()
  })

  test('a blob whose bytes differ from its id', async () => {
    const first = FIRST_BLOB + FRAME_HEADER_BYTES
    const blob = Buffer.from(readFileSync(pathIn(dir, PACK)).subarray(first, first + 22))
    blob.writeUInt32LE(1, 16)
    const offset = forge(PACK, FRAME.blob, { payload: blob })
    expect((await verifyAt(dir)).problems).toMatchObject([{ kind: 'corrupt', file: PACK, offset }])
    await expectMended()
  })
})

test('an entry with a too long value or an offset past the end of its pack dangles', async () => {
  for (const [key, length, offset] of [
    ['long', 0xffffffff, FIRST_BLOB],
    ['far', 5, 0xfffffff0],
  ] as const) {
    const id = Buffer.alloc(21)
    id.writeUInt32LE(length, 16)
    const blob = { id, location: { pack: 0, offset } }
    const value = encodeHead({ epoch: 1, entry: { blob, createdAt: NOW, usedAt: NOW, epoch: 1 } })
    const at = forge(MANIFEST, FRAME.put, entryRecord(key, value))
    expect((await verifyAt(dir)).problems).toMatchObject([{ kind: 'dangling', file: MANIFEST, offset: at, key }])
    await expectMended()
  }
})

/** The disk, and every call that went through a link below the root or outside of it. */
function watched(): { files: Files; strays: string[] } {
  const strays: string[] = []
  const isLink = (path: string) => nodeFiles.linkStat(path)?.kind === 'other'
  const files = interceptedFiles(call => {
    // A link itself may be looked at, and moved.
    const follows = !['linkStat', 'remove', 'rename', 'createFile'].includes(call.name)
    let isStray = !call.path.startsWith(dir)
    for (let path = follows ? call.path : dirname(call.path); path.length > dir.length; path = dirname(path)) {
      isStray ||= isLink(path)
    }
    // So may the way to the root.
    const isLook = call.name === 'linkStat' && (call.path.startsWith(dir) || dir.startsWith(call.path))
    if (isStray && !isLook) strays.push(`${call.name} ${call.path}`)
    return call.proceed()
  })
  return { files, strays }
}

describe('nothing outside the root is read or changed', () => {
  test('with links among the files and directories', async () => {
    const outside = temporaryRoot()
    mkdirSync(join(outside, 'a'), { recursive: true })
    const names = ['_.9', '0.9', 'a.9', '0.pack', 'manifest', 'secret', 'a/0.9']
    for (const name of names) writeFileSync(join(outside, name), 'secret')
    symlinkSync(outside, pathIn(dir, 'v2/namespaces/three'))
    mkdirSync(pathIn(dir, 'v2/namespaces/four'))
    const links: [string, string][] = [
      ['v2/namespaces/four/manifest', ''],
      ['v2/namespaces/one/manifest/123', ''],
      ['v2/namespaces/one/manifest/_.9', '_.9'],
      ['v2/blobs/index/0.9', '0.9'],
      ['v2/blobs/index/_.9', '_.9'],
      ['v2/blobs/packs/7.pack', '0.pack'],
      ['v2/gc.lock', 'secret'],
    ]
    for (const [link, target] of links) symlinkSync(join(outside, target), pathIn(dir, link))
    forge(PACK, 200, { payload: Buffer.alloc(0) })
    const { files, strays } = watched()
    const { problems } = await verifyAt(dir, {}, files)
    const unreadable = problems.filter(({ kind }) => kind === 'unreadable').map(({ file }) => file)
    for (const [link] of links) expect(unreadable).toContain(link)
    // With nowhere to put things, a repair gives up what it would have to move.
    symlinkSync(outside, join(dir, 'salvaged'))
    expect((await verifyAt(dir, { repair: true }, files)).isWhole).toBe(false)
    unlinkSync(join(dir, 'salvaged'))
    expect((await verifyAt(dir, { repair: true }, files)).isWhole).toBe(true)
    expect(strays).toEqual([])
    for (const name of names) expect(readFileSync(join(outside, name), 'utf8')).toBe('secret')
    expect(filesBelow(outside).length).toBe(names.length)
  })

  test.each(['v2', 'v2/blobs', 'v2/namespaces'])(
    'when %s is a link to the same directory of another cache',
    async name => {
      const outside = temporaryRoot()
      cpSync(pathIn(dir, name), outside, { recursive: true })
      const before = filesBelow(outside).map(file => readFileSync(join(outside, file), 'latin1'))
      rmSync(pathIn(dir, name), { recursive: true })
      symlinkSync(outside, pathIn(dir, name))
      const { files, strays } = watched()
      expect((await verifyAt(dir, {}, files)).problems[0]).toMatchObject({ kind: 'unreadable', file: name })
      expect((await verifyAt(dir, { repair: true }, files)).isWhole).toBe(true)
      // The cache itself, which looks at its root when it is opened, is not what is tested here.
      expect(strays.filter(call => call !== `stat ${pathIn(dir, 'v2')}`)).toEqual([])
      expect(filesBelow(outside).map(file => readFileSync(join(outside, file), 'latin1'))).toEqual(before)
    },
  )
})

test.each([
  'v2/blobs/packs/9999999999.pack',
  'v2/blobs/packs/007.pack',
  'v2/namespaces/one/manifest/_.01',
  'v2/blobs/index/0.00',
])('an impossible number of a pack or generation is reported: %s', async file => {
  writeFileSync(pathIn(dir, file), '')
  expect((await verifyAt(dir)).problems[0]).toMatchObject({ kind: 'unreadable', file })
  await expectMended()
})

test('verify is fast on bytes that all look like frame headers', async () => {
  const bytes = Buffer.alloc(2 * 1024 * 1024, FRAME_MAGIC)
  for (const file of [INDEX, PACK, MANIFEST]) appendFileSync(pathIn(dir, file), bytes)
  expect((await verifyAt(dir)).isWhole).toBe(false)
  expect((await verifyAt(dir, { repair: true })).isWhole).toBe(true)
  expect(await verifyAt(dir)).toMatchObject({ isWhole: true })
})

test('verify of a huge sparse file ends', async () => {
  truncateSync(pathIn(dir, PACK), 40 * 1024 * 1024)
  const { problems } = await verifyAt(dir)
  expect(problems).toMatchObject([{ kind: 'corrupt', file: PACK, bytes: expect.any(Number) }])
  await expectMended()
})

describe('foreign files', () => {
  test('give notes and are left alone', async () => {
    const names = ['README', 'v2/x', 'v2/blobs/x', 'v2/blobs/packs/x', 'v2/blobs/index/zz.1']
    names.push('v2/namespaces/file', 'v2/namespaces/one/x', 'v2/blobs/index/g')
    for (const name of names) writeFileSync(pathIn(dir, name), 'theirs')
    mkdirSync(pathIn(dir, 'v2/namespaces/Not Escaped'))
    mkdirSync(join(dir, 'v3'))
    const { isWhole, notes } = await verifyAt(dir)
    expect(isWhole).toBe(true)
    expect(notes.map(({ kind, file }) => `${kind} ${file}`).sort()).toEqual(
      [...names, 'v2/namespaces/Not Escaped'].map(name => `orphaned ${name}`).sort(),
    )
    await verifyAt(dir, { repair: true })
    for (const name of names) expect(readFileSync(pathIn(dir, name), 'utf8')).toBe('theirs')
  })

  test("give notes like the cache's own leftovers", async () => {
    writeFileSync(pathIn(dir, 'v2/namespaces/one/manifest/_.5.0123456789abcdef.new'), 'a candidate')
    const manifest = readFileSync(pathIn(dir, MANIFEST))
    writeFileSync(pathIn(dir, 'v2/namespaces/two/manifest/_.1'), '')
    const { problems, notes } = await verifyAt(dir)
    expect(problems).toEqual([])
    expect(notes).toMatchObject([
      { kind: 'orphaned', file: 'v2/namespaces/one/manifest/_.5.0123456789abcdef.new', bytes: 11 },
      { kind: 'orphaned', file: 'v2/namespaces/two/manifest/_.0' },
      { kind: 'orphaned', file: PACK, message: expect.stringContaining('1 ') },
    ])
    expect(readFileSync(pathIn(dir, MANIFEST))).toEqual(manifest)
  })

  test('a pack that a killed gc was moving gives a note, and a repair finishes the move', async () => {
    renameSync(pathIn(dir, PACK), pathIn(dir, 'v2/blobs/packs/0.retired'))
    expect(await verifyAt(dir)).toMatchObject({
      isWhole: true,
      notes: [{ kind: 'orphaned', file: 'v2/blobs/packs/0.retired' }],
    })
    await expectMended()
    expect(existsSync(pathIn(dir, 'v2/blobs/packs/0.retired'))).toBe(false)
  })
})

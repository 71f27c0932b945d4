// Every kind of damage: verify reports file and offset, a repair keeps all undamaged entries, and afterwards verify finds no
// problems.

import { execFileSync } from 'node:child_process'
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Problem, VerifyReport } from '../../src/index.js'
import { filesBelow } from '../support/caches.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { printedSeed, randomFrom } from '../support/random.js'
import { type Contents, fill, flip, hitsOf, large, open, overwrite, pathIn, SMALL, sizeOf, verifyAt } from './stores.js'

const TAG = 'CACHEDIR.TAG'
const SEED = 'v2/seed'
const INDEX = 'v2/blobs/index/_.0'
const PACK = 'v2/blobs/packs/0.pack'
const MANIFEST = 'v2/namespaces/one/manifest/_.0'
const LOGS = [
  INDEX,
  PACK,
  'v2/namespaces/one/counters/_.0',
  MANIFEST,
  'v2/namespaces/two/counters/_.0',
  'v2/namespaces/two/manifest/_.0',
]

let directory: string
let template: string
let work: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  template = join(directory, 'template')
  work = join(directory, 'work')
  make(template, SMALL)
  expect(filesBelow(template)).toEqual([TAG, SEED, ...LOGS].map(file => join(...file.split('/'))).sort())
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeEach(() => {
  rmSync(work, { recursive: true, force: true })
  cpSync(template, work, { recursive: true })
})

function make(dir: string, contents: Contents): void {
  // By chance a process looks after the store at its first set, which makes another file.
  const cache = open(dir, undefined, false, () => 0.5)
  fill(cache, contents)
  for (const name of Object.keys(contents)) cache.namespace(name).get('nothing')
  cache.close()
}

const all = (contents: Contents) =>
  new Set(Object.entries(contents).flatMap(([name, values]) => Object.keys(values).map(key => `${name}/${key}`)))

/** Names of everything that refers to a blob: where one is damaged, these are wrong, too. */
const consequences = (problems: Problem[], file: string) => problems.filter(problem => problem.file !== file)

const covers = ({ offset = 0, bytes }: { offset?: number; bytes: number }, at: number) =>
  offset <= at && at < offset + bytes

/** Repairs what is in `work`, and holds what is there afterwards against what was. */
async function expectMended(contents: Contents, before: Set<string>): Promise<VerifyReport> {
  const repair = await verifyAt(work, { repair: true })
  expect(repair.isWhole, JSON.stringify(repair.problems)).toBe(true)
  expect(repair.problems.filter(({ isRepaired }) => !isRepaired)).toEqual([])
  const after = hitsOf(work, contents)
  expect([...before].filter(each => !after.has(each))).toEqual([])
  expect(await verifyAt(work)).toMatchObject({ isWhole: true, problems: [] })
  for (const file of repair.lostAndFound) expect(lstatSync(pathIn(work, file))).toBeDefined()
  return repair
}

describe('an undamaged store', () => {
  test('has no problems and no notes, and is counted', async () => {
    const report = await verifyAt(work)
    expect(report).toMatchObject({ isWhole: true, problems: [], problemCount: 0, notes: [], noteCount: 0 })
    expect(report).toMatchObject({ fileCount: 8, entryCount: 6, blobCount: 5, lostAndFound: [] })
    expect(report.checkedBytes).toBe(LOGS.reduce((sum, file) => sum + sizeOf(pathIn(work, file)), 0))
  })

  test('is not changed by a repair', async () => {
    const before = filesBelow(work).map(file => readFileSync(join(work, file), 'latin1'))
    expect(await verifyAt(work, { repair: true })).toMatchObject({
      isWhole: true,
      problems: [],
      lostAndFound: [],
      blobCount: 5,
    })
    expect(filesBelow(work).map(file => readFileSync(join(work, file), 'latin1'))).toEqual(before)
  })

  test('stays undamaged when it is split, cleared and collected', async () => {
    rmSync(work, { recursive: true })
    const contents = large()
    const cache = open(work)
    fill(cache, contents)
    cache.namespace('gone').set('key', 'value')
    cache.namespace('gone').clear()
    await cache.gc()
    cache.close()
    expect(filesBelow(join(work, 'v2', 'namespaces', 'large', 'manifest')).length).toBe(16)
    expect(await verifyAt(work)).toMatchObject({ isWhole: true, notes: [], entryCount: 10_006, blobCount: 10_005 })
  })

  test('can be empty or missing, and then nothing is created', async () => {
    rmSync(work, { recursive: true })
    expect(await verifyAt(work)).toMatchObject({ isWhole: true, fileCount: 0, notes: [] })
    expect(await verifyAt(work, { repair: true })).toMatchObject({ isWhole: true, fileCount: 0 })
    expect(() => lstatSync(work)).toThrow('ENOENT')
  })
})

describe('an altered byte', () => {
  test.each(LOGS)('in %s is reported at its offset, loses at most its own record, and is repaired', async file => {
    const whole = MemoryDisk.of(work)
    const bytes = readFileSync(pathIn(work, file))
    for (let at = 0; at < bytes.length; at++) {
      const where = `byte ${at}`
      const disk = whole.clone()
      const wrong = Buffer.from(bytes)
      wrong[at] = (wrong[at] as number) ^ (at % 2 ? 0xff : 1 << (at & 7))
      disk.write(pathIn(work, file), wrong)
      const before = hitsOf(work, SMALL, disk.files)
      // A blob is one of five, which two entries of the six refer to; of a manifest, what stands before may go with the damage.
      expect(before.size, where).toBeGreaterThanOrEqual(file === PACK ? 4 : file === MANIFEST ? 2 : 4)
      const report = await verifyAt(work, {}, disk.files)
      const found = report.problems.filter(problem => problem.file === file && covers(problem, at))
      expect(
        found.map(({ kind }) => kind),
        `${where} ${JSON.stringify(report)}`,
      ).toEqual(['corrupt'])
      expect(report.isWhole, where).toBe(false)
      expect(report.entryCount, where).toBeGreaterThanOrEqual(before.size)
      // Entries that are misses for it are named.
      const dangling = report.problems.flatMap(({ kind, namespace, key }) =>
        kind === 'dangling' && key !== undefined ? `${namespace}/${key}` : [],
      )
      if (file === PACK) expect(new Set([...dangling, ...before]), where).toEqual(all(SMALL))
      const repair = await verifyAt(work, { repair: true }, disk.files)
      expect(repair.isWhole, `${where} ${JSON.stringify(repair)}`).toBe(true)
      const kept = repair.lostAndFound.map(each => disk.files.readFile(pathIn(work, each)))
      expect(
        kept.some(each => each && wrong.includes(each)),
        where,
      ).toBe(true)
      expect(hitsOf(work, SMALL, disk.files), where).toEqual(before)
      expect(await verifyAt(work, {}, disk.files), where).toMatchObject({ isWhole: true, problems: [] })
    }
  })

  test('in a large store is found among thousands of files and records, without false reports', async () => {
    const contents = large()
    rmSync(work, { recursive: true })
    make(work, contents)
    const pristine = join(directory, 'pristine')
    cpSync(work, pristine, { recursive: true })
    const random = randomFrom(printedSeed('altered bytes in a large store'))
    // Of the journal of upkeep nothing is kept: whoever finds it damaged begins a round anew.
    const logs = filesBelow(work).filter(file => file.startsWith('v2') && file !== 'v2/upkeep' && file !== SEED)
    for (let round = 0; round < 12; round++) {
      rmSync(work, { recursive: true })
      cpSync(pristine, work, { recursive: true })
      const file = (logs[random(logs.length)] as string).replaceAll('\\', '/')
      const at = random(sizeOf(pathIn(work, file)))
      flip(pathIn(work, file), at)
      const { problems } = await verifyAt(work)
      const found = problems.filter(problem => problem.file === file && covers(problem, at))
      expect(found.length, `${file} at ${at}: ${JSON.stringify(problems)}`).toBe(1)
      const kinds = consequences(problems, file).map(({ kind }) => kind)
      expect(kinds.filter(kind => kind !== 'dangling' && kind !== 'missing')).toEqual([])
      const before = hitsOf(work, contents)
      // A bucket's worth at most.
      expect(before.size).toBeGreaterThanOrEqual(file.includes('manifest') ? 9000 : 10_006 - 2)
      await expectMended(contents, before)
    }
  })

  test('in the hash seed is found, loses nothing, and is repaired', async () => {
    for (let at = 0; at < 8; at++) {
      rmSync(work, { recursive: true })
      cpSync(template, work, { recursive: true })
      flip(pathIn(work, SEED), at)
      expect(hitsOf(work, SMALL)).toEqual(all(SMALL))
      expect((await verifyAt(work)).problems).toMatchObject([{ kind: 'corrupt', file: SEED }])
      await expectMended(SMALL, all(SMALL))
      expect(readFileSync(pathIn(work, SEED))).toEqual(readFileSync(pathIn(template, SEED)))
    }
  })

  test('in the signature of the tag is found and repaired', async () => {
    flip(pathIn(work, TAG), 20)
    expect((await verifyAt(work)).problems).toMatchObject([{ kind: 'corrupt', file: TAG }])
    await expectMended(SMALL, all(SMALL))
    expect(readFileSync(pathIn(work, TAG))).toEqual(readFileSync(pathIn(template, TAG)))
  })
})

describe('a truncated file', () => {
  test.each(LOGS)(
    '%s, at every length, gives a torn note at most and dangling references, and is repaired',
    async file => {
      const whole = MemoryDisk.of(work)
      const bytes = readFileSync(pathIn(work, file))
      for (let cut = 0; cut < bytes.length; cut++) {
        const disk = whole.clone()
        disk.write(pathIn(work, file), bytes.subarray(0, cut))
        const before = hitsOf(work, SMALL, disk.files)
        const { problems, notes } = await verifyAt(work, {}, disk.files)
        expect(
          problems.filter(problem => problem.file === file),
          `cut to ${cut}`,
        ).toEqual([])
        const torn = notes.filter(({ kind }) => kind === 'torn')
        for (const note of torn) expect([note.file, (note.offset ?? 0) + note.bytes]).toEqual([file, cut])
        if (file === PACK) expect(problems.length > 0 || before.size === 6, `cut to ${cut}`).toBe(true)
        expect((await verifyAt(work, { repair: true }, disk.files)).isWhole, `cut to ${cut}`).toBe(true)
        expect(hitsOf(work, SMALL, disk.files), `cut to ${cut}`).toEqual(before)
        expect(await verifyAt(work, {}, disk.files)).toMatchObject({ isWhole: true, problems: [] })
      }
    },
  )
})

describe('a removed file', () => {
  test('the pack: every entry and index record dangles, each reported with file and offset', async () => {
    rmSync(pathIn(work, PACK))
    const { problems } = await verifyAt(work)
    expect(problems.map(({ kind }) => kind)).toEqual(Array(11).fill('dangling'))
    expect(problems.filter(({ file }) => file === INDEX).length).toBe(5)
    const entries = problems.filter(({ key }) => key !== undefined)
    expect(new Set(entries.map(({ namespace, key }) => `${namespace}/${key}`))).toEqual(all(SMALL))
    const bytes = readFileSync(pathIn(work, MANIFEST))
    for (const { file, offset, key } of entries.filter(each => each.file === MANIFEST)) {
      const frame = bytes.subarray(offset, (offset as number) + 24 + bytes.readUInt32LE((offset as number) + 4))
      expect([file, frame.includes(key as string)]).toEqual([MANIFEST, true])
    }
    await expectMended(SMALL, new Set())
  })

  test('the index: missing blobs are counted and indexed again', async () => {
    rmSync(pathIn(work, INDEX))
    const { problems, notes } = await verifyAt(work)
    // What writers leave that were killed before they told the index.
    expect(problems).toEqual([])
    expect(notes).toMatchObject([
      { kind: 'orphaned', file: 'v2/blobs/index', message: expect.stringContaining('5 of') },
    ])
    await expectMended(SMALL, all(SMALL))
    const cache = open(work)
    const size = sizeOf(pathIn(work, PACK))
    cache.namespace('one').set('again', SMALL.one?.text)
    cache.close()
    expect(sizeOf(pathIn(work, PACK))).toBe(size)
  })

  test('one part of a bucket', async () => {
    const contents = large()
    rmSync(work, { recursive: true })
    make(work, contents)
    const file = 'v2/namespaces/large/manifest/23.2'
    rmSync(pathIn(work, file))
    expect((await verifyAt(work)).problems).toMatchObject([
      { kind: 'missing', file: 'v2/namespaces/large/manifest/23.0' },
    ])
    const before = hitsOf(work, contents)
    expect(before.size).toBeGreaterThan(9000)
    expect(before.size).toBeLessThan(10_006)
    await expectMended(contents, before)
  })

  test('the hash seed: it is restored from the logs', async () => {
    rmSync(pathIn(work, SEED))
    expect((await verifyAt(work)).problems).toMatchObject([{ kind: 'missing', file: SEED }])
    await expectMended(SMALL, all(SMALL))
    expect(readFileSync(pathIn(work, SEED))).toEqual(readFileSync(pathIn(template, SEED)))
  })

  test('the tag: it is restored', async () => {
    rmSync(pathIn(work, TAG))
    expect((await verifyAt(work)).problems).toMatchObject([{ kind: 'missing', file: TAG }])
    await expectMended(SMALL, all(SMALL))
  })
})

describe('a replaced file', () => {
  test.each(LOGS)('emptied, filled with zeros or noise, doubled, or swapped with another: %s', async file => {
    const random = randomFrom(printedSeed(`noise in ${file}`))
    const bytes = readFileSync(pathIn(template, file))
    const noise = Buffer.from(Array.from({ length: bytes.length + 50 }, () => random(256)))
    const other = LOGS.find(each => each !== file) as string
    const damages: [string, boolean, () => void][] = [
      ['emptied', false, () => truncateSync(pathIn(work, file), 0)],
      ['zeros', true, () => writeFileSync(pathIn(work, file), Buffer.alloc(bytes.length))],
      ['noise', true, () => writeFileSync(pathIn(work, file), noise)],
      ['noise at the end', true, () => writeFileSync(pathIn(work, file), Buffer.concat([bytes, noise]))],
      ['noise in between', true, () => overwrite(pathIn(work, file), bytes.length >> 1, noise.subarray(0, 20))],
      ['swapped', true, () => cpSync(pathIn(template, other), pathIn(work, file))],
    ]
    for (const [what, isTold, damage] of damages) {
      rmSync(work, { recursive: true })
      cpSync(template, work, { recursive: true })
      damage()
      const { problems, notes } = await verifyAt(work)
      // Noise in the length of a frame makes it look like one that was cut short.
      const told = [...problems, ...(what === 'noise in between' ? notes : [])].map(each => each.file)
      expect(told.includes(file), what).toBe(isTold)
      await expectMended(SMALL, hitsOf(work, SMALL))
    }
  })

  test.each([...LOGS, TAG, SEED, 'v2/gc.lock'])('replaced by a directory, a link or a pipe: %s', async file => {
    const outside = join(directory, 'outside')
    writeFileSync(outside, readFileSync(pathIn(template, PACK)))
    const replacements: [string, (path: string) => void][] = [
      ['directory', path => mkdirSync(path)],
      ['link', path => symlinkSync(outside, path)],
      ['link to itself', path => symlinkSync(path, path)],
      ['pipe', path => execFileSync('mkfifo', [path])],
    ]
    for (const [what, replace] of replacements) {
      if (what === 'pipe' && process.platform === 'win32') continue
      rmSync(work, { recursive: true })
      cpSync(template, work, { recursive: true })
      rmSync(pathIn(work, file), { force: true })
      replace(pathIn(work, file))
      const { problems } = await verifyAt(work)
      expect(
        problems.filter(problem => problem.file === file),
        what,
      ).toMatchObject([{ kind: 'unreadable' }])
      const repair = await verifyAt(work, { repair: true })
      expect(repair.isWhole, `${what} ${JSON.stringify(repair)}`).toBe(true)
      expect(repair.lostAndFound).toContain(`salvaged/${file.replaceAll('/', '~')}~0`)
      expect(await verifyAt(work), what).toMatchObject({ isWhole: true, problems: [] })
      expect(readFileSync(outside)).toEqual(readFileSync(pathIn(template, PACK)))
    }
  })

  test.each(['v2', 'v2/blobs', 'v2/blobs/index', 'v2/blobs/packs', 'v2/namespaces', 'v2/namespaces/one/manifest'])(
    'a directory replaced by a file or a link: %s',
    async name => {
      const elsewhere = join(directory, 'elsewhere')
      rmSync(elsewhere, { recursive: true, force: true })
      cpSync(pathIn(template, name), elsewhere, { recursive: true })
      const before = filesBelow(elsewhere).map(file => readFileSync(join(elsewhere, file), 'latin1'))
      for (const replace of [
        (path: string) => writeFileSync(path, 'a file'),
        (path: string) => symlinkSync(elsewhere, path),
      ]) {
        rmSync(work, { recursive: true })
        cpSync(template, work, { recursive: true })
        rmSync(pathIn(work, name), { recursive: true })
        replace(pathIn(work, name))
        const { problems } = await verifyAt(work)
        expect(problems[0]).toMatchObject({ kind: 'unreadable', file: name })
        expect((await verifyAt(work, { repair: true })).isWhole).toBe(true)
        expect(await verifyAt(work)).toMatchObject({ isWhole: true, problems: [] })
        expect(filesBelow(elsewhere).map(file => readFileSync(join(elsewhere, file), 'latin1'))).toEqual(before)
      }
    },
  )
})

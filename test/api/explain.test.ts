// Why a key is a hit or a miss: a typed reason for each cause, with details and a message.

import { readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { MissReason, Namespace } from '../../src/index.js'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles, systemError } from '../support/files.js'
import { Tree } from '../support/projects.js'

function project() {
  const root = temporaryDirectory()
  const source = join(root, 'a.js')
  writeFileSync(source, 'one')
  const clock = { nowMs: 1_700_000_000_000 }
  const opened = () => openAsAnotherProcess(join(root, 'cache'), { clock: () => clock.nowMs })
  const { cache } = opened()
  return { root, source, clock, cache, entries: cache.namespace('tool'), again: () => opened().cache.namespace('tool') }
}

/** Each miss counts under the reason that is given for it. */
function expectMiss(entries: Namespace, reason: MissReason, message: string | RegExp) {
  const counted = () => entries.stats().missReasons[reason] ?? 0
  const before = counted()
  const explanation = entries.explain('key')
  expect(explanation).toMatchObject({ key: 'key', isHit: false, reason, message: expect.stringMatching(message) })
  expect(counted()).toBe(before)
  expect(entries.get('key')).toBe(undefined)
  expect(counted()).toBe(before + 1)
  return explanation
}

describe('explain says', () => {
  test('that a key is a hit', () => {
    const { entries, source } = project()
    entries.set('key', 'value')
    expect(entries.explain('key')).toMatchObject({
      isHit: true,
      message: 'The entry is valid.',
      entry: { mode: 'manual' },
    })
    entries.set('key', 'value', { files: [source] })
    expect(entries.explain('key').message).toBe('The entry is valid: its source is unchanged.')
    entries.set('key', 'value', { files: [source, `${source}.no`] })
    expect(entries.explain('key').message).toBe('The entry is valid: its 2 sources are unchanged.')
    expect(entries.stats()).toMatchObject({ hitCount: 0, missCount: 0 })
  })

  test('which files a portable result has in this checkout', () => {
    const tree = new Tree({ 'one/package.json': '{}', 'one/a.js': 'a', 'two/package.json': '{}', 'two/a.js': 'a' })
    const { cache } = tree.opened()
    for (const name of ['one', 'two', 'one']) {
      const entries = cache.namespace('tool', { project: tree.at(name) })
      const file = tree.at(`${name}/a.js`)
      entries.analyzeSync('text', file, ({ source }) => source)
      expect(entries.explain({ name: 'text', file })).toMatchObject({ isHit: true, entry: { files: [file] } })
    }
  })

  test('that a key was never set, was deleted or was invalidated', () => {
    const { entries } = project()
    expectMiss(entries, 'never-set', /ever stored/)
    entries.set('key', 1)
    entries.delete('key')
    expectMiss(entries, 'deleted', /deleted/)
    entries.set('key', 1)
    entries.invalidate('key')
    expectMiss(entries, 'invalidated', /invalidated/)
  })

  test('that a key has entries of other versions', () => {
    const { cache, entries } = project()
    cache.namespace('tool', { version: '2' }).set('key', 1)
    cache.namespace('tool', { version: '1' }).set('key', 1)
    const { otherVersions } = expectMiss(entries, 'version-changed', /"1"|"2"/)
    expect(otherVersions?.sort()).toEqual(['1', '2'])
  })

  test('when an entry has expired, before and after a gc', async () => {
    const { cache, clock, entries } = project()
    entries.set('key', 1, { ttl: 1000 })
    clock.nowMs += 1000
    const { entry } = expectMiss(entries, 'expired', '2023-11-14T22:13:21.000Z')
    expect(entry).toMatchObject({ expiresAt: clock.nowMs, valid: false })
    await cache.gc()
    expect(expectMiss(entries, 'expired', /removed/).entry).toBe(undefined)
  })

  test('which source has changed, what it was and what it is', async () => {
    const { cache, entries, source } = project()
    utimesSync(source, 1, 1)
    entries.set('key', 1, { files: [`${source}.no`, source] })
    const before = statSync(source)
    writeFileSync(source, 'twice')
    const after = statSync(source)
    const explanation = expectMiss(entries, 'source-changed', `The content of ${source} is not what it was.`)
    expect(explanation).toMatchObject({
      file: source,
      before: { kind: 'file', sizeBytes: 3, mtimeMs: 1000, ctimeMs: before.ctimeMs, inode: before.ino },
      after: { kind: 'file', sizeBytes: 5, mtimeMs: after.mtimeMs, ctimeMs: after.ctimeMs, inode: after.ino },
    })
    // sha256sum of "one" and of "twice"
    expect(explanation.before?.digest).toBe('7692c3ad3540bb803c020b3aee66cd88')
    expect(explanation.after?.digest).toBe('dc8ffdbf2736dbdf39508017ac594e0d')
    await cache.gc()
    expect(expectMiss(entries, 'source-changed', source)).toMatchObject({ file: source })
  })

  test('which source is gone and which has appeared', () => {
    const { entries, source } = project()
    entries.set('key', 1, { files: [source] })
    rmSync(source)
    expect(expectMiss(entries, 'source-missing', `${source} is gone.`)).toMatchObject({
      file: source,
      before: { kind: 'file' },
      after: { kind: 'absent' },
    })
    entries.set('key', 1, { files: [source] })
    writeFileSync(source, '')
    expect(expectMiss(entries, 'source-appeared', `${source} exists now`)).toMatchObject({
      before: { kind: 'absent' },
      after: { kind: 'file', sizeBytes: 0 },
    })
  })

  test('that the value is missing from the blob store', () => {
    const { root, entries, again } = project()
    const packs = join(root, 'cache', 'v2', 'blobs', 'packs')
    entries.set('key', 'value')
    const [pack = ''] = readdirSync(packs)
    truncateSync(join(packs, pack), 40)
    expectMiss(again(), 'blob-missing', /not in the blob store/)
  })

  test('that a source cannot be read', () => {
    const { root, source, entries } = project()
    entries.set('key', 1, { files: [source] })
    const files = interceptedFiles(call => {
      if (call.path === source) throw systemError('EACCES', call)
      return call.proceed()
    })
    const { cache } = openAsAnotherProcess(join(root, 'cache'), {}, { files })
    expectMiss(cache.namespace('tool'), 'unreadable', /cannot be read/)
  })

  test('the same as get in a read-only cache, and throws after close', () => {
    const { root, entries } = project()
    entries.set('key', 1)
    const { cache } = openAsAnotherProcess(join(root, 'cache'), { mode: 'readonly' })
    const readOnly = cache.namespace('tool')
    expect([readOnly.explain('key').isHit, readOnly.explain('other').reason]).toEqual([true, 'never-set'])
    cache.close()
    expect(() => readOnly.explain('key')).toThrow('closed')
  })
})

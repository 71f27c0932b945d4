// stats and report warn if part of an index can't be read, instead of just showing fewer entries.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesBelow } from '../support/caches.js'
import { cli, filled, temporaryDir } from './harness.js'

const PUT = Buffer.from([0xf7, 2])
const HEADER_BYTES = 24

/** A cache of two namespaces; in the manifest of `lint`, a byte of the third record is changed, so far from its beginning. */
async function damagedAt(offset: number | undefined): Promise<string> {
  const dir = temporaryDir()
  await filled(dir, cache => {
    for (const name of ['lint', 'build']) {
      const entries = cache.namespace(name, { project: '/nowhere/shop' })
      for (let i = 0; i < 5; i++) entries.set(`key ${i}`, i)
    }
  })
  if (offset === undefined) return dir
  const path = join(dir, 'v2', 'namespaces', 'lint', 'manifest')
  const [name = ''] = filesBelow(path)
  const bytes = readFileSync(join(path, name))
  let at = -1
  for (let record = 0; record < 3; record++) at = bytes.indexOf(PUT, at + 1)
  bytes[at + offset] = (bytes[at + offset] as number) ^ 0x55
  writeFileSync(join(path, name), bytes)
  return dir
}

describe.each([
  ['a record', HEADER_BYTES + 10, 4],
  ['the header of a record', 9, 2],
])('a cache where %s is damaged', (_what, offset, leftCount) => {
  const said = /The index of lint is damaged: \d+(?:\.\d KB| B) at 1 place can't be read, so entries are missing/

  test('stats counts the readable entries, warns and exits with 1', async () => {
    const dir = await damagedAt(offset)
    const { code, out, err } = await cli(['stats', '--dir', dir, '--json'])
    expect(code).toBe(1)
    expect(err).toMatch(new RegExp(`^warning: ${said.source}; wicked-cache verify says more\n$`))
    expect(JSON.parse(out).namespaces).toMatchObject({
      lint: { entryCount: leftCount, damage: { bytes: expect.any(Number), count: 1 } },
      build: { entryCount: 5 },
    })
    expect(JSON.parse(out).namespaces.build).not.toHaveProperty('damage')
    expect((await cli(['stats', 'lint', '--dir', dir])).err).toMatch(said)
    expect(await cli(['stats', 'build', '--dir', dir])).toMatchObject({ code: 0, err: '' })
  })

  test('report warns too', async () => {
    const dir = await damagedAt(offset)
    const out = join(temporaryDir(), 'report.html')
    const { code, err } = await cli(['report', '--dir', dir, '--out', out])
    expect(code).toBe(1)
    expect(err).toMatch(said)
    const page = readFileSync(out, 'utf8')
    expect(page).toContain('Parts of the cache could not be read')
    expect(page).toContain('The index of lint is damaged')
    expect(page).toContain('wicked-cache verify')
  })

  test('stats no longer warns after a repair', async () => {
    const dir = await damagedAt(offset)
    await cli(['verify', '--repair', '--dir', dir])
    expect(await cli(['stats', '--dir', dir])).toMatchObject({ code: 0, err: '' })
  })
})

test('stats gives no warning without damage', async () => {
  expect(await cli(['stats', '--dir', await damagedAt(undefined)])).toMatchObject({ code: 0, err: '' })
})

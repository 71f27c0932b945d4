// get, set, has, and explain of a plain key.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCacheSync } from '../../src/index.js'
import { cli, filled, jsonLines, libraryWith, Sink, temporaryDir } from './harness.js'

/** The project of the tests' working directory. */
const project = process.cwd()

describe('set and get', () => {
  test('a value given as an argument is stored and printed', async () => {
    const dir = temporaryDir()
    expect(await cli(['set', 'ns', 'key', '{"a": [1, "x"]}', '--dir', dir])).toEqual({
      code: 0,
      out: `Stored key in ns (project ${project})\n`,
      err: '',
    })
    expect(await cli(['get', 'ns', 'key', '--dir', dir])).toEqual({
      code: 0,
      out: '{\n  "a": [\n    1,\n    "x"\n  ]\n}\n',
      err: '',
    })
    expect((await cli(['get', 'ns', 'key', '--dir', dir, '--json'])).out).toBe('{"a":[1,"x"]}\n')
  })

  test.each([[[]], [['-']]])('a value is read from stdin with %j', async argument => {
    const dir = temporaryDir()
    const result = await cli(['set', 'ns', 'key', ...argument, '--dir', dir, '--json'], { stdin: '\ufeff["é"]\n' })
    expect(result).toEqual({ code: 0, out: `{"stored":true,"project":${JSON.stringify(project)}}\n`, err: '' })
    expect((await cli(['get', 'ns', 'key', '--dir', dir, '--json'])).out).toBe('["é"]\n')
  })

  test.each([
    '"text"',
    "'",
    '123',
    '1e5',
    '0x10',
    '-5',
    'true',
    'help',
    'get',
    '--json',
    '-x',
    '--',
    '__proto__',
    ' ',
    '日本',
  ])('the key %s is used literally', async key => {
    const dir = temporaryDir()
    expect((await cli(['set', '--dir', dir, '--', 'ns', key, '"v"'])).code).toBe(0)
    expect((await cli(['get', '--dir', dir, '--json', '--', 'ns', key])).out).toBe('"v"\n')
    expect(jsonLines((await cli(['list', '--dir', dir, '--json'])).out).map(entry => entry.key)).toEqual([key])
    expect((await cli(['delete', '--dir', dir, '--', 'ns', key])).code).toBe(0)
  })

  test('values that look like options are values', async () => {
    const dir = temporaryDir()
    await cli(['set', 'ns', 'key', '--dir', dir, '--json', 'true'])
    expect((await cli(['get', 'ns', 'key', '--dir', dir])).out).toBe('true\n')
    await cli(['set', 'ns', 'key', '-5', '--dir', dir])
    expect((await cli(['get', 'ns', 'key', '--dir', dir])).out).toBe('-5\n')
    await cli(['set', 'ns', 'key', '"--all"', '--dir', dir])
    expect((await cli(['get', 'ns', 'key', '--dir', dir])).out).toBe('"--all"\n')
  })

  test('--text stores a text as it is, and --raw prints it', async () => {
    const dir = temporaryDir()
    const text = '\ufeff{"a": "\u001b[31m"}\r\n\n'
    expect((await cli(['set', 'ns', 'piped', '--text', '--dir', dir], { stdin: text })).code).toBe(0)
    expect((await cli(['get', 'ns', 'piped', '--raw', '--dir', dir])).out).toBe(text)
    expect((await cli(['set', 'ns', 'given', '[1]', '--text', '--dir', dir])).code).toBe(0)
    expect((await cli(['get', 'ns', 'given', '--raw', '--dir', dir])).out).toBe('[1]')
    expect((await cli(['get', 'ns', 'given', '--json', '--dir', dir])).out).toBe('"[1]"\n')
  })

  test('--raw prints other values as JSON, and conflicts with --json', async () => {
    const dir = temporaryDir()
    await cli(['set', 'ns', 'key', '[1]', '--dir', dir])
    expect((await cli(['get', 'ns', 'key', '--raw', '--dir', dir])).out).toBe('[\n  1\n]\n')
    expect(await cli(['get', 'ns', 'key', '--raw', '--json', '--dir', dir])).toMatchObject({ code: 2, out: '' })
  })

  test('has exits with 0 if get would find the entry, else with 1', async () => {
    const dir = temporaryDir()
    const source = join(temporaryDir(), 'source')
    writeFileSync(source, 'before')
    await filled(dir, cache => cache.namespace('ns', { version: '2' }).set('key', 1, { files: [source] }))
    const has = (...flags: string[]) => cli(['has', 'ns', 'key', '--dir', dir, ...flags])
    expect(await has()).toEqual({ code: 0, out: 'Valid: key in ns\n', err: '' })
    expect(await has('--plugin-version', '1')).toMatchObject({ code: 1, out: 'Not valid: key in ns\n' })
    expect(await has('--json')).toEqual({ code: 0, out: '{"has":true}\n', err: '' })
    writeFileSync(source, 'after!!')
    expect(await has('--json')).toEqual({ code: 1, out: '{"has":false}\n', err: '' })
    await filled(dir, cache => expect(cache.stats()).toMatchObject({ hitCount: 0, missCount: 0 }))
  })

  test('get shows values that JSON cannot express', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => cache.namespace('ns').set('key', new Map([['a', [1n, undefined]]])))
    expect((await cli(['get', 'ns', 'key', '--dir', dir])).out).toBe(
      'Map(1) {\n  "a" => [\n    1n,\n    undefined\n  ]\n}\n',
    )
    expect((await cli(['get', 'ns', 'key', '--dir', dir, '--json'])).out).toBe(
      '{"$type":"Map","value":[["a",[{"$type":"BigInt","value":"1"},{"$type":"undefined"}]]]}\n',
    )
  })

  test('a miss exits with 1 and prints the reason', async () => {
    const dir = temporaryDir()
    expect(await cli(['get', 'ns', 'nokey', '--dir', dir, '--json'])).toEqual({
      code: 1,
      out: '',
      err: 'Miss: nokey in ns: Nothing was ever stored under this key, or it was cleared, or removed so long ago that it is forgotten.\n',
    })
  })

  test('get takes the newest version or the given one', async () => {
    const dir = temporaryDir()
    let nowMs = 1_000_000
    const set = (cache: { namespace: ReturnType<typeof openCacheSync>['namespace'] }, version: string) => {
      nowMs += 1000
      cache.namespace('ns', { version }).set('key', `of ${version}`)
    }
    await filled(
      dir,
      cache => {
        set(cache, '2.0')
        set(cache, '9.0')
        set(cache, '1.0')
      },
      { clock: () => nowMs },
    )
    expect((await cli(['get', 'ns', 'key', '--dir', dir])).out).toBe('"of 1.0"\n')
    expect((await cli(['get', 'ns', 'key', '--dir', dir, '--plugin-version', '9.0'])).out).toBe('"of 9.0"\n')
    const miss = await cli(['get', 'ns', 'key', '--dir', dir, '--plugin-version='])
    expect(miss.code).toBe(1)
    expect(miss.err).toMatch(/under other versions, not under this one: ("[129]\.0"(, )?){3}\./)
  })

  test('--plugin-version sets the version', async () => {
    const dir = temporaryDir()
    await cli(['set', 'ns', 'key', '1', '--plugin-version', '1.0', '--dir', dir])
    const cache = openCacheSync({ dir })
    expect(cache.namespace('ns', { version: '1.0' }).get('key')).toBe(1)
    expect(cache.namespace('ns').get('key')).toBe(undefined)
    cache.close()
  })

  test('--ttl limits the lifetime', async () => {
    const dir = temporaryDir()
    let nowMs = 1_000_000_000
    const library = libraryWith(options => ({ ...options, clock: () => nowMs }))
    await cli(['set', 'ns', 'key', '1', '--ttl', '30m', '--dir', dir], { library })
    nowMs += 30 * 60_000 - 1
    expect((await cli(['get', 'ns', 'key', '--dir', dir], { library })).code).toBe(0)
    nowMs += 120_001
    expect(await cli(['get', 'ns', 'key', '--dir', dir], { library })).toEqual({
      code: 1,
      out: '',
      err: 'Miss: key in ns: The entry expired at 1970-01-12T14:16:40.000Z.\n',
    })
  })

  test('--file makes the entry depend on the files', async () => {
    const dir = temporaryDir()
    const [one, two] = [join(dir, 'one'), join(dir, 'two')]
    writeFileSync(one, '1')
    const args = ['set', 'ns', 'key', '1', '--file', one, '--file', two, '--dir', join(dir, 'cache')]
    expect((await cli(args)).code).toBe(0)
    expect((await cli(['get', 'ns', 'key', '--dir', join(dir, 'cache')])).code).toBe(0)
    const [entry] = jsonLines((await cli(['list', 'ns', '--json', '--dir', join(dir, 'cache')])).out)
    expect(entry).toMatchObject({ mode: 'file', files: [one, two] })
    writeFileSync(two, 'now it is there')
    const miss = await cli(['get', 'ns', 'key', '--dir', join(dir, 'cache')])
    expect(miss).toEqual({
      code: 1,
      out: '',
      err: `Miss: key in ns: ${two} exists now; it did not when the entry was made.\n`,
    })
  })

  test('get counts one hit, list and stats count nothing', async () => {
    const dir = temporaryDir()
    await cli(['set', 'ns', 'key', '1', '--dir', dir])
    await cli(['get', 'ns', 'key', '--dir', dir])
    await cli(['list', '--dir', dir])
    await cli(['stats', '--dir', dir])
    await cli(['stats', 'ns', '--dir', dir])
    const stats = JSON.parse((await cli(['stats', 'ns', '--json', '--dir', dir])).out)
    expect(stats).toMatchObject({ hitCount: 1, missCount: 0, setCount: 1, hitRate: 1 })
  })

  test('a value that cannot be stored exits with 1', async () => {
    const dir = temporaryDir()
    const library = libraryWith(options => ({ ...options, mode: 'readonly' }))
    expect(await cli(['set', 'ns', 'key', '1', '--dir', dir, '--json'], { library })).toMatchObject({
      code: 1,
      out: `{"stored":false,"project":${JSON.stringify(project)}}\n`,
      err: expect.stringContaining('Not stored: key in ns\n'),
    })
  })

  test('invalid JSON is a usage error that shows the position, and nothing is stored', async () => {
    const dir = temporaryDir()
    const result = await cli(['set', 'ns', 'key', '{"a":x}', '--dir', dir])
    expect(result.code).toBe(2)
    expect(result.out).toBe('')
    expect(result.err).toContain('line 1, column 6')
    expect(result.err).toContain('  {"a":x}\n       ^\n')
    expect(await cli(['set', 'ns', 'key', '--dir', dir], { stdin: Buffer.from([0x22, 0xff, 0x22]) })).toMatchObject({
      code: 2,
      err: expect.stringContaining('not UTF-8'),
    })
    expect((await cli(['list', '--dir', dir])).out).toBe('No entries\n')
  })
})

describe('a broken cache', () => {
  test.each([
    ['get', 'ns', 'key'],
    ['set', 'ns', 'key', '1'],
    ['delete', 'ns', 'key'],
    ['clear', 'ns'],
    ['clear', '--all'],
    ['list'],
    ['stats'],
    ['gc'],
  ])('prints a warning and exits with 1 for %s %s %s', async (...args) => {
    const file = join(temporaryDir(), 'file')
    writeFileSync(file, 'no directory')
    const result = await cli([...args, '--dir', file])
    expect(result.code).toBe(1)
    expect(result.err).toMatch(/^warning: .*\(ERR_CACHE_\w+\)\n$/m)
    expect(readFileSync(file, 'utf8')).toBe('no directory')
  })
})

test('a full disk at stdout exits with 1', async () => {
  class Full extends Sink {
    override _write(_chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
      done(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }))
    }
  }
  const result = await cli(['path', '--dir', 'x'], { stdout: new Full() })
  expect(result).toMatchObject({ code: 1, err: 'wicked-cache: ENOSPC: no space left on device, write\n' })
})

describe('explain', () => {
  test('shows a hit', async () => {
    const dir = temporaryDir()
    await cli(['set', 'ns', 'key', '1', '--dir', dir])
    expect(await cli(['explain', 'ns', 'key', '--dir', dir])).toEqual({
      code: 0,
      out: `Hit: key in ns\nThe entry is valid.\nStored 0s ago, mode manual, 2 B, project ${project}\n`,
      err: '',
    })
  })

  test('shows a changed source before and after', async () => {
    const dir = temporaryDir()
    const source = join(dir, 'source')
    writeFileSync(source, 'one')
    const at = ['--dir', join(dir, 'cache')]
    await cli(['set', 'ns', 'key', '1', '--file', source, ...at])
    writeFileSync(source, 'twice')
    const { code, out } = await cli(['explain', 'ns', 'key', ...at])
    expect(code).toBe(1)
    expect(out).toMatch(
      /^Miss \(source-changed\): key in ns\nThe content of .*source is not what it was\.\nStored 0s ago.*\n\n +recorded +now\n/,
    )
    expect(out).toMatch(/\n {2}size +3 B +5 B\n/)
    expect(out).toMatch(/\n {2}digest +7692c3ad3540bb803c020b3aee66cd88 +dc8ffdbf2736dbdf39508017ac594e0d\n$/)
    const [json] = jsonLines((await cli(['explain', 'ns', 'key', '--json', ...at])).out)
    expect(json).toMatchObject({ namespace: 'ns', key: 'key', isHit: false, reason: 'source-changed', file: source })
  })

  test('counts nothing, creates no directory and shows a miss for a key that was never set', async () => {
    const dir = join(temporaryDir(), 'cache')
    const { code, out } = await cli(['explain', 'ns', 'key', '--dir', dir])
    expect([code, out.split('\n')[0]]).toEqual([1, 'Miss (never-set): key in ns'])
    expect(existsSync(dir)).toBe(false)
  })

  test('uses the given version', async () => {
    const dir = temporaryDir()
    await cli(['set', 'ns', 'key', '1', '--plugin-version', '1.0', '--dir', dir])
    expect((await cli(['explain', 'ns', 'key', '--dir', dir])).code).toBe(0)
    const { code, out } = await cli(['explain', 'ns', 'key', '--plugin-version', '2.0', '--dir', dir])
    expect(code).toBe(1)
    expect(out).toBe(
      'Miss (version-changed): key in ns\nThe key was stored under other versions, not under this one: "1.0".\n',
    )
  })
})

// The responses of `wicked-cache serve`.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cli, filled, jsonLines, libraryWith, Sink, temporaryDir } from '../cli/harness.js'
import { openAsAnotherProcess } from '../support/caches.js'
import { answersTo, linesFor } from './client.js'

const at = (op: string, more: object = {}) => ({ id: 1, op, namespace: 'ns', ...more })

test('the first line has the versions of the protocol and the program', async () => {
  const dir = temporaryDir()
  const { out, code } = await cli(['serve', '--dir', dir])
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({ serve: 1, version: '1.2.3', dir, maxLineBytes: 256 * 1024 * 1024 })
})

describe('values', () => {
  test.each([
    '1.0',
    '1152921504606846976',
    '{"a" : [ NaN,-Infinity ] }',
    '"\\ud800 \\"value\\": \\\\"',
    'null',
    '{"value": {"value": "}"}}',
    '"é"',
  ])('%s is returned byte for byte, wherever it is in the line', async value => {
    const dir = temporaryDir()
    const lines = await linesFor(
      dir,
      [
        `{"id":1,"op":"set","namespace":"ns","key":"a","value":${value}}`,
        ` { "value" : ${value} , "op":"set","namespace":"ns","key":"b \\"value\\":","files":["${dir}/x"] } \r`,
        '{"id":1,"op":"get","namespace":"ns","key":"a"}',
        '{"id":2,"op":"get","namespace":"ns","key":"b \\"value\\":"}',
      ].join('\n'),
    )
    expect(lines.slice(0, 2)).toEqual(['{"id":1,"stored":true}', '{"id":null,"stored":true}'])
    expect(lines[2]).toBe(`{"id":1,"hit":true,"value":${value}}`)
    expect(lines[3]).toBe(`{"id":2,"hit":true,"value":${value.trimEnd()}}`)
  })

  test('any JSON is returned byte for byte, and Node reads it like JSON.parse', async () => {
    const dir = temporaryDir()
    const values = fc.sample(fc.json(), 300)
    const sets = values.map((value, i) => `{"op":"set","value":${value},"namespace":"ns","key":"${i}"}`)
    const gets = values.map((_, i) => JSON.stringify(at('get', { key: `${i}` })))
    const lines = await linesFor(dir, [...sets, ...gets].join('\n'))
    for (const [i, value] of values.entries()) {
      expect(lines[values.length + i]).toBe(`{"id":1,"hit":true,"value":${value}}`)
    }
    await filled(dir, cache => {
      const plain = cache.namespace('ns', { project: false })
      for (const [i, value] of values.entries()) expect(plain.get(`${i}`)).toEqual(JSON.parse(value))
    })
  })

  test('a value from Node is returned as JSON on one line, or rejected with the path of what JSON cannot express', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      const plain = cache.namespace('ns', { project: false })
      plain.set('tree', { list: [1, 'a', null] })
      plain.set('map', { deep: [new Map()] })
      cache.namespace('ns', { project: false, values: 'json' }).set('pretty', '{\r\n  "a": 1\n}')
    })
    const lines = await linesFor(
      dir,
      ['tree', 'pretty', 'map'].map(key => JSON.stringify(at('get', { key }))).join('\n'),
    )
    expect(lines.slice(0, 2)).toEqual([
      '{"id":1,"hit":true,"value":{"list":[1,"a",null]}}',
      '{"id":1,"hit":true,"value":{    "a": 1 }}',
    ])
    expect(JSON.parse(lines[2] as string).error).toEqual({
      code: 'ERR_CACHE_VALUE',
      message: "The stored value can't be said in JSON: $.deep[0] is a Map.",
    })
    expect(await answersTo(dir, [at('has', { key: 'map' })])).toEqual([{ id: 1, has: true }])
  })
})

describe('operations', () => {
  test('set, get, has, delete and invalidate work', async () => {
    const dir = temporaryDir()
    const key = '../../x'
    const ops = ['get', 'has', 'set', 'get', 'has', 'invalidate', 'invalidate', 'get', 'set', 'delete', 'delete', 'has']
    const requests = ops.map((op, id) => ({
      id,
      op,
      namespace: 'a/../ns',
      key,
      ...(op === 'set' ? { value: false } : {}),
    }))
    expect((await answersTo(dir, requests)).map(({ id: _, ...answer }) => answer)).toEqual([
      { hit: false },
      { has: false },
      { stored: true },
      { hit: true, value: false },
      { has: true },
      { removed: true },
      { removed: false },
      { hit: false },
      { stored: true },
      { removed: true },
      { removed: false },
      { has: false },
    ])
  })

  test('entries expire by ttl and by files', async () => {
    const dir = temporaryDir()
    const file = join(temporaryDir(), 'source')
    writeFileSync(file, 'before')
    const gets = ['short', 'long', 'file'].map(key => at('get', { key }))
    let now = Date.now()
    const library = libraryWith(options => ({ ...options, clock: () => now }))
    await answersTo(
      dir,
      [
        at('set', { key: 'short', value: 1, ttl: 1000 }),
        at('set', { key: 'long', value: 2, ttl: '5m' }),
        at('set', { key: 'file', value: 3, files: [file] }),
      ],
      { library },
    )
    now += 2000
    expect((await answersTo(dir, gets, { library })).map(({ hit }) => hit)).toEqual([false, true, true])
    writeFileSync(file, 'changed')
    now += 300_000
    expect((await answersTo(dir, gets, { library })).map(({ hit }) => hit)).toEqual([false, false, false])
  })

  test("list, stats and clear cover only the client's own keys", async () => {
    const dir = temporaryDir()
    const project = temporaryDir()
    await filled(dir, cache => cache.namespace('ns', { project }).set('theirs', [1, 2, 3]))
    const answers = await answersTo(dir, [
      at('set', { key: 'one', value: 1 }),
      at('set', { key: 'two', value: 22, ttl: '1h' }),
      at('get', { key: 'one' }),
      at('get', { key: 'absent' }),
      at('list'),
      at('list', { project }),
      at('stats'),
      at('clear'),
      at('clear'),
      at('stats'),
      at('list', { allProjects: true }),
      { id: 2, op: 'namespaces' },
    ])
    const keys = (answer: unknown) => (answer as { entries: { key: string }[] }).entries.map(({ key }) => key)
    const stats = (answer: unknown) => (answer as { stats: Record<string, unknown> }).stats
    expect(keys(answers[4])).toEqual(['one', 'two'])
    expect(answers[4]?.entries).toMatchObject([
      { key: 'one', mode: 'manual', valid: true, project: null, files: [] },
      { key: 'two', mode: 'ttl', valid: true },
    ])
    expect(keys(answers[5])).toEqual(['theirs'])
    expect(stats(answers[6])).toMatchObject({
      entryCount: 3,
      hitCount: 1,
      missCount: 1,
      here: { entryCount: 2, totalSize: 5 },
    })
    expect(answers[7]).toEqual({ id: 1, count: 2 })
    expect(answers[8]).toEqual({ id: 1, count: 0 })
    expect(stats(answers[9])).toMatchObject({
      entryCount: 1,
      hitCount: 1,
      missCount: 1,
      here: { entryCount: 0, totalSize: 0, oldestEntryAgeMs: null },
    })
    expect(keys(answers[10])).toEqual(['theirs'])
    expect(answers[11]).toEqual({ id: 2, namespaces: ['ns'] })
  })

  test('list returns entries in the order they were set', async () => {
    const dir = temporaryDir()
    const keys = Array.from({ length: 500 }, (_, i) => `key ${(i * 7919) % 500}`)
    const answers = await answersTo(dir, [...keys.map(key => at('set', { key, value: 0 })), at('list')])
    const entries = answers.at(-1)?.entries as { key: string }[]
    expect(entries.map(({ key }) => key)).toEqual(keys)
  })

  test('projects and versions have their own keys', async () => {
    const dir = temporaryDir()
    const [first, second] = [temporaryDir(), temporaryDir()]
    const places = [{}, { project: first }, { project: second }, { project: first, version: '2' }]
    const sets = places.map((place, value) => at('set', { key: 'key', value, ...place }))
    const answers = await answersTo(dir, [...sets, ...places.map(place => at('get', { key: 'key', ...place }))])
    expect(answers.slice(4).map(({ value }) => value)).toEqual([0, 1, 2, 3])
  })

  test('explain gives the reason', async () => {
    const dir = temporaryDir()
    const answers = await answersTo(dir, [
      at('set', { key: 'key', value: 1 }),
      at('invalidate', { key: 'key' }),
      at('explain', { key: 'key' }),
      at('explain', { name: 'n', file: join(dir, 'absent') }),
    ])
    expect(answers[2]?.explanation).toMatchObject({ isHit: false, reason: 'invalidated' })
    expect(answers[3]?.explanation).toMatchObject({ isHit: false })
  })
})

describe('analyses', () => {
  function project() {
    const dir = temporaryDir()
    mkdirSync(join(dir, 'src'))
    writeFileSync(join(dir, 'package.json'), '{}')
    writeFileSync(join(dir, 'src', 'a.py'), 'import os\n')
    return { dir, place: { project: dir, name: 'imports', file: join(dir, 'src', 'a.py') } }
  }

  test('belong to the content of the file, in every checkout', async () => {
    const root = temporaryDir()
    const [one, other] = [project(), project()]
    const answers = await answersTo(root, [
      at('get', one.place),
      at('set', { ...one.place, source: 'import os\n', value: ['os', 1.5] }),
      at('set', { ...one.place, source: 'import os\n', value: 'another' }),
      at('get', one.place),
      at('get', other.place),
      at('get', { ...one.place, source: 'import re\n' }),
      at('get', { ...one.place, name: 'outline' }),
      at('get', { ...one.place, inputs: { strict: true } }),
      at('analyses', { project: one.dir, file: one.place.file }),
      at('explain', { project: one.dir, name: 'imports', file: one.place.file }),
    ])
    expect(answers.slice(0, 8).map(({ id: _, ...answer }) => answer)).toEqual([
      { hit: false },
      { existed: false },
      { existed: true },
      { hit: true, value: ['os', 1.5] },
      { hit: true, value: ['os', 1.5] },
      { hit: false },
      { hit: false },
      { hit: false },
    ])
    expect(answers[8]?.analyses).toMatchObject([{ name: 'imports', origin: 'analyze' }])
    expect(answers[9]?.explanation).toMatchObject({ isHit: true })
    writeFileSync(one.place.file, 'import re\n')
    expect((await answersTo(root, [at('get', one.place), at('get', other.place)])).map(({ hit }) => hit)).toEqual([
      false,
      true,
    ])
  })

  test('of an earlier text are not returned for the present content', async () => {
    const root = temporaryDir()
    const { place } = project()
    writeFileSync(place.file, 'import re\n')
    const [, answer] = await answersTo(root, [
      at('set', { ...place, source: 'import os\n', value: 1 }),
      at('get', place),
    ])
    expect(answer).toEqual({ id: 1, hit: false })
  })

  test('are shared with Node', async () => {
    const root = temporaryDir()
    const { dir, place } = project()
    await answersTo(root, [at('set', { ...place, source: 'import os\n', value: ['os'] })])
    await filled(root, cache => {
      const ns = cache.namespace('ns', { project: dir })
      expect(ns.analyzeSync('imports', place.file, () => 'computed')).toEqual(['os'])
      ns.analyzeSync('size', place.file, ({ source }) => source.length)
    })
    expect(await answersTo(root, [at('get', { ...place, name: 'size' })])).toEqual([{ id: 1, hit: true, value: 10 }])
  })

  test('of a file that cannot be read are misses', async () => {
    const { dir, place } = project()
    expect(await answersTo(temporaryDir(), [at('get', { ...place, file: dir })])).toEqual([{ id: 1, hit: false }])
    expect(await answersTo(temporaryDir(), [at('get', { ...place, file: `${dir}/no` })])).toEqual([
      { id: 1, hit: false },
    ])
  })

  test('that may contain the path of their project are used only in their checkout', async () => {
    const root = temporaryDir()
    const [one, other] = ['é', 'é'].map(name => {
      const dir = join(temporaryDir(), name)
      mkdirSync(dir)
      writeFileSync(join(dir, 'a'), 'x')
      return { project: dir, name: 'n', file: join(dir, 'a') }
    }) as [object, object]
    const escaped = JSON.stringify((one as { file: string }).file).replace('é', '\\u00e9')
    const set = JSON.stringify(at('set', { ...one, source: 'x' })).replace(/\}$/, `,"value":${escaped}}`)
    expect((await answersTo(root, [set, at('get', one), at('get', other)])).map(({ hit }) => hit)).toEqual([
      undefined,
      true,
      false,
    ])
  })
})

describe('an invalid request gets an error, and the next request is served', () => {
  const valid = { namespace: 'ns', key: 'k' }
  test.each<[string | object, string, string]>([
    ['no json', 'ERR_CACHE_OPTION', 'must be an object in JSON'],
    ['', 'ERR_CACHE_OPTION', 'must be an object in JSON'],
    ['[]', 'ERR_CACHE_OPTION', 'must be an object in JSON'],
    ['{"op":"set","value":1,"value":2,"namespace":"ns","key":"k"}', 'ERR_CACHE_OPTION', 'one member value'],
    ['{"op":"set","v\\u0061lue":1,"namespace":"ns","key":"k"}', 'ERR_CACHE_OPTION', 'without escapes'],
    ['{"op":"set","value":1 2,"namespace":"ns","key":"k"}', 'ERR_CACHE_VALUE', 'at byte 2'],
    ['{"op":"set","value":[1},"namespace":"ns","key":"k"}', 'ERR_CACHE_VALUE', 'at byte 2'],
    ['{"op":"set","value":,"namespace":"ns","key":"k"}', 'ERR_CACHE_VALUE', 'at byte 0'],
    ['{"op":"set","value":"x', 'ERR_CACHE_OPTION', 'must be an object in JSON'],
    [{}, 'ERR_CACHE_OPTION', 'no operation'],
    [{ op: 'toString' }, 'ERR_CACHE_OPTION', 'no operation'],
    [{ op: 'get', ...valid, id: 1.5 }, 'ERR_CACHE_OPTION', 'id must be'],
    [{ op: 'get', ...valid, ttl: 1 }, 'ERR_CACHE_OPTION', 'get has no member "ttl"'],
    [{ op: 'get', namespace: 'ns' }, 'ERR_CACHE_OPTION', 'key must be a text'],
    [{ op: 'get', key: 'k' }, 'ERR_CACHE_OPTION', 'namespace must be a text'],
    [{ op: 'get', namespace: '', key: 'k' }, 'ERR_CACHE_NAMESPACE', 'must not be empty'],
    [{ op: 'get', namespace: 'ns', key: '' }, 'ERR_CACHE_KEY', ''],
    [{ op: 'get', ...valid, project: 'relative' }, 'ERR_CACHE_OPTION', 'absolute'],
    [{ op: 'get', ...valid, name: 'n', file: '/a' }, 'ERR_CACHE_OPTION', 'takes no member key'],
    [{ op: 'get', namespace: 'ns', name: 'n', file: 'a' }, 'ERR_CACHE_OPTION', 'absolute'],
    [{ op: 'get', ...valid, source: '' }, 'ERR_CACHE_OPTION', 'takes no member source'],
    [{ op: 'set', ...valid }, 'ERR_CACHE_OPTION', 'needs a value'],
    [{ op: 'set', ...valid, value: 1, ttl: 'soon' }, 'ERR_CACHE_OPTION', 'ttl'],
    [{ op: 'set', ...valid, value: 1, files: ['a'] }, 'ERR_CACHE_OPTION', 'absolute'],
    [{ op: 'set', ...valid, value: 1, files: 'a' }, 'ERR_CACHE_OPTION', 'list'],
    [{ op: 'set', ...valid, value: 1, files: ['/a\udcff'] }, 'ERR_CACHE_OPTION', 'lone surrogates'],
    [{ op: 'get', ...valid, project: '/a\udcff' }, 'ERR_CACHE_OPTION', 'lone surrogates'],
    [{ op: 'get', ...valid, project: true }, 'ERR_CACHE_OPTION', 'absolute path of a directory'],
    [{ op: 'get', namespace: 'ns', name: 'n', file: '/a\0' }, 'ERR_CACHE_OPTION', 'null characters'],
    [{ op: 'close', namespace: 'ns' }, 'ERR_CACHE_OPTION', 'close has no member'],
    [{ op: 'set', namespace: 'ns', name: 'n', file: '/a', value: 1 }, 'ERR_CACHE_OPTION', 'source must be a text'],
    [{ op: 'clear', namespace: 'ns', allProjects: 1 }, 'ERR_CACHE_OPTION', 'true or false'],
  ])('%j', async (request, code, message) => {
    const [answer, next] = await answersTo(temporaryDir(), [request, { id: 'next', op: 'namespaces' }])
    expect(answer?.error).toEqual({ code, message: expect.stringContaining(message) })
    expect(next?.id).toBe('next')
  })

  test('bytes that are not UTF-8', async () => {
    const [line] = await linesFor(temporaryDir(), Buffer.from('{"id":1,"op":"namespaces","x":"\xff"}\n', 'latin1'))
    expect(JSON.parse(line as string).error.message).toContain('UTF-8')
  })
})

test('counts are written before close is answered', async () => {
  const dir = temporaryDir()
  let missCount: number | undefined
  class Watching extends Sink {
    override _write(chunk: Buffer, encoding: string, done: (error?: Error | null) => void): void {
      if (chunk.includes('"closed":true')) {
        missCount = openAsAnotherProcess(dir).cache.namespace('ns', { project: false }).stats().missCount
      }
      super._write(chunk, encoding, done)
    }
  }
  const requests = [at('get', { key: 'absent' }), { op: 'close' }, at('get', { key: 'not asked any more' })]
  const stdin = requests.map(request => `${JSON.stringify(request)}\n`).join('')
  const { out } = await cli(['serve', '--dir', dir], { stdin, stdout: new Watching() })
  expect(missCount).toBe(1)
  expect(jsonLines(out).length).toBe(3)
})

test('a broken cache gives misses and one warning', async () => {
  const dir = temporaryDir()
  const file = join(dir, 'file')
  writeFileSync(file, '')
  const { out } = await cli(['serve', '--dir', file], {
    stdin: [at('set', { key: 'k', value: 1 }), at('get', { key: 'k' }), at('get', { key: 'k' })]
      .map(request => `${JSON.stringify(request)}\n`)
      .join(''),
  })
  const [greeting, ...answers] = jsonLines(out)
  const codes = ([greeting, ...answers].flatMap(({ warnings = [] }) => warnings) as { code: string }[]).map(
    ({ code }) => code,
  )
  expect(answers.map(({ stored, hit }) => stored ?? hit)).toEqual([false, false, false])
  expect(codes.length).toBeGreaterThan(0)
  expect(new Set(codes).size).toBe(codes.length)
})

test('an analysis of a device or a directory is a miss, and is not read', async () => {
  const dir = temporaryDir()
  const paths = process.platform === 'win32' ? [dir] : ['/dev/zero', '/dev/stdin', dir]
  const answers = await answersTo(
    dir,
    paths.map(file => ({ id: 1, op: 'get', namespace: 'ns', project: dir, name: 'size', file })),
  )
  expect(answers).toEqual(paths.map(() => ({ id: 1, hit: false })))
})

// What a process prints at exit with $WICKED_CACHE_SUMMARY, and records with $WICKED_CACHE_TRACE.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { sharedState } from '../../src/base/shared-state.js'
import { summarizeAtExit } from '../../src/cache/summary.js'
import type { Counters } from '../../src/counters/counters.js'
import type { CounterName } from '../../src/counters/names.js'
import { nodeFiles } from '../../src/files/files.js'
import { temporaryDirectory } from '../support/caches.js'
import { type ChildOptions, libraryUrl, startModule } from '../support/children.js'

const WORK = `
  const cache = library.openCacheSync({ dir: args.dir, onWarning })
  const tool = cache.namespace('tool', { project: args.dir })
  tool.set('set', 1)
  tool.getMany(['set', 'nothing', 'at all'])
  for (let i = 0; i < 3; i++) tool.getOrSetSync('computed', () => 2)
  cache.namespace('a\\u0007b\\u2028', { project: args.dir }).get('nothing')
  cache.namespace('unused')
`
const LINES = [
  /^wicked-cache tool: 3 hits, 3 misses \(3 never-set\), saved \d+\.\d\d s of \d+\.\d\d s, stored 2$/,
  /^wicked-cache a\\u\{7\}b\\u\{2028\}: 0 hits, 1 miss \(1 never-set\), stored 0$/,
]

function expectSummary(stderr: string): void {
  const ours = stderr.split('\n').filter(line => line.startsWith('wicked-cache '))
  expect(ours).toEqual(LINES.map(line => expect.stringMatching(line)))
}

function run(code: string, args: unknown, options: ChildOptions) {
  const child = startModule(code, args, options)
  child.end()
  return child.ended
}

const SUMMARY = { WICKED_CACHE_SUMMARY: '1' }

describe('with WICKED_CACHE_SUMMARY=1, a process that ends', () => {
  test.each([
    ['by running out of work', ''],
    ['by process.exit', 'process.exit(3)'],
    ['by an uncaught exception', "throw new Error('made by a test')"],
    ['after it closed its cache', 'cache.close()'],
    [
      'after another cache of the same directory was used',
      "library.openCacheSync({ dir: args.dir }).namespace('tool')",
    ],
  ])('%s prints a line for each namespace to stderr, and nothing to stdout', async (_how, ending) => {
    const { lines, stderr } = await run(WORK + ending, { dir: temporaryDirectory() }, { env: SUMMARY })
    expect(lines).toEqual([])
    expectSummary(stderr)
  })

  test('prints nothing without calls', async () => {
    const code = `library.openCacheSync({ dir: args.dir }).namespace('tool')`
    const { stderr } = await run(code, { dir: temporaryDirectory() }, { env: SUMMARY })
    expect(stderr).toBe('')
  })

  test('prints the counts of its threads too, even of one that calls process.exit', async () => {
    const work = `import(${JSON.stringify(libraryUrl)}).then(library => {
      const args = process.getBuiltinModule('node:worker_threads').workerData
      const onWarning = () => undefined
      ${WORK}
      process.exit()
    })`
    const code = `
      const { Worker } = await import('node:worker_threads')
      new Worker(${JSON.stringify(work)}, { eval: true, workerData: args })`
    const { stderr, lines } = await run(code, { dir: temporaryDirectory() }, { env: SUMMARY })
    expect(lines).toEqual([])
    expectSummary(stderr)
  })

  test('exits normally if stderr is closed', async () => {
    const { code } = await run(
      `${WORK}; process.getBuiltinModule('node:fs').closeSync(2)`,
      {
        dir: temporaryDirectory(),
      },
      { env: SUMMARY },
    )
    expect(code).toBe(0)
  })
})

test('each write to stderr has whole lines and fits into one pipe write', () => {
  const written: Buffer[] = []
  const append = vi.spyOn(nodeFiles, 'append').mockImplementation((_fd, bytes, length) => {
    written.push(Buffer.from(bytes.subarray(0, length)))
    return length
  })
  const before = new Set(sharedState().exitTasks)
  const namespaces = Array.from({ length: 500 }, (_, i) => [
    'a-long-name-of-a-plugin-'.repeat(4) + i,
    { counters: { own: () => [['hits', i] as [CounterName, number]] } },
  ]) as [string, { counters: Pick<Counters, 'own'> }][]
  summarizeAtExit({ namespaces: new Map(namespaces) })
  const [print] = [...sharedState().exitTasks].filter(task => !before.has(task))
  try {
    print?.()
  } finally {
    append.mockRestore()
    if (print) sharedState().exitTasks.delete(print)
  }
  const lines = Buffer.concat(written).toString().trimEnd().split('\n')
  expect(lines).toHaveLength(500)
  expect(lines.at(-1)).toMatch(/-499: 499 hits/)
  expect(written.length).toBeLessThan(40)
  for (const bytes of written) {
    expect(bytes.length).toBeLessThanOrEqual(4096)
    expect(bytes.at(-1)).toBe(10)
  }
})

test('without WICKED_CACHE_SUMMARY, nothing is printed', async () => {
  const { stderr } = await run(WORK, { dir: temporaryDirectory() }, { env: { WICKED_CACHE_SUMMARY: '' } })
  expect(stderr).toBe('')
})

const TRACED = `
  const cache = library.openCacheSync({ dir: args.dir + '/cache', onWarning })
  const tool = cache.namespace('tool', { version: '1', project: args.dir })
  tool.get('nothing')
  tool.set('set', 1, { files: [args.dir + '/a.txt'] })
  tool.get('set')
  for (let i = 0; i < 2; i++) {
    tool.getOrSetSync('computed', ctx => ['SECRET', ...'abcdef'].map(name => ctx.env(name)))
  }
  process.env.SECRET = 'other'
  tool.getOrSetSync('computed', ctx => ctx.env('SECRET'))
  await tool.analyze('upper', args.dir + '/a.txt', ctx => ctx.source.toUpperCase())
  try { tool.getOrSetSync('failing', () => { throw new Error('made by a test') }) } catch {}
  tool.peek('set'); tool.has('set')
`

function traced(file: string) {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

describe('with WICKED_CACHE_TRACE', () => {
  const runTraced = async (file: (dir: string) => string, code = TRACED) => {
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'a.txt'), 'text')
    writeFileSync(join(dir, 'package.json'), '{}')
    const path = file(dir)
    const env = { WICKED_CACHE_TRACE: path, SECRET: 'hidden-value' }
    return { dir, path, ended: await run(code, { dir }, { env, cwd: dir }) }
  }

  test('each call has a line with its key, reason, inputs and times', async () => {
    const { path, dir, ended } = await runTraced(root => join(root, 'trace.jsonl'))
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const lines = traced(path)
    const all = { namespace: 'tool', version: '1', project: dir, pid: expect.any(Number), thread: 0 }
    const times = { at: expect.any(Number), ms: expect.any(Number) }
    expect(lines).toMatchObject([
      { ...all, ...times, call: 'get', key: 'nothing', isHit: false, reason: 'never-set', inputCount: 0 },
      {
        call: 'get',
        key: 'set',
        isHit: true,
        sizeBytes: 2,
        inputs: [expect.stringMatching(/^file a\.txt [0-9a-f]{32}$/)],
      },
      {
        call: 'getOrSet',
        key: 'computed',
        isHit: false,
        reason: 'never-set',
        computeMs: expect.any(Number),
        inputCount: 7,
      },
      { call: 'getOrSet', key: 'computed', isHit: true, inputCount: 7, sizeBytes: expect.any(Number) },
      {
        isHit: false,
        reason: 'environment-changed',
        changed: expect.stringMatching(/^environment SECRET [0-9a-f]{32}$/),
      },
      { call: 'analyze', key: 'upper a.txt', isHit: false, sizeBytes: 7 },
      { key: 'failing', isHit: false, reason: 'error' },
    ])
    expect(lines[0].reason).toBe('never-set')
    expect(lines[3].inputs).toHaveLength(7)
  })

  test('values and environment variables are not recorded', async () => {
    const { path } = await runTraced(root => join(root, 'trace.jsonl'))
    expect(readFileSync(path, 'utf8')).not.toMatch(/hidden-value|TEXT|"text"/)
  })

  test('a relative path is resolved in the working directory of the first call', async () => {
    const { dir } = await runTraced(
      () => 'trace.jsonl',
      `${TRACED}
      process.chdir('cache')
      tool.get('later')`,
    )
    expect(traced(join(dir, 'trace.jsonl')).at(-1)).toMatchObject({ key: 'later' })
    expect(existsSync(join(dir, 'cache', 'trace.jsonl'))).toBe(false)
  })

  test('each caller of a computation that throws has a line and a miss', async () => {
    const { path, ended } = await runTraced(
      root => join(root, 'trace.jsonl'),
      `
      const tool = library.openCacheSync({ dir: args.dir + '/cache' }).namespace('tool', { project: false })
      const fail = async () => { await null; throw new Error('made by a test') }
      await Promise.allSettled([1, 2, 3].map(() => tool.getOrSet('failing', fail)))
      print(tool.stats().missCount)`,
    )
    expect(ended.lines).toEqual(['3'])
    const failing = { key: 'failing', isHit: false, reason: 'error' }
    expect(traced(path)).toMatchObject([failing, failing, failing])
  })

  test('several processes append whole lines', async () => {
    const dir = temporaryDirectory()
    const path = join(dir, 'trace.jsonl')
    const code = `
      const tool = library.openCacheSync({ dir: args.dir + '/cache' }).namespace('tool', { project: false })
      for (let i = 0; i < 500; i++) tool.get('key '.repeat(1 + 9 * (i % 300)) + args.id)`
    const env = { WICKED_CACHE_TRACE: path }
    const children = [0, 1, 2].map(id => startModule(code, { dir, id }, { env }))
    for (const child of children) child.end()
    for (const child of children) expect((await child.ended).code).toBe(0)
    expect(traced(path).length).toBe(1500)
  })

  test.each<[string, (dir: string) => string]>([
    ['a directory', dir => dir],
    ['a file in a missing directory', dir => join(dir, 'no', 'trace.jsonl')],
    [
      'a pipe without a reader',
      dir => {
        const path = join(dir, 'fifo')
        expect(spawnSync('mkfifo', [path]).status).toBe(0)
        return path
      },
    ],
  ])('%s gives one warning, and the process continues', async (_what, file) => {
    const { ended } = await runTraced(file, `${TRACED}; print(tool.get('set'))`)
    expect(ended.code).toBe(0)
    expect(ended.lines).toEqual(['1'])
    expect(ended.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(/^ERR_CACHE_IO .*WICKED_CACHE_TRACE/)])
  })
})

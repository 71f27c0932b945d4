// Tests of the scenario runner: an invalid scenario is rejected, and every unmet expectation fails.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CACHE_STEPS } from './format.js'
import { parseScenario } from './load.js'
import { buildWorker } from './processes.js'
import { MODES, type RunMode, runScenario } from './runner.js'

let worker: Awaited<ReturnType<typeof buildWorker>>
beforeAll(async () => {
  worker = await buildWorker()
})
afterAll(() => worker.remove())

const computations = {
  text: { namespace: 'n', key: 'text', does: [{ 'try to read': 'a.txt' }] },
  around: { namespace: 'n', key: 'around', does: [{ say: 'around' }, { ask: 'text' }] },
}
const scenarioOf = (...steps: object[]) => ({ title: 'a scenario', computations, parts: [{ title: 'a part', steps }] })

const run = (mode: RunMode, ...steps: object[]) => runParsed(mode, scenarioOf(...steps))

async function runParsed(mode: RunMode, written: object): Promise<void> {
  const scenario = parseScenario(JSON.stringify(written), 'example')
  const { signal } = new AbortController()
  await runScenario({ name: 'example', tree: undefined, ...scenario }, { mode, worker: worker.path, signal })
}

const get = { step: 'get', namespace: 'n', key: 'k', expect: { value: 1 } }
const ask = { step: 'ask', for: 'text', expect: { value: 'ENOENT' } }
const set = { step: 'set', namespace: 'n', key: 'k', value: 1 }

describe('rejects a scenario', () => {
  test.each<[string, object, string]>([
    ['an unknown step', { step: 'gett' }, 'part 1, "steps", step 1: "step" must be one of "set"'],
    ['a step without a kind', { namespace: 'n' }, '"step" must be one of'],
    ['a misspelt field', { ...get, nmespace: 'n' }, '"nmespace" is not known here'],
    ['a missing field', { step: 'get', namespace: 'n', expect: { miss: true } }, '"key" is missing'],
    ['a get that expects nothing', { step: 'get', namespace: 'n', key: 'k' }, '"expect" is missing'],
    ['an empty expectation', { ...get, expect: {} }, 'exactly one of'],
    ['two expectations at once', { ...get, expect: { value: 1, miss: true } }, 'exactly one of'],
    ['a misspelt expectation', { ...get, expect: { vaule: 1 } }, '"vaule" is not known here'],
    ['an invalid miss', { ...get, expect: { miss: false } }, 'can only be true'],
    ['unknown statistics', { step: 'stats of all', expect: { stats: { entries: 1 } } }, '"entries"'],
    ['missing statistics', { step: 'stats of all', expect: { stats: {} } }, 'expects nothing'],
    ['an invalid comparison', { step: 'gc', expect: { report: { keptBlobs: '=> 1' } } }, 'a comparison like'],
    ['a key that is a number', { ...get, key: 1 }, 'must be a text'],
    ['an unknown marker in a value', { ...set, value: { $date: 1 } }, '"$date" is not known'],
    ['a path outside the tree', { step: 'remove file', file: '../x' }, 'a path inside the tree'],
    ['a time without a unit', { step: 'advance clock', by: '90' }, 'a duration like'],
    ['an unknown error code', { ...get, expect: { error: 'ERR_KEY' } }, 'an error code like'],
    [
      'a step outside the cache in another process',
      { step: 'another process', steps: [{ step: 'run cli', command: ['path'], expect: { exitCode: 0 } }] },
      'not "run cli"',
    ],
    ['an undefined computation', { ...ask, for: 'nothing' }, 'part 1 asks for "nothing", which is not defined'],
    ['a result without a value', { ...ask, expect: { computed: true } }, 'exactly one of "value"'],
    ['zero rounds', { step: 'repeat', times: 0, counter: 'n', steps: [get] }, 'must be 1 or more'],
    ['a process without steps', { step: 'another process', steps: [] }, '1 or more'],
  ])('with %s', (_, step, message) => {
    expect(() => parseScenario(JSON.stringify(scenarioOf(step)), 'example')).toThrow(message)
  })

  test.each<[string, object, string]>([
    ['does nothing', { namespace: 'n', key: 'k', does: [] }, 'must have 1 or more'],
    ['does something unknown', { namespace: 'n', key: 'k', does: [{ raed: 'a' }] }, 'must have one of say, read'],
    ['does two things at once', { namespace: 'n', key: 'k', does: [{ read: 'a', say: 'b' }] }, 'is not known here'],
    [
      'is called in two ways',
      { namespace: 'n', key: 'k', analysis: { name: 'a', file: 'b' }, does: [{ say: 'a' }] },
      'exactly one of "key"',
    ],
    ['is never called', { namespace: 'n', does: [{ say: 'a' }] }, 'exactly one of "key"'],
    [
      'calls an undefined computation',
      { namespace: 'n', key: 'k', does: [{ untracked: [{ ask: 'x' }] }] },
      'asks for "x"',
    ],
    ['is defined for all parts', computations.text, 'defines "text", which is defined for all parts'],
  ])('with a computation that %s', (_, computation, message) => {
    const parts = [{ title: 'a part', computations: { text: computation }, steps: [set] }]
    const all = message.includes('all parts') ? { computations } : {}
    expect(() => parseScenario(JSON.stringify({ title: 'a scenario', ...all, parts }), 'example')).toThrow(message)
  })

  test('with two fields of one name', () => {
    const text = JSON.stringify(scenarioOf(get)).replace('"key":"k"', '"key":"j","key":"k"')
    expect(() => parseScenario(text, 'example')).toThrow('two fields of one name')
  })

  test('with a criterion that no part shows', () => {
    const criteria = (part: number) => [{ claim: 'It works', shownBy: [part] }]
    const parse = (scenario: object) => () => parseScenario(JSON.stringify(scenario), 'example')
    expect(parse({ ...scenarioOf(get), criteria: criteria(2) })).toThrow('there is no part 2 to show "It works"')
    expect(parse({ ...scenarioOf(set), criteria: criteria(1) })).toThrow('part 1 expects nothing')
    expect(parse({ ...scenarioOf(get), criteria: criteria(1) })).not.toThrow()
  })
})

test('the scenarios in the README pass', async () => {
  const text = readFileSync(new URL('../../fixtures/scenarios/README.md', import.meta.url), 'utf8')
  const scenarios = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) => JSON.parse(json))
  expect(scenarios).toHaveLength(2)
  for (const scenario of scenarios) await runParsed('in one process', scenario)
})

const n = { namespace: 'n' }
const zero = { entryCount: 0 }
/** After one entry `k` with the value 1 was set in `n`: expectations that are wrong, and what is said then. */
const UNMET: Record<keyof typeof CACHE_STEPS, [fields: object, said: string][]> = {
  set: [
    [{ ...n, key: 'k', value: 1, expect: { stored: false } }, 'stored: expected false, got true'],
    [{ ...n, key: '', value: 1 }, 'expected no error, got the error ERR_CACHE_KEY'],
    [{ ...n, key: 'k', value: 1, ttl: 5, expect: { error: 'ERR_CACHE_OPTION' } }, 'got none but true'],
    [{ ...n, key: '', value: 1, expect: { error: 'ERR_CACHE_OPTION' } }, 'got the error ERR_CACHE_KEY'],
  ],
  'set many': [[{ ...n, entries: [{ key: 'a', value: 1 }], expect: { count: 2 } }, 'count: expected 2, got 1']],
  get: [
    [{ ...n, key: 'k', expect: { value: 2 } }, 'expected the value 2, got 1'],
    [{ ...n, key: 'k', expect: { value: '1' } }, 'expected the value "1", got 1'],
    [{ ...n, key: 'k', expect: { miss: true } }, 'expected a miss, got the value 1'],
    [{ ...n, key: 'k', expect: { valueOneOf: [0, 2] } }, 'got none of the values expected, but 1'],
    [{ ...n, key: 'k', expect: { remembered: 'nobody' } }, 'no value is remembered as "nobody"'],
    [{ ...n, key: 'j', expect: { value: 2 } }, 'expected the value 2, got a miss'],
  ],
  'get many': [
    [{ ...n, keys: ['k', 'j'], expect: { results: [{ value: 1 }, { value: 1 }] } }, 'key "j"'],
    [{ ...n, keys: ['k', 'j'], expect: { results: [{ value: 1 }] } }, 'expected 1 results, got 2'],
  ],
  has: [[{ ...n, key: 'k', expect: { found: false } }, 'found: expected false, got true']],
  delete: [[{ ...n, key: 'k', expect: { removed: false } }, 'removed: expected false, got true']],
  invalidate: [[{ ...n, key: 'j', expect: { removed: true } }, 'removed: expected true, got false']],
  clear: [[{ ...n, expect: { count: 2 } }, 'count: expected 2, got 1']],
  list: [
    [{ ...n, expect: { entries: [] } }, 'not expected: ["k"]'],
    [{ ...n, expect: { entries: [{ key: 'k' }, { key: 'j' }] } }, 'missing: ["j"]'],
    [{ ...n, expect: { entries: [{ key: 'k', mode: 'ttl' }] } }, 'k.mode: expected "ttl", got "manual"'],
    [{ ...n, expect: { entries: [{ key: 'k', version: '2' }] } }, 'missing: ["k of version 2"]'],
    [{ ...n, expect: { entries: [{ key: 'k', files: ['a'] }] } }, 'k.files: expected ["a"], got []'],
    [{ ...n, expect: { entries: [{ key: 'k', sizeBytes: '< 1' }] } }, 'k.sizeBytes: expected < 1, got'],
    [{ ...n, expect: { entries: [{ key: 'k', expiresInMs: 1 }] } }, 'k.expiresInMs: it is missing'],
  ],
  find: [[{ ...n, key: 'k', expect: { entries: [{ key: 'k', valid: false }] } }, 'k.valid: expected false, got true']],
  keys: [
    [{ ...n, expect: { keys: [] } }, 'not expected: ["k"]'],
    [{ ...n, expect: { keys: ['k', 'k'] } }, 'missing: ["k"]'],
  ],
  ask: [
    [{ for: 'text', expect: { value: 'here' } }, 'expected the value "here", got the value "ENOENT"'],
    [{ for: 'text', expect: { valueOneOf: ['here', 'there'] } }, 'expected one of ["here","there"], got the value'],
    [{ for: 'text', expect: { fails: 'ENOENT' } }, 'expected the failure "ENOENT", got the value "ENOENT"'],
    [{ for: 'text', expect: { value: 'ENOENT', computed: false } }, 'computed: expected [], got ["text"]'],
    [{ for: 'around', expect: { value: 'around (ENOENT)', computed: true } }, 'got ["around","text"]'],
    [{ for: 'text', expect: { value: 'ENOENT', reason: 'expired' } }, 'reason: expected "expired", got "never-set"'],
    [{ for: 'text', expect: { value: 'ENOENT', files: [] } }, 'files: not expected: ["a.txt"]'],
    [
      { for: 'text', warns: 'ERR_CACHE_PROJECT', expect: { value: 'ENOENT' } },
      'expected the warning ERR_CACHE_PROJECT',
    ],
  ],
  'ask at once': [
    [
      { for: ['text', 'around'], expect: { answers: [{ value: 'ENOENT' }, { value: '' }] } },
      'around: expected the value ""',
    ],
  ],
  explain: [
    [{ ...n, key: 'k', expect: { isHit: false } }, 'isHit: expected false, got true'],
    [{ ...n, key: 'j', expect: { reason: 'deleted' } }, 'reason: expected "deleted", got "never-set"'],
  ],
  namespaces: [[{ expect: { names: ['n', 'm'] } }, 'missing: ["m"]']],
  stats: [
    [{ ...n, expect: { stats: zero } }, 'entryCount: expected 0, got 1'],
    [{ ...n, expect: { stats: { totalSize: '= 2 * nothing' } } }, 'no number is remembered as "nothing"'],
    [{ ...n, expect: { stats: { missReasons: { expired: 1 } } } }, 'missReasons.expired: it is missing'],
    [{ ...n, expect: { stats: { oldestEntryAgeMs: null } } }, 'oldestEntryAgeMs: expected null, got 0'],
  ],
  'stats of all': [
    [{ expect: { stats: { namespaces: {} } } }, 'namespaces: expected {}, got'],
    [{ expect: { stats: { namespaces: { n: zero } } } }, 'namespaces.n.entryCount: expected 0, got 1'],
    [{ expect: { stats: { namespaces: { m: zero } } } }, 'namespaces.m: it is missing'],
    [{ expect: { stats: { entryCount: '>= 2' } } }, 'entryCount: expected >= 2, got 1'],
  ],
  gc: [[{ expect: { report: { keptEntries: 0 } } }, 'keptEntries: expected 0, got 1']],
  close: [],
}

describe('fails for an unmet expectation', () => {
  const cases = Object.entries(UNMET).flatMap(([step, unmet]) =>
    unmet.map(([fields, said]) => ({ step, fields, said })),
  )
  test.each(cases)('$step: $said', async ({ step, fields, said }) => {
    await expect(run('in one process', set, { step, ...fields })).rejects.toThrow(said)
  })

  const shown = (expect: object) => ({ step: 'run cli', command: ['get', 'n', 'k', '--json'], expect })
  test.each<[object, string]>([
    [shown({ exitCode: 1 }), 'expected the exit code 1, got 0'],
    [shown({ exitCode: 0, stdout: '1' }), 'expected the output "1", got "1\\n"'],
    [shown({ exitCode: 0, stdoutHas: ['2'] }), 'expected "2" in the output'],
    [shown({ exitCode: 0, stderrHas: ['2'] }), 'expected "2" in the messages'],
    [shown({ exitCode: 0, json: 2 }), 'json: expected 2, got 1'],
    [shown({ exitCode: 0, jsonLines: [] }), 'not expected: the line 1'],
    [shown({ exitCode: 0, jsonLines: [1, 1] }), 'no line is like 1'],
    [{ step: 'run cli', command: ['path'], expect: { exitCode: 0, json: {} } }, 'expected JSON, got the output'],
    [{ step: 'edit file', file: 'a.txt', text: 'b' }, 'there is no a.txt in the tree'],
    [{ step: 'make folder', folder: '.' }, '. is in the tree already'],
    [{ step: 'make link', link: 'a.txt/b', to: 'a' }, 'ENOENT'],
    [{ step: 'another process', steps: [get, { ...get, expect: { value: 2 } }] }, 'process 1, step 2: get "k" in "n"'],
    [{ step: 'together', steps: [{ ...get, expect: { value: 2 } }] }, 'step 2, step 1: get "k" in "n"'],
  ])('%j', async (step, said) => {
    await expect(run('in one process', set, step)).rejects.toThrow(said)
  })

  test('for an edit without effect and for a file that already exists', async () => {
    const write = { step: 'write file', file: 'a.txt', text: 'b' }
    await expect(run('in one process', write, { ...write, step: 'edit file' })).rejects.toThrow('has this text already')
    await expect(run('in one process', write, write)).rejects.toThrow('a.txt is in the tree already')
  })
})

test('a failure message has scenario, mode, part, step and difference', async () => {
  const steps = [set, { step: 'repeat', times: 3, counter: 'n', steps: [{ ...get, key: '{n}', note: 'why' }] }]
  const place = (mode: string) =>
    `Scenario "example", ${mode}, part 1 "a part", step 2, round 1, step 1: get "1" in "n" (why):\n` +
    '  expected the value 1, got a miss'
  for (const mode of ['in one process', 'each step in a process of its own'] as const) {
    await expect(run(mode, ...steps)).rejects.toThrow(place(mode))
  }
})

test.each(MODES)('steps while computing run once and are checked, %s', async mode => {
  const meanwhile = (steps: object[]) => ({
    title: 'a scenario',
    parts: [
      {
        title: 'a part',
        computations: {
          text: { namespace: 'n', key: 'text', does: [{ read: 'a.txt' }, { 'while computing': steps }] },
        },
        steps: [
          { step: 'write file', file: 'a.txt', text: 'one' },
          { ...ask, expect: { value: 'one', computed: true } },
          { ...ask, expect: { value: 'two', computed: true, reason: 'source-changed' } },
          { ...ask, expect: { value: 'two', computed: false } },
        ],
      },
    ],
  })
  const edit = { step: 'edit file', file: 'a.txt', text: 'two' }
  await runParsed(mode, meanwhile([edit]))
  const another = { step: 'another process', steps: [set, { ...get, expect: { value: 2 } }] }
  const place = 'step 2, while computing "text", step 2, in another process, process 1, step 2: get "k" in "n":'
  await expect(runParsed(mode, meanwhile([edit, another]))).rejects.toThrow(place)
  await expect(runParsed(mode, meanwhile([edit, edit]))).rejects.toThrow('a.txt has this text already')
})

test.each(MODES)('a scenario has its own working directory, environment variables and location, %s', async mode => {
  const before = [process.cwd(), process.env.SCENARIO_VARIABLE]
  const does = [{ variable: 'SCENARIO_VARIABLE' }, { read: './b.txt' }]
  await runParsed(mode, {
    title: 'a scenario',
    computations: { here: { namespace: 'n', key: 'here', does } },
    parts: [
      {
        title: 'a part',
        steps: [
          { step: 'write file', file: 'deep/b.txt', text: 'b' },
          { step: 'set variable', name: 'SCENARIO_VARIABLE', value: 'set' },
          { step: 'ask', for: 'here', cwd: 'deep', expect: { value: 'set b', computed: true } },
          { step: 'move to another machine' },
          { step: 'remove variable', name: 'SCENARIO_VARIABLE' },
          { step: 'ask', for: 'here', cwd: 'deep', expect: { value: 'unset b', computed: true } },
          { step: 'ask', for: 'here', expect: { fails: 'ENOENT' } },
        ],
      },
    ],
  })
  expect([process.cwd(), process.env.SCENARIO_VARIABLE]).toEqual(before)
})

test('a remembered figure can be used in later comparisons', async () => {
  const stats = (expected: string) => ({ step: 'stats', ...n, expect: { stats: { totalSize: expected } } })
  const first = { ...stats('> 0'), remember: { size: 'totalSize' } }
  await run('in one process', set, first, { ...set, key: 'j' }, stats('= 2 * size'))
  await expect(run('in one process', set, first, { ...set, key: 'j' }, stats('= size'))).rejects.toThrow(
    'expected = size',
  )
})

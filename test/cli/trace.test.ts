// `wicked-cache trace` summarizes recorded trace files.

import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { linesOf } from '../../cli/trace/lines.js'
import { cli, temporaryDir } from './harness.js'

const hit = (namespace: string, key: string, ms: number) => ({ namespace, key, isHit: true, ms })
const miss = (namespace: string, key: string, ms: number, reason = 'never-set') => ({
  namespace,
  key,
  isHit: false,
  reason,
  ms,
  computeMs: ms - 1,
})

function traceOf(lines: readonly unknown[], others = ''): string {
  const file = join(temporaryDir(), 'trace.jsonl')
  writeFileSync(file, lines.map(line => `${JSON.stringify(line)}\n`).join('') + others)
  return file
}

const LINES = [
  miss('lint', 'a.js', 100),
  hit('lint', 'a.js', 1),
  miss('lint', 'b.js', 20, 'source-changed'),
  miss('lint', 'b.js', 30, 'source-changed'),
  miss('lint', 'b.js', 25, 'source-changed'),
  hit('build', 'x', 2),
]

test('summarizes by namespace and reason, and lists the slowest and most missed keys', async () => {
  const { out, code } = await cli(['trace', traceOf(LINES)])
  expect(code).toBe(0)
  expect(out.split('\n')).toEqual([
    '6 questions',
    '',
    'By namespace:',
    'namespace  questions  hits  misses  hit rate    time',
    'lint               5     1       4    20.0 %  176 ms',
    'build              1     1       0   100.0 %    2 ms',
    '',
    'Misses by reason:',
    'reason          misses',
    'source-changed       3',
    'never-set            1',
    '',
    'Slowest:',
    '  time  computing  answer          namespace  key',
    '100 ms      99 ms  never-set       lint       a.js',
    ' 30 ms      29 ms  source-changed  lint       b.js',
    ' 25 ms      24 ms  source-changed  lint       b.js',
    ' 20 ms      19 ms  source-changed  lint       b.js',
    '  2 ms          -  hit             build      x',
    '  1 ms          -  hit             lint       a.js',
    '',
    'Most missed:',
    'misses    time  namespace  key',
    '     3   75 ms  lint       b.js',
    '     1  100 ms  lint       a.js',
    '',
  ])
})

test('--json prints the summary', async () => {
  const { out } = await cli(['trace', traceOf(LINES), '--json'])
  expect(JSON.parse(out)).toMatchObject({
    questions: 6,
    skippedLines: 0,
    namespaces: { lint: { questions: 5, hits: 1, misses: 4, ms: 176 }, build: { hits: 1 } },
    reasons: { 'source-changed': 3, 'never-set': 1 },
    mostMissed: [
      { namespace: 'lint', key: 'b.js', misses: 3, ms: 75 },
      { namespace: 'lint', key: 'a.js', misses: 1 },
    ],
  })
})

test('finds the ten slowest of thousands of calls', async () => {
  const lines = Array.from({ length: 3500 }, (_, index) => hit('tool', `key ${index}`, (index * 7919) % 3500))
  const { out } = await cli(['trace', traceOf(lines), '--json'])
  const { slowest } = JSON.parse(out) as { slowest: { ms: number }[] }
  expect(slowest.map(({ ms }) => ms)).toEqual(Array.from({ length: 10 }, (_, index) => 3499 - index))
})

test('counts invalid lines, and escapes names', async () => {
  const file = traceOf([hit('a\u001b[2J', 'k\u0007', 1), 1, null, { namespace: 'x' }], '{"namespace": "cut sh')
  const { out, code } = await cli(['trace', file])
  expect(code).toBe(0)
  expect(out).toContain('1 question, 4 other lines')
  for (const char of ['\u0007', '\u001b']) expect(out).not.toContain(char)
})

async function linesIn(text: string, maxBytes?: number): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = []
  for await (const line of linesOf(traceOf([], text), maxBytes)) lines.push(line)
  return lines
}

test('splits lines only at line feeds', async () => {
  const key = 'a\u2028b\u2029c\rd'
  const { out } = await cli(['trace', traceOf([hit('tool', key, 1), hit('tool', 'e', 2)]), '--json'])
  expect(JSON.parse(out)).toMatchObject({ questions: 2, skippedLines: 0, slowest: [{ key: 'e' }, { key }] })
  expect(await linesIn('a\u2028b\u2029c\rd\u0085e\n\nf\r\ng')).toEqual(['a\u2028b\u2029c\rd\u0085e', '', 'f\r', 'g'])
  // Longer than what is read at once, and not cut between the bytes of a character.
  const long = '\u2028'.repeat(50_000)
  expect(await linesIn(`x${long}\n${long}`)).toEqual([`x${long}`, long])
})

test('skips and counts lines over the limit', async () => {
  expect(await linesIn('1234\n12345\n1\n123456', 4)).toEqual(['1234', undefined, '1', undefined])
  expect(await linesIn(`${'x'.repeat(300_000)}\n1`, 100_000)).toEqual([undefined, '1'])
})

// 600 MB that take no room on the disk: more than fits a string.
test('counts a huge file without line breaks as one other line', async () => {
  const file = traceOf([])
  truncateSync(file, 600 * 1024 * 1024)
  expect(await cli(['trace', file])).toEqual({ code: 0, out: '0 questions, 1 other line\n', err: '' })
})

test('counts a line with an infinite time as another line', async () => {
  const { out } = await cli(['trace', traceOf([], '{"namespace":"a","key":"b","isHit":true,"ms":1e999}\n')])
  expect(out).toBe('0 questions, 1 other line\n')
})

test('accepts an empty trace and rejects a missing file', async () => {
  expect(await cli(['trace', traceOf([])])).toEqual({ code: 0, out: '0 questions\n', err: '' })
  const { code, err } = await cli(['trace', join(temporaryDir(), 'no.jsonl')])
  expect(code).toBe(2)
  expect(err).toContain('no.jsonl cannot be read')
})

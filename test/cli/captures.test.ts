// The terminal captures in docs/command-line.md equal the real output. After a change of the layout:
// WICKED_CACHE_WRITE_CAPTURES=1 npx vitest run test/cli/captures.test.ts

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Cache, CacheStats, EntryInfo, Namespace } from '../../src/index.js'
import { projectRoot } from '../support/children.js'
import { cli, library, Sink } from './harness.js'

const page = join(projectRoot, 'docs', 'command-line.md')
const CAPTURE = /<!-- captured: (.+), (\d+) -->\n```text\n([\s\S]*?)```\n/g
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

function statsOf(entryCount: number, hitCount: number, missCount: number, totalSize: number, savedMs: number) {
  return {
    entryCount,
    pastAnswerCount: 0,
    projects: {},
    hitCount,
    missCount,
    missReasons: {},
    setCount: missCount,
    totalSize,
    oldestEntryAgeMs: 50 * HOUR_MS,
    diskBytes: entryCount * 130,
    savedMs,
    computedMs: savedMs / 14,
    savedBytes: totalSize / 4,
  }
}

const namespaces = {
  'import-graph': statsOf(1204, 48_160, 1204, 1_800_000, 9 * MINUTE_MS),
  'lint-rules': statsOf(5310, 20_990, 310, 6_400_000, 4.5 * MINUTE_MS),
  outline: statsOf(87, 412, 95, 52_000, 20_000),
}

const total: Omit<CacheStats, 'days' | 'sharing'> = {
  ...statsOf(6601, 69_562, 1609, 8_252_000, 13.9 * MINUTE_MS),
  missReasons: { 'never-set': 1402, 'source-changed': 189, expired: 18 },
  namespaces,
  computedMs: MINUTE_MS,
  diskBytes: 7_900_000,
  uniqueSize: 6_189_000,
  savedBytes: 2_063_000,
}

const entries = [
  ['src/compiler/transform/modules/es2020.ts', 1840, 61_400, 2, true],
  ['src/compiler/checker.ts', 912, 20_480, 26, true],
  ['src/index.ts', 38, 700, 26, false],
  ['test/fixtures/日本語/入力.ts', 21, 350, 1, true],
  ['src/version.ts', 1, 90, 50, true],
].map(
  ([file, computeMs, sizeBytes, ageHours, valid]) =>
    ({
      key: `imports ${file}`,
      version: '1.4.0',
      project: null,
      isPortable: true,
      mode: 'file',
      valid,
      sizeBytes,
      computeMs,
      ageMs: (ageHours as number) * HOUR_MS,
    }) as EntryInfo,
)

/** Of which nothing lies on a disk: what is shown depends on the layout alone. */
const cache = {
  dir: '/home/me/.cache/wicked-cache',
  stats: () => total as CacheStats,
  namespaces: () => ['import-graph'],
  namespace: (_name: string, options?: { project?: false }) =>
    ({ entries: () => (options?.project === false ? [] : entries).values() }) as unknown as Namespace,
  close: async () => undefined,
} as unknown as Cache

async function captured(args: string, columns: number): Promise<string> {
  const stdout = new Sink()
  stdout.columns = columns
  const { code, out } = await cli(args.split(' '), {
    stdout,
    isTerminal: true,
    env: { NO_COLOR: '1' },
    library: { ...library, openCache: async () => cache },
  })
  expect(code).toBe(0)
  return out
}

test('the captures in docs/command-line.md equal the real output', async () => {
  const text = readFileSync(page, 'utf8')
  const captures = [...text.matchAll(CAPTURE)]
  expect(captures.length).toBe(4)
  let written = text
  for (const [block, args = '', columns = '', shown = ''] of captures) {
    const printed = await captured(args, Number(columns))
    if (process.env.WICKED_CACHE_WRITE_CAPTURES === '1')
      written = written.replace(block, () => block.replace(`text\n${shown}`, () => `text\n${printed}`))
    else expect(shown).toBe(printed)
  }
  if (written !== text) writeFileSync(page, written)
})

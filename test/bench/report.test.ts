// The results page and the chart of the benchmark, from fixed figures. The peers need not be installed.

import { expect, test } from 'vitest'

// The benchmark is JavaScript without declarations; a path that the compiler cannot see makes it `any`.
const load = (path: string) => import(/* @vite-ignore */ new URL(`../../bench/${path}`, import.meta.url).href)
const { Results, inTurns, median, spread } = await load('measure.mjs')
const { bars } = await load('report/bars.mjs')
const { BAR_TREES, COLUMNS, TABLE: COSTS } = await load('cases/trees.mjs')
const { chart } = await load('report/chart.mjs')
const { panelsOf } = await load('report/panels.mjs')
const { ratioToBest, resultsText, tableText } = await load('report/results.mjs')
const { figure } = await load('report/text.mjs')

const SMALL = 'Warm get of a small summary'

function line(contender: string, samples: number[], rest: object = {}) {
  return {
    table: SMALL,
    column: '1,000 entries',
    contender,
    unit: 'µs',
    better: 'lower',
    isPeer: true,
    samples,
    ...rest,
  }
}

function warmGets(ours: number) {
  return new Results([line('wicked-cache', [ours]), line('lmdb', [3, 1, 2]), line('cacache', [500])])
}

test('a median averages the middle samples, and a spread is half the quartile distance', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([9])).toBe(9)
  expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(1 / 3)
})

test('every contender runs once per round, and the order rotates', async () => {
  const calls: string[] = []
  await inTurns(['a', 'b', 'c'], 3, (name: string, round: number) => calls.push(`${name}${round}`))
  expect(calls).toEqual(['a0', 'b0', 'c0', 'b1', 'c1', 'a1', 'c2', 'a2', 'b2'])
})

test('a ratio below 1 means that wicked-cache is better, whether lower or higher figures are better', () => {
  expect(ratioToBest(warmGets(1).lines)).toBe(0.5)
  const higher = { better: 'higher', unit: '/s' }
  expect(ratioToBest([line('wicked-cache', [40], higher), line('lmdb', [10], higher), line('x', [20], higher)])).toBe(
    0.5,
  )
})

test('a floor does not count as a peer', () => {
  const floor = line('bare node', [0.001], { isPeer: false })
  expect(ratioToBest([...warmGets(4).lines, floor])).toBe(2)
  expect(ratioToBest([line('wicked-cache', [1]), floor])).toBeUndefined()
})

test('a table has a row for each contender, a column for each question and the ratio to the best peer', () => {
  const results = warmGets(1)
  results.add({ table: SMALL, column: '100,000 entries', contender: 'lmdb', unit: 'µs' }, 2500)
  expect(tableText(results, SMALL)).toBe(`|  | 1,000 entries | 100,000 entries |
| --- | ---: | ---: |
| **wicked-cache** | 1.00 µs |  |
| lmdb | 2.00 µs ± 25 % | 2,500 µs |
| cacache | 500 µs |  |
| wicked-cache to the best peer, below 1 is better | **0.50** |  |`)
})

test('a target is met, not met or not measured', () => {
  const barOf = (results: unknown, what: RegExp) => bars(results).find((bar: { what: string }) => what.test(bar.what))
  expect(barOf(warmGets(1), /warm get of a small/)).toMatchObject({ measured: 0.5, isMet: true, isStretched: true })
  expect(barOf(warmGets(2), /warm get of a small/)).toMatchObject({ measured: 1, isMet: true, isStretched: false })
  expect(barOf(warmGets(2.1), /warm get of a small/)).toMatchObject({ measured: 1.05, isMet: false })
  expect(barOf(warmGets(2), /^gc/)).toMatchObject({ measured: Number.NaN, isMet: false, isStretched: false })
})

test('the worst tree decides the target for syntax trees, and a missing tree leaves it unmeasured', () => {
  const add = (results: typeof Results, name: string, ratio: number) =>
    results.add({ table: COSTS, column: COLUMNS.get, contender: name, unit: '×', isPeer: false }, ratio)
  const results = new Results()
  for (const [i, name] of BAR_TREES.slice(1).entries()) add(results, name, i === 1 ? 0.39 : 0.25)
  const barOf = () => bars(results).find(({ what }: { what: string }) => what === 'syntax trees, warm: get, to parse')
  expect(barOf()).toMatchObject({ measured: Number.NaN, isMet: false })
  add(results, BAR_TREES[0], 0.1)
  expect(barOf()).toMatchObject({ measured: 0.39, best: 0.1, isMet: true, isStretched: false })
  add(results, BAR_TREES[0], 0.9)
  expect(barOf()).toMatchObject({ measured: 0.5, best: 0.25, isMet: false })
})

test('the page has the targets, a table for each question, the machine and what is missing', () => {
  const about = {
    machine: { Node: 'v20.19.0' },
    versions: { lmdb: '3.0.0' },
    missing: [{ name: 'cacache', why: 'Error: no binary' }],
    facts: { summaryBytes: 200, acornBytes: 2000, babelBytes: 30000 },
    minutes: 2,
    isWhole: true,
  }
  const page = resultsText(warmGets(2.1), about)
  expect(page).toContain(
    '| warm get of a small summary, to lmdb | at most 1 × | at most 0.5 × | 1.05 × | **not met** |',
  )
  expect(page).toContain('| misses of a reader during gc | at most 0 |  | not measured |  |')
  expect(page).toContain('| four processes setting and getting at once, to one | at least 1 × | at least 1.3 × |')
  expect(page).toContain(`## ${SMALL}\n`)
  expect(page).toContain('| Node | v20.19.0 |')
  expect(page).toContain('Without cacache, which does not work here: Error: no binary')
  expect(page).not.toMatch(/undefined|NaN|partial/)
})

test('the chart has a text description, and truncates bars that are far too long', () => {
  const [panel] = panelsOf(warmGets(1))
  expect(panel.bars.map(({ name }: { name: string }) => name)).toEqual(['wicked-cache', 'lmdb', 'cacache'])
  const svg: string = chart([{ ...panel, title: 'a < b & "c"' }])
  expect(svg).toContain('role="img"')
  expect(svg).toContain('>a &#60; b &#38; &#34;c&#34;: wicked-cache 1.00 µs, lmdb 2.00 µs, cacache 500 µs.</desc>')
  const widths = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(([, kind, width]) => [
    kind,
    Number(width),
  ])
  const [ours, lmdb, broken, rest] = widths as [string, number][]
  expect(ours?.[0]).toBe('ours')
  expect(lmdb?.[1]).toBeCloseTo(2 * (ours?.[1] ?? 0), 0)
  expect(broken?.[1]).toBeLessThan(6 * (ours?.[1] ?? 0))
  expect(rest).toEqual(['other', 8])
  expect(svg).not.toMatch(/NaN|undefined/)
})

test('figures have three digits', () => {
  expect([0, 0.1234, 12.34, 123.4, 1234.5].map(figure)).toEqual(['0', '0.12', '12.3', '123', '1,235'])
})

// The random tests, for as long as one likes: npm run torture -- --minutes 30 --seed 7
//
// Without a seed each run has new ones. A failure says which seed and command show it again.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0) || (values.seed !== undefined && !/^[1-9]\d{0,9}$/.test(values.seed))) {
  console.error('Usage: npm run torture -- [--minutes <number>] [--seed <integer from 1>]')
  process.exit(2)
}

const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-torture-'))
const tally = join(directory, 'tally')
// One file after the other: several at once would keep each other from meeting at the same moment.
const { status } = spawnSync(
  process.execPath,
  [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--no-file-parallelism',
    `--testTimeout=${minutes * 60_000 + 300_000}`,
    ...['test/torture', 'test/model', 'test/broken', 'test/processes', 'test/encoding', 'test/verify'],
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      TORTURE_MINUTES: String(minutes),
      TORTURE_TALLY: tally,
      ...(values.seed && { TEST_SEED: values.seed }),
    },
  },
)
const totals = new Map()
for (const line of existsSync(tally) ? readFileSync(tally, 'utf8').trim().split('\n') : []) {
  for (const [what, count] of Object.entries(JSON.parse(line))) totals.set(what, (totals.get(what) ?? 0) + count)
}
rmSync(directory, { recursive: true })
console.log(
  `Tried in all: ${Array.from(totals, ([what, count]) => `${count.toLocaleString('en')} ${what}`).join(', ')}.`,
)
process.exitCode = status ?? 1

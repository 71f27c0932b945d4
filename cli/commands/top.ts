// A live view. It uses the whole screen of a terminal; to a file or pipe it writes one snapshot after another.

import type { Cache } from '../../src/index.js'
import { type Command, type Context, UsageError } from '../command.js'
import { parseCount, parseDurationMs } from '../quantity.js'
import { withCache } from '../session.js'
import { RateWindow } from '../top/rates.js'
import { Screen } from '../top/screen.js'
import { jsonOf, linesOf, type Snapshot } from '../top/view.js'

const DEFAULT_INTERVAL_MS = 1000
const MIN_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 24 * 3_600_000
const WINDOW_MS = 10_000
/** Reading entries takes about 10 ms for each MB of the namespaces' files. */
const MAX_BYTES_READ = 32 * 1024 * 1024
const SIZES_AGE_MS = 10_000

/** Takes snapshots of a cache. */
class Sampler {
  readonly #cache: Cache
  readonly #rates = new RateWindow(WINDOW_MS)
  #sizes: Snapshot['sizes']
  #sizesUntilMs = 0

  constructor(cache: Cache) {
    this.#cache = cache
  }

  snapshot(): Snapshot {
    const stats = this.#cache.stats({ countsOnly: true })
    const atMs = Date.now()
    this.#rates.add({ atMs, namespaces: stats.namespaces })
    if (atMs >= this.#sizesUntilMs) {
      const indexBytes = Object.values(stats.namespaces).reduce((sum, { diskBytes }) => sum + diskBytes, 0)
      this.#sizes = indexBytes > MAX_BYTES_READ ? undefined : this.#cache.stats().namespaces
      this.#sizesUntilMs = atMs + SIZES_AGE_MS
    }
    return { dir: this.#cache.dir, atMs, stats, sizes: this.#sizes, rates: this.#rates }
  }
}

/** Shows snapshots until it is stopped, the output is closed, or `count` is reached. */
async function repeat(
  show: () => Promise<boolean>,
  { intervalMs, count }: { intervalMs: number; count: number },
  stopped: Promise<unknown>,
): Promise<void> {
  let isStopped = false
  const end = stopped.then(() => {
    isStopped = true
  })
  for (let shownCount = 1; !isStopped; shownCount++) {
    const isRead = await show()
    if (!isRead || shownCount >= count || isStopped) return
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      end,
      new Promise(resolve => {
        timer = setTimeout(resolve, intervalMs)
      }),
    ])
    clearTimeout(timer)
  }
}

async function live(cache: Cache, pace: { intervalMs: number; count: number }, context: Context): Promise<void> {
  const { stdin, stdout } = context
  const stopped = context.stopped(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
  const sampler = new Sampler(cache)
  const screen = await Screen.enter(stdout, stdin)
  try {
    const show = () => screen.show(linesOf(sampler.snapshot(), stdout, stdout.rows - 1))
    await repeat(show, pace, Promise.race([stopped, screen.quit]))
  } finally {
    await screen.leave()
  }
}

export const top: Command = {
  name: 'top',
  summary: 'Show hits, misses and sizes as they change',
  details:
    'On a terminal until q or Ctrl-C. In a pipe or a file, one snapshot follows the other; with --json, each is one line. ' +
    'Rates are those of the last 10 seconds: other processes write their counts about once a second. Entries and sizes are read ' +
    'every 10 seconds, and not of large caches. Looking counts nothing.',
  parameters: [],
  options: {
    interval: {
      type: 'string',
      requiresArg: true,
      describe: 'How often: a number and ms, s, m or h, at most 24h (default: 1s)',
    },
    count: { type: 'string', requiresArg: true, describe: 'End after so many snapshots' },
  },
  examples: [
    ['wicked-cache top', 'Until q is pressed'],
    ['wicked-cache top --interval 100ms --count 2 --json', 'Two snapshots for a program'],
  ],

  async run(_parameters, options, context) {
    const { interval, count, json } = options
    const intervalMs =
      interval === undefined ? DEFAULT_INTERVAL_MS : await parseDurationMs('interval', interval, context)
    if (intervalMs < MIN_INTERVAL_MS) throw new UsageError(`--interval: "${interval}" must be at least 100ms`)
    if (intervalMs > MAX_INTERVAL_MS) throw new UsageError(`--interval: "${interval}" must be at most 24h`)
    const pace = { intervalMs, count: count === undefined ? Number.POSITIVE_INFINITY : parseCount('count', count) }
    if (pace.count === 0) throw new UsageError(`--count: "${count}" must be more than zero`)
    return withCache({ ...options, readOnly: true }, context, async ({ cache, isBroken }) => {
      if (isBroken()) return 1
      const { stdout } = context
      if (stdout.isTerminal && !json && context.env.TERM !== 'dumb') {
        await live(cache, pace, context)
        return 0
      }
      const sampler = new Sampler(cache)
      const show = () => {
        const snapshot = sampler.snapshot()
        return json ? stdout.json(jsonOf(snapshot)) : stdout.line(`${linesOf(snapshot, stdout).join('\n')}\n`)
      }
      await repeat(show, pace, context.stopped())
      return 0
    })
  },
}

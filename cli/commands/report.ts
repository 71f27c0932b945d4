import { resolve } from 'node:path'
import { type Command, type Context, flag, UsageError } from '../command.js'
import { printable } from '../printable.js'
import { ProgressBar } from '../progress.js'
import { gather } from '../report/gather.js'
import { openInBrowser } from '../report/open.js'
import { pageOf } from '../report/page.js'
import { withCache } from '../session.js'

const DEFAULT_FILE = 'wicked-cache-report.html'

export const report: Command = {
  name: 'report',
  summary: 'Write a page that shows what is in the cache and what it saves',
  details:
    'One HTML file that loads nothing: hits and misses, time saved, sizes as a map, what plugins share, the last 30 days, the oldest and ' +
    'largest entries, what a gc would free. It names keys and paths, so look at it before you send it to others. Nothing in the ' +
    'cache is changed or counted. With --json, the figures are printed and no file is written. Exit code 1: parts of the cache could not be read, which ' +
    'the page says too.',
  parameters: [],
  options: {
    out: { type: 'string', requiresArg: true, describe: `The file to write (default: ${DEFAULT_FILE})` },
    open: flag('Open the page in the browser'),
  },
  examples: [
    ['wicked-cache report --open', 'Look at the cache'],
    ['wicked-cache report --out cache.html', 'Keep it, for example as an artefact of CI'],
  ],

  run(_parameters, options, context) {
    const { stdout } = context
    if (options.json && (options.out !== undefined || options.open)) {
      throw new UsageError('--json writes no file: leave out --out and --open')
    }
    return withCache({ ...options, readOnly: true }, context, async ({ cache, problems }) => {
      const bar = new ProgressBar(context.stderr)
      const gathered = await gather(cache, {
        now: Date.now,
        problems,
        onProgress: (what, fraction) => bar.show(what, fraction),
      }).finally(() => bar.clear())
      // The cache's warnings are printed at the end.
      const others = gathered.problems.filter(problem => !problems().includes(problem))
      for (const problem of others) {
        await context.stderr.line(`${context.stderr.colour('yellow', 'warning:')} ${printable(problem)}`)
      }
      const code = gathered.problems.length > 0 ? 1 : 0
      if (options.json) {
        await stdout.json(gathered)
        return code
      }
      const file = resolve(options.out ?? DEFAULT_FILE)
      process.getBuiltinModule('node:fs').writeFileSync(file, pageOf(gathered, context.version))
      await stdout.line(printable(file))
      return (options.open ? await open(file, context) : 0) || code
    })
  },
}

async function open(file: string, { stderr }: Context): Promise<0 | 1> {
  const problem = await openInBrowser(file, process.platform)
  if (problem === undefined) return 0
  await stderr.line(printable(`It could not be opened (${problem}); open ${file} yourself.`))
  return 1
}

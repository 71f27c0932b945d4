import type { Cache, CacheStats, NamespaceStats } from '../../src/index.js'
import { type Command, type Context, flag, namespaceParameter, type OptionValues, UsageError } from '../command.js'
import { noNamespace } from '../did-you-mean.js'
import { formatCountOf, hitRateOf } from '../format.js'
import { isGone } from '../place.js'
import { printable } from '../printable.js'
import { ProgressBar } from '../progress.js'
import { parseDurationMs } from '../quantity.js'
import { withCache } from '../session.js'
import { cacheText, damageText, namespaceText, projectsOf } from '../stats-text.js'

const withHitRate = <S extends NamespaceStats | CacheStats>(stats: S) => ({
  ...stats,
  hitRate: hitRateOf(stats.hitCount, stats.missCount),
})

const goneOf = (projects: Record<string, number>) => Object.keys(projects).filter(isGone)

function jsonOfAll(dir: string, all: CacheStats) {
  const namespaces = Object.entries(all.namespaces).map(([each, value]) => [each, withHitRate(value)] as const)
  const projects = projectsOf(all)
  const goneProjects = goneOf(projects)
  return { dir, ...withHitRate(all), namespaces: Object.fromEntries(namespaces), projects, goneProjects }
}

function jsonOfNamespace(dir: string, namespace: string, own: NamespaceStats) {
  return { dir, namespace, ...withHitRate(own), goneProjects: goneOf(own.projects) }
}

async function reset(cache: Cache, namespace: string | undefined, isJson: boolean, { stdout }: Context) {
  const { namespaces } = cache.stats({
    reset: true,
    countsOnly: true,
    ...(namespace === undefined ? {} : { namespace }),
  })
  const names = Object.keys(namespaces)
  if (isJson) await stdout.json({ dir: cache.dir, reset: names })
  else {
    const whose =
      namespace === undefined ? formatCountOf(names.length, 'namespace', 'namespaces') : printable(namespace)
    await stdout.line(`The statistics of ${whose} begin anew; all entries stay`)
  }
}

async function sinceOf({ since, reset }: OptionValues, context: Context): Promise<number | undefined> {
  if (since !== undefined && reset) throw new UsageError('Give either --since or --reset, not both')
  if (since === undefined) return undefined
  // No day that is counted is before 1970, and a date has a first one.
  return Math.max(0, Date.now() - (await parseDurationMs('since', since, context)))
}

export const stats: Command = {
  name: 'stats',
  summary: 'Show the time that the cache saved, hits, misses and sizes',
  details:
    'Saved is how long the computations would have taken whose results were found, of that and what computations did ' +
    'take. Size is the length of the stored values as if nothing were shared; on disk is what the files take. Values are ' +
    'shared by all namespaces, so a namespace itself takes only its index and its counters. A project whose directory is ' +
    'gone keeps its entries until they have not been used for long: it may only be unmounted. --since counts whole days ' +
    '(UTC), the latest 31 at most; entries and sizes are those of now. Exit code 1: there is no such namespace, or an index is ' +
    'damaged, so that entries are missing in the figures.',
  parameters: [{ ...namespaceParameter, describe: 'Only this namespace', isOptional: true }],
  options: {
    since: { type: 'string', requiresArg: true, describe: 'Hits, misses and times of this time: a number and h or d' },
    reset: flag('Count hits, misses and times from 0 on; entries stay'),
    'all-projects': flag('Show all projects, not only those with the most entries'),
  },
  examples: [
    ['wicked-cache stats', 'All namespaces, and what deduplication saved'],
    ['wicked-cache stats my-plugin', 'One namespace'],
    ['wicked-cache stats --since 7d', 'What happened in a week'],
    ['wicked-cache stats --json', 'For a program'],
  ],

  async run([name], options, context) {
    const { stdout, stderr } = context
    const isJson = options.json === true
    const sinceMs = await sinceOf(options, context)
    const view = { isAll: options['all-projects'] === true, sinceMs }
    return withCache({ ...options, readOnly: options.reset !== true }, context, async ({ cache, isBroken }) => {
      if (name !== undefined) cache.namespace(name)
      if (name !== undefined && !cache.namespaces().includes(name)) {
        await stderr.line(noNamespace(cache, name))
        return 1
      }
      if (options.reset) {
        await reset(cache, name, isJson, context)
        return 0
      }
      const bar = new ProgressBar(stderr)
      const all = cache.stats({
        ...(name === undefined ? {} : { namespace: name }),
        ...(sinceMs === undefined ? {} : { since: sinceMs }),
        onProgress: fraction => bar.show('Reading entries', fraction),
      })
      await bar.clear()
      if (name !== undefined) {
        const { savedBytes: _, ...own } = all.namespaces[name] as CacheStats['namespaces'][string]
        if (isJson) await stdout.json(jsonOfNamespace(cache.dir, name, own))
        else await stdout.line(namespaceText(name, own, view, stdout))
      } else if (isJson) await stdout.json(jsonOfAll(cache.dir, all))
      else if (Object.keys(all.namespaces).length > 0) await stdout.line(cacheText(all, view, stdout))
      else if (!isBroken()) await stdout.line(printable(`The cache in ${cache.dir} is empty`))
      return warnOfDamage(all, context)
    })
  },
}

async function warnOfDamage({ namespaces }: CacheStats, { stderr }: Context): Promise<0 | 1> {
  const problems = Object.entries(namespaces).flatMap(([name, each]) => damageText(name, each))
  for (const problem of problems) {
    const text = printable(`${problem}; wicked-cache verify says more`)
    await stderr.line(`${stderr.colour('yellow', 'warning:')} ${text}`)
  }
  return problems.length > 0 ? 1 : 0
}

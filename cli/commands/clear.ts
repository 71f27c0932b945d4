import type { Cache, CacheStats } from '../../src/index.js'
import { type Command, flag, namespaceParameter, type OptionValues, UsageError } from '../command.js'
import { warnOfName } from '../did-you-mean.js'
import { formatCount, formatCountOf, toFree } from '../format.js'
import { allProjects, namespaceOptionsOf, placeOptions, placeText } from '../place.js'
import { printable } from '../printable.js'
import { ProgressBar } from '../progress.js'
import { withCache } from '../session.js'

interface Cleared {
  count: number
  sizeBytes: number
  /** Entries left in the namespace. */
  leftCount: number
}

type Show = (what: string, fraction: number) => void

/** Steps that take about equally long: reading entries, removing them, and reading the rest. */
const STEPS = 3

function clearOne(cache: Cache, name: string, options: OptionValues, show: Show): Cleared {
  const isWhole = options.all || options['all-projects']
  // Also called for a name that isn't on disk, because it checks the name.
  const namespace = cache.namespace(name, isWhole ? {} : namespaceOptionsOf(options))
  if (!cache.namespaces().includes(name)) return { count: 0, sizeBytes: 0, leftCount: 0 }
  const sizesAt = (step: number): Pick<CacheStats, 'entryCount' | 'totalSize'> =>
    cache.stats({ namespace: name, onProgress: fraction => show('Reading entries', (step + fraction) / STEPS) })
  const before = sizesAt(0)
  show('Removing entries', 1 / STEPS)
  const count = options.statistics ? cache.removeNamespace(name) : namespace.clear({ allProjects: isWhole ?? false })
  const after = isWhole ? { entryCount: 0, totalSize: 0 } : sizesAt(STEPS - 1)
  return { count, sizeBytes: Math.max(0, before.totalSize - after.totalSize), leftCount: after.entryCount }
}

function check(name: string | undefined, options: OptionValues): void {
  if (name === undefined && !options.all) throw new UsageError('Give a namespace, or --all for every namespace')
  if (name !== undefined && options.all) throw new UsageError('Give either a namespace or --all, not both')
  const isNarrowed = options.project !== undefined || options['user-wide']
  if (options.all && isNarrowed)
    throw new UsageError('--all is for all projects; give a namespace to clear one of them')
  if (options.statistics && !options.all && !options['all-projects']) {
    throw new UsageError('--statistics are those of the whole namespace: give --all-projects as well')
  }
}

export const clear: Command = {
  name: 'clear',
  summary: 'Remove all entries of a namespace, or of all namespaces',
  details:
    'Of a namespace, the entries of the project of the working directory are removed, and the portable ones. Entries of ' +
    'all versions go; the values that nothing refers to any more go with the next gc.',
  parameters: [{ ...namespaceParameter, isOptional: true }],
  options: {
    all: flag('All namespaces and projects'),
    ...placeOptions,
    'all-projects': allProjects,
    statistics: flag('Also forget their statistics, so that the namespaces are not listed any more'),
  },
  examples: [
    ['wicked-cache clear my-plugin', 'One namespace, in this project'],
    ['wicked-cache clear my-plugin --all-projects', 'One namespace, whole'],
    ['wicked-cache clear my-plugin --all-projects --statistics', 'Its name is not listed any more'],
    ['wicked-cache clear --all', 'Everything'],
  ],

  async run([name], options, context) {
    const { stdout } = context
    check(name, options)
    namespaceOptionsOf(options)
    return withCache(options, context, async ({ cache, isBroken }) => {
      await warnOfName(cache, name, context.stderr)
      const names = name === undefined ? cache.namespaces() : [name]
      const bar = new ProgressBar(context.stderr)
      const cleared = names.map((each, index) => {
        const show: Show = (what, fraction) => bar.show(what, (index + fraction) / names.length)
        return [each, clearOne(cache, each, options, show)] as const
      })
      await bar.clear()
      const sum = (field: keyof Cleared) => cleared.reduce((total, [, each]) => total + each[field], 0)
      const count = sum('count')
      const isWhole = options.all || options['all-projects']
      const project =
        isWhole || name === undefined ? undefined : cache.namespace(name, namespaceOptionsOf(options)).project
      if (options.json) {
        const namespaces = Object.fromEntries(cleared.map(([each, result]) => [each, result.count]))
        await stdout.json({ cleared: count, namespaces, ...(project === undefined ? {} : { project }) })
      } else if (!isBroken() || count > 0) {
        const whose = name === undefined ? formatCountOf(cleared.length, 'namespace', 'namespaces') : name
        const place = project === undefined ? '' : ` (${placeText({ project })})`
        const left = sum('leftCount')
        const others = left === 0 ? '' : `; ${formatCount(left)} elsewhere (--all-projects)`
        const done = `Cleared ${formatCountOf(count, 'entry', 'entries')} of ${whose}${place}`
        await stdout.line(printable(`${done}${toFree(sum('sizeBytes'))}${others}`))
      }
      return 0
    })
  },
}

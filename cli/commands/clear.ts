import { type Command, flag, namespaceParameter, UsageError } from '../command.js'
import { formatCountOf, toFree } from '../format.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

export const clear: Command = {
  name: 'clear',
  summary: 'Remove all entries of a namespace, or of all namespaces',
  details: 'Entries of all versions are removed; the values that nothing refers to any more go with the next gc.',
  parameters: [{ ...namespaceParameter, isOptional: true }],
  options: {
    all: flag('All namespaces'),
    statistics: flag('Also forget their statistics, so that the namespaces are not listed any more'),
  },
  examples: [
    ['wicked-cache clear my-plugin', 'One namespace'],
    ['wicked-cache clear my-plugin --statistics', 'Its name is not listed any more'],
    ['wicked-cache clear --all', 'Everything'],
  ],

  async run([name], options, context) {
    const { stdout } = context
    if (name === undefined && !options.all) throw new UsageError('Give a namespace, or --all for every namespace')
    if (name !== undefined && options.all) throw new UsageError('Give either a namespace or --all, not both')
    return withCache(options, context, async ({ cache, isBroken }) => {
      const onDisk = cache.namespaces()
      let sizeBytes = 0
      // Called for a name that is not on disk as well, since it is what refuses a bad name.
      const cleared = (name === undefined ? onDisk : [name]).map(each => {
        const namespace = cache.namespace(each)
        if (!onDisk.includes(each)) return [each, 0] as const
        sizeBytes += namespace.stats().totalSize
        return [each, options.statistics ? cache.removeNamespace(each) : namespace.clear()] as const
      })
      const clearedCount = cleared.reduce((sum, [, count]) => sum + count, 0)
      if (options.json) {
        await stdout.json({ cleared: clearedCount, namespaces: Object.fromEntries(cleared) })
      } else if (!isBroken() || clearedCount > 0) {
        const scope = name === undefined ? formatCountOf(cleared.length, 'namespace', 'namespaces') : printable(name)
        await stdout.line(`Cleared ${formatCountOf(clearedCount, 'entry', 'entries')} of ${scope}${toFree(sizeBytes)}`)
      }
      return 0
    })
  },
}

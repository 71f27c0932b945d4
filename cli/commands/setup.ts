import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Command, flag } from '../command.js'
import { formatCountOf } from '../format.js'
import { printable } from '../printable.js'
import { Installation, type Report } from '../setup/installation.js'

/** The plugin's directory in the package, or the directory of this program. */
function pluginOf(program: string): string {
  const isPlugin = (directory: string) => existsSync(join(directory, '.claude-plugin', 'plugin.json'))
  for (let directory = dirname(program); ; directory = dirname(directory)) {
    for (const each of [directory, join(directory, 'plugin')]) if (isPlugin(each)) return each
    if (directory === dirname(directory)) throw new Error('The plugin is missing from this installation.')
  }
}

function summary(report: Report): string {
  const parts = (['created', 'updated', 'unchanged', 'removed'] as const)
    .filter(name => report[name].length > 0)
    .map(name => `${report[name].length} ${name}`)
  return parts.length === 0 ? 'nothing to do' : parts.join(', ')
}

export const setup: Command = {
  name: 'setup',
  summary: 'Put cache.py and the Claude Code plugin where plugins look for them',
  details:
    'Copies the plugin to ~/.claude/plugins/wicked-cache. Run it again after an upgrade. Files there that are not its own are ' +
    'kept. Exit code 1: such files are in the way.',
  parameters: [],
  options: {
    'dry-run': flag('Change nothing, and say what would be done'),
    remove: flag('Remove what was put there'),
  },
  examples: [
    ['wicked-cache setup', 'Let Python plugins find cache.py'],
    ['wicked-cache setup --dry-run', 'See what it would do'],
    ['wicked-cache setup --remove', 'Undo it'],
  ],

  async run(_, options, context) {
    const { stdout, stderr } = context
    const home = context.env.HOME || homedir()
    const target = join(home, '.claude', 'plugins', 'wicked-cache')
    const isDryRun = options['dry-run'] === true
    const installation = new Installation(pluginOf(context.program), target, isDryRun)
    if (installation.isItself() && (!options.remove || installation.isLinked())) {
      await stdout.line(printable(`${target} is this installation: nothing to do`))
      return 0
    }
    const obstacle = installation.obstacle()
    if (obstacle !== undefined) {
      await stderr.line(printable(`${obstacle} is a link, or no directory; nothing was changed`))
      return 1
    }
    const report = options.remove ? installation.remove() : installation.put()
    if (options.json) await stdout.json({ dir: target, isDryRun, ...report })
    else {
      await stdout.line(printable(`${target}: ${summary(report)}${isDryRun ? ' (nothing was changed)' : ''}`))
      if (!options.remove) {
        await stdout.line(printable(`Python plugins find cache.py in ${join(target, 'scripts')}`))
        await stdout.line(printable(`In Claude Code: /plugin marketplace add ${target}`))
        await stdout.line('                /plugin install wicked-cache@wicked-cache')
      }
    }
    if (report.kept.length === 0) return 0
    const files = report.kept.map(path => `  ${join(target, path)}`)
    await stderr.line(
      [`${formatCountOf(files.length, 'file', 'files')} not put there by setup, and kept:`, ...files]
        .map(printable)
        .join('\n'),
    )
    return options.remove ? 0 : 1
  },
}

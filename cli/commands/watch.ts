// Runs until it is stopped. On a terminal it updates one line; to a file or pipe it writes a line for each event.

import type { Invalidation, Watcher } from '../../src/index.js'
import { shortened } from '../cells.js'
import type { Command, Context, OptionValues } from '../command.js'
import { formatCount, formatCountOf } from '../format.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

const CHANGES = { 'source-changed': 'changed', 'source-missing': 'is gone', 'source-appeared': 'is there' } as const

function sentenceOf({ namespace, key, file, cause }: Invalidation): string {
  return printable(`${namespace} ${key}: ${file} ${CHANGES[cause]}`)
}

function summaryOf(watcher: Watcher): string {
  const { entryCount, sourceCount, isDegraded } = watcher.status()
  const sources = formatCountOf(sourceCount, 'source', 'sources')
  const entries = formatCountOf(entryCount, 'entry', 'entries')
  const late = isDegraded ? ' (some changes are found late)' : ''
  return `Watching ${printable(watcher.roots.join(', '))}: ${sources} of ${entries}${late}`
}

/** Prints the watcher's events in order. */
class Reporter {
  /** Rejects when printing fails, resolves once the output is closed. */
  readonly over: Promise<void>
  readonly #context: Context
  readonly #watcher: Watcher
  readonly #form: 'json' | 'live' | 'lines'
  #printed: Promise<void> = Promise.resolve()
  #end: () => void = () => undefined
  #fail: (error: unknown) => void = () => undefined
  #isReady = false
  #isDrawing = false
  #last: Invalidation | undefined

  constructor(watcher: Watcher, { json }: OptionValues, context: Context) {
    this.#watcher = watcher
    this.#context = context
    this.#form = json ? 'json' : context.stdout.isTerminal ? 'live' : 'lines'
    this.over = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    watcher.on('ready', () => {
      this.#isReady = true
      this.#tell(() => summaryOf(watcher), { event: 'ready', roots: watcher.roots, ...watcher.status() })
    })
    watcher.on('invalidate', invalidation => {
      this.#last = invalidation
      this.#tell(() => `Dropped ${sentenceOf(invalidation)}`, { event: 'invalidate', ...invalidation })
    })
    watcher.on('error', ({ code, message }) => {
      const { stdout, stderr } = context
      if (this.#form === 'json') this.#print(() => stdout.json({ event: 'error', code, message }))
      else this.#print(() => stderr.line(`${stderr.colour('yellow', 'warning:')} ${printable(message)} (${code})`))
    })
    watcher.on('update', () => {
      if (this.#form === 'live') this.#draw()
    })
    if (this.#form === 'live') this.#draw()
  }

  /** Resolves when everything is printed. */
  async finish(): Promise<void> {
    const { invalidCount } = this.#watcher.status()
    const text = `Dropped ${formatCountOf(invalidCount, 'entry', 'entries')}`
    const { stdout } = this.#context
    if (this.#form === 'live') this.#print(() => stdout.redraw(`${text}\n`))
    else if (this.#form === 'lines') this.#print(() => stdout.line(text))
    await this.#printed
  }

  #tell(line: () => string, event: unknown): void {
    const { stdout } = this.#context
    if (this.#form === 'live') this.#draw()
    else this.#print(() => (this.#form === 'json' ? stdout.json(event) : stdout.line(line())))
  }

  /** Redraws the line only once, however many events arrive while the terminal is busy. */
  #draw(): void {
    if (this.#isDrawing) return
    this.#isDrawing = true
    this.#print(() => {
      this.#isDrawing = false
      const { stdout } = this.#context
      return stdout.redraw(shortened(this.#line(), (stdout.room ?? 80) - 1, stdout.ellipsis))
    })
  }

  #line(): string {
    if (!this.#isReady) return `Looking at ${printable(this.#watcher.roots.join(', '))}`
    const dropped = `, ${formatCount(this.#watcher.status().invalidCount)} dropped`
    return summaryOf(this.#watcher) + dropped + (this.#last ? `, last ${sentenceOf(this.#last)}` : '')
  }

  #print(write: () => Promise<boolean>): void {
    this.#printed = this.#printed.then(write).then(isRead => {
      if (!isRead) this.#end()
    }, this.#fail)
  }
}

export const watch: Command = {
  name: 'watch',
  summary: 'Drop entries as their sources change',
  details:
    'Goes on until it is interrupted. What changed before it started is dropped first. A directory need not exist yet. ' +
    'With --json, one object for each event, each on a line of its own.',
  parameters: [{ name: 'directory', describe: 'Where the sources are, one or more', isRepeated: true }],
  options: {},
  examples: [
    ['wicked-cache watch src', 'Until Ctrl-C'],
    ['wicked-cache watch src test --json', 'The events for a program'],
  ],

  run(directories, options, context) {
    return withCache(options, context, async ({ cache, isBroken }) => {
      if (isBroken()) return 1
      const stopped = context.stopped()
      const watcher = cache.watch(directories, { persistent: true })
      const reporter = new Reporter(watcher, options, context)
      await Promise.race([stopped, reporter.over])
      await watcher.close()
      await reporter.finish()
      return 0
    })
  },
}

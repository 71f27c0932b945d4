// `wicked-cache watch`, which runs until it is stopped.

import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot, start } from '../support/children.js'
import { cli, filled, jsonLines, Sink, type Surroundings, temporaryDir } from './harness.js'

/** A sink of which one can wait for what is written. */
class WatchedSink extends Sink {
  #wake: () => void = () => undefined

  override _write(chunk: Buffer, encoding: string, done: (error?: Error | null) => void): void {
    super._write(chunk, encoding, done)
    this.#wake()
  }

  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

async function project() {
  const cwd = temporaryDir()
  const dir = join(cwd, 'cache')
  const root = join(cwd, 'src')
  const path = (name: string) => join(root, name)
  mkdirSync(root)
  for (const name of ['a.js', 'b.js', '\u001b[31mred']) writeFileSync(path(name), '')
  await filled(dir, cache => {
    const tool = cache.namespace('tool')
    for (const name of ['a.js', 'b.js', '\u001b[31mred']) tool.set(name, 1, { files: [path(name)] })
    cache.namespace('tool', { version: '2' }).set('both', 1, { files: [path('a.js'), path('b.js')] })
  })
  return { dir, root, path }
}

/** The command as it runs, until `stop` is called. */
function begin(args: readonly string[], surroundings: Surroundings = {}) {
  const stdout = new WatchedSink()
  let stop: () => void = () => undefined
  const stopped = new Promise<void>(resolve => {
    stop = resolve
  })
  return { stdout, stop, result: cli(['watch', ...args], { ...surroundings, stdout, stopped }) }
}

test('prints a line for each dropped entry and ends when it is stopped', async () => {
  const { dir, root, path } = await project()
  const { stdout, stop, result } = begin([root, '--dir', dir])
  await stdout.until('Watching')
  unlinkSync(path('b.js'))
  await stdout.until('tool b.js:')
  await stdout.until('tool both:')
  writeFileSync(path('\u001b[31mred'), 'changed')
  await stdout.until('red changed')
  stop()
  const { code, out, err } = await result
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const lines = out.trimEnd().split('\n')
  expect(lines[0]).toBe(`Watching ${root}: 3 sources of 4 entries`)
  expect(lines.slice(1, 3).sort()).toEqual([
    `Dropped tool b.js: ${path('b.js')} is gone`,
    `Dropped tool both: ${path('b.js')} is gone`,
  ])
  expect(lines[3]).toBe(`Dropped tool \\u001b[31mred: ${path('\\u001b[31mred')} changed`)
  expect(lines.slice(4)).toEqual(['Dropped 3 entries'])
})

test('updates one line on a terminal, no wider than the terminal', async () => {
  const { dir, root, path } = await project()
  const { stdout, stop, result } = begin([root, '--dir', dir], { isTerminal: true })
  await stdout.until('3 sources of 4 entries')
  stdout.columns = 400
  writeFileSync(path('a.js'), 'changed')
  await stdout.until('2 dropped, last')
  stop()
  const { code, out } = await result
  expect(code).toBe(0)
  const drawn = out.split('\r\u001b[2K')
  expect(drawn[0]).toBe('')
  expect(drawn[1]).toBe(`Looking at ${root}`.slice(0, 79))
  expect(drawn.join('')).toContain(`2 sources of 2 entries, 2 dropped, last tool`)
  expect(drawn.join('')).toContain(`${path('a.js')} changed`)
  expect(drawn.at(-1)).toBe('Dropped 2 entries\n')
  expect(drawn.slice(0, -1).join('')).not.toContain('\n')
})

test('truncates the line at the terminal width', async () => {
  const { dir, root } = await project()
  const { stdout, stop, result } = begin([root, join(root, 'x'.repeat(200)), '--dir', dir], { isTerminal: true })
  await stdout.until('…')
  stop()
  for (const drawn of (await result).out.split('\r\u001b[2K')) expect(drawn.trimEnd().length).toBeLessThan(80)
})

test('--json prints events', async () => {
  const { dir, root, path } = await project()
  const late = join(root, 'not yet')
  const { stdout, stop, result } = begin([root, late, '--json', '--dir', dir])
  await stdout.until('ready')
  writeFileSync(path('a.js'), 'changed')
  await stdout.until('"both"')
  await stdout.until('"a.js"')
  stop()
  const [ready, ...invalidations] = jsonLines((await result).out)
  expect(ready).toEqual({
    event: 'ready',
    roots: [root, late],
    entryCount: 4,
    sourceCount: 3,
    invalidCount: 0,
    isDegraded: false,
  })
  const event = {
    event: 'invalidate',
    namespace: 'tool',
    file: path('a.js'),
    cause: 'source-changed',
    origin: 'set',
    project: process.cwd(),
  }
  expect(invalidations.sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
    { ...event, key: 'a.js', version: '' },
    { ...event, key: 'both', version: '2' },
  ])
})

test('ends at once for a directory that is not a cache', async () => {
  const { root } = await project()
  expect(await cli(['watch', root, '--dir', root])).toMatchObject({ code: 1, err: expect.stringContaining('no cache') })
})

test.each(['SIGINT', 'SIGTERM'] as const)('ends cleanly on %s', async signal => {
  const { dir, root, path } = await project()
  const child = start([join(projectRoot, 'dist', 'cli.cjs'), 'watch', root, '--dir', dir])
  expect(await child.line()).toContain('Watching')
  writeFileSync(path('b.js'), 'changed')
  await child.line()
  await child.line()
  child.process.kill(signal)
  const { code, lines, stderr } = await child.ended
  expect({ code, stderr, last: lines.at(-1) }).toEqual({ code: 0, stderr: '', last: 'Dropped 2 entries' })
})

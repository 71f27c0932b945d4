// Completion scripts: what they complete, in the installed shells.

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../../cli/program.js'
import { cli, temporaryDir } from './harness.js'

const SHELLS = ['bash', 'zsh', 'fish']

async function scriptFor(shell: string): Promise<string> {
  const { code, out, err } = await cli(['completion', shell])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
}

describe.each(SHELLS)('%s', shell => {
  test('has all commands and all of their options', async () => {
    const script = await scriptFor(shell)
    for (const { name, options } of commands) {
      // A line for each command, or for each of its options.
      const lines = script.split('\n').filter(line => new RegExp(`\\b${name}\\b`).test(line))
      for (const option of ['json', 'dir', 'help', ...Object.keys(options)]) {
        expect(
          lines.some(line => line.includes(shell === 'fish' ? `-l ${option} ` : `--${option}`)),
          `${name} --${option}`,
        ).toBe(true)
      }
    }
  })

  test('passes the syntax check of the shell, if installed', async () => {
    const file = join(temporaryDir(), `script.${shell}`)
    writeFileSync(file, await scriptFor(shell))
    try {
      execFileSync(shell, ['-n', file], { stdio: 'pipe' })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    }
  })
})

const isThere = (shell: string) => spawnSync(shell, ['-c', 'exit']).error === undefined

describe.skipIf(!isThere('zsh'))('zsh', () => {
  /** What the script asks zsh to complete: commands, or the rest of the words with `_arguments`. */
  async function asked(...words: string[]): Promise<string> {
    const file = join(temporaryDir(), 'script')
    const stubs = `compdef() { }
_describe() { print commands }
_arguments() { print -r -- "$1 $CURRENT $words" \${\${(M)@:#*--file*}:+has --file} }`
    const list = ['wicked-cache', ...words].map(word => `'${word}'`).join(' ')
    const call = `words=(${list}) CURRENT=${words.length + 1}\n_wicked_cache`
    writeFileSync(file, `${stubs}\n${await scriptFor('zsh')}\n${call}\n`)
    return execFileSync('zsh', ['-f', file], { encoding: 'utf8' }).trim()
  }

  test('completes commands, after options too', async () => {
    for (const before of [[], ['--json'], ['--dir', 'x'], ['--json', '--dir', 'x']]) {
      expect(await asked(...before, 'st')).toBe('commands')
    }
    expect(await asked('--dir', 'x')).toBe('')
  })

  test('completes options of the command, and none after --', async () => {
    expect(await asked('run', 'ns', '--f')).toBe('-S 3 run ns --f has --file')
    expect(await asked('--dir', 'x', 'run', 'ns', '--f')).toBe('-S 3 run ns --f has --file')
    expect(await asked('gc', '--f')).toBe('-S 2 gc --f')
  })
})

describe.skipIf(!isThere('fish'))('fish', () => {
  async function completed(line: string): Promise<string[]> {
    const file = join(temporaryDir(), 'script.fish')
    writeFileSync(file, await scriptFor('fish'))
    const program = `source ${file}; complete -C '${line}'`
    const out = execFileSync('fish', ['--no-config', '-c', program], { encoding: 'utf8', cwd: temporaryDir() })
    return Array.from(out.split('\n'), each => each.split('\t')[0] as string).filter(word => word !== '')
  }

  test.each([
    ['wicked-cache st', ['stats']],
    ['wicked-cache --dir x li', ['list']],
    ['wicked-cache gc --max', ['--max-age', '--max-entries', '--max-size']],
    ['wicked-cache run ns -- git --fi', []],
    ['wicked-cache --dir x run ns --fi', ['--file']],
    ['wicked-cache get stats --all', []],
  ])('%s', async (line, expected) => {
    expect((await completed(line)).sort()).toEqual(expected)
  })
})

test('an unknown shell is a usage error', async () => {
  expect(await cli(['completion', 'toString'])).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('bash, zsh, fish'),
  })
})

describe('bash', () => {
  async function completed(...words: string[]): Promise<string[]> {
    const file = join(temporaryDir(), 'script')
    const list = words.map(word => `'${word}'`).join(' ')
    writeFileSync(
      file,
      `${await scriptFor('bash')}\nCOMP_WORDS=(wicked-cache ${list})\nCOMP_CWORD=${words.length}\n_wicked_cache\necho "\${COMPREPLY[@]}"\n`,
    )
    return execFileSync('bash', [file], { encoding: 'utf8' })
      .trim()
      .split(' ')
      .filter(word => word !== '')
  }

  test.each([
    [['st'], ['stats']],
    [['c'], ['clear', 'completion']],
    [['--dir', 'x', 'li'], ['list']],
    [
      ['gc', '--max'],
      ['--max-size', '--max-age', '--max-entries'],
    ],
    [['gc', '--max-size', '--'], []],
    [
      ['set', 'ns', '--t'],
      ['--text', '--ttl'],
    ],
    [['set', 'ns', 'stats', '--pl'], ['--plugin-version']],
    [['run', 'ns', '--', 'st'], []],
    [['--v'], ['--version']],
    [['get', 'ns', 'k'], []],
  ])('%j', async (words, expected) => {
    expect((await completed(...words)).sort()).toEqual([...expected].sort())
  })
})

// Completion scripts: what they complete, in the shells that are there.

import { execFileSync } from 'node:child_process'
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
  test('has all commands and all options of each', async () => {
    const script = await scriptFor(shell)
    for (const { name, options } of commands) {
      const lines = script.split('\n').filter(line => new RegExp(`\\b${name}\\b`).test(line))
      for (const option of ['json', 'dir', 'help', ...Object.keys(options)]) {
        expect(
          lines.some(line => line.includes(shell === 'fish' ? `-l ${option} ` : `--${option}`)),
          `${name} --${option}`,
        ).toBe(true)
      }
    }
  })

  test('is understood by the shell, where it is installed', async () => {
    const file = join(temporaryDir(), `script.${shell}`)
    writeFileSync(file, await scriptFor(shell))
    try {
      execFileSync(shell, ['-n', file], { stdio: 'pipe' })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    }
  })
})

test('another shell is a mistake', async () => {
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

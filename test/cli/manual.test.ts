// The manual page has the contents of --help and is part of the package.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { manualOf } from '../../cli/manual.js'
import { commands, GLOBAL_OPTIONS } from '../../cli/program.js'
import { projectRoot } from '../support/children.js'

const page = manualOf('1.2.3')
/** As a reader sees it, without the line breaks. */
const text = page
  .replaceAll(/\\fB|\\fI|\\fR|\\&/g, '')
  .replaceAll('\\-', '-')
  .replaceAll('\\(dq', '"')
  .replaceAll('\\e', '\\')

test('has every command, parameter, option and example', () => {
  expect(text).toContain('wicked-cache 1.2.3')
  for (const { name, summary, details, parameters, options, examples } of commands) {
    expect(text).toContain(`.SS "${name}`)
    expect(text).toContain(`${summary}.`)
    for (const paragraph of details.split('\n\n')) expect(text).toContain(paragraph)
    for (const parameter of parameters) expect(text).toContain(`${parameter.describe}.`)
    for (const [option, { describe }] of Object.entries({ ...options, ...GLOBAL_OPTIONS })) {
      expect(text).toMatch(new RegExp(`^(-\\w, )?--${option}\\b`, 'm'))
      expect(text).toContain(`${describe}.`)
    }
    for (const [line, purpose] of examples) {
      expect(text.split('\n')).toContain(line)
      expect(text).toContain(`${purpose}:`)
    }
  }
})

test('has no line that is a macro by accident', () => {
  const macros = page.split('\n').flatMap(line => /^[.'](\w*)/.exec(line)?.[1] ?? [])
  expect(new Set(macros)).toEqual(new Set(['TH', 'SH', 'SS', 'TP', 'PP', 'RS', 'RE', 'nf', 'fi']))
  // A hyphen that isn't escaped could not be copied.
  expect(page.replaceAll('\\-', '')).not.toMatch(/(?<!^)-/m)
})

test('is accepted by groff, if installed', () => {
  const { error, stderr, stdout, status } = spawnSync('groff', ['-man', '-ww', '-Tutf8'], {
    input: page,
    encoding: 'utf8',
  })
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  // Bold letters are struck twice.
  expect(stdout.replaceAll(/.[\b]/g, '')).toContain('list [namespace]')
})

test('is built and packed with the package', () => {
  const { man, version, files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  expect(files).toContain('dist')
  expect(existsSync(join(projectRoot, man))).toBe(true)
  expect(readFileSync(join(projectRoot, man), 'utf8')).toBe(manualOf(version))
})

// The manual page, from what `--help` is made of. In roff: groff_man(7).

import type { Options } from 'yargs'
import type { Command } from './command.js'
import { NAME } from './output.js'
import { commands, DESCRIPTION, EXIT_CODES, GLOBAL_OPTIONS, signature } from './program.js'

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['WICKED_CACHE_DIR', 'The directory of the cache, where --dir is not given.'],
  ['WICKED_CACHE', 'What plugins may do: readonly, refresh or off.'],
  ['WICKED_CACHE_REMOTE', 'Where answers are shared with other machines.'],
  ['NO_COLOR', 'If it is not empty, nothing is coloured.'],
  ['FORCE_COLOR', 'Colours also what is not for a terminal; 0: never.'],
]

/** The text as roff shows it, also where it begins with a dot. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&')
}

const quoted = (text: string) => `"${roff(text).replaceAll('"', '\\(dq')}"`
const paragraphs = (text: string) => text.split('\n\n').flatMap(each => ['.PP', roff(each)])

function optionLines(options: Readonly<Record<string, Options>>): string[] {
  return Object.entries(options).flatMap(([name, { type, alias, describe = '' }]) => {
    const short = alias === undefined ? '' : `\\fB${roff(`-${alias}`)}\\fR, `
    const value = type === 'boolean' ? '' : ` \\fI${roff(name)}\\fR`
    return ['.TP', `${short}\\fB${roff(`--${name}`)}\\fR${value}`, roff(`${describe}.`)]
  })
}

function commandLines({ name, summary, details, parameters, options, examples }: Command): string[] {
  return [
    `.SS ${quoted([name, ...parameters.map(signature)].join(' '))}`,
    roff(`${summary}.`),
    ...paragraphs(details),
    ...parameters.flatMap(parameter => ['.TP', `\\fI${roff(parameter.name)}\\fR`, roff(`${parameter.describe}.`)]),
    ...optionLines(options),
    '.PP',
    ...examples.flatMap(([example, purpose]) => [roff(`${purpose}:`), '.RS', '.nf', roff(example), '.fi', '.RE']),
  ]
}

export function manualOf(version: string): string {
  return [
    `.TH ${quoted(NAME.toUpperCase())} 1 "" ${quoted(`${NAME} ${version}`)} "User Commands"`,
    '.SH NAME',
    roff(`${NAME} - ${DESCRIPTION.replace(/\.$/, '').replace(/^./, first => first.toLowerCase())}`),
    '.SH SYNOPSIS',
    `\\fB${roff(NAME)}\\fR \\fIcommand\\fR [\\fIoptions\\fR]`,
    '.SH DESCRIPTION',
    roff(DESCRIPTION),
    '.SH OPTIONS',
    'Of every command:',
    ...optionLines(GLOBAL_OPTIONS),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    roff(EXIT_CODES),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, meaning]) => ['.TP', `\\fB${roff(name)}\\fR`, roff(meaning)]),
    '',
  ].join('\n')
}

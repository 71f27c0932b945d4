// Shell completion for commands and their options. Everything is in the script, so pressing the tab key starts no process.

import type { Options } from 'yargs'

export interface Completed {
  name: string
  summary: string
  options: Readonly<Record<string, Options>>
}

const dashed = (options: Completed['options']) => Object.keys(options).map(name => `--${name}`)
/** Escapes text for single quotes. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** Options that take a path. */
const PATHS = new Set(['dir', 'file', 'project', 'glob'])
const takesValue = (option: Options) => option.type !== 'boolean'

export function bashCompletion(program: string, commands: readonly Completed[]): string {
  const valued = valuedOptions(commands)
  return `_wicked_cache() {
  local current=\${COMP_WORDS[COMP_CWORD]} command= before= word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    [[ $word == -- ]] && return
    case $before in ${valued.join('|')}) before=; continue ;; esac
    before=$word
    [[ $word != -* && -z $command ]] && command=$word
  done
  case $before in ${valued.join('|')}) return ;; esac
  COMPREPLY=()
  if [[ -z $command && $current != -* ]]; then
    COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(' '))} -- "$current"))
    return
  fi
  [[ $current != -* ]] && return
  case $command in
${commands.map(({ name, options }) => `    ${name}) word=${quoted(dashed(options).join(' '))} ;;`).join('\n')}
    *) word='--help --version' ;;
  esac
  COMPREPLY=($(compgen -W "$word" -- "$current"))
}
complete -o default -F _wicked_cache ${program}
`
}

export function zshCompletion(program: string, commands: readonly Completed[]): string {
  const escaped = (text: string) => text.replaceAll(/[[\]:\\]/g, '\\$&')
  const specification = ([name, option]: readonly [string, Options]) => {
    const value = takesValue(option) ? `:${name}:${PATHS.has(name) ? '_files' : ''}` : ''
    return quoted(`${option.array ? '*' : ''}--${name}[${escaped(option.describe ?? '')}]${value}`)
  }
  const cases = commands.map(({ name, options }) => {
    const all = Object.entries(options).map(specification)
    return `    ${name}) _arguments -S ${all.join(' ')} '*:argument:_files' ;;`
  })
  return `#compdef ${program}
_wicked_cache() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`).join('\n')}
  )
  # Options of all commands may stand before the command.
  while ((CURRENT > 2)) && [[ $words[2] == -* ]]; do
    local count=1
    [[ $words[2] == (${valuedOptions(commands).join('|')}) ]] && count=2
    ((CURRENT - count < 2)) && return
    shift $count words
    ((CURRENT -= count))
  done
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _wicked_cache ]]; then _wicked_cache "$@"; else compdef _wicked_cache ${program}; fi
`
}

export function fishCompletion(program: string, commands: readonly Completed[]): string {
  const quotedForFish = (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
  const lines = commands.flatMap(({ name, summary, options }) => [
    `complete -c ${program} -n 'not __wicked_cache_command' -f -a ${name} -d ${quotedForFish(summary)}`,
    ...Object.entries(options).map(([option, { describe = '', ...rest }]) => {
      const value = takesValue(rest) ? (PATHS.has(option) ? ' -r -F' : ' -x') : ''
      const isOfCommand = quotedForFish(`__wicked_cache_command ${name}`)
      return `complete -c ${program} -n ${isOfCommand} -l ${option}${value} -d ${quotedForFish(describe)}`
    }),
  ])
  return `# Whether the command is typed; with an argument, whether it is that one.
function __wicked_cache_command
  set -l words (commandline -opc)
  set -l before
  for word in $words[2..-1]
    if contains -- "$before" ${valuedOptions(commands).join(' ')}
      set before
      continue
    end
    set before $word
    string match -q -- '-*' $word; and continue
    test (count $argv) -eq 0; or test "$word" = "$argv[1]"
    return
  end
  return 1
end
${lines.join('\n')}
`
}

function valuedOptions(commands: readonly Completed[]): string[] {
  return [...new Set(commands.flatMap(({ options }) => dashed(pick(options, takesValue))))]
}

function pick(options: Completed['options'], isWanted: (option: Options) => boolean): Completed['options'] {
  return Object.fromEntries(Object.entries(options).filter(([, option]) => isWanted(option)))
}

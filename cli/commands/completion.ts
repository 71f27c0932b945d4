import { type Command, UsageError } from '../command.js'
import { bashCompletion, type Completed, fishCompletion, zshCompletion } from '../completion/scripts.js'
import { NAME } from '../output.js'

const WRITERS: Readonly<Record<string, typeof bashCompletion>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** `completed` returns all commands, including this one. */
export function completionOf(completed: () => readonly Completed[]): Command {
  return {
    name: 'completion',
    summary: 'Print a script that completes commands and options in a shell',
    details: `For ${Object.keys(WRITERS).join(', ')}. Load it in the shell's own start file, or where it looks for completions.`,
    parameters: [{ name: 'shell', describe: `One of ${Object.keys(WRITERS).join(', ')}` }],
    options: {},
    examples: [
      ['wicked-cache completion bash', 'In ~/.bashrc: source <(wicked-cache completion bash)'],
      ['wicked-cache completion zsh', 'In ~/.zshrc: source <(wicked-cache completion zsh)'],
      ['wicked-cache completion fish', 'Into ~/.config/fish/completions/wicked-cache.fish'],
    ],

    async run([shell = ''], _, { stdout }) {
      const write = Object.hasOwn(WRITERS, shell) ? WRITERS[shell] : undefined
      if (!write) throw new UsageError(`There is no completion for "${shell}": give ${Object.keys(WRITERS).join(', ')}`)
      await stdout.write(write(NAME, completed()))
      return 0
    },
  }
}

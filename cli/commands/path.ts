import { resolve } from 'node:path'
import type { Command } from '../command.js'
import { printable } from '../printable.js'

export const path: Command = {
  name: 'path',
  summary: 'Print the directory of the cache',
  details:
    'It is --dir, else $WICKED_CACHE_DIR, else "wicked-cache" in your user cache directory. It need not exist yet.',
  parameters: [],
  options: {},
  examples: [
    ['wicked-cache path', 'Where the cache is'],
    ['du -sk "$(wicked-cache path)"', 'What it takes on disk'],
  ],

  async run(_parameters, { dir, json }, { stdout, env, library }) {
    const root = resolve(dir ?? (await library()).defaultDir(env))
    if (json) await stdout.json({ dir: root })
    // A script needs the very bytes: cd "$(wicked-cache path)".
    else await stdout.line(stdout.isTerminal ? printable(root) : root)
    return 0
  },
}

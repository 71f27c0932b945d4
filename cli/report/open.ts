// Opens a file with the user's program for it.

import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'

/** The program and its arguments. */
export function openerFor(file: string, platform: NodeJS.Platform): [program: string, ...args: string[]] {
  if (platform === 'darwin') return ['open', file]
  // `cmd /c start` would interpret special characters.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', pathToFileURL(file).href]
  return ['xdg-open', file]
}

/** Returns why the file couldn't be opened; undefined if it was. */
export function openInBrowser(file: string, platform: NodeJS.Platform): Promise<string | undefined> {
  const [program, ...args] = openerFor(file, platform)
  return new Promise(resolve => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    child.on('error', error => resolve(error.message))
    child.on('exit', code => resolve(code === 0 ? undefined : `${program} ended with ${code}`))
  })
}

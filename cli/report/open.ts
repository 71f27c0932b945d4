// Opens a file with the program that the user has for it.

import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'

/** The program and its arguments. */
export function openerFor(file: string, platform: NodeJS.Platform): [program: string, ...args: string[]] {
  if (platform === 'darwin') return ['open', file]
  // Not `cmd /c start`, which takes apart what it is given.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', pathToFileURL(file).href]
  return ['xdg-open', file]
}

/** Returns why it could not be opened; undefined when it was. */
export function openInBrowser(file: string, platform: NodeJS.Platform): Promise<string | undefined> {
  const [program, ...args] = openerFor(file, platform)
  return new Promise(resolve => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    child.on('error', error => resolve(error.message))
    child.on('exit', code => resolve(code === 0 ? undefined : `${program} ended with ${code}`))
  })
}

// Appends lines to a file that the user named, such as `$WICKED_CACHE_TRACE`. Each line is one write, so that the lines of
// several processes don't mix.

import { resolve } from 'node:path'
import { nodeFiles } from './files.js'

/**
 * The open files of this thread, by path. A relative path starts from the working directory of the first line. Undefined if the
 * file can't be written to.
 */
const descriptors = new Map<string, number | undefined>()

/** After an error, which is reported once, nothing more is written. */
export function appendLine(path: string, line: string, report: (error: unknown) => void): void {
  try {
    if (!descriptors.has(path)) {
      descriptors.set(path, undefined)
      descriptors.set(path, open(resolve(path)))
    }
    const fd = descriptors.get(path)
    if (fd === undefined) return
    const bytes = Buffer.from(`${line}\n`)
    nodeFiles.append(fd, bytes, bytes.length)
  } catch (error) {
    descriptors.set(path, undefined)
    report(error)
  }
}

/** @throws errno-style errors */
function open(path: string): number {
  const fd = nodeFiles.open(path, 'create')
  if (nodeFiles.fstat(fd).kind === 'file') return fd
  nodeFiles.close(fd)
  throw Object.assign(new Error(`EINVAL: ${path} is no file, open`), { code: 'EINVAL' })
}

import { sep } from 'node:path'

/**
 * The path of what is in a directory, whose own path is normalized. `join` would normalize it again, character by character: half a
 * millisecond for the paths of a cache.
 *
 * @example
 * childOf('/cache', 'v2') // '/cache/v2', on Windows with `\`
 */
export function childOf(directory: string, name: string): string {
  return directory.endsWith(sep) ? directory + name : directory + sep + name
}

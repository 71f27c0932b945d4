import { sep } from 'node:path'

/** Whether it is an absolute path that is resolved already, as most that callers give are. */
export function isPlainPath(path: unknown): path is string {
  return (
    sep === '/' &&
    typeof path === 'string' &&
    path.startsWith('/') &&
    !path.endsWith('/') &&
    !path.includes('/.') &&
    !path.includes('//') &&
    path.isWellFormed()
  )
}

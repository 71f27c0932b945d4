import { refuseOption } from '../base/options.js'

/** The key of an analysis, or of a wrapped function's call: a name, and what tells its entries apart. @throws CacheError `ERR_CACHE_OPTION` */
export function analysisKey(name: unknown, where = ''): string {
  if (typeof name === 'string' && name !== '' && !name.includes('\0') && name.isWellFormed()) return `${name}\0${where}`
  throw refuseOption('The name of an analysis must be a text without NUL.', name)
}

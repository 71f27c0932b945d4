// Suggests what an unknown option was meant to be.

/** Option names of other caches, and our names for the same options. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  ttl: ['ttlms', 'ttlseconds', 'maxage', 'expires', 'expiresin', 'lifetime'],
  files: ['file', 'sources', 'source', 'dependencies', 'deps', 'filedependencies'],
  inputs: ['input', 'key', 'options', 'config', 'dependencies'],
  project: ['cwd', 'base', 'basedir', 'root', 'rootdir', 'projectdir'],
  dir: ['cachedir', 'cachedirectory', 'directory', 'root', 'path', 'cachelocation'],
  mode: ['readonly', 'enabled', 'disabled', 'refresh'],
  maxSize: ['maxsizebytes', 'sizelimit', 'limit'],
  maxAge: ['maxagems', 'ttl'],
  maxEntries: ['max', 'maxitems', 'maxcount'],
  strategy: ['files', 'hash', 'cachestrategy', 'usechecksum'],
  anywhere: ['path'],
  validate: ['schema', 'validator', 'check'],
  version: ['cacheversion', 'salt', 'cachekey'],
}

/** The end of an error message about an unknown option. */
export function suggest(name: string, known: readonly string[]): string {
  const folded = name.toLowerCase().replace(/[^a-z]/g, '')
  const near =
    known.find(each => each.toLowerCase() === folded) ??
    known.find(each => SYNONYMS[each]?.includes(folded)) ??
    known.find(each => distance(each.toLowerCase(), folded) <= Math.max(1, Math.floor(each.length / 3)))
  if (near !== undefined) return `; did you mean ${JSON.stringify(near)}?`
  return known.length === 0 ? '.' : `; there are ${known.join(', ')}.`
}

/** The edit distance of two short words: https://en.wikipedia.org/wiki/Levenshtein_distance. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost))
    }
    row = next
  }
  return row[other.length] ?? 0
}

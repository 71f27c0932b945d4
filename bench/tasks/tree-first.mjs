// One parse, set or get of a syntax tree in a fresh process, without loading the parser or the library. CPU time.
import { openCacheSync } from '../../dist/index.js'
import { parserNamed, sourceOf } from '../corpus/parsers.mjs'
import { cpuMs } from './timing.mjs'

/** @param {{ name: string, file: string, dir: string, operation: 'parse' | 'set' | 'get' }} args */
export async function run({ name, file, dir, operation }) {
  const { load, options } = parserNamed(name)
  const source = sourceOf(file)
  const namespace = openCacheSync({ dir }).namespace('trees', { classInstances: 'plain', ...options })
  // A process that gets a tree has no reason to load the parser.
  const parse = operation === 'get' ? undefined : await load()
  let tree = operation === 'set' ? parse?.(source) : undefined
  const start = cpuMs()
  if (operation === 'parse') tree = parse?.(source)
  else if (operation === 'set') namespace.set('first', tree)
  else tree = namespace.get('first')
  const ms = cpuMs() - start
  if (tree === undefined) throw new Error(`There is no tree of ${name}, ${file}.`)
  return { ms }
}

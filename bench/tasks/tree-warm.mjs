// Sets and gets of a syntax tree beside parsing it anew, JSON and node:v8, one operation after the other, in turns. CPU times,
// the lower quartile of each, so that garbage collections which another operation has caused do not count.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import v8 from 'node:v8'
import { openCacheSync } from '../../dist/index.js'
import { parserNamed, sourceOf } from '../corpus/parsers.mjs'
import { quantile } from '../measure.mjs'
import { cpuMs } from './timing.mjs'

/** @param {{ name: string, file: string, dir: string, budgetMs: number }} args */
export async function run({ name, file, dir, budgetMs }) {
  const { load, options } = parserNamed(name)
  const parse = await load()
  const source = sourceOf(file)
  const namespace = openCacheSync({ dir }).namespace('trees', { classInstances: 'plain', ...options })
  const tree = parse(source)
  // Directories and files are made by the first one.
  namespace.set('small', 1)
  const before = fileBytes(dir)
  namespace.set('tree', tree)
  const bytes = fileBytes(dir) - before
  if (!isDeepStrictEqual(namespace.get('tree'), structuredClone(tree))) {
    throw new Error(`The tree of ${name}, ${file} comes back as another one.`)
  }
  const json = attempt(() => JSON.stringify(tree))
  const serialized = attempt(() => v8.serialize(tree))
  let count = 0
  /** @type {Record<string, () => unknown>} */
  const operations = {
    parse: () => parse(source),
    set: () => namespace.set(`tree ${count++}`, tree),
    get: () => namespace.get('tree'),
    ...(json && { jsonWrite: () => JSON.stringify(tree), jsonRead: () => JSON.parse(json) }),
    ...(serialized && { v8Write: () => v8.serialize(tree), v8Read: () => v8.deserialize(serialized) }),
  }
  const names = Object.keys(operations)
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(names.map(name => [name, []]))
  const end = performance.now() + budgetMs
  for (let round = 0; round < 10 || performance.now() < end; round++) {
    for (const name of names) {
      const start = cpuMs()
      operations[name]?.()
      times[name]?.push(cpuMs() - start)
    }
  }
  const ms = Object.fromEntries(names.map(name => [name, quantile(times[name] ?? [], 0.25)]))
  return { sourceBytes: source.length, bytes, jsonBytes: json?.length, ms }
}

/** JSON cannot say cycles and BigInts. @template T @param {() => T} make */
function attempt(make) {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return undefined
  }
}

/** @param {string} directory @returns {number} */
function fileBytes(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

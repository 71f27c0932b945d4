import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'

/** The rooms of src/ by floor: a file imports only from floors below its own, or from its own room. */
const FLOORS: readonly string[][] = [
  ['base'],
  ['api'],
  ['files', 'hashing', 'encoding', 'policy'],
  ['log', 'fingerprint', 'project'],
  ['log-map', 'packs', 'inputs'],
  ['blobs', 'manifest', 'counters', 'file-hashes', 'remote'],
  ['entries', 'gc', 'verify'],
  ['compute', 'watcher'],
  ['namespace'],
  ['cache'],
  ['index.ts'],
]

/** Modules that are imported in one place each. */
const IMPORTERS: Record<string, string[]> = {
  'node:fs': ['src/files/node-fs.ts', 'src/remote/adapters/file.ts'],
  '#xxhash.wasm': ['src/hashing/wasm.ts'],
  'cbor-x/decode': ['src/encoding/cbor-reader.ts'],
  'cbor-x/encode': ['src/encoding/cbor-writer.ts'],
  chokidar: ['src/watcher/observer.ts'],
}

const root = join(import.meta.dirname, '..')

function sourcesBelow(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map(name => join(directory, name).split(sep).join('/'))
}

/** The modules that a file names in `from '...'`, `import '...'` and `import('...')`; local ones as paths from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/^\s*(\/\/|\*).*$/gm, '')
  const found = text.matchAll(/(?:\bfrom|\bimport|\bgetBuiltinModule)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, name = '']) =>
    name.startsWith('.')
      ? relative(root, join(root, dirname(file), name))
          .split(sep)
          .join('/')
          .replace(/\.js$/, '.ts')
      : name,
  )
}

const roomOf = (file: string) => file.split('/')[1] as string
const floorOf = (file: string) => FLOORS.findIndex(rooms => rooms.includes(roomOf(file)))
const sources = sourcesBelow('src')

test('every directory of src/ is assigned to a floor', () => {
  expect(sources.length).toBeGreaterThan(20)
  expect(sources.filter(file => floorOf(file) < 0)).toEqual([])
})

test('no file has more than 400 lines', () => {
  const files = ['src', 'cli', 'adapters', 'test'].flatMap(sourcesBelow)
  expect(files).toContain('test/floors.test.ts')
  expect(files.filter(file => readFileSync(join(root, file), 'utf8').split('\n').length > 401)).toEqual([])
})

test('imports only go to lower floors', () => {
  const breaches = sources.flatMap(file =>
    importsOf(file)
      .filter(target => target.startsWith('src/'))
      .filter(target => roomOf(target) !== roomOf(file) && floorOf(target) >= floorOf(file))
      .map(target => `${file} imports ${target}`),
  )
  expect(breaches).toEqual([])
})

test('there are no circular imports', () => {
  const finished = new Set<string>()
  const walk = (file: string, path: string[]) => {
    if (path.includes(file)) throw new Error([...path, file].join(' -> '))
    if (finished.has(file)) return
    for (const target of importsOf(file)) if (target.startsWith('src/')) walk(target, [...path, file])
    finished.add(file)
  }
  for (const file of sources) walk(file, [])
  expect(finished.size).toBeGreaterThanOrEqual(sources.length)
})

test('disk, hash, codec and watcher packages are imported only by their wrappers, and yargs never by the library', () => {
  for (const file of sources) {
    for (const target of importsOf(file)) {
      const allowed = IMPORTERS[target.replace(/\/promises$/, '')]
      if (allowed) expect(allowed, `importers of ${target}`).toContain(file)
      expect(target).not.toMatch(/^yargs/)
    }
  }
})

test('adapters import only the public entry of the library, and no package', () => {
  const targets = sourcesBelow('adapters').flatMap(importsOf)
  expect(targets.filter(target => !/^(src\/index\.ts|adapters\/|node:)/.test(target))).toEqual([])
  expect(targets).toContain('src/index.ts')
})

test('the command line imports only the public entry of the library', () => {
  const targets = sourcesBelow('cli').flatMap(importsOf)
  expect(targets.filter(target => target.startsWith('src/') && target !== 'src/index.ts')).toEqual([])
  expect(targets).toContain('src/index.ts')
})

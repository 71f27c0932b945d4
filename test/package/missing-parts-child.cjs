// A process whose installation is changed once it has opened a cache. Prints what each call gives, as JSON.
//
// Arguments: the directory of the package's files, what to do to them, which (names with commas between them, or `all`), and which
// calls come before.

const fs = require('node:fs')
const { join } = require('node:path')

const [dist, harm, names, before] = process.argv.slice(2)
const library = require(join(dist, 'index.cjs'))
const warnings = []
const onWarning = ({ code }) => warnings.push(code)
const cache = library.openCacheSync({ onWarning })
const open = name => cache.namespace(name)

const look = ctx => [
  ctx.readFile('a.txt'),
  String(Buffer.from(ctx.readBytes('a.txt'))),
  ctx.exists('none'),
  ctx.readDirectory('sub').join(),
  ctx.env('SOME_VARIABLE'),
  ctx.run(() => 1),
  ctx.untracked(() => 2),
  ctx.addDependency(['a.txt']) ?? ctx.expiresIn('1h') ?? 'named',
]
const analyzed = ctx => [
  ctx.source,
  ctx.relativePath,
  ctx.path === join(process.cwd(), 'a.txt'),
  String(ctx.bytes),
  ctx.env('SOME_VARIABLE'),
]
const results = []
const options = { ttl: '1h', files: ['a.txt'], inputs: [{ a: 1 }], onResult: result => results.push(result) }
const large = Array.from({ length: 300 }, (_, i) => ({ i, text: `text ${i}`, of: new Map([[i, i]]) }))

/** Each is called in a namespace of its own. */
const calls = {
  getOrSet: ns => ns.getOrSet('key', look, options),
  'getOrSet with a stale time': ns =>
    ns.getOrSet('key', async ctx => look(ctx), { ttl: 5, staleWhileRevalidate: '1m' }),
  getOrSetSync: ns => ns.getOrSetSync('key', look, options),
  'getOrSetSync of a large value': ns => ns.getOrSetSync('key', () => large).length,
  'getOrSetSync of a class': ns => ns.getOrSetSync('key', () => new (class A {})()) !== undefined,
  'getOrSetSync of two': ns =>
    ns.getOrSetSync('key', () => [1, ns.getOrSetSync('other', look), ns.get('third') ?? null, ns.has('third')]),
  'getOrSetSync that throws': ns => {
    let count = 0
    try {
      ns.getOrSetSync('key', () => {
        count++
        throw new Error('of the author')
      })
    } catch (error) {
      return `${error.message}, ${count} call`
    }
  },
  'getOrSetSync, counted': ns => {
    let count = 0
    ns.getOrSetSync('key', () => ++count)
    return count
  },
  analyze: ns => ns.analyze('text', 'a.txt', analyzed, { inputs: 1 }),
  analyzeSync: ns => ns.analyzeSync('text', join(process.cwd(), 'a.txt'), analyzed),
  'analyzeSync anywhere': ns => ns.analyzeSync('text', 'a.txt', analyzed, { anywhere: true }),
  'analyzeSync of text': ns => ns.analyzeSync('text', { path: 'a.txt', source: 'given' }, analyzed),
  wrap: ns => ns.wrap('sum', async (...all) => all.reduce((sum, each) => sum + each), options)(1, 2, 3),
  wrapSync: ns => {
    const self = {
      by: 3,
      times: ns.wrapSync(
        'times',
        function (n) {
          return n * this.by
        },
        { files: () => ['a.txt'] },
      ),
    }
    return self.times(4)
  },
  snapshot: ns => cache.snapshot(() => ns.getOrSetSync('key', look)),
  // What stores and finds.
  set: ns => ns.set('key', { a: [1] }, { ttl: '1h', files: ['a.txt'] }),
  get: ns => ns.get('key') === undefined,
  'get of what was set': ns => {
    ns.set('key', 1)
    return [undefined, 1].includes(ns.get('key'))
  },
  'get of a large value': ns => {
    ns.set('key', large)
    return [undefined, 300].includes(ns.get('key')?.length)
  },
  'get often': ns => {
    ns.set('key', 1)
    for (let i = 0; i < 5; i++) if (![undefined, 1].includes(ns.get('key'))) return false
    return true
  },
  has: ns => ns.has('key'),
  peek: ns => ns.peek('key') === undefined,
  getMany: ns => ns.getMany(['key']).length,
  setMany: ns => ns.setMany([{ key: 'key', value: 1 }]),
  delete: ns => ns.delete('key'),
  deleteMany: ns => ns.deleteMany(['key']),
  invalidate: ns => ns.invalidate('key'),
  clear: ns => ns.clear(),
  keys: ns => [...ns.keys()],
  entries: ns => [...ns.entries()],
  find: ns => ns.find('key'),
  prefetch: ns => ns.prefetch(['key', { name: 'text', file: 'a.txt' }]),
  in: ns => ns.in('sub').project === join(process.cwd(), 'sub'),
  namespace: () =>
    cache.namespace('limited', { maxSize: '1MB', project: 'sub' }).project === join(process.cwd(), 'sub'),
  'an unknown option': () => {
    try {
      cache.namespace('other', { versoin: '1' })
    } catch ({ code }) {
      return code
    }
  },
  openCache: async () =>
    (await library.openCache({ onWarning, maxAge: '5d', remote: { url: 'redis://localhost' } })).mode,
  // What reports and looks after the cache.
  explain: ns => ns.explain('key').isHit,
  'stats of a namespace': ns => typeof ns.stats().hitCount,
  stats: () => typeof cache.stats().entryCount,
  summary: () => typeof cache.summary(),
  namespaces: () => Array.isArray(cache.namespaces()),
  gc: async () => typeof (await cache.gc()).keptEntries,
  verify: async () => typeof (await cache.verify()).isWhole,
  removeNamespace: () => typeof cache.removeNamespace('none'),
  watch: async () => typeof (await cache.watch('sub').close()),
  remote: () => typeof cache.remote,
  createRemoteKeys: () => typeof library.createRemoteKeys(),
  fromKeyv: () => typeof library.fromKeyv({ get: async () => undefined, set: async () => true }),
  parseDuration: () => library.parseDuration('1s'),
  parseSize: () => library.parseSize('1KB'),
  close: () => cache.close(),
}

const warm = {
  nothing: () => undefined,
  set: ns => ns.set('key', 1),
  hit: ns => [ns.getOrSetSync('key', look), ns.getOrSetSync('key', look)],
  all: async ns => {
    ns.getOrSetSync('key', look)
    ns.set('key', 1)
    ns.get('other')
  },
}

function change() {
  const [version] = fs.readdirSync(dist).filter(name => /^\d/.test(name))
  for (const name of fs.readdirSync(join(dist, version))) {
    const file = join(dist, version, name)
    if (name.startsWith('cli-') || (names !== 'all' && !names.split(',').includes(name))) continue
    if (harm === 'remove') fs.rmSync(file)
    if (harm === 'empty') fs.writeFileSync(file, '')
    if (harm === 'rebuild')
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/build: "\w+"/, 'build: "other"'))
  }
}

async function main() {
  await warm[before](open('warm'))
  change()
  const given = {}
  for (const [name, call] of Object.entries(calls)) {
    try {
      given[name] = await call(open(name.replaceAll(/\W/g, '-').toLowerCase()))
    } catch (error) {
      given[name] = { code: error.code ?? String(error.stack) }
    }
  }
  console.log(JSON.stringify({ given, warnings, told: results.map(({ files }) => files.length > 0) }))
}
main()

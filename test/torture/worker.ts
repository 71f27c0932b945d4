// One of many processes that do random things to a root, and tell what they did and what they were told.
//
// A line of its output is [what, key, value, turn, start, end], times in ns of the machine's monotonic clock as text. What may change
// something is announced before it is begun, with an end of null: of a process that is killed, that is the last word on it.

/** `name` is unique; values that begin with it are nobody else's. */
export interface WorkerArguments {
  dir: string
  name: string
  seed: number
  operations: number
  /** Whether it collects garbage now and then. */
  isCollector: boolean
}

/** Keys whose values are each set once, keys whose few values are set again and again, and many keys that fill files up. */
export const OWN_KEYS = 5
export const SHARED_KEYS = 3
export const BULK_KEYS = 90
export const NAMESPACES = ['one', 'two']

export const WORKER = `
  let state = args.seed >>> 0
  const random = below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / (0x100000000 / below))
  }
  const now = () => String(process.hrtime.bigint())
  let [turn, cache, count] = [now(), undefined, 0]
  const nextTurn = async () => {
    await new Promise(resolve => setImmediate(resolve))
    turn = now()
  }
  const open = () => (cache = library.openCacheSync({ dir: args.dir, onWarning }))
  const tell = (what, key, value, start, end) => print(JSON.stringify([what, key, value ?? null, turn, start, end]))
  /** Announces writes, makes them, and says that they are done. */
  const write = (namespace, entries, make) => {
    const start = now()
    for (const [key, tag] of entries) tell('write', namespace + ' ' + key, tag, start, null)
    const given = make()
    const end = now()
    for (const [key, tag] of entries) tell('done', namespace + ' ' + key, tag, start, end)
    return given
  }
  const expect = (isSo, what) => {
    if (!isSo) throw new Error(what)
  }
  const tagOf = found => {
    if (found === undefined) return undefined
    expect(found.text === textOf(found.tag), 'a value was altered: ' + found.tag)
    return found.tag
  }
  const textOf = tag => {
    const size = [0, 30, 900, 5000][tag.length % 4] + (tag.endsWith('7') ? 100000 : 0)
    return tag.repeat(Math.ceil(size / tag.length))
  }
  const valueOf = tag => ({ tag, text: textOf(tag) })
  const newTag = key => (key.startsWith('shared') ? 'shared ' + random(3) : args.name + ' ' + ++count)
  const keyOf = () => {
    const kind = random(10)
    if (kind < 6) return 'own ' + random(${OWN_KEYS})
    return kind < 9 ? 'shared ' + random(${SHARED_KEYS}) : 'bulk ' + random(${BULK_KEYS}) + 'k'.repeat(2500)
  }
  const plainKeys = [
    ...Array.from({ length: ${OWN_KEYS} }, (_, i) => 'own ' + i),
    ...Array.from({ length: ${SHARED_KEYS} }, (_, i) => 'shared ' + i),
  ]
  const bulkKeys = Array.from({ length: ${BULK_KEYS} }, (_, i) => 'bulk ' + i + 'k'.repeat(2500))

  open()
  print('ready')
  const input = lines()
  await input.next()
  process.stdin.destroy()
  turn = now()
  for (let operation = 0; operation < args.operations; operation++) {
    if (random(3) === 0) await nextTurn()
    const namespace = ${JSON.stringify(NAMESPACES)}[random(${NAMESPACES.length})]
    const entries = cache.namespace(namespace)
    const key = keyOf()
    const what = random(100)
    if (what < 34) {
      const start = now()
      const tag = tagOf(entries.get(key))
      tell('read', namespace + ' ' + key, tag, start, now())
    } else if (what < 64) {
      const tag = newTag(key)
      expect(write(namespace, [[key, tag]], () => entries.set(key, valueOf(tag))), 'not stored')
    } else if (what < 72) {
      const list = plainKeys.filter(() => random(3) === 0).map(each => [each, newTag(each)])
      const make = () => entries.setMany(list.map(([each, tag]) => ({ key: each, value: valueOf(tag) })))
      expect(write(namespace, list, make) === list.length, 'not all stored')
    } else if (what < 74) {
      const list = bulkKeys.map(each => [each, newTag(each)])
      const make = () => entries.setMany(list.map(([each, tag]) => ({ key: each, value: valueOf(tag) })))
      expect(write(namespace, list, make) === list.length, 'not all stored')
    } else if (what < 80) {
      // A delete that finds nothing removes nothing: then it is a read.
      await nextTurn()
      const start = now()
      tell('write', namespace + ' ' + key, undefined, start, null)
      tell(entries.delete(key) ? 'done' : 'not done', namespace + ' ' + key, undefined, start, now())
    } else if (what < 82) {
      await nextTurn()
      write(namespace, [...plainKeys, ...bulkKeys].map(each => [each, undefined]), () => entries.clear())
    } else if (what < 90) {
      await nextTurn()
      const [tag, start] = [newTag(key), now()]
      let isComputed = false
      tell('write', namespace + ' ' + key, tag, start, null)
      const compute = () => {
        isComputed = true
        return valueOf(tag)
      }
      const given = tagOf(random(2) ? await entries.getOrSet(key, compute) : entries.getOrSetSync(key, compute))
      expect(!isComputed || given === tag, 'a computed value was replaced')
      // A delete that found nothing may have made it void.
      tell(isComputed ? 'computed' : 'not done', namespace + ' ' + key, tag, start, now())
      if (!isComputed) tell('read', namespace + ' ' + key, given, start, now())
      await nextTurn()
    } else if (what < 96) {
      cache.close()
      open()
      await nextTurn()
    } else if (args.isCollector) {
      try {
        await cache.gc()
        print(JSON.stringify(['gc']))
      } catch (error) {
        if (error.code !== 'ERR_CACHE_BUSY') throw error
      }
      await nextTurn()
    }
  }
  cache.close()
`

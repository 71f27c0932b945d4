// The public names of cache.py, which Python plugins use.

import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { python, runPython, scripts } from '../support/python.js'

/** Runs a program whose assertions are its own; returns its lines. */
async function passes(code: string, env: Record<string, string> = {}) {
  const dir = env.WICKED_CACHE_DIR ?? join(temporaryDirectory(), 'cache')
  const { lines, stderr } = await runPython(
    `import json, math, os, sys, time\nfrom cache import *\nfrom cache import CacheEntry, InvalidationMode\n${code}`,
    { WICKED_CACHE_DIR: dir, ...env },
  )
  return { lines, stderr, dir }
}

/** A directory in which nothing can be found. */
function nowhere(): string {
  const bin = join(temporaryDirectory(), 'bin')
  mkdirSync(bin)
  return bin
}

describe.skipIf(python === undefined)('cache.py', () => {
  test('returns JSON values unchanged', async () => {
    const { stderr } = await passes(`
c = namespace("ns")
values = [0, False, "", [], {}, None, 1.0, -0.0, 2**60, 10**400, 1e-300, True, "\\ud800é😀\\n", {"a": [{"b": None}]}, [[]] * 3]
for i, value in enumerate(values):
    assert c.set(f"k{i}", value) == f"k{i}"
for i, value in enumerate(values):
    got = c.get(f"k{i}")
    assert repr(got) == repr(value), (got, value)
assert math.isnan(c.set("nan", float("nan")) and c.get("nan"))
assert c.get("absent") is None
stats = c.stats()
assert (stats["hit_count"], stats["miss_count"], stats["entry_count"]) == (len(values) + 1, 1, len(values) + 1), stats
c.set("k5", 5)
assert c.get("k5") == 5
`)
    expect(stderr).toBe('')
  })

  test('raises for an invalid argument and returns None for a miss', async () => {
    await passes(`
c = namespace("ns")
c.set("k", 1)
def raises(kind, *args, **kwargs):
    try:
        c.set("k", *args, **kwargs)
    except kind as error:
        assert type(error) is kind, error
        return str(error)
    raise AssertionError(f"{args} {kwargs} raised nothing")
for value in [{1, 2}, b"x", object(), 1j, {(1, 2): 3}, [lambda: 1]]:
    raises(TypeError, value)
loop = []
loop.append(loop)
raises(ValueError, loop)
deep = []
for _ in range(2000):
    deep = [deep]
raises(ValueError, deep)
assert "sometimes" in raises(ValueError, 1, options={"mode": "sometimes"})
for bad in [0, -1, float("nan"), float("inf")]:
    raises(ValueError, 1, ttl=bad)
    raises(ValueError, 1, options={"ttl_seconds": bad})
raises(TypeError, 1, ttl="soon")
raises(TypeError, 1, ttl=True)
raises(ValueError, 1, options={"mode": "ttl"})
raises(ValueError, 1, options={"mode": "file"})
for call in [lambda: c.get(1), lambda: c.set(None, 1), lambda: namespace(5)]:
    try:
        call()
    except TypeError:
        continue
    raise AssertionError
assert c.get("k") == 1
`)
  })

  test('keeps keys and namespaces of any name apart', async () => {
    const { stderr, dir } = await passes(`
names = ["repo:{owner}/{repo}", "../../x", "/etc/passwd", "a/../b", "CON", "A", "a", "", "x" * 20000, "x" * 20001, "\\udc80", "\\udc81", "\\0", "é", "%lists", "."]
for i, name in enumerate(names):
    for j, key in enumerate(names):
        namespace(name).set(key, [i, j])
for i, name in enumerate(names):
    for j, key in enumerate(names):
        assert namespace(name).get(key) == [i, j], (name[:9], key[:9])
    assert len(namespace(name).list_entries()) == len(names)
assert namespace("../../x").clear() == len(names)
assert namespace("../../x").list_entries() == []
assert namespace("a").get("A") == [6, 5]
`)
    expect(stderr).toBe('')
    expect(existsSync(join(dir, '..', '..', 'x', 'v2'))).toBe(false)
  })

  test('entries expire according to their mode', async () => {
    const source = join(temporaryDirectory(), 'source')
    writeFileSync(source, 'before')
    await passes(
      `
c = namespace("ns")
os.chdir(os.path.dirname(os.environ["SOURCE"]))
c.set("manual", 1)
c.set("explicit", 1, options={"mode": "manual"})
c.set("enum", 1, options={"mode": InvalidationMode.MANUAL})
c.set("manual with a file", 1, "source", {"mode": "manual"})
c.set("file", 1, source_file="source")
c.set("file by path", 1, source_file=__import__("pathlib").Path("source"))
c.set("file and ttl", 1, source_file="source", ttl=300)
c.set("long", 1, ttl=300)
c.set("seconds", 1, options={"ttl_seconds": 300})
c.set("short", 1, options={"mode": "ttl", "ttl_seconds": 0.001})
c.set("contract", 1, {"ttl_seconds": 300})
while c.get("short") is not None:
    pass
listed = {entry["key"]: entry for entry in c.list_entries()}
assert list(listed) == ["manual", "explicit", "enum", "manual with a file", "file", "file by path", "file and ttl", "long", "seconds", "short", "contract"], list(listed)
assert set(listed["file"]) == {"key", "valid", "size", "age", "source_file"}
assert isinstance(listed["file"], dict) and isinstance(listed["file"], CacheEntry)
assert listed["file"].source_file == os.path.abspath("source") == listed["file by path"]["source_file"]
assert listed["manual with a file"].source_file is None
assert listed["file"].valid is True and listed["short"].valid is False
assert listed["file"].size > 0 and 0 <= listed["file"].age < 60
assert not hasattr(listed["file"], "colour")
with open("source", "a") as file:
    file.write("appended")
assert {entry.key for entry in c.list_entries() if not entry.valid} == {"file", "file by path", "file and ttl", "short"}
assert c.get("file") is None and c.get("file by path") is None and c.get("file and ttl") is None
assert c.get("manual with a file") == 1 and c.get("long") == 1 and c.get("seconds") == 1 and c.get("contract") == 1
assert c.invalidate("manual") is True and c.invalidate("manual") is False and c.get("manual") is None
`,
      { SOURCE: source },
    )
  })

  test('counters survive clear and are visible to later processes', async () => {
    const { dir } = await passes(`
c = namespace("ns")
empty = {"entry_count": 0, "total_size": 0, "hit_count": 0, "miss_count": 0, "oldest_entry_age": None}
assert c.stats() == empty
c.set("a", 1)
c.set("b", 2)
c.get("a")
c.get("c")
assert 0 <= c.stats()["oldest_entry_age"] < 60
assert c.clear() == 2 and c.clear() == 0
assert c.stats() == {**empty, "hit_count": 1, "miss_count": 1}
`)
    const { lines } = await passes(`print(json.dumps(namespace("ns").stats()))`, { WICKED_CACHE_DIR: dir })
    expect(JSON.parse(lines[0] as string)).toMatchObject({ hit_count: 1, miss_count: 1, entry_count: 0 })
  })

  test('is user-wide and leaves the entries of projects alone', async () => {
    const dir = join(temporaryDirectory(), 'cache')
    const project = temporaryDirectory()
    const { cache } = openAsAnotherProcess(dir)
    const ofProject = cache.namespace('ns', { project })
    ofProject.set('key', 'of the project')
    await passes(
      `
c = namespace("ns")
assert c.get("key") is None
c.set("key", "of the user")
assert c.stats()["entry_count"] == 1 == len(c.list_entries())
os.chdir("/")
assert c.get("key") == "of the user"
assert c.clear() == 1
`,
      { WICKED_CACHE_DIR: dir },
    )
    expect(ofProject.get('key')).toBe('of the project')
  })

  test('reads what Node set, and gets a warning for values that JSON cannot express', async () => {
    const dir = join(temporaryDirectory(), 'cache')
    const shared = openAsAnotherProcess(dir).cache.namespace('ns', { project: false })
    shared.set(
      'tree',
      Array.from({ length: 300 }, (_, i) => ({ type: 'Name', at: i })),
    )
    shared.set('map', { a: [new Map()] })
    const { stderr } = await passes(
      `
c = namespace("ns")
assert c.get("tree") == [{"type": "Name", "at": i} for i in range(300)]
try:
    c.get("map")
    raise AssertionError
except TypeError as error:
    assert "$.a[0] is a Map" in str(error), error
c.set("python", {"ratio": 1.0, "big": 2**60, "nan": float("nan")})
`,
      { WICKED_CACHE_DIR: dir },
    )
    expect(stderr).toBe('')
    expect(shared.get('python')).toEqual({ ratio: 1, big: 2 ** 60, nan: Number.NaN })
  })

  test('stores values of 200 MB', async () => {
    await passes(`
c = namespace("ns")
value = ["x" * 50_000_000] * 4
c.set("large", value)
assert c.get("large") == value
assert c.stats()["total_size"] > 200_000_000
c.set("small", 1)
assert c.get("small") == 1
`)
  }, 240_000)

  test('returns random JSON values unchanged, and Node reads them like JSON.parse', async () => {
    const { dir, lines } = await passes(`
import random
seed = random.randrange(2**32)
print(seed)
chance = random.Random(seed)
def text():
    return "".join(chr(chance.choice([chance.randrange(32, 127), chance.randrange(0x10000), chance.randrange(0x110000)])) for _ in range(chance.randrange(8)))
def value(depth):
    kind = chance.randrange(8 if depth else 6)
    if kind == 0: return chance.choice([None, True, False, "", 0, [], {}])
    if kind == 1: return chance.randrange(-2**70, 2**70) >> chance.randrange(70)
    if kind == 2: return chance.uniform(-1, 1) * 10 ** chance.randrange(-300, 300)
    if kind == 3: return chance.choice([0.0, -0.0, 1.0, 1e16, 5e-324, float("inf"), float("-inf"), float(2**53)])
    if kind < 6: return text()
    if kind == 6: return [value(depth - 1) for _ in range(chance.randrange(5))]
    return {text(): value(depth - 1) for _ in range(chance.randrange(5))}
c = namespace("ns")
# By way of JSON: there, two halves of a surrogate pair that meet are one character.
values = [json.loads(json.dumps(value(5))) for _ in range(1000)]
for i, each in enumerate(values):
    c.set(f"k{i}", each)
for i, each in enumerate(values):
    got = c.get(f"k{i}")
    assert repr(got) == repr(each), (seed, i, got, each)
    print(json.dumps(each))
`)
    const shared = openAsAnotherProcess(dir).cache.namespace('ns', { project: false })
    const [seed, ...texts] = lines
    for (const [i, text] of texts.entries()) {
      // What JSON.parse refuses has infinities, which it has as numbers too large for a double.
      const value = JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|Infinity/g, (_, string) => string ?? '1e999'))
      expect(shared.get(`k${i}`), `seed ${seed}, ${text}`).toEqual(value)
    }
  })
})

describe.skipIf(python === undefined)('without a server, every get is None, and one line gives the reason:', () => {
  const calls = `
c = namespace("ns")
assert c.set("k", 1) == "k"
assert c.get("k") is None and c.get("k") is None
assert c.invalidate("k") is False and c.clear() == 0 and c.list_entries() == []
assert {name: count for name, count in c.stats().items() if name != "miss_count"} == {"entry_count": 0, "total_size": 0, "hit_count": 0, "oldest_entry_age": None}
try:
    c.set("k", {1})
    raise AssertionError
except TypeError:
    pass
`

  test('no Node', async () => {
    const { stderr } = await passes(calls, { PATH: nowhere() })
    expect(stderr).toMatch(/^wicked-cache: Node is not on the PATH: install Node 20\.19 or later[^\n]*\n$/)
  })

  test('Node is too old or exits at once', async () => {
    const bin = nowhere()
    writeFileSync(join(bin, 'node'), '#!/bin/sh\necho "SyntaxError: a long story" >&2\nexit 1\n', { mode: 0o755 })
    const { stderr } = await passes(calls, { PATH: `${bin}:/usr/bin:/bin` })
    expect(stderr).toMatch(/^wicked-cache: [^\n]*it needs Node 20\.19 or later[^\n]*\n$/)
  })

  test('a program that is not Node', async () => {
    const bin = nowhere()
    writeFileSync(join(bin, 'node'), '#!/bin/sh\ncat\n', { mode: 0o755 })
    const { stderr } = await passes(calls, { PATH: `${bin}:/usr/bin:/bin` })
    expect(stderr).toMatch(/^wicked-cache: [^\n]*of another version[^\n]*\n$/)
  })

  test('no package beside cache.py', async () => {
    const elsewhere = temporaryDirectory()
    copyFileSync(join(scripts, 'cache.py'), join(elsewhere, 'cache.py'))
    const { stderr } = await passes(calls, { PYTHONPATH: elsewhere, PATH: nowhere() })
    expect(stderr).toMatch(/^wicked-cache: [^\n]*npm install --global wicked-cache[^\n]*\n$/)
  })

  test('an unusable root', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    const { stderr } = await passes(calls, { WICKED_CACHE_DIR: file })
    expect(stderr).toMatch(/^wicked-cache: [^\n]*\(ERR_CACHE_[A-Z]+\)\n$/)
  })

  test('no stderr', async () => {
    await passes(`sys.stderr.close()\n${calls}`, { PATH: nowhere() })
    await passes(`sys.stderr = None\n${calls}`, { PATH: nowhere() })
  })
})

test.skipIf(python === undefined)('can be imported through a link to its directory', async () => {
  const link = join(temporaryDirectory(), 'scripts')
  symlinkSync(scripts, link)
  const { stderr } = await passes('c = namespace("ns")\nc.set("k", 1)\nassert c.get("k") == 1', { PYTHONPATH: link })
  expect(stderr).toBe('')
})

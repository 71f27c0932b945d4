// cache.py runs one server per process, however many threads, forks and copies of the file there are.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { python, runPython, scripts, startPython } from '../support/python.js'

const newRoot = () => join(temporaryDirectory(), 'cache')

/** Ids of the servers that use the root. */
function serversOn(dir: string): number[] {
  const isServer = (line: string) => line.includes(`serve --dir ${dir}`)
  if (!existsSync('/proc/self/cmdline')) {
    const listed = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
    return listed.filter(isServer).map(line => Number.parseInt(line, 10))
  }
  const ids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return ids.filter(id => isServer(commandLineOf(id))).map(Number)
}

function commandLineOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch (error) {
    // It has ended.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

/** Its command line names the root, so that its servers can be found. */
const withVisibleServers = `
import os, sys
import cache
command = cache._command
cache._command = lambda: [*command(), "--dir", os.environ["ROOT"]]
from cache import namespace
c = namespace("ns")
`

async function noServerOn(dir: string): Promise<void> {
  while (serversOn(dir).length > 0) await new Promise(resolve => setImmediate(resolve))
}

describe.skipIf(python === undefined)('cache.py', () => {
  test('starts one server for all threads, and each thread gets its own answers', async () => {
    const dir = newRoot()
    const child = startPython(
      `${withVisibleServers}
import threading
failures = []
def work(number):
    own = namespace(f"ns{number % 3}")
    for i in range(100):
        own.set(f"{number} {i}", [number, i])
        if own.get(f"{number} {i}") != [number, i]:
            failures.append((number, i))
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert failures == [], failures
print("ready", flush=True)
sys.stdin.read()
`,
      { ROOT: dir },
    )
    expect(await child.line()).toBe('ready')
    expect(serversOn(dir).length).toBe(1)
    child.end()
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' })
    await noServerOn(dir)
  })

  test('starts the server when it is first needed, and stops it when the process ends in any way', async () => {
    for (const end of ['sys.stdin.read()', 'os._exit(0)', 'os.kill(os.getpid(), 9)', 'raise SystemExit(0)']) {
      const dir = newRoot()
      const child = startPython(
        `${withVisibleServers}\nprint("made", flush=True)\nsys.stdin.readline()\nc.set("k", 1)\nprint("set", flush=True)\nsys.stdin.readline()\n${end}`,
        { ROOT: dir },
      )
      expect(await child.line()).toBe('made')
      expect(serversOn(dir)).toEqual([])
      child.send('')
      expect(await child.line()).toBe('set')
      expect(serversOn(dir).length).toBe(1)
      child.end('\n')
      await child.ended
      await noServerOn(dir)
      expect(openAsAnotherProcess(dir).cache.namespace('ns', { project: false }).get('k')).toBe(1)
    }
  })

  test("gives a fork its own server, which ends with it, and keeps the parent's", async () => {
    await runPython(
      `${withVisibleServers}
import threading
c.set("parent", 1)
stop = threading.Event()
def busy():
    while not stop.is_set():
        assert c.get("parent") == 1
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads: thread.start()
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        c.set(f"child {number}", number)
        os._exit(0 if c.get("parent") == 1 and c.get(f"child {number}") == number else 1)
    children.append(pid)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
assert [c.get(f"child {number}") for number in range(4)] == [0, 1, 2, 3]
`,
      { ROOT: newRoot() },
    )
  })

  test("a child that outlives its parent does not keep the parent's server alive", async () => {
    const dir = newRoot()
    const child = startPython(
      `${withVisibleServers}
c.set("k", 1)
if os.fork() == 0:
    print("forked", flush=True)
    sys.stdin.read()
    os._exit(0)
`,
      { ROOT: dir },
    )
    expect(await child.line()).toBe('forked')
    await noServerOn(dir)
    child.end()
    await child.ended
  })

  test.each(['fork', 'spawn'])('works in multiprocessing with %s', async method => {
    const dir = newRoot()
    const { lines } = await runPython(
      `
import multiprocessing
from cache import namespace
import operator
if __name__ == "__main__":
    c = namespace("ns")
    c.set("k", [1])
    context = multiprocessing.get_context("${method}")
    with context.Pool(3) as pool:
        print(pool.map(c.get, ["k"] * 20) == [[1]] * 20)
        pool.starmap(c.set, [(f"k{i}", i) for i in range(50)])
    print([c.get(f"k{i}") for i in range(50)] == list(range(50)))
`,
      { WICKED_CACHE_DIR: dir },
    )
    expect(lines).toEqual(['True', 'True'])
  })

  test('os.wait does not see the server, and the server keeps no stream of the program open', async () => {
    const { lines } = await runPython(
      `
import os, subprocess, sys
from cache import namespace
c = namespace("ns")
c.set("k", 1)
try:
    os.wait()
except ChildProcessError:
    print("no child")
# Its reader sees the end of the output when the program ends, not when the server does.
program = "import os; from cache import namespace; namespace('ns').get('k'); print('x', flush=True); os._exit(0)"
print(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True))
`,
      { WICKED_CACHE_DIR: newRoot() },
    )
    expect(lines[0]).toBe('no child')
    expect(lines[1]).toContain(`returncode=0, stdout='x\\n', stderr=''`)
  })

  test('works again when its server is killed, between requests and within one', async () => {
    const dir = newRoot()
    const child = startPython(
      `${withVisibleServers}
for line in sys.stdin:
    c.set("k", [line])
    assert c.get("k") == [line]
    print("done", flush=True)
`,
      { ROOT: dir },
    )
    for (let round = 0; round < 4; round++) {
      child.send(`${round}`)
      expect(await child.line()).toBe('done')
      for (const id of serversOn(dir)) process.kill(id, 'SIGKILL')
    }
    child.end()
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('a signal during a request leaves no stale answer for the next one', async () => {
    await runPython(
      `
import signal, sys
from cache import namespace
c = namespace("ns")
for i in range(20):
    c.set(f"k{i}", i)
class Interrupt(Exception):
    pass
def interrupt(*_):
    # Within a request, another one gets nothing.
    c.get("k0")
    raise Interrupt
signal.signal(signal.SIGALRM, interrupt)
interrupts = 0
while interrupts < 8:
    assert c.get("k0") == 0
    signal.setitimer(signal.ITIMER_REAL, 0.0001 + (interrupts % 4) / 1000)
    try:
        for i in range(20):
            value = c.get(f"k{i}")
            assert value == i, (value, i)
    except Interrupt:
        interrupts += 1
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Interrupt:
        pass
assert c.get("k1") == 1
`,
      { WICKED_CACHE_DIR: newRoot() },
    )
  })

  test('modules loaded under other names use the same server', async () => {
    const dir = newRoot()
    const child = startPython(
      `
import importlib.util, os, sys
def load(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(os.environ["PYTHONPATH"], "cache.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
one, other = load("wicked_one"), load("wicked_other")
assert "wicked_one" not in sys.modules
for module in (one, other):
    command = module._command
    module._command = lambda command=command: [*command(), "--dir", os.environ["ROOT"]]
assert one.namespace("ns").set("k", {"a": 1}, ttl=300) == "k"
assert other.namespace("ns").get("k") == {"a": 1}
assert other.namespace("ns").list_entries()[0].key == "k"
assert one.InvalidationMode("ttl") is one.InvalidationMode.TTL
print("ready", flush=True)
sys.stdin.read()
`,
      { ROOT: dir },
    )
    expect(await child.line()).toBe('ready')
    expect(serversOn(dir).length).toBe(1)
    child.end()
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('works with a class written to the abstract contract of the old mocks', async () => {
    await runPython(
      `
from abc import ABC, abstractmethod
from cache import NamespacedCache, namespace
class Contract(ABC):
    @abstractmethod
    def get(self, key): ...
    @abstractmethod
    def set(self, key, value, options=None): ...
    @abstractmethod
    def invalidate(self, key): ...
class Wrapping(Contract):
    def __init__(self, cache): self.cache = cache
    def get(self, key): return self.cache.get(key)
    def set(self, key, value, options=None): return self.cache.set(key, value, options)
    def invalidate(self, key): return self.cache.invalidate(key)
class Inheriting(NamespacedCache, Contract):
    pass
for cache in (Wrapping(namespace("one")), Inheriting("two")):
    assert cache.get("k") is None
    assert cache.set("k", [1], {"mode": "ttl", "ttl_seconds": 300}) == "k"
    assert cache.get("k") == [1]
    assert cache.set("k", [2], options={"mode": "manual"}) == "k"
    assert cache.get("k") == [2]
    assert cache.invalidate("k") is True and cache.invalidate("k") is False
assert namespace("two").list_entries() == []
`,
      { WICKED_CACHE_DIR: newRoot() },
    )
  })

  test('its syntax is valid in Python 3.9, without __future__', async () => {
    await runPython(`
import ast, os
text = open(os.path.join(os.environ["PYTHONPATH"], "cache.py")).read()
tree = ast.parse(text, feature_version=(3, 9))
assert not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in ast.walk(tree))
`)
  })
})

describe.skipIf(python === undefined)('python3 cache.py', () => {
  function run(dir: string, ...args: string[]) {
    try {
      const env = { ...process.env, WICKED_CACHE_DIR: dir }
      const stdio = 'pipe' as const
      return {
        code: 0,
        out: execFileSync(python as string, [join(scripts, 'cache.py'), ...args], { encoding: 'utf8', env, stdio }),
      }
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
      return { code: status, out: stdout, err: stderr }
    }
  }

  test('sets, gets, lists, counts, invalidates and clears', () => {
    const dir = newRoot()
    expect(run(dir, 'set', '-n', 'ns', '-k', 'a', '-v', '{"b": 1.0}')).toEqual({ code: 0, out: '"a"\n' })
    expect(run(dir, 'set', '-n', 'ns', '-k', 'c', '-v', 'null', '--ttl', '60').code).toBe(0)
    expect(run(dir, 'get', '-n', 'ns', '-k', 'a')).toEqual({ code: 0, out: '{"b": 1.0}\n' })
    expect(run(dir, 'get', '-n', 'ns', '-k', 'c')).toEqual({ code: 0, out: 'null\n' })
    expect(run(dir, 'get', '-n', 'ns', '-k', 'no')).toMatchObject({ code: 1, out: '' })
    expect(JSON.parse(run(dir, 'list', '-n', 'ns').out)).toMatchObject([{ key: 'a', valid: true }, { key: 'c' }])
    expect(JSON.parse(run(dir, 'stats', '-n', 'ns').out)).toMatchObject({ entry_count: 2, hit_count: 2, miss_count: 1 })
    expect(run(dir, 'invalidate', '-n', 'ns', '-k', 'a')).toEqual({ code: 0, out: 'true\n' })
    expect(run(dir, 'invalidate', '-n', 'ns', '-k', 'a')).toMatchObject({ code: 1 })
    expect(run(dir, 'clear', '-n', 'ns')).toEqual({ code: 0, out: '1\n' })
  })

  test.each([
    [['get', '-k', 'a']],
    [['get', '-n', 'ns']],
    [['set', '-n', 'ns', '-k', 'a']],
    [['set', '-n', 'ns', '-k', 'a', '-v', '{']],
    [['set', '-n', 'ns', '-k', 'a', '-v', '1', '--mode', 'sometimes']],
    [['set', '-n', 'ns', '-k', 'a', '-v', '1', '--mode', 'file']],
    [['set', '-n', 'ns', '-k', 'a', '-v', '1', '--ttl', '-1']],
    [['drop', '-n', 'ns']],
  ])('%j exits with 2', args => {
    expect(run(newRoot(), ...args)).toMatchObject({ code: 2, out: '' })
  })
})

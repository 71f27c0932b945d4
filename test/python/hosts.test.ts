// cache.py in unusual programs: names that are not UTF-8, closed descriptors, forks at any time.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../support/caches.js'
import { python, runPython } from '../support/python.js'

/** Runs a program whose assertions are its own; returns what it wrote to stderr. */
async function passes(code: string): Promise<string> {
  const dir = temporaryDirectory()
  const { stderr } = await runPython(
    `import json, os, sys\nimport cache\nfrom cache import namespace\nc = namespace("ns")\nDIR = os.environ["DIR"]\n${code}`,
    { WICKED_CACHE_DIR: join(dir, 'cache'), DIR: dir },
  )
  return stderr
}

const isLinux = process.platform === 'linux'

describe.skipIf(python === undefined)('cache.py', () => {
  test.runIf(isLinux)('stores nothing for a file that cannot be watched, and drops the old entry', async () => {
    const stderr = await passes(`
name = os.fsencode(DIR) + b"/caf\\xe9"
with open(name, "w") as file:
    file.write("1")
for source_file in (name, os.fsdecode(name), DIR + "/\\ud800", DIR + "/\\0"):
    c.set("k", "old")
    assert c.set("k", "new", source_file=source_file) == "k"
    assert c.get("k") is None, source_file
    try:
        c.set("k", {1}, source_file=source_file)
        raise AssertionError
    except TypeError:
        pass
c.set("k", "new", source_file=DIR + "/é")
assert c.get("k") == "new" and c.list_entries()[0].source_file == DIR + "/é"
gone = DIR + "/gone"
os.mkdir(gone)
os.chdir(gone)
os.rmdir(gone)
c.set("k", "new", source_file="relative")
assert c.get("k") is None
c.set("k", "new", source_file=DIR + "/é")
assert c.get("k") == "new"
`)
    const lines = stderr.trimEnd().split('\n')
    expect(lines.length).toBe(5)
    for (const line of lines) expect(line).toMatch(/^wicked-cache: nothing is stored for /)
  })

  test('accepts any ttl, and only a dict as options', async () => {
    const stderr = await passes(`
for i, seconds in enumerate([1e300, 1e306, 10**400]):
    c.set(f"k{i}", i, ttl=seconds)
    assert c.get(f"k{i}") == i
for options in ["manual", ["a"], 5, [["mode"]]]:
    try:
        c.set("k", 1, options=options)
        raise AssertionError
    except TypeError as error:
        assert "dict" in str(error)
`)
    expect(stderr).toBe('')
  })

  test.runIf(isLinux)('does not write to files that reuse its descriptors, and starts another server', async () => {
    const stderr = await passes(`
c.set("k", 1)
os.closerange(3, 100)
assert c.get("k") == 1
os.closerange(3, 100)
files = [open(f"{DIR}/{i}", "w+b") for i in range(8)]
assert c.get("k") == 1
os.closerange(3, 100)
os.closerange(3, 100)
for i in range(8):
    assert open(f"{DIR}/{i}", "rb").read() == b""
os._exit(0)
`)
    expect(stderr).toBe('')
  })

  test.runIf(isLinux)('recovers after too many files were open', async () => {
    const stderr = await passes(`
import resource
c.set("k", "old")
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
for spare in range(4):
    cache._connection()._drop()
    files = []
    try:
        while True:
            files.append(open("/dev/null"))
    except OSError:
        pass
    for _ in range(spare):
        files.pop().close()
    assert c.set("k", 1) == "k" and c.get("k") is None
    for file in files:
        file.close()
    assert len(os.listdir("/proc/self/fd")) < 10
    assert c.get("k") is None
c.set("k", 1)
assert c.get("k") == 1
`)
    expect(stderr).toMatch(/^wicked-cache: nothing is cached for the moment: [^\n]*\n$/)
  })

  test.runIf(isLinux)('a server that has exited does not kill a program that dies of SIGPIPE', async () => {
    const stderr = await passes(`
import select, signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
def kill_server():
    c.set("k", 1)
    connection = cache._connection()
    pipe = os.readlink(f"/proc/self/fd/{connection._to_server.descriptor}")
    for id in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(id) != os.getpid() and os.readlink(f"/proc/{id}/fd/0") == pipe:
                os.kill(int(id), signal.SIGKILL)
        except OSError:
            continue
    nobody_reads = select.poll()
    nobody_reads.register(connection._to_server.descriptor, 0)
    nobody_reads.poll()
kill_server()
assert c.get("k") == 1
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set() == signal.sigpending()
kill_server()
`)
    expect(stderr).toBe('')
  })

  test('starts in a deleted working directory', async () => {
    const stderr = await passes(`
gone = DIR + "/gone"
os.mkdir(gone)
os.chdir(gone)
os.rmdir(gone)
c.set("k", 1)
assert c.get("k") == 1
`)
    expect(stderr).toBe('')
  })

  test.runIf(isLinux)('a value that could not be stored replaces the old entry with a miss', async () => {
    const stderr = await passes(`
import resource
c.set("k", "old")
cache._connection()._drop()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
assert c.set("k", "new" * 100_000) == "k"
assert c.get("k") is None
`)
    expect(stderr).toMatch(/^wicked-cache: [^\n]*\(ERR_CACHE_IO\)\n$/)
  })

  test('a set in a destructor during a request is stored after it', async () => {
    const stderr = await passes(`
c.set("k", "old")
c.set("gone", 1)
connection = cache._connection()
send = connection._send
def sending(line):
    connection._send = send
    value = ["new"]
    assert c.set("k", value) == "k"
    value.append("later")
    c.invalidate("gone")
    assert c.get("k") is None
    send(line)
connection._send = sending
assert c.get("other") is None
assert c.get("k") == ["new"] and c.get("gone") is None
`)
    expect(stderr).toBe('')
  })

  test('signal handlers can set at any moment, even at exit', async () => {
    const stderr = await passes(`
import signal
count = 0
def handle(*_):
    global count
    count += 1
    c.set("handler", count)
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.0007)
i = 0
while i < 300 or count < 300:
    i += 1
    c.set("k", i)
    assert c.get("k") == i
import atexit
connection = cache._connection()
def stop():
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert c.get("handler") == count, (c.get("handler"), count)
atexit.unregister(connection.close)
atexit.register(stop)
atexit.register(connection.close)
`)
    expect(stderr).toBe('')
  })

  test('returns None in a destructor at interpreter exit', async () => {
    const stderr = await passes(`
class Late:
    def __del__(self, get=c.get):
        assert get("k") is None
late = Late()
c.set("k", 1)
`)
    expect(stderr).toBe('')
  })

  test.runIf(isLinux)('a fork during the start of the server holds none of its pipes open', async () => {
    await passes(`
spawn = cache._spawn
children = []
def forking(command, stdin, stdout):
    pipes = [os.readlink(f"/proc/self/fd/{each}") for each in (stdin, stdout)]
    pid = os.fork()
    if pid == 0:
        held = []
        for each in os.listdir("/proc/self/fd"):
            try:
                held.append(os.readlink(f"/proc/self/fd/{each}"))
            except FileNotFoundError:
                pass
        os._exit(1 if set(held) & set(pipes) else 0)
    assert os.waitpid(pid, 0)[1] == 0
    children.append(pid)
    spawn(command, stdin, stdout)
cache._spawn = forking
c.set("k", 1)
assert c.get("k") == 1 and len(children) == 1
`)
  })
})

describe.skipIf(python === undefined)('python3 cache.py', () => {
  test('a value that is nested too deeply exits with 2', async () => {
    await passes(`
try:
    cache.main(["set", "-n", "ns", "-k", "k", "-v", "[" * 50000 + "]" * 50000])
    raise AssertionError
except SystemExit as error:
    assert error.code == 2
`)
  })
})

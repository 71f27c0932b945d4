"""Figures of cache.py and of `wicked-cache serve`: npm run build && python3 bench/bridge.py [--node NODE] [--rounds N].

Whole processes run in turns, so that a busy machine slows all of them; medians. CPU time is of the process and of the server that
it starts (on Linux, where this program adopts the server).
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "plugin" / "scripts"

PROGRAMS = {
    "bare python3": "",
    "import cache": "import cache",
    "one get and one set": "from cache import namespace; c = namespace('b'); c.get('k'); c.set('k', {'a': [1, 2.0]})",
}
CALLS = """
import json, sys, time
from cache import namespace
c = namespace("calls")
value = {"file": "src/main.py", "functions": ["main", "help"], "lines": 42, "ratio": 0.5}
def median(times):
    return sorted(times)[len(times) // 2] * 1000
def timed(call, count):
    times = []
    for i in range(count):
        start = time.perf_counter()
        call(i)
        times.append(time.perf_counter() - start)
    return median(times)
start = time.perf_counter()
c.get("first")
figures = {"first call": (time.perf_counter() - start) * 1000}
figures["set, up to 2,200 entries"] = timed(lambda i: c.set(f"k{i}", value), 2200)
figures["get"] = timed(lambda i: c.get(f"k{i % 2200}"), 4000)
figures["get, a miss"] = timed(lambda i: c.get("absent"), 1000)
figures["invalidate"] = timed(lambda i: c.invalidate(f"k{i}"), 200)
for name, call in [("list_entries of 2,000", c.list_entries), ("stats of 2,000", c.stats), ("clear of 2,000", c.clear)]:
    start = time.perf_counter()
    call()
    figures[name] = (time.perf_counter() - start) * 1000
print(json.dumps(figures))
"""
WRITER = """
import sys
from cache import namespace
c = namespace("crowd")
lost = 0
for i in range(200):
    c.set(f"{sys.argv[1]} {i}", i)
for i in range(200):
    lost += c.get(f"{sys.argv[1]} {i}") != i
print(lost)
"""


def adopt():
    """Makes servers children of this process, once the programs that started them have ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def run(command, env, event):
    """Wall time of the program, CPU time of all processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, env=env, input=event, text=True, stdout=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    try:
        while True:
            os.wait()
    except ChildProcessError:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000


def main():
    adopt()
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", default=shutil.which("node"))
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        path = os.path.dirname(os.path.abspath(given.node)) + os.pathsep + os.environ["PATH"]
        env = {**os.environ, "PATH": path, "PYTHONPATH": str(SCRIPTS), "WICKED_CACHE_DIR": os.path.join(work, "cache"), "PYTHONDONTWRITEBYTECODE": ""}
        python = sys.executable
        version = subprocess.run([given.node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        print(f"Python {sys.version.split()[0]}, Node {version}; ms")
        processes = {name: [python, "-c", code] for name, code in PROGRAMS.items()}
        processes["bare node"] = [given.node, "-e", ""]
        event = json.dumps({"tool_input": {"file_path": hook_file(work)}})
        processes["hook, cached"] = [given.node, os.path.join(work, "exports.cjs")]
        processes["hook, not cached"] = ["env", "WICKED_CACHE=off", *processes["hook, cached"]]
        times = {name: [] for name in processes}
        for round in range(given.rounds + 1):
            for name, command in processes.items():
                measured = run(command, env, event)
                if round > 0:
                    times[name].append(measured)
        bare = [cpu for _, cpu in times["bare python3"]]
        print(f"{'whole process':28} {'wall':>8} {'CPU':>8} {'CPU to bare python3':>20}")
        for name, each in times.items():
            wall, cpu = (statistics.median(column) for column in zip(*each))
            ratio = statistics.median(one / other for (_, one), other in zip(each, bare))
            print(f"{name:28} {wall:8.1f} {cpu:8.1f} {ratio:20.2f}")
        for name, ms in json.loads(subprocess.run([python, "-c", CALLS], env=env, capture_output=True, text=True, check=True).stdout).items():
            print(f"{name:28} {ms:8.3f}")
        start = time.perf_counter()
        writers = [subprocess.Popen([python, "-c", WRITER, str(i)], env=env, stdout=subprocess.PIPE, text=True) for i in range(4)]
        lost = sum(int(writer.communicate()[0]) for writer in writers)
        print(f"4 processes, 800 sets in all: {lost} lost, {(time.perf_counter() - start) * 1000:.0f} ms")


def hook_file(work):
    """A file, and the hook of the example with its packages beside it."""
    modules = os.path.join(work, "node_modules")
    os.makedirs(os.path.join(modules, "@babel"))
    os.symlink(ROOT, os.path.join(modules, "wicked-cache"))
    os.symlink(ROOT / "node_modules" / "@babel" / "parser", os.path.join(modules, "@babel", "parser"))
    shutil.copy(ROOT / "examples" / "hook" / "exports.cjs", work)
    file = os.path.join(work, "edited.ts")
    shutil.copy(ROOT / "src" / "log-map" / "log-map.ts", file)
    return file


if __name__ == "__main__":
    main()

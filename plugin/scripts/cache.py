#!/usr/bin/env python3
"""The cache that all plugins on this machine share, for Python: one file, the standard library alone, Python 3.9 and later.

    from cache import namespace

    cache = namespace("my-plugin")
    cache.set("schema:data.csv", schema, source_file="data.csv")  # until the file changes
    cache.set("answer", 42, ttl=300)                              # for five minutes
    cache.set("notes", ["a"], options={"mode": "manual"})         # until it is invalidated
    cache.get("answer")                                           # the value, or None

Values are what JSON can say. Keys belong to the user, whatever the working directory. Node plugins use the same namespaces.

It starts `wicked-cache serve` when it is first needed, once for each process, and asks it through a pipe. Where that can't
be started, every get is None and one line on stderr says why.
"""

import atexit
import errno
import json
import os
import signal
import sys
import threading
from enum import Enum

__all__ = ["CacheEntry", "InvalidationMode", "NamespacedCache", "namespace"]

PROTOCOL = 1
ANSWER_TIMEOUT_SECONDS = 120
CLOSE_TIMEOUT_SECONDS = 5
READ_BYTES = 1024 * 1024
MAX_KEY_BYTES = 16 * 1024
MAX_NAMESPACE_BYTES = 64
MAX_TTL_MS = 2**53
MAX_DELAYED = 10_000
CHANGES = {"set", "invalidate", "clear"}
# Errors of a process or a machine that has too much open or running at the moment.
PASSING_ERRORS = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}


class InvalidationMode(str, Enum):
    """How long an entry lives: until its file changes, for a time, or until it is invalidated."""

    FILE = "file"
    TTL = "ttl"
    MANUAL = "manual"


class CacheEntry(dict):
    """An entry as `list_entries` shows it: `key`, `valid`, `size`, `age`, `source_file`, as items and as attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class NamespacedCache:
    """What a plugin works with. Other namespaces are never seen, changed or cleared."""

    def __init__(self, name):
        self.name = _text("A namespace", name)
        self._namespace = _storable(self.name, MAX_NAMESPACE_BYTES)

    def __repr__(self):
        return f"NamespacedCache({self.name!r})"

    def get(self, key):
        """The value, or None if there is none that is valid. None may have been stored, too.

        Raises TypeError for a value of a Node plugin that JSON can't say.
        """
        return self._lookup(key)[1]

    def set(self, key, value, source_file=None, options=None, ttl=None):
        """Stores a value and returns the key.

        `options` may have `mode` and `ttl_seconds`. Without a mode, the entry lives until `source_file` changes, if there is
        one, or for its time, or until it is invalidated.

        Raises TypeError for what JSON can't say, ValueError for an unknown mode.
        """
        self._store(key, value, source_file, options, ttl)
        return key

    def _store(self, key, value, source_file, options, ttl):
        """Whether it is stored now."""
        if isinstance(source_file, dict) and options is None:
            source_file, options = None, source_file
        members = {"key": _key(key), "value": value}
        try:
            members.update(_lifetime(source_file, _options(options), ttl))
        except _Unwatchable as error:
            json.dumps(value)
            _tell(f"nothing is stored for {source_file!r}: {error}")
        else:
            try:
                answer = self._ask("set", members)
            except RecursionError:
                raise ValueError("The value is nested too deeply.") from None
            is_stored = answer.get("stored", False)
            if is_stored or not answer:
                return is_stored
        # The value that there is was to be replaced.
        self.invalidate(key)
        return False

    def invalidate(self, key):
        """Removes an entry; True if there was one."""
        return bool(self._ask("invalidate", {"key": _key(key)}).get("removed", False))

    def clear(self):
        """Removes all entries of the namespace, and returns how many there were. Its statistics stay."""
        return self._ask("clear", {}).get("count", 0)

    def list_entries(self):
        """The entries in the order in which they were set."""
        return [
            CacheEntry(
                key=entry["key"],
                valid=entry["valid"],
                size=entry["sizeBytes"],
                age=entry["ageMs"] / 1000,
                source_file=entry["files"][0] if entry["files"] else None,
            )
            for entry in self._ask("list", {}).get("entries", [])
        ]

    def stats(self):
        """Entries, their size in bytes, the age of the oldest in seconds; hits and misses of all processes, ever."""
        stats = self._ask("stats", {}).get("stats", {})
        here = stats.get("here", {})
        oldest = here.get("oldestEntryAgeMs")
        return {
            "entry_count": here.get("entryCount", 0),
            "total_size": here.get("totalSize", 0),
            "hit_count": stats.get("hitCount", 0),
            "miss_count": stats.get("missCount", 0),
            "oldest_entry_age": None if oldest is None else oldest / 1000,
        }

    def _lookup(self, key):
        """Whether there is a value, and the value."""
        answer = self._ask("get", {"key": _key(key)})
        return answer.get("hit", False), answer.get("value")

    def _ask(self, operation, members):
        request = {"op": operation, "namespace": self._namespace}
        request.update(members)
        answer = _connection().ask(request)
        error = answer.get("error")
        if error is None:
            return answer
        if error["code"] == "ERR_CACHE_VALUE":
            raise (TypeError if operation == "get" else ValueError)(error["message"])
        if error["code"] == "ERR_CACHE_VALUE_TOO_LARGE":
            raise ValueError(error["message"])
        _tell(error["message"])
        return answer


def namespace(name):
    """The cache of a plugin, by its name."""
    return NamespacedCache(name)


def _text(what, value):
    if isinstance(value, str):
        return value
    raise TypeError(f"{what} must be a str, not {type(value).__name__}.")


def _key(key):
    return _storable(_text("A key", key), MAX_KEY_BYTES)


def _storable(name, max_bytes):
    """The name, or a digest in place of one that the store can't have: empty, long, or of bytes that are no UTF-8."""
    encoded = name.encode("utf-8", "surrogatepass")
    if 0 < len(encoded) <= max_bytes and encoded.decode("utf-8", "replace") == name:
        return name
    import hashlib

    return "sha256-" + hashlib.sha256(encoded).hexdigest()


class _Unwatchable(Exception):
    """The server can't see whether the file changes."""


def _options(options):
    try:
        return dict(options or {})
    except (TypeError, ValueError):
        raise TypeError(f"options must be a dict, not {options!r}.") from None


def _absolute(path):
    """The absolute path as the server has to name it, which says UTF-8 whatever this process says."""
    try:
        absolute = os.fsencode(os.path.abspath(os.fsdecode(path))).decode("utf-8")
    except UnicodeError:
        raise _Unwatchable("its name isn't UTF-8.") from None
    except OSError as error:
        raise _Unwatchable(f"the working directory is gone ({error}).") from None
    if "\0" in absolute:
        raise _Unwatchable("no file can have this name.")
    return absolute


def _lifetime(source_file, options, ttl):
    """The members of a request that say how long an entry lives."""
    mode = options.pop("mode", None)
    seconds = options.pop("ttl_seconds", None)
    seconds = options.pop("ttl", None) if seconds is None else seconds
    source_file = options.pop("source_file", source_file)
    if options:
        _tell(f"unknown options are ignored: {', '.join(sorted(map(str, options)))}")
    if ttl is not None:
        seconds = ttl
    if mode is None:
        mode = "file" if source_file is not None else "manual" if seconds is None else "ttl"
    mode = InvalidationMode(mode)
    if mode is InvalidationMode.MANUAL:
        return {}
    members = {}
    if seconds is not None:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError(f"ttl must be a number of seconds, not {seconds!r}.")
        if not 0 < seconds < float("inf"):
            raise ValueError(f"ttl must be more than 0 seconds, not {seconds!r}.")
        members["ttl"] = min(seconds * 1000, MAX_TTL_MS)
    elif mode is InvalidationMode.TTL:
        raise ValueError("The mode ttl needs ttl_seconds.")
    if mode is InvalidationMode.FILE:
        if source_file is None:
            raise ValueError("The mode file needs a source_file.")
        members["files"] = [_absolute(source_file)]
    return members


_told = set()


def _tell(message):
    """One line on stderr, once."""
    if message in _told:
        return
    _told.add(message)
    try:
        sys.stderr.write(f"wicked-cache: {message}\n")
    except (AttributeError, OSError, ValueError):
        return  # There is no stderr.


class _Unavailable(Exception):
    """The server can't be started; the message says what to do."""


def _write(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


class _PipeEnd:
    """One end of a pipe. The program may close what it doesn't know; then the descriptor can be another file's by now."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self._file = self._look()

    def _look(self):
        stat = os.fstat(self.descriptor)
        return stat.st_dev, stat.st_ino

    def is_open(self):
        try:
            return self._look() == self._file
        except OSError:
            return False

    def close(self):
        if self.is_open():
            os.close(self.descriptor)


class _Connection:
    """The server of this process, and what has been read of its answers."""

    def __init__(self):
        self._lock = threading.RLock()
        self._is_busy = False
        self._to_server = None
        self._from_server = None
        self._ends_of_server = []
        self._unread = bytearray()
        self._delayed = []
        self._id = 0
        self._is_unavailable = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def ask(self, request):
        """The answer; without a server, an empty one."""
        if sys.is_finalizing():
            return {}  # A destructor at the very end: no server can be started any more.
        with self._lock:
            # A signal handler or a destructor may run in the middle of another request of this thread.
            if self._is_busy or self._is_unavailable:
                self._delay(request)
                return {}
            self._is_busy = True
            try:
                answer = self._ask(request) if self._catch_up() else {}
                if not answer:
                    # It wasn't reached. What was there before a set must not be found after it.
                    self._delay({**request, "op": "invalidate"} if request["op"] == "set" else request)
                self._catch_up()
                return answer
            finally:
                self._is_busy = False

    def _delay(self, request):
        """Keeps a change until the server can be asked. What JSON can't say is a mistake, whether there is a server or not."""
        members = ("op", "namespace", "key") if request["op"] == "invalidate" else request.keys() - {"id"}
        text = json.dumps({name: request[name] for name in sorted(members)})
        if request["op"] not in CHANGES or self._is_unavailable:
            return
        self._delayed.append(text)
        # So many that were never made: from now on, nothing is found.
        self._is_unavailable = len(self._delayed) > MAX_DELAYED

    def _catch_up(self):
        """Makes the changes that were delayed; whether that could be done."""
        count = len(self._delayed)
        latest = {}
        for request in map(json.loads, self._delayed[:count]):
            what = request["namespace"], request.get("key")
            latest.pop(what, None)
            latest[what] = request
        for request in latest.values():
            if not self._ask(request):
                return self._is_unavailable
        # A signal handler may have added more to the end.
        del self._delayed[:count]
        return True

    def _ask(self, request):
        self._id += 1
        request["id"] = self._id
        line = json.dumps(request).encode("ascii") + b"\n"
        for is_last in (False, True):
            is_new = not self._is_connected()
            try:
                if is_new:
                    self._start()
                self._send(line)
                answer = self._greeted() if is_new else self._receive()
            except _Unavailable as error:
                self._drop()
                self._is_unavailable = True
                _tell(f"{error} Until then, nothing is cached.")
                return {}
            except (OSError, EOFError) as error:
                # It was killed, perhaps. A second one is tried.
                self._drop()
                if getattr(error, "errno", None) in PASSING_ERRORS:
                    _tell(f"nothing is cached for the moment: {error}.")
                    return {}
                if is_last:
                    _tell(f"`{' '.join(_command())}` doesn't answer ({error}); it needs Node 20.19 or later.")
                    self._is_unavailable = is_new
                continue
            except BaseException:
                # An interrupt, in the middle of a line.
                self._drop()
                raise
            return answer
        return {}

    def close(self):
        """Ends the server, and waits until it has written what it has counted."""
        if not self._lock.acquire(timeout=CLOSE_TIMEOUT_SECONDS):
            return
        try:
            if not self._is_connected() or self._is_busy:
                return
            self._is_busy = True
            try:
                self._send(b'{"op":"close"}\n')
                self._read_line(CLOSE_TIMEOUT_SECONDS)
            except (OSError, EOFError):
                pass  # It has ended.
            finally:
                self._drop()
                # What a signal handler has set meanwhile. That server ends with this process.
                self._catch_up()
                self._is_busy = False
        finally:
            self._lock.release()

    def _forget(self):
        """In a child that was forked: the server is the parent's."""
        self._lock = threading.RLock()
        self._is_busy = False
        self._delayed = []
        self._drop()

    def _is_connected(self):
        if self._to_server is None:
            return False
        if self._to_server.is_open() and self._from_server.is_open():
            return True
        self._drop()
        return False

    def _drop(self):
        for end in (self._to_server, self._from_server, *self._ends_of_server):
            if end is not None:
                end.close()
        self._to_server = self._from_server = None
        self._ends_of_server = []
        self._unread = bytearray()

    def _start(self):
        command = _command()
        try:
            server_reads = self._pipe("_to_server")
            server_writes = self._pipe("_from_server")
            _spawn(command, server_reads, server_writes)
        except OSError as error:
            if error.errno in PASSING_ERRORS:
                raise
            raise _Unavailable(f"{command[0]} can't be run: {error}.") from error
        for end in self._ends_of_server:
            end.close()
        self._ends_of_server = []

    def _pipe(self, name):
        """Keeps one end of a pipe under the name, and returns the server's. A fork while it starts must know both."""
        reads, writes = os.pipe()
        mine, servers = (writes, reads) if name == "_to_server" else (reads, writes)
        setattr(self, name, _PipeEnd(mine))
        self._ends_of_server.append(_PipeEnd(servers))
        return servers

    def _greeted(self):
        """The first answer, which comes after the greeting."""
        line = self._read_line(ANSWER_TIMEOUT_SECONDS)
        if not line.startswith(b'{"serve":%d,' % PROTOCOL):
            self._drop()
            raise _Unavailable(f"`{' '.join(_command())}` is of another version: run `wicked-cache setup` again.")
        self._show_warnings(json.loads(line))
        return self._receive()

    def _send(self, line):
        if not hasattr(signal, "SIGPIPE") or signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN:
            _write(self._to_server.descriptor, line)
            return
        # A program that the signal would end must not end because the server has.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
            _write(self._to_server.descriptor, line)
        except BrokenPipeError:
            if signal.SIGPIPE not in before and signal.SIGPIPE in signal.sigpending():
                signal.sigwait({signal.SIGPIPE})
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _receive(self):
        while True:
            line = self._read_line(ANSWER_TIMEOUT_SECONDS)
            try:
                answer = json.loads(line)
            except (RecursionError, ValueError) as error:
                # This interpreter has limits of its own: for levels, for the digits of integers.
                return {"error": {"code": "ERR_CACHE_CODEC", "message": f"a value can't be read here: {error}"}}
            self._show_warnings(answer)
            if answer.get("id") == self._id:
                return answer
            if answer.get("id") is None and "error" in answer:
                return answer

    def _read_line(self, timeout_seconds):
        pieces = []
        while True:
            end = self._unread.find(b"\n")
            if end >= 0:
                pieces.append(bytes(self._unread[:end]))
                del self._unread[: end + 1]
                return b"".join(pieces)
            pieces.append(bytes(self._unread))
            self._unread = bytearray(self._read(timeout_seconds))

    def _read(self, timeout_seconds):
        if os.name == "posix":
            import select

            poll = select.poll()
            poll.register(self._from_server.descriptor, select.POLLIN)
            if not poll.poll(timeout_seconds * 1000):
                raise OSError("it doesn't answer")
        data = os.read(self._from_server.descriptor, READ_BYTES)
        if not data:
            raise EOFError("it has ended")
        return data

    @staticmethod
    def _show_warnings(answer):
        for warning in answer.get("warnings", ()):
            _tell(f"{warning['message']} ({warning['code']})")


def _connection():
    """One for a process, however many copies of this file it has loaded, under whatever names."""
    name = f"_wicked_cache_connection_{PROTOCOL}"
    holder = sys.modules.get(name)
    if holder is None:
        holder = type(sys)(name)
        holder.connection = _Connection()
        holder = sys.modules.setdefault(name, holder)
    return holder.connection


def _command():
    """How the server is started: the bundle beside this file, else what is on the PATH."""
    bundle = os.path.join(os.path.dirname(os.path.realpath(globals().get("__file__", ""))), os.pardir, "dist", "wicked-cache.cjs")
    if os.path.isfile(bundle):
        node = _find_program("node")
        if node is None:
            raise _Unavailable("Node is not on the PATH: install Node 20.19 or later from https://nodejs.org.")
        return [node, os.path.normpath(bundle), "serve"]
    program = _find_program("wicked-cache")
    if program is None:
        raise _Unavailable("its program is not there: run `npm install --global wicked-cache && wicked-cache setup`.")
    return [program, "serve"]


def _find_program(name):
    names = [name] if os.name == "posix" else [f"{name}.exe", f"{name}.cmd"]
    for directory in os.get_exec_path():
        for each in names:
            path = os.path.join(directory, each)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


# A shell starts the server and ends, so that the server is no child of this process: a program that waits for all of its
# children would wait for ever. Its streams are none of this process's, whose readers wait for them to be closed.
SHELL_LINE = 'exec 3<&0; "$@" <&3 3<&- &'


def _spawn(command, stdin, stdout):
    if not hasattr(os, "posix_spawn") or min(stdin, stdout) <= 2:
        import subprocess

        streams = {"stdin": stdin, "stdout": stdout, "stderr": subprocess.DEVNULL}
        flags = {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {"start_new_session": True}
        process = subprocess.Popen(command, **streams, **flags)
        process.returncode = 0  # It is never waited for.
        return
    arguments = ["sh", "-c", SHELL_LINE, "sh", *command]
    actions = [
        (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    try:
        # Away from the terminal, whose Ctrl-C is for this process.
        pid = os.posix_spawn("/bin/sh", arguments, os.environ, file_actions=actions, setsid=True)
    except NotImplementedError:
        pid = os.posix_spawn("/bin/sh", arguments, os.environ, file_actions=actions)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # The program has said that it wants to know of no child.


def main(arguments=None):
    """The command line. Exit codes: 0 done, 1 a miss or not stored, 2 called wrongly."""
    import argparse

    parser = argparse.ArgumentParser(prog="cache.py", description="The cache that plugins share.")
    parser.add_argument("command", choices=["set", "get", "invalidate", "stats", "list", "clear"])
    parser.add_argument("-n", "--namespace", required=True)
    parser.add_argument("-k", "--key")
    parser.add_argument("-v", "--value", help="JSON")
    parser.add_argument("-s", "--source-file", help="valid until this file changes")
    parser.add_argument("--ttl", type=float, help="valid for so many seconds")
    parser.add_argument("--mode", choices=[mode.value for mode in InvalidationMode])
    given = parser.parse_args(arguments)
    cache = namespace(given.namespace)
    needs_key = given.command in ("set", "get", "invalidate")
    if needs_key and given.key is None:
        parser.error(f"{given.command} needs a key: -k KEY")
    if given.command == "set":
        if given.value is None:
            parser.error("set needs a value: -v JSON")
        try:
            value = json.loads(given.value)
            is_stored = cache._store(given.key, value, given.source_file, {"mode": given.mode}, given.ttl)
        except (ValueError, RecursionError) as error:
            parser.error(str(error))
        print(json.dumps(given.key))
        return 0 if is_stored else 1
    if given.command == "get":
        try:
            is_hit, value = cache._lookup(given.key)
        except TypeError as error:
            sys.stderr.write(f"wicked-cache: {error}\n")
            return 1
        if is_hit:
            print(json.dumps(value))
        return 0 if is_hit else 1
    if given.command == "invalidate":
        was_there = cache.invalidate(given.key)
        print(json.dumps(was_there))
        return 0 if was_there else 1
    result = {"stats": cache.stats, "list": cache.list_entries, "clear": cache.clear}[given.command]()
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

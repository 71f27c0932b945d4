"""Runs programs in terminals of their own (POSIX), as given in JSON on standard input: a list of
{args, columns, rows, env, after, keys | signal}. Once `after` was written, the keys are typed or the signal is sent. Prints for each of
them what it wrote, with and without escape sequences, its exit code, the cells of its widest line, and whether the terminal is as it was."""

import fcntl, json, os, pty, re, select, signal, struct, sys, termios, unicodedata


def cells(line):
    """As terminals count them that know no more than Unicode's tables."""
    count = 0
    for char in line:
        if unicodedata.category(char) in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff":
            continue
        count += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return count


def run(asked):
    master, slave = pty.openpty()
    size = struct.pack("HHHH", asked.get("rows", 24), asked["columns"], 0, 0)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    before = termios.tcgetattr(slave)
    ended, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.set_inheritable(held, True)
        os.execvpe(asked["args"][0], asked["args"], {**os.environ, **asked.get("env", {})})
    os.close(held)
    written = b""
    is_sent = False
    is_running = True
    while is_running:
        ready, _, _ = select.select([master, ended], [], [])
        if master in ready:
            written += os.read(master, 65536)
        elif ended in ready:
            is_running = False
        if not is_sent and "after" in asked and asked["after"].encode() in written:
            is_sent = True
            if "keys" in asked:
                os.write(master, asked["keys"].encode())
            else:
                os.kill(child, getattr(signal, asked["signal"]))
    _, status = os.waitpid(child, 0)
    text = written.decode("utf8")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return {
        "text": text,
        "plain": plain.replace("\r", ""),
        "code": os.waitstatus_to_exitcode(status),
        "widest": max(cells(line) for line in re.split(r"[\r\n]+", plain)),
        "isRestored": termios.tcgetattr(slave) == before,
    }


print(json.dumps([run(asked) for asked in json.load(sys.stdin)]))

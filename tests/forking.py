"""What tests of forked processes share: a server, programs to fork, and whether a process is there."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from evalkit.run.processes.fork_server import ForkedProcess, ForkServer, Launch, fork

WAIT_SECONDS = 20
PROGRAM = """
import gc, json, os, signal, sys, threading, time


def main(arguments):
    return globals()[arguments[0]](*arguments[1:])


def number(status):
    return int(status)


def nothing():
    pass


def leave(with_what):
    sys.exit(json.loads(with_what))


def fail():
    raise ValueError("no")


def interrupted():
    raise KeyboardInterrupt


def signalled(number):
    os.kill(os.getpid(), int(number))
    time.sleep(60)


def unended():
    print("said", end="")
    print("asked", end="", file=sys.stderr)
    import atexit
    atexit.register(print, "at the end", end="")
    threading.Timer(0.1, print, ["from a thread, "], {"end": ""}).start()


def state(*rest):
    import matplotlib
    handlers = {int(n): repr(signal.getsignal(n)).split(" at ")[0] for n in (2, 10, 13, 15, 17)}
    fds = sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1]  # the last one is that of the listing itself
    print(json.dumps({
        "environment": dict(os.environ), "folder": os.getcwd(), "arguments": sys.argv[1:], "file": sys.argv[0],
        "handlers": handlers, "mask": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "descriptors": fds,
        "threads": threading.active_count(), "gc": gc.isenabled(), "main": sys.modules["__main__"].__spec__.name,
        "path": sys.path, "backend": matplotlib.rcParams._get_backend_or_none(), "hash": hash("a"),
        "flags": [sys.flags.safe_path, sys.flags.hash_randomization], "umask": os.umask(0o22), "zone": time.tzname,
    }))


def copy():
    sys.stdout.write(sys.stdin.read().upper())


def sleep(with_child="", *more):
    if with_child:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
        print(pid, end=" ")
    print(os.getpid(), os.getpgrp(), os.getsid(0), flush=True)
    if with_child != "leave":
        time.sleep(60)


def draws():
    import random, numpy
    print(random.random(), numpy.random.random())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def program(folder: Path) -> str:
    """Write the programs to fork and return the name of their module."""
    (folder / "forked_program.py").write_text(PROGRAM, encoding="utf-8")
    return "forked_program"


def popen(server: ForkServer, module: str, arguments: Sequence[str], env=None, cwd=None, **streams) -> ForkedProcess:
    """Return a forked process that runs `module.main(arguments)`, with streams as `subprocess` takes them."""
    variables = dict(os.environ if env is None else env)
    launch = Launch(module, tuple(arguments), env=variables, cwd=os.fspath(cwd or os.getcwd()))
    return fork(server.address, launch, **streams)


def is_there(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> bool:
    """Return whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(*pids: int) -> bool:
    """Return whether processes end soon."""
    return soon(lambda: not any(is_there(pid) for pid in pids))

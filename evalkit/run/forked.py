"""The process that others are forked from: `python -m evalkit.run.forked SOCKET MODULE...`.

It imports the modules (`package.*`: all in a package) once, says `{"ready": true}` on its standard output, and then
forks one process for each connection to its socket. A client sends one line of JSON (`forked_process.Launch`) with
three file descriptors, and is sent `{"pid": …}`, and `{"status": …}` when that process has ended; it may send
`{"signal": …}` in between. The process is killed when its connection closes. The server ends when its standard input
does, and with it everything it forked.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import shutil
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path

from evalkit.core.words import counted
from evalkit.run.fork_loop import ForkLoop
from evalkit.run.light_imports import import_jsonschema


def main(arguments: list[str] | None = None) -> int:
    """Import the modules named, and serve forks at the socket named until standard input ends."""
    address, *modules = sys.argv[1:] if arguments is None else arguments
    gc.disable()
    import_jsonschema()
    for name in modules:
        _import(name)
    reason = why_unsafe()
    if reason is not None:
        _say({"refused": reason})
        return 1
    gc.collect()
    gc.freeze()  # what is imported is looked at no more, so that its pages stay shared
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    try:
        _say({"ready": True})
        ForkLoop(listener).run()
    finally:
        shutil.rmtree(Path(address).parent, ignore_errors=True)
    return 0


def why_unsafe() -> str | None:
    """Return why this process may not be forked: a thread would be missing from the copy, with what it holds."""
    threads = max(threading.active_count(), len(os.listdir("/proc/self/task")))
    return None if threads == 1 else f"importing the libraries started {counted(threads - 1, 'thread')}"


def _import(name: str) -> None:
    """Import a module, or all of a package; what cannot be imported is left to the process that needs it."""
    package = name.removesuffix(".*")
    try:
        found = import_module(package)
    except Exception as problem:
        print(f"{package} could not be imported ({type(problem).__name__})", file=sys.stderr)
        return
    if package != name:
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            _import(module.name)


def _say(message: dict[str, object]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main())

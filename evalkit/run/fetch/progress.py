"""How far a file has come: one line that grows on a terminal, plain lines now and then otherwise."""

from __future__ import annotations

import sys
import time
from typing import Final

from evalkit.core.words import cleaned

_ON_TERMINAL, _OTHERWISE = 0.2, 10.0
_WIDEST: Final = 100


class FetchProgress:
    """Says on standard error what goes on; silent where `is_quiet`."""

    def __init__(self, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._is_terminal = sys.stderr.isatty()
        self._name, self._last, self._has_line = "", 0.0, False

    def begin(self, name: str) -> None:
        """Say which file is asked for."""
        self._name, self._last = name, time.monotonic()
        if not self._is_terminal:
            self.say("asked for")

    def say(self, text: str) -> None:
        """Print one line about the file."""
        if not self._is_quiet:
            self.end()
            print(cleaned(f"{self._name}: {text}" if self._name else text), file=sys.stderr, flush=True)

    def show(self, got: int, total: int | None) -> None:
        """Say how much has come, unless that was said just now."""
        now = time.monotonic()
        if self._is_quiet or now - self._last < (_ON_TERMINAL if self._is_terminal else _OTHERWISE):
            return
        self._last = now
        share = f" of {shown_bytes(total)} ({min(got / total, 1):.0%})" if total else ""
        line = cleaned(f"{self._name}: {shown_bytes(got)}{share}")
        if self._is_terminal:
            print(f"\r{line[:_WIDEST]:<{_WIDEST}}", end="", file=sys.stderr, flush=True)
            self._has_line = True
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line that grows off the terminal."""
        if self._has_line:
            print(f"\r{'':<{_WIDEST}}\r", end="", file=sys.stderr, flush=True)
            self._has_line = False


def shown_bytes(n: int) -> str:
    """Return a number of bytes as a reader says it.

    >>> shown_bytes(950), shown_bytes(12_345_678)
    ('950 bytes', '12.3 MB')
    """
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n} bytes"
